//! What the monitor sees of a board: a seat per worker that is busy.

use crate::monitor::Progress;
use crate::sync::Arc;

/// Gives busy workers a seat each, in which the monitor finds their counts. Does nothing while nobody watches.
#[derive(Default)]
pub(super) struct Seats {
    progress: Option<Arc<Progress>>,
    free: Vec<Seat>,
}

/// A worker's seat: what has completed and failed in it.
pub(super) struct Seat {
    progress: Arc<Progress>,
    number: usize,
    completed: u64,
    failed: u64,
}

impl Seats {
    pub(super) fn new(progress: Option<&Arc<Progress>>, workers: usize) -> Self {
        let seat = |progress: &Arc<Progress>, number| Seat {
            progress: progress.clone(),
            number,
            completed: 0,
            failed: 0,
        };
        Self {
            progress: progress.cloned(),
            free: (progress.iter())
                .flat_map(|progress| (0..workers).rev().map(|number| seat(progress, number)))
                .collect(),
        }
    }

    /// Shows that a worker begins the task with this index; gives it a seat if it has none.
    pub(super) fn begin(&mut self, seat: &mut Option<Seat>, index: usize) {
        if seat.is_none() {
            *seat = self.free.pop();
        }
        if let Some(seat) = seat {
            seat.publish(Some(index));
        }
    }

    /// Frees a seat.
    pub(super) fn leave(&mut self, seat: Option<Seat>) {
        if let Some(seat) = seat {
            seat.publish(None);
            self.free.push(seat);
        }
    }

    pub(super) fn show_waiting(&self, waiting: usize) {
        if let Some(progress) = &self.progress {
            progress.publish_waiting(waiting);
        }
    }
}

impl Seat {
    /// Counts the task in this seat.
    pub(super) fn count(&mut self, failed: bool) {
        *(if failed {
            &mut self.failed
        } else {
            &mut self.completed
        }) += 1;
    }

    /// Shows which task its worker is at.
    pub(super) fn publish(&self, index: Option<usize>) {
        self.progress
            .publish(self.number, index, self.completed, self.failed);
    }
}
