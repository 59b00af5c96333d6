//! What the monitor sees of a board: a seat per worker that is busy.

use std::time::Duration;

use crate::monitor::{At, Done, Progress, Sampler, Wait};
use crate::sync::{Arc, Instant};

/// Gives busy workers a seat each, in which the monitor finds their counts. Does nothing while nobody watches.
#[derive(Default)]
pub(super) struct Seats {
    progress: Option<Arc<Progress>>,
    free: Vec<Seat>,
    /// How many there are, and how many of them may still be made: few pools are ever as busy as they may be.
    workers: usize,
    unmade: usize,
}

/// A worker's seat, and what has been done in it.
pub(super) struct Seat {
    progress: Arc<Progress>,
    /// `None`: there are more threads at tasks than the pool has workers, as those that wait may run tasks, too.
    number: Option<usize>,
    done: Done,
    /// What was last published, where there is no number.
    told: Done,
    told_at_item: bool,
    /// Chooses the tasks whose durations are reported.
    sampler: Option<Sampler>,
    begun: Instant,
}

impl Seats {
    pub(super) fn new(progress: Option<&Arc<Progress>>, workers: usize) -> Self {
        Self {
            progress: progress.cloned(),
            free: Vec::new(),
            workers,
            unmade: workers,
        }
    }

    /// Shows what a worker is at; gives it a seat if it has none.
    #[inline]
    pub(super) fn begin(&mut self, seat: &mut Option<Seat>, at: At) {
        let Some(progress) = &self.progress else {
            return;
        };
        let (free, unmade, workers) = (&mut self.free, &mut self.unmade, self.workers);
        let mut make = || {
            let number = (*unmade > 0).then(|| workers - *unmade);
            *unmade -= usize::from(number.is_some());
            Seat::new(progress, number)
        };
        seat.get_or_insert_with(|| free.pop().unwrap_or_else(&mut make))
            .publish(at);
    }

    /// Does anybody watch?
    pub(super) fn are_seen(&self) -> bool {
        self.progress.is_some()
    }

    /// Frees a seat.
    pub(super) fn leave(&mut self, seat: Option<Seat>) {
        let Some(mut seat) = seat else { return };
        seat.publish(At::Nothing);
        let is_own = (self.progress.as_ref()).is_some_and(|own| Arc::ptr_eq(own, &seat.progress));
        if is_own && seat.number.is_some() {
            self.free.push(seat);
        }
    }

    pub(super) fn show_waiting(&self, waiting: usize) {
        if let Some(progress) = &self.progress {
            progress.publish_waiting(waiting);
        }
    }

    /// Shows what keeps everything from going on, for as long as nothing runs.
    pub(super) fn show_wait(&self, wait: Wait) {
        if let Some(progress) = &self.progress {
            progress.publish_wait(wait);
        }
    }

    /// Shows that nothing more will be started.
    pub(super) fn show_ending(&self) {
        if let Some(progress) = &self.progress {
            progress.publish_ending();
        }
    }

    /// Counts a task that ended without a worker; one that has `begun` had been tried before.
    pub(super) fn count_unrun(&self, failed: bool, begun: bool) {
        if let Some(progress) = &self.progress {
            progress.add_unrun(u64::from(failed), u64::from(!failed), u64::from(begun));
        }
    }

    /// Counts an attempt that failed and will be followed by another.
    pub(super) fn count_retried(&self) {
        if let Some(progress) = &self.progress {
            progress.add_retried();
        }
    }
}

impl Seat {
    fn new(progress: &Arc<Progress>, number: Option<usize>) -> Self {
        Self {
            progress: progress.clone(),
            number,
            done: Done::default(),
            told: Done::default(),
            told_at_item: false,
            sampler: progress.sampler(0),
            begun: Instant::now(),
        }
    }

    /// Counts the task in this seat.
    pub(super) fn count(&mut self, failed: bool) {
        *(if failed {
            &mut self.done.errors
        } else {
            &mut self.done.completed
        }) += 1;
    }

    /// Says that the task that was counted as failed has panicked.
    pub(super) fn count_panic(&mut self) {
        self.done.errors -= 1;
        self.done.panicked += 1;
    }

    /// Is it to be measured how long the next tasks take, if they are so many at most?
    pub(super) fn wants_time(&self, tasks: usize) -> bool {
        (self.sampler.as_ref()).is_some_and(|sampler| sampler.wants(tasks))
    }

    /// Hears how long so many tasks took, if that was measured.
    pub(super) fn ran(&mut self, tasks: usize, took: Option<Duration>) {
        if let Some(sampler) = &mut self.sampler
            && tasks > 0
        {
            let nanos = |time: Duration| time.as_nanos().try_into().unwrap_or(u64::MAX);
            let now = took.map_or(0, |_| nanos(self.begun.elapsed()));
            sampler.ran(tasks, took.map_or(0, nanos), now);
        }
    }

    /// Shows that its worker has completed a task, one of several that it has taken together.
    #[inline]
    pub(super) fn publish_completed(&mut self) {
        match self.number {
            Some(number) => (self.progress).publish_completed(number, self.done.completed),
            None => self.publish(At::Nothing),
        }
    }

    /// Shows that its worker goes on with this task, right after that.
    #[inline]
    pub(super) fn publish_next(&mut self, index: usize) {
        match self.number {
            Some(number) => self.progress.publish_item(number, index),
            None => self.publish(At::Item(index)),
        }
    }

    /// Shows what its worker is at.
    pub(super) fn publish(&mut self, at: At) {
        if let Some(number) = self.number {
            self.progress.publish(number, at, self.done);
            return;
        }
        let at_item = matches!(at, At::Item(_));
        let was_at_item = std::mem::replace(&mut self.told_at_item, at_item);
        let told = std::mem::replace(&mut self.told, self.done);
        self.progress
            .add_seatless(self.done.since(told), was_at_item, at_item);
    }
}
