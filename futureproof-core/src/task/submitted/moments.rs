//! The moments that a queue of submitted tasks waits for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::job::Job;
use crate::sync::{Arc, Instant};

/// When, and which of those that come at the same time.
pub(in super::super) type Key = (Instant, u64);

/// What is to happen to a task at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// It is run again.
    Attempt,
    /// It has run for too long.
    Timeout,
    /// It is not to be started any more.
    Deadline,
    /// Who polls it on a thread of the pool may run it there.
    Nudge,
}

/// Moments, in their order.
#[derive(Default)]
pub(super) struct Moments {
    all: BTreeMap<Key, (Moment, Arc<dyn Job>)>,
    made: u64,
    /// The first of those that came since the timer was last asked.
    unasked: Option<Instant>,
}

impl Moments {
    pub(super) fn add(&mut self, at: Instant, what: Moment, job: &Arc<dyn Job>) -> Key {
        self.made += 1;
        let key = (at, self.made);
        self.all.insert(key, (what, job.clone()));
        self.ask(at);
        key
    }

    /// Has the timer asked for a moment that something else waits for.
    pub(super) fn ask(&mut self, at: Instant) {
        self.unasked = Some(self.unasked.map_or(at, |first| first.min(at)));
    }

    /// The moment that the timer is to be asked for, once.
    #[inline]
    pub(super) fn unasked(&mut self) -> Option<Instant> {
        self.unasked.take()
    }

    /// Removes a moment; false if it has come.
    pub(super) fn remove(&mut self, key: Key) -> bool {
        self.all.remove(&key).is_some()
    }

    /// Takes the first moment out if it has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Moment, Arc<dyn Job>)> {
        let first = self.all.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn first(&self) -> Option<Instant> {
        self.all.first_key_value().map(|(key, _)| key.0)
    }

    /// The tasks that wait for their next attempt.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &Arc<dyn Job>> {
        (self.all.values())
            .filter(|(what, _)| *what == Moment::Attempt)
            .map(|(_, job)| job)
    }
}

/// The moment after `wait`; one too far away to be written down is in some decades.
pub(super) fn after(wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(1 << 31);

    let now = Instant::now();
    now.checked_add(wait).unwrap_or_else(|| now + FAR)
}
