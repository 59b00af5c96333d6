//! Shared sources: one worker at a time has the token and pulls, as in `futureproof-core/src/source/shared.rs`.
//!
//! Left out: sleepers that look again after a millisecond or more. They matter where `next()` or a body is stuck.

use std::collections::VecDeque;
use std::ops::Range;

use super::Time;
use super::crew::{Batch, Clock, Crew, Source, Taken};
use super::gear::{self, Gear};
use super::line::Lock;
use super::rules::{SOON, SPINS};

/// How the token is handled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token {
    /// As in the engine.
    Engine,
    /// Who stays awake for the token claims it by a flag, and locks only if it has won; who loses goes on waiting. Nobody
    /// is woken with the lock held. Passing the token on does not count as part of the bodies.
    Lighter,
}

/// What a worker is at between two of its questions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// About to look for the token or for an item.
    Looking,
    /// Staying awake for the token, for the time of this number.
    Spinning { spins: u32 },
    /// Asleep, or signalled and about to look, after having stayed awake so often.
    Sleeping { spins: u32 },
    /// Pulling one item with the token.
    PullingOne,
    /// Filling its belt with the token, since then.
    Filling { since: Time },
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

/// The belt that is being filled.
#[derive(Debug, Default)]
struct Belt {
    /// When the pulling began; later by what it has been held up since.
    began: Time,
    first: usize,
    count: usize,
    /// How many others have taken.
    taken: usize,
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
    head: Lock,
    holder: Holder,
    /// Who had the token last: what the iterator works with is in that core's cache.
    pulled_last: usize,
    gear: Gear,
    /// Who takes every batch alone.
    alone: Option<usize>,
    /// What it took to pull an item of the last batch.
    cost: Time,
    belt: Belt,
    sleepers: VecDeque<usize>,
    spinners: Vec<usize>,
    watcher: Option<usize>,
    waking: bool,
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
            head: Lock::default(),
            holder: Holder::Nobody,
            pulled_last: 0,
            gear: Gear::new(),
            alone: None,
            cost: 0,
            belt: Belt::default(),
            sleepers: VecDeque::new(),
            spinners: Vec::new(),
            watcher: None,
            waking: false,
            token_busy: 0,
            token_since: 0,
        }
    }

    fn pull(&mut self, want: usize) -> Range<usize> {
        let first = self.next;
        self.next = self.items.min(first + want);
        first..self.next
    }

    /// Looks for the token, or for an item on the belt.
    fn look(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time, spins: u32) -> Taken {
        let machine = crew.machine;
        let now = self.state.hold(machine, worker, at);
        let is_welcome = self.alone.is_none_or(|alone| alone == worker);
        if self.holder == Holder::Nobody && self.next == self.items {
            return Taken::Over(now);
        }
        if self.holder == Holder::Nobody && is_welcome {
            return self.with_token(crew, worker, now);
        }
        let sees_belt = self.holder == Holder::Belt && is_welcome;
        if spins < SPINS && sees_belt {
            self.phases[worker] = Phase::Spinning { spins: spins + 1 };
            self.spinners.push(worker);
            return Taken::Asleep(Some(now + SOON));
        }
        if sees_belt {
            let belt = &mut self.belt;
            let laid = now.saturating_sub(belt.began) / machine.shared.lay.max(1);
            if belt.taken < belt.count.min(laid as usize) {
                let item = belt.first + belt.taken;
                belt.taken += 1;
                // The line with the belt's length moves there and back.
                belt.began += machine.transfer;
                let ready = self.head.hold(machine, worker, now) + machine.transfer;
                let ready = self.leave_watch(crew, ready);
                self.phases[worker] = Phase::Looking;
                return Taken::batch(ready, item..item + 1, machine.shared.take);
            }
        }
        if (self.alone.is_some() || sees_belt) && self.watcher.is_none() {
            self.watcher = Some(worker);
        }
        self.phases[worker] = Phase::Sleeping { spins };
        self.sleepers.push_back(worker);
        Taken::Asleep(None)
    }

    fn with_token(&mut self, crew: &mut Crew<'_>, worker: usize, mut now: Time) -> Taken {
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
            self.phases[worker] = Phase::Looking;
            let items = self.pull(want);
            let pulled = now + machine.lock + moved + machine.shared.lay;
            let ready = self.pass_on(crew, worker, pulled);
            return Taken::batch(ready, items, machine.live);
        }
        self.holder = Holder::Belt;
        now = self.leave_watch(crew, now);
        if self.token == Token::Engine {
            self.state.keep(now);
        }
        let mut since = now + machine.lock + moved + machine.clock;
        let each = crew.each(worker);
        let alone =
            gear::is_in_question(self.cost, each) && self.gear.choose(since, self.next, each);
        if alone || self.alone.is_some() {
            since = self.state.hold(machine, worker, since);
            self.alone = alone.then_some(worker);
            since = self.leave_watch(crew, since);
        }
        let items = self.pull(want);
        self.phases[worker] = Phase::Filling { since };
        self.belt = Belt {
            began: since,
            first: items.start,
            count: items.len(),
            taken: 0,
        };
        Taken::Later(since + machine.shared.lay * items.len() as Time)
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
        if self.waking {
            return at;
        }
        self.waking = !self.sleepers.is_empty();
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
            Token::Engine => self.spinners.len(),
            Token::Lighter => self.spinners.len().min(1),
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
        let machine = crew.machine;
        match self.phases[worker] {
            Phase::Looking | Phase::Alone { .. } => self.look(crew, worker, at, 0),
            Phase::Spinning { spins } => {
                // Who is not on the list any more has seen the token pass, perhaps to another.
                let timed_out = self.spinners.contains(&worker);
                self.spinners.retain(|&spinner| spinner != worker);
                let goes_on = self.token == Token::Lighter && !timed_out;
                self.look(crew, worker, at, if goes_on { 0 } else { spins })
            }
            Phase::Sleeping { spins } => {
                self.waking = false;
                self.look(crew, worker, at, spins)
            }
            Phase::PullingOne => {
                let items = self.pull(1);
                let ready = self.pass_on(crew, worker, at);
                self.phases[worker] = Phase::Looking;
                Taken::batch(ready, items, 0)
            }
            Phase::Filling { since } => {
                let belt = &self.belt;
                let filled = belt.began + machine.shared.lay * belt.count as Time;
                if filled > at {
                    return Taken::Later(filled);
                }
                let items = belt.first + belt.taken..belt.first + belt.count;
                self.cost = (at - since) / belt.count.max(1) as Time;
                let closed = self.head.hold(machine, worker, at);
                let ready = self.pass_on(crew, worker, closed);
                if items.is_empty() {
                    self.phases[worker] = Phase::Looking;
                    return Taken::Later(ready);
                }
                self.phases[worker] = if self.alone == Some(worker) {
                    Phase::Alone { since: ready }
                } else {
                    Phase::Looking
                };
                let clock = match self.token {
                    Token::Engine => Clock::Since(since),
                    Token::Lighter => Clock::Bodies {
                        pulling: at - since,
                    },
                };
                let each = machine.shared.take;
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
