//! What only one core can do at a time: write to a cache line, hold a lock.

use super::Time;
use super::machine::Machine;

/// A cache line that several cores write to. They get it one after the other, in the order in which they ask.
#[derive(Debug, Default)]
pub struct Line {
    owner: Option<usize>,
    free: Time,
    /// How long it has been on its way or written to in all.
    pub busy: Time,
}

impl Line {
    /// A `fetch_add` or a store: returns when it is done.
    pub fn add(&mut self, machine: &Machine, core: usize, at: Time) -> Time {
        let cost = if self.owner == Some(core) {
            machine.claim / 2
        } else {
            machine.transfer
        };
        self.pass_to(core, at, cost)
    }

    /// A load and a `fetch_add`: returns when they are done. Where others write at the same time, each fetches the line.
    pub fn look_and_add(&mut self, machine: &Machine, core: usize, at: Time) -> Time {
        let contended = self.free > at;
        let added = self.add(machine, core, at);
        if contended {
            added + machine.transfer
        } else {
            added
        }
    }

    /// A load and a compare-exchange, again until it succeeds: returns when it is done.
    ///
    /// One that finds the line busy has looked at an old value; its first exchange fails.
    pub fn exchange(&mut self, machine: &Machine, core: usize, at: Time) -> Time {
        let cost = if self.owner == Some(core) {
            machine.claim
        } else if self.free <= at {
            machine.transfer + machine.claim
        } else {
            (machine.transfer as f64 * machine.retries) as Time
        };
        self.pass_to(core, at, cost)
    }

    /// Keeps the line in use until then.
    pub fn keep(&mut self, until: Time) {
        self.busy += until.saturating_sub(self.free);
        self.free = self.free.max(until);
    }

    fn pass_to(&mut self, core: usize, at: Time, cost: Time) -> Time {
        self.free = self.free.max(at) + cost;
        self.owner = Some(core);
        self.busy += cost;
        self.free
    }
}

/// A `std::sync::Mutex`. Those who wait for it get it in the order in which they ask.
#[derive(Debug, Default)]
pub struct Lock {
    owner: Option<usize>,
    free: Time,
    /// How long it has been held or passed on in all.
    pub busy: Time,
}

impl Lock {
    /// Locks, does next to nothing, and unlocks: returns when that is done.
    ///
    /// A thread that waits for long sleeps. It comes later by the time of a wake-up, but the lock does not wait for it:
    /// another thread may be quicker.
    pub fn hold(&mut self, machine: &Machine, core: usize, at: Time) -> Time {
        let start = self.free.max(at);
        let moved = if self.owner == Some(core) {
            0
        } else {
            machine.transfer
        };
        let cost = moved + machine.lock;
        self.free = start + cost;
        self.owner = Some(core);
        self.busy += cost;
        let slept = if start - at > machine.lock_spin {
            machine.wake.latency
        } else {
            0
        };
        self.free + slept
    }

    /// Keeps the lock until then.
    pub fn keep(&mut self, until: Time) {
        self.busy += until.saturating_sub(self.free);
        self.free = self.free.max(until);
    }
}
