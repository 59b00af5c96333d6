//! Whether one worker pulls and runs alone: a copy of `futureproof-core/src/source/gear.rs` in simulated time.

use super::Time;
use super::rules::{ENOUGH, LONGEST_TERM, MOST_WARY, SHORTEST_TERM, TOO_LONG, TRIAL, WARY};

/// Is one worker perhaps as fast as several?
pub fn is_in_question(pulling: Time, in_all: Time) -> bool {
    pulling * 3 >= in_all
}

/// Did a batch that was run alone take so long that another worker should have been there?
pub fn is_too_long(elapsed: Time) -> bool {
    elapsed >= TOO_LONG
}

/// See the [module](self).
#[derive(Debug)]
pub struct Gear {
    alone: bool,
    since: Option<(Time, usize)>,
    lasts: Time,
    next_term: Time,
    in_favour: u32,
    wary: u32,
}

impl Gear {
    pub fn new() -> Self {
        Self {
            alone: false,
            since: None,
            lasts: TRIAL,
            next_term: SHORTEST_TERM,
            in_favour: 0,
            wary: WARY,
        }
    }

    /// Should the next batch, which begins with the item of index `next`, be run alone?
    pub fn choose(&mut self, now: Time, next: usize, each: Time) -> bool {
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
        let beside = elapsed / (next - from) as Time;
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

    /// Hears that a batch took too long that was run alone.
    pub fn took_long(&mut self, now: Time, next: usize, elapsed: Time) {
        self.alone = false;
        self.since = Some((now, next));
        self.lasts = (elapsed * Time::from(self.wary)).max(SHORTEST_TERM);
        self.wary = (self.wary * 2).min(MOST_WARY);
        self.next_term = SHORTEST_TERM;
    }
}
