//! What a program reads that draws its own picture of a running loop.

use std::fmt;
use std::time::Duration;

use super::progress::Progress;
use crate::report::{Ended, Report};
use crate::sync::{Arc, Mutex};

/// A window on a loop that is running: `live = &report`.
///
/// Any thread may look, as often as it likes: the workers write their counts into slots of their own, and whoever looks sums
/// them up. Clones show the same loop. Given to another loop, it shows that one from its start on.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{Ended, LiveReport, ParallelFor};
///
/// let live = LiveReport::new();
/// assert_eq!(live.report().ended(), Ended::NotStarted);
/// ParallelFor::new().live(&live).workers(1).for_each(0..10_u64, |n| {
///     assert_eq!((live.total(), live.in_flight()), (Some(10), 1));
///     assert!(live.report().completed() <= n);
/// });
/// assert_eq!(live.report().completed(), 10);
/// ```
#[derive(Clone, Default)]
pub struct LiveReport {
    shown: Arc<Mutex<Option<Arc<Progress>>>>,
}

impl LiveReport {
    /// Creates a window that shows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what the loop has done so far, with the time since its start; after its end, what it did in all.
    ///
    /// [`Report::ended`] is [`Ended::Running`] in the meantime. Cheap bodies are counted a batch at a time.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shown().map_or(
            Report {
                completed: 0,
                failed: 0,
                cancelled: 0,
                elapsed: Duration::ZERO,
                ended: Ended::NotStarted,
            },
            |progress| progress.report(),
        )
    }

    /// Returns how many items are running.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.shown()
            .map_or(0, |progress| progress.counts().in_flight)
    }

    /// Returns how many items there are, where that was known when the loop started.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.shown()?.total
    }

    pub(super) fn show(&self, progress: &Arc<Progress>) {
        *self.shown.lock() = Some(progress.clone());
    }

    fn shown(&self) -> Option<Arc<Progress>> {
        self.shown.lock().clone()
    }
}

impl fmt::Debug for LiveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReport")
            .field("report", &self.report())
            .field("total", &self.total())
            .finish()
    }
}
