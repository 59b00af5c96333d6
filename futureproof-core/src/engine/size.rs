//! How many items a worker takes at a time.

/// What a batch should be worth, in nanoseconds. The promise is 50 µs; the rest of it leaves room for bodies that turn out dearer.
const WORTH: u64 = 40_000;
/// The part of that which a batch should be worth at least, where there are so many items: some ten times what it costs to
/// hand a batch out.
const LEAST: usize = 10;
/// A few items in fewer nanoseconds than this say more about the clock than about the body.
const TOO_SHORT: u64 = 1000;
/// How much larger than what has been seen the next batch may be.
const GROWTH: usize = 8;

/// A batch size that starts at one, grows while bodies are cheap, and falls at once when they are not.
#[derive(Debug)]
pub(super) struct BatchSize {
    now: usize,
    least: usize,
    most: usize,
    each: u64,
}

impl BatchSize {
    pub(super) fn new(most: usize) -> Self {
        Self {
            now: 1,
            least: 1,
            most,
            each: 0,
        }
    }

    /// Is there anything to learn?
    pub(super) fn varies(&self) -> bool {
        self.most > 1
    }

    /// The most items that the next batch should have.
    pub(super) fn get(&self) -> usize {
        self.now
    }

    /// So many items are not worth dividing further; more of them while no other worker is there.
    pub(super) fn least(&self, is_alone: bool) -> usize {
        if is_alone {
            (self.least * 3).min(self.now)
        } else {
            self.least
        }
    }

    /// What an item costs, in picoseconds; 0 while that is not known.
    pub(super) fn each(&self) -> u64 {
        self.each
    }

    /// Learns that `items` bodies, at least one, took `elapsed` nanoseconds together.
    pub(super) fn learn(&mut self, items: usize, elapsed: u64) {
        if !self.varies() {
            return;
        }
        if elapsed < TOO_SHORT && items < self.now {
            return;
        }
        let each = (elapsed.saturating_mul(1000) / items.max(1) as u64).max(1);
        self.each = each;
        let worth = usize::try_from(WORTH * 1000 / each).unwrap_or(usize::MAX);
        // Growing from what has been seen: a batch that came out short says little about a long one.
        let next = self.now.max(items).saturating_mul(GROWTH);
        self.now = next.min(worth).clamp(1, self.most);
        self.least = (worth / LEAST).clamp(1, self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_bodies_are_never_batched() {
        let mut size = BatchSize::new(1024);
        for _ in 0..10 {
            size.learn(1, 1_000_000);
            assert_eq!(size.get(), 1);
        }
    }

    #[test]
    fn cheap_bodies_grow_the_batch_up_to_its_worth_and_its_limit() {
        let mut size = BatchSize::new(100);
        size.learn(1, 100);
        assert_eq!(size.get(), 8);
        for _ in 0..10 {
            let now = size.get();
            size.learn(now, 100 * now as u64);
        }
        assert_eq!(size.get(), 100);

        let mut size = BatchSize::new(1024);
        for _ in 0..20 {
            let now = size.get();
            size.learn(now, 1000 * now as u64);
        }
        assert_eq!(size.get(), 40, "40 bodies of 1 µs");
    }

    #[test]
    fn one_dear_batch_brings_the_size_down_at_once() {
        let mut size = BatchSize::new(1024);
        for _ in 0..12 {
            let now = size.get();
            size.learn(now, now as u64);
        }
        assert_eq!(size.get(), 1024);
        size.learn(1024, 1_000_000_000);
        assert_eq!(size.get(), 1);
    }
}
