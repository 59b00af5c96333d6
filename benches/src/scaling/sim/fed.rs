//! Caller-fed sources: the caller pulls, and lays items into a queue, as in `futureproof-core/src/source/fed.rs`.

use std::collections::VecDeque;

use super::Time;
use super::crew::{Crew, Source, Taken};
use super::line::Lock;
use super::rules::ARRIVAL;

/// What the caller is at between two of its questions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// About to decide whether it pulls or runs.
    Deciding,
    /// Pulling an item.
    Pulling,
    /// Waiting for a worker that has been sent for, until then.
    Awaiting(Time),
}

/// See the [module](self).
#[derive(Debug)]
pub struct Fed {
    items: usize,
    /// The index of the item that is pulled next.
    next: usize,
    queued: usize,
    unfinished: usize,
    state: Lock,
    /// Workers that sleep until there is an item, and those that have been signalled and are about to look.
    asleep: VecDeque<usize>,
    signalled: Vec<usize>,
    phase: Phase,
    /// Does the caller sleep until something changes?
    caller_sleeps: bool,
    patient: bool,
    pulling: Time,
}

impl Fed {
    pub fn new(items: usize) -> Self {
        Self {
            items,
            next: 0,
            queued: 0,
            unfinished: 0,
            state: Lock::default(),
            asleep: VecDeque::new(),
            signalled: Vec::new(),
            phase: Phase::Deciding,
            caller_sleeps: false,
            patient: true,
            pulling: 0,
        }
    }

    fn front(&mut self, crew: &Crew<'_>, want: usize, ready: Time) -> Taken {
        let fair = self.queued.div_ceil(crew.limit());
        let count = want.min(fair).clamp(1, self.queued);
        let first = self.next - self.queued;
        self.queued -= count;
        Taken::batch(ready, first..first + count, crew.machine.fed.take)
    }

    /// Tells the caller that something has changed, if it waits for that; with the lock held.
    fn changed(&mut self, crew: &mut Crew<'_>, at: Time) -> Time {
        if !std::mem::take(&mut self.caller_sleeps) {
            return at;
        }
        let told = crew.wake(0, at);
        self.state.keep(told);
        told
    }

    /// Signals that there is an item.
    fn signal(&mut self, crew: &mut Crew<'_>, at: Time) -> Time {
        let Some(worker) = self.asleep.pop_front() else {
            return at;
        };
        self.signalled.push(worker);
        crew.wake(worker, at)
    }

    fn feed(&mut self, crew: &mut Crew<'_>, at: Time) -> Taken {
        let machine = crew.machine;
        let (want, _) = crew.wants(0);
        let now = self.state.hold(machine, 0, at);
        self.caller_sleeps = false;
        match self.phase {
            Phase::Deciding => {}
            Phase::Awaiting(until) => {
                self.phase = Phase::Deciding;
                self.patient = now < until;
            }
            Phase::Pulling => return self.lay(crew, want, now),
        }
        if self.next == self.items {
            return if self.queued == 0 {
                Taken::Over(now)
            } else {
                self.front(crew, want, now)
            };
        }
        if self.unfinished >= want * crew.limit() {
            if self.queued > 0 {
                return self.front(crew, want, now);
            }
            self.caller_sleeps = true;
            return Taken::Asleep(None);
        }
        let reads_ahead = want > 1 && crew.present > 1;
        if !reads_ahead && self.queued > self.asleep.len() + self.signalled.len() {
            return self.front(crew, 1, now);
        }
        self.phase = Phase::Pulling;
        self.pulling += machine.fed.lay;
        Taken::Later(now + machine.fed.lay)
    }

    fn lay(&mut self, crew: &mut Crew<'_>, want: usize, now: Time) -> Taken {
        let machine = crew.machine;
        self.phase = Phase::Deciding;
        self.next += 1;
        self.queued += 1;
        self.unfinished += 1;
        if self.next == self.items {
            let mut now = now;
            while !self.asleep.is_empty() {
                now = self.signal(crew, now);
            }
            return Taken::Later(now);
        }
        let idle = self.asleep.len() + self.signalled.len();
        if idle > 0 {
            // One for each item.
            let enough = self.signalled.len() >= idle.min(self.queued);
            return Taken::Later(if enough { now } else { self.signal(crew, now) });
        }
        if want == 1 && self.patient && crew.present < crew.limit() {
            let sent = crew.send_for_more(0, now);
            self.caller_sleeps = true;
            self.phase = Phase::Awaiting(sent + ARRIVAL);
            return Taken::Asleep(Some(sent + ARRIVAL));
        }
        self.pulling += machine.lock;
        Taken::Later(now)
    }
}

impl Source for Fed {
    const PULLED: bool = true;

    fn arrive(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Time {
        self.state.hold(crew.machine, worker, at)
    }

    fn take(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Taken {
        if worker == 0 {
            return self.feed(crew, at);
        }
        let now = self.state.hold(crew.machine, worker, at);
        self.signalled.retain(|&signalled| signalled != worker);
        if self.queued > 0 {
            let (want, _) = crew.wants(worker);
            return self.front(crew, want, now);
        }
        if self.next == self.items {
            return Taken::Over(now);
        }
        self.changed(crew, now);
        self.asleep.push_back(worker);
        Taken::Asleep(None)
    }

    fn finished(&mut self, crew: &mut Crew<'_>, worker: usize, items: usize, at: Time) -> Time {
        let now = self.state.hold(crew.machine, worker, at);
        self.unfinished -= items;
        self.changed(crew, now)
    }

    fn busy(&self) -> Time {
        self.pulling
    }
}
