//! Shared sources: one worker at a time has the token and pulls, as in `futureproof-core/src/source/shared.rs`.
//!
//! Left out: what is done where `next()` or a body is stuck, which is to take single items from a belt that is being
//! filled, and to look again after some time.

use std::collections::VecDeque;
use std::ops::Range;

use super::Time;
use super::crew::{Batch, Clock, Crew, Source, Taken};
use super::gear::{self, Gear};
use super::line::Lock;
use super::rules::{MOST_SPINS, SOON};

/// Who goes for the token when it is passed on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token {
    /// Of those that wait awake, the one that wins its flag, as in the engine.
    One,
    /// All that wait awake.
    All,
}

/// What a worker is at between two of its questions.
#[derive(Debug, Clone)]
enum Phase {
    /// About to look for the token, asleep, or signalled.
    Looking,
    /// Staying awake for the token, for the time of this number.
    Spinning { spins: u32 },
    /// Pulling one item with the token.
    PullingOne,
    /// Filling its belt with the token, since then.
    Filling { since: Time, items: Range<usize> },
    /// Running a batch alone, since then.
    Alone { since: Time },
}

/// What the holder of the token does with it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Holder {
    Nobody,
    OneItem,
    Belt,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Shared {
    token: Token,
    items: usize,
    /// The index of the item that is pulled next.
    next: usize,
    phases: Vec<Phase>,
    state: Lock,
    holder: Holder,
    /// Who had the token last: what the iterator works with is in that core's cache.
    pulled_last: usize,
    gear: Gear,
    /// Who takes every batch alone.
    alone: Option<usize>,
    /// What it took to pull an item of the last batch.
    cost: Time,
    sleepers: VecDeque<usize>,
    spinners: VecDeque<usize>,
    watcher: Option<usize>,
    /// The sleeper that has been signalled and not looked yet.
    waking: Option<usize>,
    token_busy: Time,
    token_since: Time,
}

impl Shared {
    pub fn new(token: Token, items: usize, workers: usize) -> Self {
        Self {
            token,
            items,
            next: 0,
            phases: vec![Phase::Looking; workers],
            state: Lock::default(),
            holder: Holder::Nobody,
            pulled_last: 0,
            gear: Gear::new(),
            alone: None,
            cost: 0,
            sleepers: VecDeque::new(),
            spinners: VecDeque::new(),
            watcher: None,
            waking: None,
            token_busy: 0,
            token_since: 0,
        }
    }

    fn pull(&mut self, want: usize) -> Range<usize> {
        let first = self.next;
        self.next = self.items.min(first + want);
        first..self.next
    }

    /// Looks for the token, after having stayed awake for it so often.
    fn look(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time, spins: u32) -> Taken {
        let now = self.state.hold(crew.machine, worker, at);
        if self.waking == Some(worker) {
            self.waking = None;
        }
        let is_welcome = self.alone.is_none_or(|alone| alone == worker);
        self.phases[worker] = Phase::Looking;
        if self.holder == Holder::Nobody && self.next == self.items {
            return Taken::Over(now);
        }
        if self.holder == Holder::Nobody && is_welcome {
            return self.with_token(crew, worker, now);
        }
        if self.holder == Holder::Belt && is_welcome && spins < MOST_SPINS {
            self.phases[worker] = Phase::Spinning { spins: spins + 1 };
            self.spinners.push_back(worker);
            return Taken::Asleep(Some(now + SOON));
        }
        if self.watcher.is_none() && (self.alone.is_some() || self.holder == Holder::Belt) {
            self.watcher = Some(worker);
        }
        self.sleepers.push_back(worker);
        Taken::Asleep(None)
    }

