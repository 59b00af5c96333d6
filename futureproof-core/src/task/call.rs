//! What one annotated function is, as data.

use std::fmt;
use std::time::Duration;

use super::error::{TaskErrorKind, TaskPanic};
use super::options::TaskOptions;
use super::rate::Limiter;
use super::retry::Retry;
use crate::describe::ErrorVtable;
use crate::monitor::MonitorInterval;
#[cfg(feature = "progress")]
use crate::monitor::ProgressBar;
use crate::policy::ErrorPolicy;
use crate::stop::StopToken;
use crate::sync::Arc;
use crate::unwind::{self, Payload};

/// How to call one function, and how its tasks are to be treated: all that the companion of a `#[task_pool]` function
/// hands to the runtime.
///
/// `A` is the tuple of the function's arguments, `K` what is kept of them for the results, `T` and `E` what the
/// function gives; `E` is [`Never`](crate::flow::Never) where it gives no `Result`.
pub struct Call<A, K, T, E> {
    run: fn(A) -> Result<T, E>,
    keep: fn(&A) -> K,
    describe: fn(&K) -> Option<String>,
    pub(super) error: ErrorVtable<E>,
    /// The name of the function or of its pool.
    pub name: &'static str,
    /// What a failure does.
    pub policy: ErrorPolicy,
    /// How many tasks may wait for a worker; default: as many as there are workers, and more while tasks are cheap.
    pub capacity: Option<usize>,
    /// How often progress is logged.
    pub monitor: MonitorInterval,
    /// Is there a progress bar?
    #[cfg(feature = "progress")]
    pub(super) bar: ProgressBar,
    /// What most calls have nothing of: a call is passed on by value.
    more: Option<Box<More<A, E>>>,
}

/// The rarer options of a call.
pub(super) struct More<A, E> {
    /// How many failures end everything, under the policy raise.
    pub(super) raise_after: usize,
    /// How often a task is tried again, once it is known how its arguments are cloned.
    retry: Option<Retry>,
    pub(super) limits: Limits<A, E>,
    pub(super) limiter: Option<Arc<Limiter>>,
    pub(super) token: Option<StopToken>,
    pub(super) deadline: Option<Duration>,
}

/// What a single task may have of its own.
pub(super) struct Limits<A, E> {
    pub(super) retry: Option<Again<A, E>>,
    /// Which errors are worth another attempt; default: all.
    when: Option<fn(&E) -> bool>,
    /// How long one attempt may run.
    pub(super) timeout: Option<Duration>,
}

/// How a task that failed is tried again.
pub(super) struct Again<A, E> {
    pub(super) retry: Retry,
    clone: fn(&A) -> A,
    /// Which errors are worth it; default: all.
    when: Option<fn(&E) -> bool>,
}

impl<A, K, T, E> Clone for Call<A, K, T, E> {
    fn clone(&self) -> Self {
        Self {
            more: self.more.clone(),
            #[cfg(feature = "progress")]
            bar: self.bar.clone(),
            ..*self
        }
    }
}

impl<A, E> Clone for More<A, E> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            token: self.token.clone(),
            ..*self
        }
    }
}

impl<A, E> Default for More<A, E> {
    fn default() -> Self {
        Self {
            raise_after: 1,
            retry: None,
            limits: Limits::NONE,
            limiter: None,
            token: None,
            deadline: None,
        }
    }
}

impl<A, E> Clone for Limits<A, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, E> Copy for Limits<A, E> {}

impl<A, E> Clone for Again<A, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, E> Copy for Again<A, E> {}

impl<A, E> Limits<A, E> {
    pub(super) const NONE: Self = Self {
        retry: None,
        when: None,
        timeout: None,
    };

    /// Are there none?
    pub(super) fn is_empty(&self) -> bool {
        self.retry.is_none() && self.timeout.is_none()
    }

    pub(super) fn set_retry(&mut self, retry: Retry, clone: fn(&A) -> A) {
        let when = self.when;
        self.retry = Some(Again { retry, clone, when });
    }

    pub(super) fn set_when(&mut self, when: fn(&E) -> bool) {
        self.when = Some(when);
        if let Some(again) = &mut self.retry {
            again.when = self.when;
        }
    }
}

