//! Which tasks are timed for the histogram.
//!
//! 1. What is chosen is a task, by its place in the sequence of those that a worker runs: the distance to the next is drawn at
//!    random. So a task's duration has no say in whether it is chosen, as it would if the choice were made by the clock (then
//!    what is dear, or what always comes after something dear, is chosen too often), and a regular pattern is not missed.
//! 2. Cheap tasks run in batches, and only a batch is timed: then its mean stands for the chosen task. A batch is chosen as much
//!    more often as it has more tasks, so the mean of all samples is that of all tasks.
//! 3. The mean distance follows the rate, slowly, and only from what is past: it doubles after [`BUDGET`] samples that took less
//!    than a [`WINDOW`], and halves after a window with less than half of them. That is 500 to 1000 samples a second where there
//!    are so many tasks; all are taken where there are fewer, and in the beginning.

use super::Durations;

/// In nanoseconds.
const WINDOW: u64 = 100_000_000;
const BUDGET: u32 = 100;
/// After so many tasks the clock is read, lest many slow ones go by after many fast ones.
const LEG: usize = 32;
const MAX_STEP: usize = 1 << 24;

/// Chooses among the tasks of one worker.
pub(crate) struct Sampler {
    durations: Durations,
    /// So many tasks go by before the one at which the clock is needed,
    leg: usize,
    /// and so many from there to the chosen one.
    rest: usize,
    /// The mean distance between chosen tasks.
    step: usize,
    window: u64,
    samples: u32,
}

impl Sampler {
    /// `now` is a reading of the same clock as those given later, in nanoseconds.
    pub(crate) fn new(durations: Durations, now: u64) -> Self {
        Self {
            durations,
            leg: 0,
            rest: 0,
            step: 1,
            window: now,
            samples: 0,
        }
    }

    /// Must the next batch be timed, if it is of at most so many tasks?
    #[inline]
    pub(crate) fn wants(&self, items: usize) -> bool {
        items > self.leg
    }

    /// Counts a batch of so many tasks, which took `elapsed` nanoseconds until `now`. The times do not matter where
    /// [`wants`](Self::wants) said so.
    #[inline]
    pub(crate) fn ran(&mut self, items: usize, elapsed: u64, now: u64) {
        match self.leg.checked_sub(items) {
            Some(leg) => self.leg = leg,
            None => self.stop(items, elapsed, now),
        }
    }

    #[cold]
    fn stop(&mut self, items: usize, elapsed: u64, now: u64) {
        let mut next = self.leg + self.rest;
        if next < items {
            // With steps shorter than batches, every batch would be taken, whatever its size.
            self.step = self.step.max(items).min(usize::MAX / 4);
            let mut chosen = 0;
            while next < items {
                chosen += 1;
                next = next.saturating_add(self.distance());
            }
            self.samples += 1;
            let each = elapsed as f64 / items as f64;
            self.durations.sample(each / 1e9, chosen);
        }
        next -= items;
        if self.adapt(now) {
            next = next.min(self.distance() - 1);
        }
        self.leg = next.min(LEG);
        self.rest = next - self.leg;
    }

    /// From 1 on, `step` in the mean.
    fn distance(&self) -> usize {
        fastrand::usize(1..2 * self.step)
    }

    /// Returns true if tasks are to be chosen more often from now on.
    fn adapt(&mut self, now: u64) -> bool {
        let over = now.saturating_sub(self.window) >= WINDOW;
        let more = over && self.samples < BUDGET / 2 && self.step > 1;
        if more {
            self.step /= 2;
        } else if !over && self.samples >= BUDGET {
            self.step = (self.step * 2).min(MAX_STEP.max(self.step));
        }
        if over || self.samples >= BUDGET {
            self.window = now;
            self.samples = 0;
        }
        more
    }
}
