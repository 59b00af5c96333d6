//! Chooses between two ways to run items that cost little more to run than to pull.
//!
//! *Side by side*, workers pull batches in turn and run them at the same time: the more workers, the faster, as long as it
//! costs less to run an item than to hand the source over. *Alone*, one worker pulls and runs batch after batch while
//! the others sleep. Which is faster depends on the source, the body, the machine and its load. What a worker takes for
//! its batches says how fast one alone would be; how fast several are is measured, and tried again now and then.

// All times are in nanoseconds.

/// How long running side by side is tried: other workers have to be woken first.
const TRIAL: u64 = 300_000;
/// So many trials in a row have to speak for running alone, the first time.
const ENOUGH: u32 = 2;
/// One worker runs alone for at least and at most so long until the other way is tried again.
const SHORTEST_TERM: u64 = 5_000_000;
const LONGEST_TERM: u64 = 100_000_000;
/// A batch that takes longer than this alone met a dear body, and the others slept meanwhile.
const TOO_LONG: u64 = 100_000;
/// So many times as long as that took, nobody runs alone. It doubles with each time in a row, up to `MOST_WARY`.
const WARY: u64 = 2;
const MOST_WARY: u64 = 32;

/// Is one worker perhaps as fast as several, because pulling an item is much of what it costs?
pub(super) fn is_in_question(pulling: u64, in_all: u64) -> bool {
    pulling.saturating_mul(3) >= in_all
}

/// Did a batch that was run alone take so long that another worker should have been there?
pub(super) fn is_too_long(elapsed: u64) -> bool {
    elapsed >= TOO_LONG
}

/// How items are run, and since when.
#[derive(Debug)]
pub(super) struct Gear {
    alone: bool,
    /// When this term began, and with the item of which index.
    since: Option<(u64, usize)>,
    lasts: u64,
    /// How long the next term alone is.
    next_term: u64,
    /// How many trials in a row spoke for running alone.
    in_favour: u32,
    wary: u64,
}

impl Gear {
    pub(super) fn new() -> Self {
        Self {
            alone: false,
            since: None,
            lasts: TRIAL,
            next_term: SHORTEST_TERM,
            in_favour: 0,
            wary: WARY,
        }
    }

    /// Should the next batch, which begins with the item of index `next`, be run alone? A worker takes `each` picoseconds
    /// for an item, to pull and to run it.
    pub(super) fn choose(&mut self, now: u64, next: usize, each: u64) -> bool {
        let Some((since, from)) = self.since else {
            self.since = Some((now, next));
            return self.alone;
        };
        let elapsed = now.saturating_sub(since);
        if elapsed < self.lasts || next == from {
            return self.alone;
        }
        self.since = Some((now, next));
        if self.alone {
            self.alone = false;
            self.lasts = TRIAL;
            self.wary = (self.wary / 2).max(WARY);
            return false;
        }
        let beside = elapsed.saturating_mul(1000) / (next - from) as u64;
        // One trial may have been disturbed by something else on the machine.
        self.in_favour = if each < beside { self.in_favour + 1 } else { 0 };
        if self.in_favour == ENOUGH {
            self.in_favour = ENOUGH - 1;
            self.alone = true;
            self.lasts = self.next_term;
            self.next_term = (self.next_term * 2).min(LONGEST_TERM);
        } else {
            self.lasts = TRIAL;
            self.next_term = SHORTEST_TERM;
        }
        self.alone
    }

    /// Hears that a batch [took too long](is_too_long) that was run alone.
    pub(super) fn took_long(&mut self, now: u64, next: usize, elapsed: u64) {
        self.alone = false;
        self.since = Some((now, next));
        self.lasts = elapsed.saturating_mul(self.wary).max(SHORTEST_TERM);
        self.wary = (self.wary * 2).min(MOST_WARY);
        self.next_term = SHORTEST_TERM;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Runs the gear against made-up costs per item, in nanoseconds, and returns the share of items run alone.
    fn share_alone(cost_beside: u64, cost_alone: u64) -> f64 {
        let mut gear = Gear::new();
        let (mut now, mut alone) = (0, 0);
        for batch in 0..100_000 {
            let is_alone = gear.choose(now, batch * 1000, cost_alone * 1000);
            alone += u32::from(is_alone);
            let cost = if is_alone { cost_alone } else { cost_beside };
            now += 1000 * cost;
        }
        f64::from(alone) / 100_000.0
    }

    #[test]
    #[cfg_attr(miri, ignore = "long, and nothing but arithmetic")]
    fn the_cheaper_way_is_used_nearly_always() {
        assert_eq!(share_alone(2, 3), 0.0);
        assert!(share_alone(10, 3) > 0.98);
    }

    #[test]
    fn a_dear_body_keeps_workers_side_by_side_for_a_multiple_of_its_time() {
        let mut gear = Gear::new();
        let start = 0;
        let ms = |ms: u64| ms * 1_000_000;
        gear.choose(start, 0, 1);
        gear.in_favour = ENOUGH - 1;
        gear.took_long(start, 1, ms(10));
        assert!(!gear.choose(start + ms(19), 2, 1));
        gear.took_long(start + ms(19), 3, ms(10));
        assert!(!gear.choose(start + ms(19 + 39), 4, 1), "twice as wary");
        assert!(
            gear.choose(start + ms(19 + 41), 5, 1),
            "then one may be alone again"
        );
    }
}
