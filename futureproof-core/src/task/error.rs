//! What can become of a task other than a result.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::home::Home;
use super::queue::Order;
use crate::describe::ErrorVtable;
use crate::sync::{Arc, Mutex, panic};
use crate::unwind::{self, Payload};

/// A task that succeeded.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// half::scope(|tasks| {
///     tasks.submit(84);
///     let task = tasks.as_completed().next().expect("one task")?;
///     assert_eq!((task.index, task.args, task.result, task.attempts), (0, (84,), 42, 1));
///     Ok(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task<K, T> {
    /// The number of the task: tasks are numbered as they are accepted, `map`ped ones as their item is pulled.
    pub index: usize,
    /// The arguments it was called with, or `()` where they are not kept.
    pub args: K,
    /// What the function returned.
    pub result: T,
    /// How often it was started, by when it succeeded: 1 unless it was [tried again](crate::Retry).
    pub attempts: u32,
}

/// A task that gave no result: what happened, and to which task.
///
/// It displays as `task 3: load_url("http://…", 60s) failed: connection refused`. The error's own sources follow from
/// [`source`](Error::source). A function that returns no `Result` can still panic or be cancelled: its error is a `TaskError`, without a type.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::TaskErrorKind;
///
/// let error = half::submit(3).join().unwrap_err();
/// assert_eq!(error.to_string(), "task 0: half(3) failed: 3 is odd");
/// assert_eq!((error.index(), error.name(), error.call()), (0, "half", Some("half(3)")));
/// assert_eq!(error.attempts(), 1);
/// assert!(!error.is_cancelled() && !error.is_timed_out());
/// assert!(matches!(error.kind(), TaskErrorKind::Failed(_)));
/// match error.into_kind() {
///     TaskErrorKind::Failed(text) => assert_eq!(text, "3 is odd"),
///     other => panic!("{other:?}"),
/// }
/// ```
pub struct TaskError<E = Infallible> {
    /// `None` only while it is being taken apart.
    inner: Option<Box<Inner<E>>>,
    /// Where it goes when it is dropped.
    home: Option<Arc<Home<E>>>,
}

pub(super) struct Inner<E> {
    pub(super) index: usize,
    pub(super) order: Order,
    pub(super) name: &'static str,
    pub(super) call: Option<String>,
    /// How often it was started.
    pub(super) attempts: u32,
    pub(super) kind: TaskErrorKind<E>,
    pub(super) vtable: ErrorVtable<E>,
}

/// Why a task gave no result.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::{TaskError, TaskErrorKind};
///
/// fn advice(error: &TaskError<String>) -> &'static str {
///     match error.kind() {
///         TaskErrorKind::Failed(_) => "look at the input",
///         TaskErrorKind::Panicked(_) => "look at the function",
///         TaskErrorKind::TimedOut(_) => "give it more time",
///         TaskErrorKind::Cancelled => "try it later",
///         _ => "look at the log",
///     }
/// }
///
/// assert_eq!(advice(&half::submit(3).join().unwrap_err()), "look at the input");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskErrorKind<E = Infallible> {
    /// The function returned this error.
    Failed(E),
    /// The function, or the iterator that should have given its arguments, panicked.
    Panicked(TaskPanic),
    /// The task ran longer than its `timeout`, which is this long. Its function may still be running: a thread cannot be
    /// stopped from outside. What it returns in the end is dropped.
    TimedOut(Duration),
    /// The task was cancelled before it started.
    Cancelled,
    /// The task never started: a hook on the start of the pool's threads has failed, in the way that the text says.
    PoolBroken(Arc<str>),
    /// The task failed, and the closure of its scope has carried the error away: what the scope returns then.
    Taken,
}

impl<E> TaskError<E> {
    pub(super) fn new(inner: Box<Inner<E>>, home: Option<Arc<Home<E>>>) -> Self {
        if let Some(home) = &home {
            home.send_out();
        }
        Self {
            inner: Some(inner),
            home,
        }
    }

    fn inner(&self) -> &Inner<E> {
        self.inner.as_ref().expect("only taken by `self`")
    }

    /// Returns the number of the task; see [`Task::index`].
    #[must_use]
    pub fn index(&self) -> usize {
        self.inner().index
    }

    /// Returns the name of the function or of its pool.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.inner().name
    }

    /// Returns the call as text, `load_url("http://…", 60s)`, where the arguments are kept and can be shown.
    #[must_use]
    pub fn call(&self) -> Option<&str> {
        self.inner().call.as_deref()
    }

    /// Returns what happened.
    #[must_use]
    pub fn kind(&self) -> &TaskErrorKind<E> {
        &self.inner().kind
    }

    /// Takes out what happened, with the function's own error or the panic's payload.
    #[must_use]
    pub fn into_kind(mut self) -> TaskErrorKind<E> {
        self.inner.take().expect("only taken by `self`").kind
    }

    /// Returns whether the task was cancelled before it started.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.kind(), TaskErrorKind::Cancelled)
    }

    /// Returns whether the task ran longer than its `timeout`.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        matches!(self.kind(), TaskErrorKind::TimedOut(_))
    }

    /// Returns how often the task was started: more than once if it was tried again, 0 if it never was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner().attempts
    }

    pub(super) fn into_inner(mut self) -> Box<Inner<E>> {
        self.inner.take().expect("only taken by `self`")
    }
}