impl<A, E> Again<A, E> {
    /// The arguments for the attempt after the one with this number, if there may be another; or the panic of cloning them.
    pub(super) fn spare(&self, attempt: u32, args: &A) -> Result<Option<A>, Payload> {
        if attempt >= self.retry.most_attempts() {
            return Ok(None);
        }
        unwind::catch(|| (self.clone)(args)).map(Some)
    }

    /// How long to wait before the next attempt; `None`: there is none.
    pub(super) fn wait_after(&self, attempt: u32, kind: &TaskErrorKind<E>) -> Option<Duration> {
        let TaskErrorKind::Failed(error) = kind else {
            return None;
        };
        let wanted = self.when.is_none_or(|when| {
            unwind::catch(|| when(error)).unwrap_or_else(|payload| {
                // The panic hook has told of it; the task keeps the error that it has.
                unwind::discard(payload);
                false
            })
        });
        if wanted {
            self.retry.wait_after(attempt)
        } else {
            None
        }
    }
}

impl<A, K, T, E> fmt::Debug for Call<A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// A failure with the text of the call.
pub(super) struct Broken<E> {
    pub(super) kind: TaskErrorKind<E>,
    pub(super) call: Option<String>,
    /// How often the task was started.
    pub(super) attempts: u32,
}

impl<E> Broken<E> {
    /// What a task's span says of an outcome.
    pub(super) fn word<T>(outcome: &Result<T, Self>) -> &'static str {
        match outcome.as_ref().map_err(|broken| &broken.kind) {
            Ok(_) => "completed",
            Err(TaskErrorKind::Panicked(_)) => "panicked",
            Err(TaskErrorKind::TimedOut(_)) => "timed_out",
            Err(_) => "failed",
        }
    }

    /// A panic of code that is not the function itself.
    pub(super) fn panicked(payload: Payload) -> Self {
        Self {
            kind: TaskErrorKind::Panicked(TaskPanic::new(payload)),
            call: None,
            attempts: 1,
        }
    }
}

impl<A, K, T, E> Call<A, K, T, E> {
    /// Describes a call of the function whose options are `options`.
    #[must_use]
    pub fn new(
        options: &'static TaskOptions,
        run: fn(A) -> Result<T, E>,
        keep: fn(&A) -> K,
        describe: fn(&K) -> Option<String>,
        error: ErrorVtable<E>,
    ) -> Self {
        let mut call = Self::of(&options.name, run, keep, describe, error);
        call.policy = options.policy;
        call.capacity = options.capacity;
        call.monitor = options.monitor;
        #[cfg(feature = "progress")]
        call.bar.clone_from(&options.bar);
        if options.has_more() {
            let more = call.more_mut();
            more.raise_after = options.raise_after;
            more.retry = options.retry;
            more.limits.timeout = options.timeout;
            more.limiter.clone_from(&options.limiter);
        }
        call
    }

    /// Describes a call of a function that has no options.
    #[must_use]
    pub fn of(
        name: &'static str,
        run: fn(A) -> Result<T, E>,
        keep: fn(&A) -> K,
        describe: fn(&K) -> Option<String>,
        error: ErrorVtable<E>,
    ) -> Self {
        Self {
            run,
            keep,
            describe,
            error,
            name,
            policy: ErrorPolicy::default(),
            capacity: None,
            monitor: MonitorInterval::default(),
            #[cfg(feature = "progress")]
            bar: ProgressBar::OFF,
            more: None,
        }
    }

    pub(super) fn more_mut(&mut self) -> &mut More<A, E> {
        self.more.get_or_insert_default()
    }

    pub(super) fn raise_after(&self) -> usize {
        self.more.as_ref().map_or(1, |more| more.raise_after)
    }

    /// What limits each of its tasks.
    pub(super) fn limits(&self) -> Limits<A, E> {
        self.more.as_ref().map_or(Limits::NONE, |more| more.limits)
    }

    /// Is nothing limited, collected or stopped from outside?
    pub(super) fn is_plain(&self) -> bool {
        self.more.is_none()
    }

    pub(super) fn limiter(&self) -> Option<&Arc<Limiter>> {
        self.more.as_ref()?.limiter.as_ref()
    }

    pub(super) fn token(&self) -> Option<&StopToken> {
        self.more.as_ref()?.token.as_ref()
    }

