//! A submitted task with its types erased.

use std::time::Duration;

use super::super::rate::Limiter;
use super::moments::Key;
use crate::stop::StopToken;
use crate::sync::{Arc, Instant, Mutex};

/// A task with its types erased.
pub(in super::super) trait Job: Send + Sync {
    /// Gives the task its index, before anybody else knows of it.
    fn number(&self, index: usize);

    fn index(&self) -> usize;

    /// Takes the right to run or cancel the task; true once, and once more after each release.
    fn claim(&self) -> bool;

    /// Has the task been claimed?
    fn is_claimed(&self) -> bool;

    /// Gives the right back: the task is to be run again.
    fn release(&self);

    /// What this task has that most have not.
    fn terms(&self) -> Option<&Terms>;

    /// Counts an attempt of a task that has terms: it was claimed to be run.
    fn begin(&self);

    /// Has it been claimed to be run before? Only a task that has terms can still be queued then.
    fn has_begun(&self) -> bool;

    /// Has the task been told to stop, by its handle, its token or its deadline?
    fn is_stopped(&self) -> bool;

    /// Runs the claimed task and tells its handle of the end, if it is one. Does not unwind.
    fn run(&self) -> Ran;

    /// Ends the claimed task without running it (again). Does not unwind.
    fn finish(&self, why: &Why);

    /// Ends the running task for its handle. Does not unwind.
    fn time_out(&self);

    /// Tells those who wait for the task that it may be possible to run it now.
    fn nudge(&self);

    /// How often they have been told.
    fn nudges(&self) -> usize;

    /// Waits until the task has ended, which returns true, until there were more nudges than those, or until `limit`.
    fn wait(&self, limit: Option<Instant>, since: usize) -> bool;
}

/// What became of a task that was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Ran {
    Completed,
    Failed,
    Panicked,
    /// It failed, and is to be run again after this time.
    Again(Duration),
    /// It was told to stop before it could be started.
    Cancelled,
}

/// Why a task ends that has never started.
#[derive(Debug, Clone)]
pub(in super::super) enum Why {
    Cancelled,
    /// No thread of the pool can be used, for this reason.
    Broken(Arc<str>),
}

/// What a task has that most have not.
pub(in super::super) struct Terms {
    /// How long one attempt may run.
    pub(in super::super) timeout: Option<Duration>,
    /// What it asks before each start.
    pub(in super::super) limiter: Option<Arc<Limiter>>,
    pub(in super::super) token: Option<StopToken>,
    pub(in super::super) deadline: Option<Instant>,
    place: Mutex<Place>,
}

/// Where the queue has put a task; only changed under the queue's lock.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Among those that wait for a permit.
    pub(super) in_lane: bool,
    /// The moments the queue waits for: of the next attempt, the end of the time limit, the deadline, and when somebody
    /// who polls is to be woken.
    pub(super) attempt: Option<Key>,
    pub(super) timeout: Option<Key>,
    pub(super) deadline: Option<Key>,
    pub(super) nudge: Option<Key>,
}

impl Terms {
    pub(in super::super) fn new(
        timeout: Option<Duration>,
        limiter: Option<Arc<Limiter>>,
        token: Option<StopToken>,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            timeout,
            limiter,
            token,
            deadline,
            place: Mutex::default(),
        }
    }

    /// Changes the place, or looks at it.
    pub(super) fn at<R>(&self, look: impl FnOnce(&mut Place) -> R) -> R {
        look(&mut self.place.lock())
    }

    /// Does the task need a permit to start?
    pub(super) fn is_limited(&self) -> bool {
        self.limiter.is_some()
    }

    pub(super) fn is_in_lane(&self) -> bool {
        self.at(|place| place.in_lane)
    }

    /// Does the task wait for its next attempt?
    pub(in super::super) fn is_waiting(&self) -> bool {
        self.at(|place| place.attempt.is_some())
    }
}
