//! How many items a worker takes at a time.

use std::time::Duration;

/// What a batch should be worth. The promise is 50 µs; half of it leaves room for bodies that turn out dearer.
const WORTH: Duration = Duration::from_micros(25);

/// A batch size that starts at one, doubles while bodies are cheap, and falls at once when they are not.
#[derive(Debug)]
pub(super) struct BatchSize {
    now: usize,
    most: usize,
}

impl BatchSize {
    pub(super) fn new(most: usize) -> Self {
        Self { now: 1, most }
    }

    pub(super) fn get(&self) -> usize {
        self.now
    }

    /// Learns that `items` bodies, at least one, took `elapsed` together.
    pub(super) fn learn(&mut self, items: usize, elapsed: Duration) {
        if self.most == 1 {
            return;
        }
        let each = (elapsed.as_nanos() / items.max(1) as u128).max(1);
        let worth = usize::try_from(WORTH.as_nanos() / each).unwrap_or(usize::MAX);
        // Doubling from what has been seen: a batch that came out short says little about a long one.
        let next = self.now.max(items).saturating_mul(2).min(worth);
        self.now = next.clamp(1, self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_bodies_are_never_batched() {
        let mut size = BatchSize::new(1024);
        for _ in 0..10 {
            size.learn(1, Duration::from_millis(1));
            assert_eq!(size.get(), 1);
        }
    }

    #[test]
    fn cheap_bodies_double_the_batch_up_to_its_worth_and_its_limit() {
        let mut size = BatchSize::new(100);
        size.learn(1, Duration::from_nanos(100));
        assert_eq!(size.get(), 2);
        for _ in 0..10 {
            let now = size.get();
            size.learn(now, Duration::from_nanos(100 * now as u64));
        }
        assert_eq!(size.get(), 100);

        let mut size = BatchSize::new(1024);
        for _ in 0..20 {
            let now = size.get();
            size.learn(now, Duration::from_micros(now as u64));
        }
        assert_eq!(size.get(), 25, "25 bodies of 1 µs");
    }

    #[test]
    fn one_dear_batch_brings_the_size_down_at_once() {
        let mut size = BatchSize::new(1024);
        for _ in 0..12 {
            let now = size.get();
            size.learn(now, Duration::from_nanos(now as u64));
        }
        assert_eq!(size.get(), 1024);
        size.learn(1024, Duration::from_secs(1));
        assert_eq!(size.get(), 1);
    }
}