    /// So long after it has begun, everything stops.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.more.as_ref()?.deadline
    }

    /// Says how arguments are cloned, so that a task can be tried again.
    #[must_use]
    pub fn cloning(mut self, clone: fn(&A) -> A) -> Self {
        if let Some(more) = &mut self.more
            && let Some(retry) = more.retry
        {
            more.limits.set_retry(retry, clone);
        }
        self
    }

    /// Says which errors are worth another attempt.
    #[must_use]
    pub fn retry_if(mut self, when: fn(&E) -> bool) -> Self {
        self.more_mut().limits.set_when(when);
        self
    }

    /// Keeps what a result wants of the arguments, before the task runs.
    pub(super) fn keep(&self, args: A) -> Result<(K, A), Broken<E>> {
        match unwind::catch(|| (self.keep)(&args)) {
            Ok(kept) => Ok((kept, args)),
            Err(payload) => {
                drop_quietly(args);
                Err(Broken::panicked(payload))
            }
        }
    }

    /// Runs one task. Whatever the user's code does, this returns.
    pub(super) fn perform(&self, args: A) -> Result<(K, T), Broken<E>> {
        let (kept, args) = self.keep(args)?;
        self.perform_kept(kept, args)
    }

    /// Runs one task of whose arguments was kept what is wanted.
    pub(super) fn perform_kept(&self, kept: K, args: A) -> Result<(K, T), Broken<E>> {
        let kind = match unwind::catch(|| (self.run)(args)) {
            Ok(Ok(result)) => return Ok((kept, result)),
            Ok(Err(error)) => TaskErrorKind::Failed(error),
            Err(payload) => TaskErrorKind::Panicked(TaskPanic::new(payload)),
        };
        Err(Broken {
            kind,
            call: self.text(kept),
            attempts: 1,
        })
    }

    /// The end of a task that never started.
    pub(super) fn cancelled(&self, args: A) -> Broken<E> {
        self.unstarted(args, TaskErrorKind::Cancelled)
    }

    /// The end of a task that never started, of this kind.
    pub(super) fn unstarted(&self, args: A, kind: TaskErrorKind<E>) -> Broken<E> {
        let call = match unwind::catch(|| (self.keep)(&args)) {
            Ok(kept) => self.text(kept),
            Err(payload) => {
                unwind::discard(payload);
                None
            }
        };
        drop_quietly(args);
        Broken {
            kind,
            call,
            attempts: 0,
        }
    }

    /// The call as text, while what was kept is still needed.
    pub(super) fn describe(&self, kept: &K) -> Option<String> {
        unwind::catch(|| (self.describe)(kept)).unwrap_or_else(|payload| {
            unwind::discard(payload);
            None
        })
    }

    fn text(&self, kept: K) -> Option<String> {
        let text = self.describe(&kept);
        drop_quietly(kept);
        text
    }
}

/// Drops a value of the user's; a panic in its `Drop` has been printed by the panic hook and goes no further.
pub(super) fn drop_quietly<T>(value: T) {
    if let Err(payload) = unwind::drop_caught(value) {
        unwind::discard(payload);
    }
}

/// Drops values of the user's one by one: if two panicked in one drop, the process would end.
pub(super) fn drop_each<T>(values: impl IntoIterator<Item = T>) {
    if let Err(payload) = unwind::drop_all(values) {
        unwind::discard(payload);
    }
}

/// Drops a task's result and what was kept of its arguments.
pub(super) fn drop_task<K, T>(kept: K, result: T) {
    drop_quietly(kept);
    drop_quietly(result);
}

/// Asks of a call's types that they can be sent. The companion's functions all ask it here, so that a type that cannot be sent
/// is reported once.
#[must_use]
pub fn sendable<A: Send, K, T: Send, E: Send>(call: Call<A, K, T, E>) -> Call<A, K, T, E> {
    call
}

/// What the macro can tell apart: functions that give a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`",
    label = "not a `Result`",
    note = "remove `fallible = true`, or write `fallible = false` where a type of your own is called `Result`"
)]
pub trait Fallible {
    /// What they give when they succeed.
    type Ok;
    /// What they give when they fail.
    type Err;

    /// The `Result` itself.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> Fallible for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}
