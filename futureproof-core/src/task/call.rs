//! What one annotated function is, as data.

use std::borrow::Cow;
use std::fmt;

use super::error::{TaskErrorKind, TaskPanic};
use crate::describe::ErrorVtable;
use crate::monitor::MonitorInterval;
use crate::policy::ErrorPolicy;
use crate::pool::TaskPool;
use crate::unwind;

/// How to call one function, and how its tasks are to be treated: all that the companion of a `#[task_pool]` function
/// hands to the runtime.
///
/// `A` is the tuple of the function's arguments, `K` what is kept of them for the results, `T` and `E` what the
/// function gives; `E` is [`Never`](crate::flow::Never) where it gives no `Result`.
pub struct Call<A, K, T, E> {
    /// Calls the function.
    pub run: fn(A) -> Result<T, E>,
    /// Copies what a result keeps of the arguments.
    pub keep: fn(&A) -> K,
    /// The call as text, from what was kept.
    pub describe: fn(&K) -> Option<String>,
    /// How to show an error.
    pub error: ErrorVtable<E>,
    /// The name of the function or of its pool.
    pub name: &'static str,
    /// What a failure does.
    pub policy: ErrorPolicy,
    /// How many tasks may wait for a worker; default: as many as there are workers, and more while tasks are cheap.
    pub capacity: Option<usize>,
    /// How often progress is logged.
    pub monitor: MonitorInterval,
}

impl<A, K, T, E> Clone for Call<A, K, T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, K, T, E> Copy for Call<A, K, T, E> {}

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
        Self {
            run,
            keep,
            describe,
            error,
            name: &options.name,
            policy: options.policy,
            capacity: options.capacity,
            monitor: options.monitor,
        }
    }

    /// Runs one task. Whatever the user's code does, this returns.
    pub(super) fn perform(&self, args: A) -> Result<(K, T), Broken<E>> {
        let kept = match unwind::catch(|| (self.keep)(&args)) {
            Ok(kept) => kept,
            Err(payload) => {
                drop_quietly(args);
                return Err(Broken {
                    kind: TaskErrorKind::Panicked(TaskPanic::new(payload)),
                    call: None,
                });
            }
        };
        let kind = match unwind::catch(|| (self.run)(args)) {
            Ok(Ok(result)) => return Ok((kept, result)),
            Ok(Err(error)) => TaskErrorKind::Failed(error),
            Err(payload) => TaskErrorKind::Panicked(TaskPanic::new(payload)),
        };
        Err(Broken {
            kind,
            call: self.text(kept),
        })
    }

    /// The failure of a task that never started.
    pub(super) fn cancelled(&self, args: A) -> Broken<E> {
        let call = match unwind::catch(|| (self.keep)(&args)) {
            Ok(kept) => self.text(kept),
            Err(payload) => {
                unwind::discard(payload);
                None
            }
        };
        drop_quietly(args);
        Broken {
            kind: TaskErrorKind::Cancelled,
            call,
        }
    }

    fn text(&self, kept: K) -> Option<String> {
        let text = unwind::catch(|| (self.describe)(&kept)).unwrap_or_else(|payload| {
            unwind::discard(payload);
            None
        });
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

/// The evaluated options of one annotated function, with its pool.
#[derive(Debug)]
pub struct TaskOptions {
    /// The function's pool.
    pub pool: TaskPool,
    /// The name of the function or of its pool.
    pub name: Cow<'static, str>,
    /// What a failure does.
    pub policy: ErrorPolicy,
    /// How many tasks may wait for a worker.
    pub capacity: Option<usize>,
    /// How often progress is logged.
    pub monitor: MonitorInterval,
}

impl TaskOptions {
    /// Begins the options of the function called `function`.
    // The macro calls this by path; the value of the chain is `TaskOptions`.
    #[allow(clippy::new_ret_no_self)]
    pub fn new(function: &'static str) -> TaskOptionsBuilder {
        TaskOptionsBuilder {
            workers: None,
            name: Cow::Borrowed(function),
            policy: ErrorPolicy::default(),
            capacity: None,
            monitor: MonitorInterval::default(),
        }
    }
}

/// Collects the options of one annotated function.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TaskOptionsBuilder {
    workers: Option<usize>,
    name: Cow<'static, str>,
    policy: ErrorPolicy,
    capacity: Option<usize>,
    monitor: MonitorInterval,
}

impl TaskOptionsBuilder {
    /// Sets how many tasks run at once.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets what a failure does.
    pub fn error_policy(mut self, policy: impl Into<ErrorPolicy>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Sets the name of the pool, its threads and its log lines; default: the function's.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets how many tasks may wait for a worker before `submit` blocks; 0: a task is accepted when a worker is free.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// Sets how often progress is logged.
    pub fn monitor(mut self, interval: impl Into<MonitorInterval>) -> Self {
        self.monitor = interval.into();
        self
    }

    /// Builds the pool and keeps the rest.
    ///
    /// # Panics
    ///
    /// Panics when `workers` is zero or the name contains a NUL byte.
    #[must_use]
    pub fn build(self) -> TaskOptions {
        let mut pool = TaskPool::builder().name(self.name.clone());
        if let Some(workers) = self.workers {
            pool = pool.workers(workers);
        }
        TaskOptions {
            pool: pool.build(),
            name: self.name,
            policy: self.policy,
            capacity: self.capacity,
            monitor: self.monitor,
        }
    }
}
