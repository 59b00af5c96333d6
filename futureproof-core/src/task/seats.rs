//! What the monitor sees of a board: a seat per running task.

use crate::monitor::Progress;
use crate::sync::Arc;

/// Gives running tasks a seat each, in which the monitor finds their counts. Does nothing while nobody watches.
#[derive(Default)]
pub(super) struct Seats {
    progress: Option<Arc<Progress>>,
    free: Vec<usize>,
    /// What has completed and failed in each seat.
    counts: Vec<(u64, u64)>,
}

impl Seats {
    pub(super) fn new(progress: Option<&Arc<Progress>>, workers: usize) -> Self {
        match progress {
            None => Self::default(),
            Some(progress) => Self {
                progress: Some(progress.clone()),
                free: (0..workers).rev().collect(),
                counts: vec![(0, 0); workers],
            },
        }
    }

    /// Seats the task with this index; returns its seat.
    pub(super) fn take(&mut self, index: usize) -> Option<usize> {
        let progress = self.progress.as_ref()?;
        let seat = self.free.pop()?;
        let (completed, failed) = self.counts[seat];
        progress.publish(seat, Some(index), completed, failed);
        Some(seat)
    }

    /// Counts the task in this seat and frees it.
    pub(super) fn leave(&mut self, seat: Option<usize>, failed: bool) {
        let (Some(progress), Some(seat)) = (&self.progress, seat) else {
            return;
        };
        let counts = &mut self.counts[seat];
        *(if failed { &mut counts.1 } else { &mut counts.0 }) += 1;
        progress.publish(seat, None, counts.0, counts.1);
        self.free.push(seat);
    }

    pub(super) fn show_waiting(&self, waiting: usize) {
        if let Some(progress) = &self.progress {
            progress.publish_waiting(waiting);
        }
    }
}
