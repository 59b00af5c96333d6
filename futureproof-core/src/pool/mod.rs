//! Persistent threads, started on demand, lent to loops and scopes.

mod builder;
mod shared;

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::LazyLock;

pub use self::builder::TaskPoolBuilder;
pub(crate) use self::builder::assert_workers;
pub(crate) use self::shared::{Shared, Work};
use crate::sync::Arc;

/// A pool of persistent threads that loops and tasks run on.
///
/// Threads are started when there is work for them, named after the pool, and let go after being idle for a while; an
/// idle pool uses no CPU. A program rarely needs a pool of its own: loops that name none share
/// [`TaskPool::global`], and `#[task_pool]` makes one for its function.
///
/// Dropping a pool takes back what has not started (its handles resolve as cancelled), waits for the bodies that are
/// running, and joins the threads. A pool dropped on one of its own threads waits for none of
/// them: they end by themselves.
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