    fn with_token(&mut self, crew: &mut Crew<'_>, worker: usize, now: Time) -> Taken {
        let machine = crew.machine;
        self.token_since = now;
        // The mutex around the iterator, and the iterator.
        let moved = if self.pulled_last == worker {
            0
        } else {
            2 * machine.transfer
        };
        self.pulled_last = worker;
        let (want, _) = crew.wants(worker);
        if want == 1 && crew.limit() > 1 {
            self.holder = Holder::OneItem;
            self.phases[worker] = Phase::PullingOne;
            return Taken::Later(now + machine.lock + moved + machine.shared.lay);
        }
        if crew.limit() == 1 || crew.present == 1 {
            // Nobody else is there: each item is pulled just before it runs.
            self.holder = Holder::OneItem;
            let items = self.pull(want);
            let pulled = now + machine.lock + moved + machine.shared.lay;
            let ready = self.pass_on(crew, worker, pulled);
            return Taken::batch(ready, items, machine.live);
        }
        self.holder = Holder::Belt;
        let shown = self.leave_watch(crew, now);
        self.state.keep(shown);
        let mut since = shown + machine.lock + moved + machine.clock;
        let each = crew.each(worker);
        let alone =
            gear::is_in_question(self.cost, each) && self.gear.choose(since, self.next, each);
        if alone || self.alone.is_some() {
            since = self.state.hold(machine, worker, since);
            self.alone = alone.then_some(worker);
            since = self.leave_watch(crew, since);
        }
        let items = self.pull(want);
        let filled = since + machine.shared.lay * items.len() as Time;
        self.phases[worker] = Phase::Filling { since, items };
        Taken::Later(filled)
    }

    fn leave_watch(&mut self, crew: &mut Crew<'_>, at: Time) -> Time {
        if self.watcher.is_none() {
            self.signal(crew, at)
        } else {
            at
        }
    }

    /// Wakes a sleeper, unless one is on its way.
    fn signal(&mut self, crew: &mut Crew<'_>, at: Time) -> Time {
        if self.waking.is_some() {
            return at;
        }
        self.waking = self.sleepers.front().copied();
        self.wake_one(crew, at)
    }

    fn wake_one(&mut self, crew: &mut Crew<'_>, at: Time) -> Time {
        let Some(sleeper) = self.sleepers.pop_front() else {
            return at;
        };
        if self.watcher == Some(sleeper) {
            self.watcher = None;
        }
        crew.wake(sleeper, at)
    }

    /// Passes the token on, and wakes after the lock has been released.
    fn pass_on(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Time {
        let mut now = self.state.hold(crew.machine, worker, at);
        self.holder = Holder::Nobody;
        self.token_busy += now - self.token_since;
        let roused = match self.token {
            Token::One if self.next < self.items => self.spinners.len().min(1),
            Token::One | Token::All => self.spinners.len(),
        };
        for spinner in self.spinners.drain(..roused) {
            crew.rouse(spinner, now);
        }
        if self.next == self.items {
            while !self.sleepers.is_empty() {
                now = self.wake_one(crew, now);
            }
        } else if self.alone.is_none() || self.watcher.is_none() {
            now = self.signal(crew, now);
        }
        now
    }
}

impl Source for Shared {
    const PULLED: bool = true;

    fn arrive(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Time {
        self.state.hold(crew.machine, worker, at)
    }

    fn take(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Taken {
        match self.phases[worker].clone() {
            Phase::Looking | Phase::Alone { .. } => self.look(crew, worker, at, 0),
            Phase::Spinning { spins } => {
                self.spinners.retain(|&spinner| spinner != worker);
                self.look(crew, worker, at, spins)
            }
            Phase::PullingOne => {
                let items = self.pull(1);
                let ready = self.pass_on(crew, worker, at);
                self.phases[worker] = Phase::Looking;
                Taken::batch(ready, items, 0)
            }
            Phase::Filling { since, items } => {
                self.cost = (at - since) / items.len().max(1) as Time;
                let ready = self.pass_on(crew, worker, at);
                self.phases[worker] = match self.alone {
                    Some(alone) if alone == worker => Phase::Alone { since: ready },
                    _ => Phase::Looking,
                };
                let (each, clock) = (crew.machine.shared.take, Clock::Since(since));
                Taken::Batch(Batch {
                    ready,
                    items,
                    each,
                    clock,
                })
            }
        }
    }

    fn finished(&mut self, crew: &mut Crew<'_>, worker: usize, _items: usize, at: Time) -> Time {
        let Phase::Alone { since } = self.phases[worker] else {
            return at;
        };
        self.phases[worker] = Phase::Looking;
        if !gear::is_too_long(at - since) {
            return at;
        }
        self.gear.took_long(at, self.next, at - since);
        let now = self.state.hold(crew.machine, worker, at);
        self.alone = None;
        self.signal(crew, now)
    }

    fn busy(&self) -> Time {
        self.token_busy
    }
}
