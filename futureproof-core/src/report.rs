//! What a loop says of itself when it has ended.

use std::fmt;
use std::time::Duration;

use crate::stop::{StopCause, Stopped};

/// The rate of what took less time says nothing.
const TELLING: Duration = Duration::from_millis(100);

/// How a loop ended.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::{Ended, ParallelFor, StopCause};
///
/// let limit = Duration::ZERO;
/// let report = ParallelFor::new().deadline(limit).for_each(0..10, |_| ());
/// assert_eq!(report.ended(), Ended::Stopped(StopCause::Deadline(limit)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// It has not: nothing has started yet. Only a [live](crate::LiveReport) report says so.
    NotStarted,
    /// It has not: it is running. Only a [live](crate::LiveReport) report says so.
    Running,
    /// Its input was exhausted.
    Exhausted,
    /// A body left it by `break`.
    Broke,
    /// An item left it: by an error, a panic or `return`. Only a [live](crate::LiveReport) report says so.
    Left,
    /// It was stopped by a token or a deadline.
    Stopped(StopCause),
}

/// What a loop did: the value of `parallel_for!`.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{Ended, ParallelFor};
///
/// let report = ParallelFor::new().for_each(1..=10, |_| ());
/// assert_eq!((report.completed(), report.failed()), (10, 0));
/// assert_eq!((report.cancelled(), report.ended()), (0, Ended::Exhausted));
/// assert!(!report.elapsed().is_zero());
/// println!("{report}"); // 10 completed, 0 failed in 52.1µs
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) elapsed: Duration,
    pub(crate) ended: Ended,
}

impl Report {
    /// Returns how many items ran to their end without failing; the one that left by `break` is among them.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Returns how many items failed, by an error or a panic.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns how many accepted tasks were cancelled before they started. Loops have none: what a loop has not started is
    /// still in its input.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Returns how long the loop took, from its start until all workers had left it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns how the loop ended.
    #[must_use]
    pub fn ended(&self) -> Ended {
        self.ended
    }

    /// Turns the report of a stopped loop into an error.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a token or a deadline ended the loop.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// let report = futureproof::ParallelFor::new().for_each(0..3, |_| ());
    /// assert!(report.or_stopped().is_ok());
    /// ```
    pub fn or_stopped(self) -> Result<Self, Stopped> {
        match self.ended {
            Ended::Stopped(cause) => Err(Stopped {
                cause,
                report: self,
            }),
            _ => Ok(self),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} completed, {} failed", self.completed, self.failed)?;
        if self.cancelled > 0 {
            write!(f, ", {} cancelled", self.cancelled)?;
        }
        write!(f, " in {:.1?}", self.elapsed)?;
        let ended = self.completed + self.failed;
        if ended > 0 && self.elapsed >= TELLING {
            let rate = ended as f64 / self.elapsed.as_secs_f64();
            let digits = if rate < 10.0 { 2 } else { 0 };
            write!(f, " ({rate:.digits$}/s)")?;
        }
        Ok(())
    }
}
