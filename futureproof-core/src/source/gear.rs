//! Chooses between two ways to run items that cost next to nothing.
//!
//! *Side by side*, workers pull batches in turn and run them at the same time: the more workers, the faster, as long as it
//! costs less to run an item than to hand the source over. *Alone*, one worker pulls and runs batch after batch while
//! the others sleep. Which is faster depends on the source, the body, the machine and its load, so both are tried, and the
//! better one is used for longer and longer until the next trial.

use std::time::{Duration, Instant};

/// Only items that cost less than this, to pull and to run, are cheap enough for one worker alone; in nanoseconds.
pub(super) const CHEAP: u64 = 50;

/// So long running side by side is tried: other workers have to be woken first.
const TRY_SIDE_BY_SIDE: Duration = Duration::from_micros(300);
const TRY_ALONE: Duration = Duration::from_micros(100);
/// The better way is used for at least and at most so long until the other is tried again.
const SHORTEST_TERM: Duration = Duration::from_millis(3);
const LONGEST_TERM: Duration = Duration::from_millis(100);
/// A batch that takes longer than this alone met a dear body, and the others slept meanwhile.
const TOO_LONG: Duration = Duration::from_micros(100);
/// So many times as long as that took, nobody runs alone. It doubles with each time in a row, up to `MOST_WARY`.
const WARY: u32 = 2;
const MOST_WARY: u32 = 32;

/// Did a batch that was run alone take so long that another worker should have been there?
pub(super) fn is_too_long(elapsed: Duration) -> bool {
    elapsed >= TOO_LONG
}

/// How cheap items are run, and since when.
#[derive(Debug)]
pub(super) struct Gear {
    alone: bool,
    /// Is this term a trial?
    trial: bool,
    /// When this term began, and with the item of which index.
    since: Option<(Instant, usize)>,
    lasts: Duration,
    /// How long the better way is used after the next trial.
    next_term: Duration,
    /// What an item cost in the last term side by side and in the last term alone, in picoseconds.
    costs: [Option<u64>; 2],
    wary: u32,
}

impl Gear {
    pub(super) fn new() -> Self {
        Self {
            alone: false,
            trial: true,
            since: None,
            lasts: TRY_SIDE_BY_SIDE,
            next_term: SHORTEST_TERM,
            costs: [None; 2],
            wary: WARY,
        }
    }

    /// Should the next batch, which begins with the item of index `next`, be run alone?
    pub(super) fn choose(&mut self, now: Instant, next: usize) -> bool {
        let Some((since, from)) = self.since else {
            self.since = Some((now, next));
            return self.alone;
        };
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= self.lasts && next > from {
            let cost = elapsed.as_nanos() as u64 * 1000 / (next - from) as u64;
            self.costs[usize::from(self.alone)] = Some(cost);
            self.shift();
            self.since = Some((now, next));
        }
        self.alone
    }

    /// Begins the next term.
    fn shift(&mut self) {
        match self.costs {
            [Some(beside), Some(alone)] if self.trial => {
                let better = alone < beside;
                let confirmed = better != self.alone;
                self.next_term = if confirmed {
                    (self.next_term * 2).min(LONGEST_TERM)
                } else {
                    SHORTEST_TERM
                };
                self.alone = better;
                self.trial = false;
                self.lasts = self.next_term;
                self.wary = (self.wary / 2).max(WARY);
            }
            _ => {
                self.alone = !self.alone;
                self.trial = true;
                self.lasts = if self.alone {
                    TRY_ALONE
                } else {
                    TRY_SIDE_BY_SIDE
                };
            }
        }
    }

    /// Hears that a batch [took too long](is_too_long) that was run alone.
    pub(super) fn took_long(&mut self, now: Instant, next: usize, elapsed: Duration) {
        self.alone = false;
        self.trial = false;
        self.since = Some((now, next));
        self.lasts = (elapsed * self.wary).max(SHORTEST_TERM);
        self.wary = (self.wary * 2).min(MOST_WARY);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Runs the gear against made-up costs per item, in nanoseconds, and returns the share of items run alone.
    fn share_alone(cost_beside: u64, cost_alone: u64) -> f64 {
        let mut gear = Gear::new();
        let (mut now, mut alone) = (Instant::now(), 0);
        for batch in 0..100_000 {
            let is_alone = gear.choose(now, batch * 1000);
            alone += u32::from(is_alone);
            let cost = if is_alone { cost_alone } else { cost_beside };
            now += Duration::from_nanos(1000 * cost);
        }
        f64::from(alone) / 100_000.0
    }

    #[test]
    fn the_cheaper_way_is_used_nearly_always() {
        assert!(share_alone(2, 3) < 0.02);
        assert!(share_alone(10, 3) > 0.98);
    }

    #[test]
    fn a_dear_body_alone_is_answered_with_batches_for_a_multiple_of_its_time() {
        let mut gear = Gear::new();
        let start = Instant::now();
        let ms = Duration::from_millis;
        gear.choose(start, 0);
        gear.took_long(start, 1, ms(10));
        assert!(!gear.choose(start + ms(19), 2));
        gear.took_long(start + ms(19), 3, ms(10));
        assert!(!gear.choose(start + ms(19 + 39), 4), "twice as wary");
        assert!(
            gear.choose(start + ms(19 + 41), 5),
            "then it is tried again"
        );
    }
}
