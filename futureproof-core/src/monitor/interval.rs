//! How often progress is logged.

use std::time::Duration;

/// The interval of everything that names none.
const DEFAULT: Duration = Duration::from_secs(2);

/// How often progress is logged: `monitor = …`.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::{MonitorInterval, ParallelFor};
///
/// assert_eq!(MonitorInterval::default(), Duration::from_secs(2).into());
/// ParallelFor::new().monitor(false).for_each(0..10, |_| ());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonitorInterval(Option<Duration>);

impl MonitorInterval {
    pub(crate) const DEFAULT: Self = Self(Some(DEFAULT));

    /// The interval, unless there is to be no progress log.
    pub(super) fn get(self) -> Option<Duration> {
        self.0
    }
}

impl Default for MonitorInterval {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<Duration> for MonitorInterval {
    /// # Panics
    ///
    /// Panics when `interval` is zero.
    fn from(interval: Duration) -> Self {
        assert!(
            !interval.is_zero(),
            "`monitor` must be longer than 0 s, but it is 0 s; write `false` for no progress log"
        );
        Self(Some(interval))
    }
}

impl From<bool> for MonitorInterval {
    /// `false`: no progress log; `true`: the default interval.
    fn from(on: bool) -> Self {
        if on { Self::default() } else { Self(None) }
    }
}
