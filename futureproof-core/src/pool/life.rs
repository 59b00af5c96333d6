//! How the tasks submitted to a pool end together.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::TaskPool;
use crate::task::Submitted;

/// The life of the tasks that are submitted to the pool itself, by `f::submit`.
///
/// Loops, scopes and result iterators have their own life: they are not touched by this.
impl TaskPool {
    /// Accepts no more tasks; those that are accepted are finished.
    ///
    /// From now on `f::try_submit` gives the arguments back, and `f::submit` gives a handle whose task is cancelled; a
    /// submit that waits for room stops waiting. There is no way back.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("../task/example.md")]
    /// let handle = half::submit(4);
    /// half::pool().close();
    /// assert_eq!(handle.join()?, 2);
    /// assert!(half::submit(4).join().unwrap_err().is_cancelled());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) {
        Submitted::of(self.shared()).close();
    }

    /// Accepts no more tasks, cancels those that have not started, and tells those that run through
    /// [`is_stopping`](crate::is_stopping).
    ///
    /// Tasks that wait for another attempt end with their last error.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("../task/example.md")]
    /// half::pool().stop();
    /// assert!(half::pool().is_closed());
    /// ```
    pub fn stop(&self) {
        Submitted::of(self.shared()).stop();
    }

    /// Accepts no more tasks, and waits until those that are accepted have ended, at most for `limit`.
    ///
    /// A task that has timed out is waited for until its function returns.
    ///
    /// # Nesting
    ///
    /// In one of the pool's own tasks, `drain` does not wait for that task, nor for others that drain the pool at the
    /// same time. There it runs queued tasks on its own thread, and so can take longer than `limit`, by as much as one task
    /// takes.
    ///
    /// # Errors
    ///
    /// How many tasks were left when the time was over. They go on; to end them, call [`stop`](Self::stop).
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("../task/example.md")]
    /// use std::time::Duration;
    ///
    /// let handle = half::submit(4);
    /// half::pool().drain(Duration::from_secs(10))?;
    /// assert!(handle.is_finished());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drain(&self, limit: Duration) -> Result<(), LeftInPool> {
        Submitted::of(self.shared())
            .drain(self.shared(), limit)
            .map_err(|(waiting, running)| LeftInPool { waiting, running })
    }

    /// Returns whether the pool accepts no more tasks, by [`close`](Self::close), [`stop`](Self::stop) or
    /// [`drain`](Self::drain).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        (self.shared().submitted().get()).is_some_and(|submitted| submitted.is_closed())
    }
}

/// The error of a [`TaskPool::drain`] whose time was over: how many tasks were left.
///
/// # Examples
///
/// ```
#[doc = include_str!("../task/example.md")]
/// use std::time::Duration;
///
/// let _handle = half::submit(2);
/// match half::pool().drain(Duration::from_secs(10)) {
///     Ok(()) => println!("all done"),
///     Err(left) => println!("{} had not started, {} are running", left.waiting, left.running),
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftInPool {
    /// Tasks that had not started, or waited for another attempt.
    pub waiting: usize,
    /// Tasks that were running.
    pub running: usize,
}

impl fmt::Display for LeftInPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { waiting, running } = self;
        write!(
            f,
            "the pool was not drained in time: {running} running, {waiting} waiting"
        )
    }
}

impl Error for LeftInPool {}