impl<E> Drop for TaskError<E> {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        home.lose();
        if let Some(inner) = self.inner.take() {
            let spare = home.receive(inner, true);
            drop(spare);
        }
    }
}

impl<E> Inner<E> {
    /// Did the task panic?
    pub(super) fn is_panic(&self) -> bool {
        matches!(self.kind, TaskErrorKind::Panicked(_))
    }

    /// Did the task fail, rather than being cancelled?
    pub(super) fn is_failure(&self) -> bool {
        matches!(
            self.kind,
            TaskErrorKind::Failed(_)
                | TaskErrorKind::Panicked(_)
                | TaskErrorKind::TimedOut(_)
                | TaskErrorKind::PoolBroken(_)
        )
    }

    /// The first of the error's sources that its text does not already tell.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            TaskErrorKind::Failed(error) => (self.vtable.source)(error),
            _ => None,
        }
    }

    /// What happened, with its sources: `a: b: c`.
    pub(super) fn reason(&self) -> impl fmt::Display + '_ {
        Reason(self)
    }

    fn fmt_kind(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TaskErrorKind::Failed(error) => (self.vtable.display)(error, f),
            TaskErrorKind::Panicked(panic) => fmt::Display::fmt(panic, f),
            TaskErrorKind::TimedOut(limit) => write!(f, "timed out after {limit:?}"),
            TaskErrorKind::Cancelled => f.write_str("cancelled"),
            TaskErrorKind::PoolBroken(reason) => f.write_str(reason),
            TaskErrorKind::Taken => f.write_str("taken"),
        }
    }
}

struct Reason<'a, E>(&'a Inner<E>);

impl<E> fmt::Display for Reason<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_kind(f)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

impl<E> fmt::Display for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner();
        let call = inner.call.as_deref().unwrap_or(inner.name);
        write!(f, "task {}: {call} ", inner.index)?;
        match &inner.kind {
            TaskErrorKind::Failed(_) if inner.attempts > 1 => {
                write!(f, "failed after {} attempts: ", inner.attempts)?;
            }
            TaskErrorKind::Failed(_) => f.write_str("failed: ")?,
            TaskErrorKind::Panicked(_) | TaskErrorKind::TimedOut(_) => {}
            TaskErrorKind::PoolBroken(_) => f.write_str("could not start: ")?,
            TaskErrorKind::Cancelled => {
                return f.write_str("was cancelled before it started");
            }
            TaskErrorKind::Taken => {
                return f.write_str("failed; its error was taken by the caller");
            }
        }
        inner.fmt_kind(f)
    }
}

impl<E> fmt::Debug for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Kind<'a, E>(&'a Inner<E>);

        impl<E> fmt::Debug for Kind<'_, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt_kind(f)
            }
        }

        let inner = self.inner();
        f.debug_struct("TaskError")
            .field("index", &inner.index)
            .field("call", &inner.call.as_deref().unwrap_or(inner.name))
            .field("kind", &Kind(inner))
            .finish()
    }
}

impl<E> Error for TaskError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner().source()
    }
}

/// A panic of a task, kept.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::TaskErrorKind;
///
/// let inputs = (1..=2_u32).inspect(|n| assert!(*n < 2, "{n} is too much"));
/// let error = half::map(inputs).filter_map(Result::err).last().unwrap();
/// match error.into_kind() {
///     TaskErrorKind::Panicked(panic) if panic.message().is_none() => panic.resume(),
///     TaskErrorKind::Panicked(panic) => {
///         assert_eq!(panic.message(), Some("2 is too much"));
///         assert!(panic.into_payload().is::<String>());
///     }
///     other => println!("{other:?}"),
/// }
/// ```
pub struct TaskPanic {
    message: Option<String>,
    /// A payload is `Send` only; the lock makes it possible to share the error that holds it.
    payload: Mutex<Payload>,
}

impl TaskPanic {
    pub(super) fn new(payload: Payload) -> Self {
        let message = payload
            .downcast_ref::<&'static str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Self {
            message,
            payload: Mutex::new(payload),
        }
    }

    /// Returns the panic's message, where it has one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Takes the payload out.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send + 'static> {
        self.replace(Box::new(()))
    }

    /// Goes on with the panic on this thread.
    pub fn resume(self) -> ! {
        panic::resume_unwind(self.into_payload())
    }

    fn replace(&self, payload: Payload) -> Payload {
        std::mem::replace(&mut *self.payload.lock(), payload)
    }
}

impl Drop for TaskPanic {
    fn drop(&mut self) {
        // A payload may panic when it is dropped.
        unwind::discard(self.replace(Box::new(())));
    }
}

impl fmt::Display for TaskPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "panicked: {message}"),
            None => f.write_str("panicked"),
        }
    }
}

impl fmt::Debug for TaskPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskPanic").field(&self.message).finish()
    }
}
