//! Persistent threads, started on demand, lent to loops and scopes.

mod builder;
mod life;
mod shared;
mod stats;
mod thread;
mod timer;

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::LazyLock;

pub(crate) use self::builder::assert_workers;
pub use self::builder::{StartOutcome, TaskPoolBuilder};
pub use self::life::LeftInPool;
pub(crate) use self::shared::{Shared, Work};
pub use self::stats::PoolStats;
pub(crate) use self::stats::{Tallied, Tally};
pub(crate) use self::timer::relieve_timer;
use crate::sync::Arc;

/// A pool of persistent threads that loops and tasks run on.
///
/// Threads are started when there is work for them, named after the pool, and let go after being idle for a while; an
/// idle pool uses no CPU. A program rarely needs a pool of its own: loops that name none share
/// [`TaskPool::global`], and `#[task_pool]` makes one for its function.
///
/// Dropping a pool takes back what has not started (its handles resolve as cancelled), waits for the bodies that are
/// running, and joins the threads. A pool dropped on one of its own threads waits for none of
/// them: they end by themselves. Two pools must not be dropped on each other's threads: each would wait for the other.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{ParallelFor, TaskPool};
///
/// let pool = TaskPool::builder().workers(4).name("resize").build();
/// let report = ParallelFor::new().pool(&pool).for_each(0..100, |_| ());
/// assert_eq!(report.completed(), 100);
/// ```
pub struct TaskPool {
    shared: Arc<Shared>,
}

impl TaskPool {
    /// Returns a builder with [`default_workers`] as the number of workers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// let pool = futureproof::TaskPool::builder().workers(2).build();
    /// assert_eq!(pool.workers(), 2);
    /// ```
    pub fn builder() -> TaskPoolBuilder {
        TaskPoolBuilder::new()
    }

    /// Returns the pool of everything that names none.
    ///
    /// Loops on it have [`default_workers`] workers unless they ask for another number, which may be larger: the number
    /// of its threads is not limited.
    ///
    /// # Panics
    ///
    /// Panics when the environment variable `FUTUREPROOF_WORKERS` is set to something that is not a number of workers.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// assert!(futureproof::TaskPool::global().workers() >= 1);
    /// ```
    pub fn global() -> &'static TaskPool {
        // Here, so that a bad number is explained every time and not only to the first who asks.
        default_workers();
        static GLOBAL: LazyLock<TaskPool> =
            LazyLock::new(|| TaskPool::builder().name("futureproof").unlimited().build());
        &GLOBAL
    }

    /// Returns how many workers a loop or a task scope on this pool has at most, unless it asks for fewer.
    ///
    /// On the [global](Self::global) pool a loop may ask for more.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shared.config.workers
    }

    /// Returns the pool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// Returns how many threads the pool has now, busy or idle.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// let pool = futureproof::TaskPool::builder().workers(4).build();
    /// assert_eq!(pool.threads(), 0, "threads are started on demand");
    /// ```
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.threads()
    }

    /// Lets at most so many threads run tasks at once, whatever scopes, iterators and handles they are for; 0 pauses them
    /// all, `None` is as many as the pool has workers.
    ///
    /// It may be changed at any time. A lower limit takes effect as running tasks end. Loops are not limited, and a task
    /// that waits for tasks of its own on this pool runs those on its own thread, whatever the limit. A task that waits for
    /// anything else keeps its place meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("../task/example.md")]
    /// half::pool().set_task_limit(0); // a pause
    /// assert_eq!(half::pool().task_limit(), Some(0));
    /// let handle = half::submit(4);
    /// half::pool().set_task_limit(None);
    /// assert_eq!(handle.join()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_task_limit(&self, limit: impl Into<Option<usize>>) {
        self.shared
            .set_task_limit(limit.into().unwrap_or(usize::MAX));
    }

    /// Returns how many threads may run tasks at once, if that is [limited](Self::set_task_limit).
    #[must_use]
    pub fn task_limit(&self) -> Option<usize> {
        self.shared.task_limit()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for TaskPool {
    fn drop(&mut self) {
        self.shared.close();
    }
}

// A panic leaves a pool as it was: bodies are caught, and its own state changes under a lock that no user code runs in.
impl UnwindSafe for TaskPool {}
impl RefUnwindSafe for TaskPool {}

impl fmt::Debug for TaskPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskPool")
            .field("name", &self.name())
            .field("workers", &self.workers())
            .field("threads", &self.threads())
            .finish()
    }
}

/// The most workers that a loop has and that `FUTUREPROOF_WORKERS` may ask for.
pub(crate) const MOST_WORKERS: usize = 65_536;

/// Returns the number of workers of everything that names none: the value of the environment variable
/// `FUTUREPROOF_WORKERS`, else the machine's parallelism. It is read once.
///
/// # Panics
///
/// Panics when `FUTUREPROOF_WORKERS` is set to something that is not a number from 1 to 65536.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// assert!(futureproof::default_workers() >= 1);
/// ```
pub fn default_workers() -> usize {
    static WORKERS: LazyLock<Result<usize, String>> = LazyLock::new(|| {
        let Some(value) = std::env::var_os("FUTUREPROOF_WORKERS") else {
            return Ok(std::thread::available_parallelism().map_or(1, NonZeroUsize::get));
        };
        let value = value.to_string_lossy();
        match value.trim().parse() {
            Ok(workers @ 1..=MOST_WORKERS) => Ok(workers),
            _ => Err(format!(
                "FUTUREPROOF_WORKERS must be a number of workers from 1 to {MOST_WORKERS}, but it is {value:?}"
            )),
        }
    });
    match &*WORKERS {
        Ok(workers) => *workers,
        Err(message) => panic!("{message}"),
    }
}
