//! Time in a model: it passes with each look at the clock, and with nothing else, so that a model takes the same way whenever
//! it makes the same choices.

use std::cell::Cell;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Longer than a thread stays awake for what another one is about to do.
const TICK: Duration = Duration::from_micros(100);

std::thread_local! {
    /// All threads of a model are coroutines of the thread that runs it.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A moment, counted from the start of the execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(unreachable_pub)] // named by a hidden trait
pub struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        NOW.set(NOW.get() + TICK);
        Self(NOW.get())
    }

    /// Begins another execution.
    #[cfg(test)]
    pub(crate) fn reset() {
        NOW.set(Duration::ZERO);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Self::now() - *self
    }

    pub(crate) fn checked_add(self, time: Duration) -> Option<Self> {
        self.0.checked_add(time).map(Self)
    }

    pub(crate) fn checked_sub(self, time: Duration) -> Option<Self> {
        self.0.checked_sub(time).map(Self)
    }

    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}
