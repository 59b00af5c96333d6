//! What a pool's threads and tasks are at.

use std::fmt;

use super::TaskPool;
use super::shared::Shared;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering};

/// A count with one writer at a time, who holds a lock, and readers who do not.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn add(&self, more: usize) {
        self.set(self.get() + more);
    }
}

/// The counts of one scope, stream or queue of submitted tasks.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: Count,
    pub(crate) running: Count,
    pub(crate) completed: Count,
    /// With those that panicked.
    pub(crate) failed: Count,
    pub(crate) panicked: Count,
    pub(crate) cancelled: Count,
    pub(crate) retried: Count,
}

impl Tally {
    /// Accepted tasks that have not ended.
    pub(crate) fn unended(&self) -> usize {
        let ended = self.completed.get() + self.failed.get() + self.cancelled.get();
        // Who reads without the lock may see them out of step.
        self.accepted.get().saturating_sub(ended)
    }

    fn add_to(&self, stats: &mut PoolStats) {
        let running = self.running.get();
        stats.running += running;
        stats.waiting += self.unended().saturating_sub(running);
        self.add_past_to(stats);
    }

    fn add_past_to(&self, stats: &mut PoolStats) {
        stats.completed += self.completed.get() as u64;
        stats.failed += self.failed.get() as u64;
        stats.panicked += self.panicked.get() as u64;
        stats.cancelled += self.cancelled.get() as u64;
        stats.retried += self.retried.get() as u64;
    }
}

/// The tallies of a pool.
#[derive(Default)]
pub(super) struct Tallies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    live: Vec<Arc<Tally>>,
    /// To be used again: scopes come by the thousand.
    spare: Option<Arc<Tally>>,
    /// The sums of those that are gone.
    past: PoolStats,
}

/// Keeps a tally among those of its pool until dropped.
pub(crate) struct Tallied {
    tally: Arc<Tally>,
    pool: Arc<Shared>,
}

impl Tallied {
    pub(crate) fn new(pool: &Arc<Shared>) -> Self {
        let mut kept = pool.tallies.0.lock();
        let tally = kept.spare.take().unwrap_or_default();
        kept.live.push(tally.clone());
        drop(kept);
        Self {
            tally,
            pool: pool.clone(),
        }
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }
}

impl Drop for Tallied {
    fn drop(&mut self) {
        let mut kept = self.pool.tallies.0.lock();
        let at = (kept.live.iter()).position(|tally| Arc::ptr_eq(tally, &self.tally));
        if let Some(at) = at {
            kept.live.swap_remove(at);
        }
        self.tally.add_past_to(&mut kept.past);
        if Arc::get_mut(&mut self.tally).map(std::mem::take).is_some() {
            kept.spare = Some(self.tally.clone());
        }
    }
}

/// What a pool is at, and what tasks it has run: see [`TaskPool::stats`].
///
/// # Examples
///
/// ```
#[doc = include_str!("../task/example.md")]
/// let handles = [half::submit(2), half::submit(3)];
/// handles.map(|handle| handle.join().is_ok());
/// half::pool().drain(std::time::Duration::from_secs(10))?;
///
/// let stats = half::pool().stats();
/// assert_eq!((stats.completed(), stats.failed(), stats.panicked()), (1, 1, 0));
/// assert_eq!((stats.cancelled(), stats.retried()), (0, 0));
/// assert_eq!((stats.running(), stats.waiting(), stats.workers()), (0, 0, 2));
/// println!("{} threads, {} of them idle", stats.threads(), stats.idle_threads());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolStats {
    workers: usize,
    threads: usize,
    idle_threads: usize,
    running: usize,
    waiting: usize,
    completed: u64,
    failed: u64,
    panicked: u64,
    cancelled: u64,
    retried: u64,
}

impl PoolStats {
    /// Returns how many workers a loop or scope on the pool has at most, unless it asks for fewer.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Returns how many threads the pool has, busy or idle.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Returns how many of them have nothing to do.
    #[must_use]
    pub fn idle_threads(&self) -> usize {
        self.idle_threads
    }

    /// Returns how many tasks are running. One that was reported as timed out is not counted, though its function may still run;
    /// nor are the items of loops.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Returns how many accepted tasks have not started, or wait for another attempt.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns how many tasks have succeeded since the pool was made.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Returns how many tasks have failed, by an error or a panic.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns how many of those that failed have panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.panicked
    }

    /// Returns how many tasks were cancelled before they started.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Returns how many attempts have failed and were followed by another.
    #[must_use]
    pub fn retried(&self) -> u64 {
        self.retried
    }
}

impl fmt::Display for PoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} running, {} waiting, {} completed, {} failed",
            self.running, self.waiting, self.completed, self.failed
        )?;
        if self.cancelled > 0 {
            write!(f, ", {} cancelled", self.cancelled)?;
        }
        write!(f, "; {} threads, {} idle", self.threads, self.idle_threads)
    }
}

impl TaskPool {
    /// Returns what the pool is at, and what its tasks have come to so far: those of scopes, streams and handles alike.
    ///
    /// Items of loops are not among them; for those, see [`LiveReport`](crate::LiveReport). The numbers are read one by one while
    /// tasks go on, so a sum may be out by what ends meanwhile. Cheap tasks are counted a batch at a time, and one that was submitted
    /// is counted a moment after its handle knows of its end.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("../task/example.md")]
    /// half::scope(|tasks| tasks.map([2, 4]))?;
    /// let stats = half::pool().stats();
    /// assert_eq!((stats.completed(), stats.failed(), stats.waiting()), (2, 0, 0));
    /// println!("{stats}"); // 0 running, 0 waiting, 2 completed, 0 failed; 1 threads, 1 idle
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let shared = self.shared();
        let mut stats = {
            let kept = shared.tallies.0.lock();
            let mut stats = kept.past.clone();
            (kept.live.iter()).for_each(|tally| tally.add_to(&mut stats));
            stats
        };
        if let Some(submitted) = shared.submitted().get() {
            submitted.tally().add_to(&mut stats);
        }
        stats.workers = self.workers();
        (stats.threads, stats.idle_threads) = shared.threads_and_idle();
        stats
    }
}
