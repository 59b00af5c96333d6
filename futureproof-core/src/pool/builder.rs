//! How a pool is configured.

use std::fmt;
use std::time::Duration;

use super::shared::{Config, Shared, StartHook, StopHook};
use super::{MOST_WORKERS, TaskPool, default_workers};
use crate::sync::Arc;

/// Idle threads are let go after this long unless the builder says otherwise.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Configures and builds a [`TaskPool`].
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::TaskPool;
///
/// let pool = TaskPool::builder()
///     .workers(8)
///     .name("thumbnails")
///     .stack_size(4 * 1024 * 1024)
///     .keep_alive(Duration::from_secs(60))
///     .max_tasks_per_thread(10_000)
///     .on_thread_stop(|| println!("a thread has ended"))
///     .build();
/// assert_eq!(pool.name(), "thumbnails");
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct TaskPoolBuilder {
    workers: Option<usize>,
    name: String,
    stack_size: Option<usize>,
    keep_alive: Duration,
    max_tasks: Option<usize>,
    on_thread_start: Option<StartHook>,
    on_thread_stop: Option<StopHook>,
    unlimited: bool,
}

impl TaskPoolBuilder {
    pub(super) fn new() -> Self {
        Self {
            workers: None,
            name: "task-pool".into(),
            stack_size: None,
            keep_alive: KEEP_ALIVE,
            max_tasks: None,
            on_thread_start: None,
            on_thread_stop: None,
            unlimited: false,
        }
    }

    /// Sets how many threads the pool has at most, which is never more than 65 536; default: [`default_workers`].
    ///
    /// # Panics
    ///
    /// Panics when `workers` is zero.
    pub fn workers(mut self, workers: usize) -> Self {
        assert_workers(workers);
        self.workers = Some(workers.min(MOST_WORKERS));
        self
    }

    /// Sets the name of the pool and of its threads, which get a number each: `name-1`, `name-2`, …
    ///
    /// Linux shows the first 15 bytes of a thread's name.
    ///
    /// # Panics
    ///
    /// Panics when `name` contains a NUL byte.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(
            !name.contains('\0'),
            "the name of a task pool must not contain a NUL byte, but it is {name:?}"
        );
        self.name = name;
        self
    }

    /// Sets the stack size of the pool's threads, in bytes; default: the standard library's.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Sets how long an idle thread is kept; default: 10 s.
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.keep_alive = time;
        self
    }

    /// Sets how many tasks a thread runs before another one takes its place; default: any number.
    ///
    /// For code that leaks a little with every call, in thread-local state perhaps.
    ///
    /// # Panics
    ///
    /// Panics when `tasks` is zero.
    pub fn max_tasks_per_thread(mut self, tasks: usize) -> Self {
        assert!(
            tasks > 0,
            "`max_tasks_per_thread` must be at least 1, but it is 0; leave the option out for any number"
        );
        self.max_tasks = Some(tasks);
        self
    }

    /// Sets what every thread runs when it starts: a function that returns nothing, or a `Result` whose error can be
    /// displayed.
    ///
    /// If it fails, by an error or a panic, that is logged and the pool is *broken*: tasks that have not started end with
    /// [`TaskErrorKind::PoolBroken`](crate::TaskErrorKind::PoolBroken), and so does what is submitted later. Loops go on, on
    /// all threads.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use futureproof::TaskPool;
    ///
    /// let pool = TaskPool::builder()
    ///     .on_thread_start(|| std::env::var("HOME").map(|home| println!("at home in {home}")))
    ///     .build();
    /// ```
    pub fn on_thread_start<R: StartOutcome>(
        mut self,
        hook: impl Fn() -> R + Send + Sync + 'static,
    ) -> Self {
        self.on_thread_start = Some(Box::new(move || hook().into_outcome()));
        self
    }

    /// Sets what every thread runs before it ends. A panic in it is logged.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_stop = Some(Box::new(hook));
        self
    }

    /// Lets loops ask for more workers than the pool's default.
    pub(super) fn unlimited(mut self) -> Self {
        self.unlimited = true;
        self
    }

    /// Builds the pool; no thread is started yet.
    ///
    /// # Panics
    ///
    /// Panics when the number of workers is not set and `FUTUREPROOF_WORKERS` is not a number of workers.
    #[must_use]
    pub fn build(self) -> TaskPool {
        let workers = self.workers.unwrap_or_else(default_workers);
        TaskPool {
            shared: Arc::new(Shared::new(Config {
                workers,
                limit: if self.unlimited { usize::MAX } else { workers },
                name: self.name,
                stack_size: self.stack_size,
                keep_alive: self.keep_alive,
                max_tasks: self.max_tasks,
                on_thread_start: self.on_thread_start,
                on_thread_stop: self.on_thread_stop,
            })),
        }
    }
}

/// What a hook on the start of a thread may return: nothing, or a `Result` whose error can be displayed.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{StartOutcome, TaskPool};
///
/// fn pool_with<R: StartOutcome>(hook: impl Fn() -> R + Send + Sync + 'static) -> TaskPool {
///     TaskPool::builder().on_thread_start(hook).build()
/// }
///
/// pool_with(|| println!("starts"));
/// pool_with(|| std::env::current_dir().map(|_| ()));
/// ```
#[diagnostic::on_unimplemented(
    message = "a hook on the start of a thread must return `()` or a `Result` whose error implements `Display`, not `{Self}`",
    label = "this hook returns `{Self}`"
)]
pub trait StartOutcome {
    /// The text of the failure, if it is one.
    #[doc(hidden)]
    fn into_outcome(self) -> Result<(), String>;
}

impl StartOutcome for () {
    fn into_outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<T, E: fmt::Display> StartOutcome for Result<T, E> {
    fn into_outcome(self) -> Result<(), String> {
        self.map(drop).map_err(|error| error.to_string())
    }
}

/// The one wording for a number of workers that cannot be.
#[track_caller]
pub(crate) fn assert_workers(workers: usize) {
    assert!(
        workers > 0,
        "`workers` must be at least 1, but it is 0; leave the option out for the default"
    );
}

impl fmt::Debug for TaskPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskPoolBuilder")
            .field("workers", &self.workers)
            .field("name", &self.name)
            .field("stack_size", &self.stack_size)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}
