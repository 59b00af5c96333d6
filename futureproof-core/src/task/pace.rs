//! How much may wait for the workers, and how much one of them takes at a time, by what tasks have been seen to cost.

use std::time::Duration;

/// What may wait for each worker is worth no more than so many nanoseconds, unless the user said how many tasks may wait.
const WAITING_WORTH: u64 = 50_000;
/// Nor is it more than this many tasks.
const MOST_WAITING: usize = 1024;
/// What a worker takes at a time is worth no more than so many nanoseconds.
const BATCH_WORTH: u64 = 10_000;
/// Nor is it more than this many tasks.
const MOST_BATCH: usize = 256;
/// By how much more than before a single measurement is believed.
const INTERRUPTED: u64 = 16;
/// What waits has to be worth so many nanoseconds before another thread is woken for it.
const WAKE_WORTH: u64 = 20_000;
/// Tasks that cost fewer nanoseconds are cheap: there, to hand over a task or to wake a thread matters.
const CHEAP: u64 = 10_000;
/// Tasks that cost fewer nanoseconds are trivial: they cost less than their way to another worker.
const TRIVIAL: u64 = 300;

/// The pace of a board's tasks.
#[derive(Debug)]
pub(super) struct Pace {
    workers: usize,
    /// Accepted tasks that have not ended, whatever they cost.
    base: usize,
    /// May more wait while tasks are cheap?
    elastic: bool,
    /// What a task costs, in nanoseconds and never zero; `None` until one has ended.
    each: Option<u64>,
    /// Tasks that a worker takes at a time.
    batch: usize,
    /// Tasks that may wait for each worker beyond the base.
    extra: usize,
}

impl Pace {
    /// Begins with what holds for slow tasks. A `capacity` that the user has set is kept to.
    pub(super) fn new(workers: usize, capacity: Option<usize>) -> Self {
        Self {
            workers,
            base: workers.saturating_add(capacity.unwrap_or(workers)),
            elastic: capacity.is_none(),
            each: None,
            batch: 1,
            extra: 0,
        }
    }

    /// Learns that `tasks`, at least one, took `elapsed` together on one worker.
    pub(super) fn learn(&mut self, tasks: usize, elapsed: Duration) {
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let each = (elapsed / tasks.max(1) as u64).max(1);
        // Cheap tasks are believed by and by, dear ones nearly at once: one measurement may have been interrupted.
        let each = (self.each).map_or(each, |before| {
            each.clamp(before / 2, before.saturating_mul(INTERRUPTED))
                .max(1)
        });
        self.each = Some(each);
        self.batch = grown(self.batch, 1, BATCH_WORTH, each, MOST_BATCH).max(1);
        if self.elastic {
            self.extra = grown(self.extra, 2, WAITING_WORTH, each, MOST_WAITING);
        }
    }

    /// How many tasks a worker takes at a time.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// How many accepted tasks there may be that have not ended, before a submit blocks.
    pub(super) fn room(&self) -> usize {
        self.base
            .saturating_add(self.extra.saturating_mul(self.workers))
    }

    /// How much of the room has to be free before who waits for room is woken, beyond one place.
    pub(super) fn slack(&self) -> usize {
        (self.room() - self.base) / 4 * 3
    }

    /// How much closer to its reader an input that was too far ahead has to be before it goes on, beyond one item.
    pub(super) fn lead(&self) -> usize {
        (self.room() - self.base) / 4
    }

    /// How many waiting tasks are worth another thread, while there is one that will come by itself.
    pub(super) fn is_much(&self, waiting: usize) -> bool {
        let worth = (self.each.unwrap_or(u64::MAX)).saturating_mul(waiting as u64);
        worth >= WAKE_WORTH || waiting > self.room() / 2
    }

    /// Are tasks known to be cheap?
    pub(super) fn is_cheap(&self) -> bool {
        self.each.is_some_and(|each| each < CHEAP)
    }

    /// Are tasks known to cost less than their way to another worker?
    pub(super) fn is_trivial(&self) -> bool {
        self.each.is_some_and(|each| each < TRIVIAL)
    }
}

/// The double of `now`, or `least`, as far as the worth and the number allow it.
fn grown(now: usize, least: usize, worth: u64, each: u64, most: usize) -> usize {
    let worth = usize::try_from(worth / each).unwrap_or(usize::MAX);
    now.saturating_mul(2).max(least).min(worth).min(most)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn learned(pace: &mut Pace, times: usize, each: Duration) {
        for _ in 0..times {
            let tasks = pace.batch();
            pace.learn(tasks, each * u32::try_from(tasks).unwrap());
        }
    }

    #[test]
    fn slow_tasks_are_taken_one_by_one_and_few_may_wait() {
        let mut pace = Pace::new(4, None);
        learned(&mut pace, 20, Duration::from_millis(1));
        assert_eq!((pace.batch(), pace.room(), pace.slack()), (1, 8, 0));
        assert!(!pace.is_cheap());
    }

    #[test]
    fn what_waits_for_a_worker_is_worth_50_us_and_at_most_1024_tasks() {
        let mut pace = Pace::new(4, None);
        learned(&mut pace, 20, Duration::from_micros(1));
        assert_eq!((pace.batch(), pace.room()), (10, 8 + 4 * 50));
        learned(&mut pace, 20, Duration::from_nanos(1));
        assert_eq!((pace.batch(), pace.room()), (256, 8 + 4 * 1024));
    }

    #[test]
    fn a_capacity_that_was_set_stays_as_it_is() {
        let mut pace = Pace::new(4, Some(3));
        learned(&mut pace, 20, Duration::from_nanos(1));
        assert_eq!((pace.room(), pace.slack(), pace.lead()), (7, 0, 0));
    }

    #[test]
    fn tasks_that_turn_slow_are_seen_to_be_so_within_a_few_measurements() {
        let mut pace = Pace::new(4, None);
        learned(&mut pace, 20, Duration::from_nanos(30));
        learned(&mut pace, 1, Duration::from_millis(1));
        assert!(pace.is_cheap(), "it may have been interrupted");
        learned(&mut pace, 3, Duration::from_millis(1));
        assert_eq!((pace.batch(), pace.room()), (1, 8));
    }
}
