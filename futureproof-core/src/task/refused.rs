//! What comes back of a task that was not accepted.

use std::error::Error;
use std::fmt;

/// The error of a `try_submit` or `submit_timeout` that did not accept the task; it gives the arguments back.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// half::scope(|tasks| {
///     tasks.stop();
///     let refused = tasks.try_submit(2).unwrap_err();
///     assert!(!refused.is_full());
///     assert_eq!(refused.into_args(), (2,));
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySubmitError<Args> {
    /// All workers are busy and as many tasks wait as may.
    Full(Args),
    /// The manager was stopped: by `stop`, a token, a deadline, or a failure under the policy raise.
    Stopped(Args),
    /// The manager or the pool was closed.
    Closed(Args),
}

impl<Args> TrySubmitError<Args> {
    /// Returns the arguments of the task.
    pub fn into_args(self) -> Args {
        match self {
            Self::Full(args) | Self::Stopped(args) | Self::Closed(args) => args,
        }
    }

    /// Returns whether the pool was saturated, so that a later attempt may succeed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}

impl<Args> fmt::Debug for TrySubmitError<Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Stopped(_) => "Stopped(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<Args> fmt::Display for TrySubmitError<Args> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => {
                "the task was not accepted: all workers are busy and the queue is full"
            }
            Self::Stopped(_) => "the task was not accepted: the task manager was stopped",
            Self::Closed(_) => "the task was not accepted: its task manager or pool was closed",
        })
    }
}

impl<Args> Error for TrySubmitError<Args> {}
