//! The engine's rules, as the simulation follows them: its constants, and how workers choose the size of a batch.
//!
//! They are copies. Whoever changes one in the engine changes it here, and runs `benches/run scaling --write`; until then
//! the program says which ones differ.

use std::fs;
use std::path::Path;

use super::{MICRO, MILLI, Time};

/// What a batch should be worth.
pub const WORTH: Time = 40 * MICRO;
/// The part of that which it should be worth at least, where there are so many items.
pub const LEAST: usize = 10;
/// So many times that, while no other worker is there.
pub const LEAST_ALONE: usize = 3;
/// A few items in less time than this say nothing about the body.
pub const TOO_SHORT: Time = MICRO;
/// How much larger than what has been seen the next batch may be.
pub const GROWTH: usize = 8;
/// The most items in a batch of a pulled source.
pub const BATCH: usize = 8192;
/// No claim is larger than the rest divided by so many times the workers, but for the least.
pub const SHARE: usize = 2;
/// So many workers a worker sends for with each batch.
pub const SENT_FOR: usize = 2;
/// A thread that is still awake from the loop before looks so often for a request, and has to see it twice.
pub const LOOK: Time = 8 * MICRO;
/// So long the caller stays awake for the last workers.
pub const LAST_BATCH: Time = 30 * MICRO;
/// So long a worker stays awake while another one fills its belt, and at most so often.
pub const SOON: Time = 30 * MICRO;
pub const MOST_SPINS: u32 = 16;
/// How it is found out whether one worker should pull and run alone.
pub const TRIAL: Time = 300 * MICRO;
pub const ENOUGH: u32 = 2;
pub const SHORTEST_TERM: Time = 5 * MILLI;
pub const LONGEST_TERM: Time = 100 * MILLI;
pub const TOO_LONG: Time = 100 * MICRO;
pub const WARY: u32 = 2;
pub const MOST_WARY: u32 = 32;
/// So long the caller of a caller-fed loop waits for a worker to come.
pub const ARRIVAL: Time = 200 * MICRO;

/// Where the constants and rules come from: files of `futureproof-core/src` and what stands there.
const ORIGINALS: [(&str, &str); 25] = [
    ("engine/size.rs", "const WORTH: u64 = 40_000;"),
    ("engine/size.rs", "const LEAST: usize = 10;"),
    ("engine/size.rs", "const TOO_SHORT: u64 = 1000;"),
    ("engine/size.rs", "const GROWTH: usize = 8;"),
    ("engine/size.rs", "(self.least * 3).min(self.now)"),
    ("engine/options.rs", "const DEFAULT_BATCH: usize = 8192;"),
    ("engine/worker.rs", "Some(absent.saturating_sub(2))"),
    ("engine/worker.rs", "lease.request(before.min(2));"),
    (
        "engine/worker.rs",
        "(chunk.block.pulled()).unwrap_or_else(|| (self.clock.now(), 0))",
    ),
    ("raw/cursor.rs", "share: workers.saturating_mul(2).max(1),"),
    (
        "raw/cursor.rs",
        "if want <= left / self.share && self.len <= LONGEST {",
    ),
    (
        "raw/cursor.rs",
        "want.min((left / self.share).max(least)).clamp(1, left)",
    ),
    (
        "pool/shared.rs",
        "const LOOK: Duration = Duration::from_micros(8);",
    ),
    (
        "gate.rs",
        "const LAST_BATCH: Duration = Duration::from_micros(30);",
    ),
    (
        "source/shared.rs",
        "const SOON: Duration = Duration::from_micros(30);",
    ),
    ("source/shared.rs", "const MOST_SPINS: u32 = 16;"),
    ("source/gear.rs", "const TRIAL: u64 = 300_000;"),
    ("source/gear.rs", "const ENOUGH: u32 = 2;"),
    ("source/gear.rs", "const SHORTEST_TERM: u64 = 5_000_000;"),
    ("source/gear.rs", "const LONGEST_TERM: u64 = 100_000_000;"),
    ("source/gear.rs", "const TOO_LONG: u64 = 100_000;"),
    ("source/gear.rs", "const WARY: u64 = 2;"),
    ("source/gear.rs", "const MOST_WARY: u64 = 32;"),
    ("source/gear.rs", "pulling.saturating_mul(3) >= in_all"),
    (
        "source/fed.rs",
        "const ARRIVAL: Duration = Duration::from_micros(200);",
    ),
];

/// What the engine does not say any more.
pub fn outdated() -> Vec<String> {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("../futureproof-core/src");
    let is_there = |file: &str, text: &str| {
        fs::read_to_string(engine.join(file)).is_ok_and(|source| source.contains(text))
    };
    ORIGINALS
        .iter()
        .filter(|(file, text)| !is_there(file, text))
        .map(|(file, text)| format!("{file} does not say `{text}` any more"))
        .collect()
}

/// How batches are sized.
#[derive(Debug, Clone, Copy)]
pub struct Sizing {
    /// What a batch should be worth.
    pub worth: Time,
    /// Does the time of an indexed batch begin when the one before has ended, so that it includes the hand-out? In the
    /// engine it begins with the first body.
    pub counts_handout: bool,
}

/// The engine's sizing.
pub const SIZING: Sizing = Sizing {
    worth: WORTH,
    counts_handout: false,
};

/// How many items a worker takes next.
#[derive(Debug, Clone, Copy)]
pub struct BatchSize {
    worth: Time,
    now: usize,
    least: usize,
    most: usize,
    each: Time,
}

impl BatchSize {
    pub fn new(worth: Time, most: usize) -> Self {
        Self {
            worth,
            now: 1,
            least: 1,
            most,
            each: 0,
        }
    }

    /// The most items that the next batch should have.
    pub fn get(&self) -> usize {
        self.now
    }

    /// So many items are not worth dividing further.
    pub fn least(&self, is_alone: bool) -> usize {
        if is_alone {
            (self.least * LEAST_ALONE).min(self.now)
        } else {
            self.least
        }
    }

    /// What an item has been seen to cost; 0 while that is not known.
    pub fn each(&self) -> Time {
        self.each
    }

    /// Learns that `items` bodies took `elapsed` together.
    pub fn learn(&mut self, items: usize, elapsed: Time) {
        if self.most == 1 || elapsed < TOO_SHORT && items < self.now {
            return;
        }
        self.each = (elapsed / items.max(1) as Time).max(1);
        let worth = (self.worth / self.each) as usize;
        let next = self.now.max(items).saturating_mul(GROWTH);
        self.now = next.min(worth).clamp(1, self.most);
        self.least = (worth / LEAST).clamp(1, self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_to_their_worth_and_fall_at_once() {
        let mut size = BatchSize::new(40 * MICRO, BATCH);
        for _ in 0..10 {
            let items = size.get();
            size.learn(items, items as Time * MICRO);
        }
        assert_eq!((size.get(), size.least(false)), (40, 4), "bodies of 1 µs");
        size.learn(40, 40 * MILLI);
        assert_eq!((size.get(), size.least(false)), (1, 1), "bodies of 1 ms");
    }
}
