//! Staying awake for a moment, for what another thread is about to do.

use std::time::Duration;

use crate::sync::{Instant, cores, pause};

/// How long a thread looks again and again before it leaves or sleeps: about what waking it would take.
const MOMENT: Duration = Duration::from_micros(8);
/// How long a thread sleeps that has run out of trivial tasks, or of their results, while more of them gather.
pub(super) const NAP: Duration = Duration::from_micros(50);
/// From one look to the next it is about a microsecond, in which others can do something worth looking at. Who looks all
/// the time slows those down whom it waits for; who gives way to other threads may be kept waiting by anybody.
const SPIN: u32 = 24;

/// A thread that stays awake.
#[derive(Debug, Default)]
pub(super) struct Hover {
    since: Option<Instant>,
    napped: bool,
}

impl Hover {
    /// Begins a new moment.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// May the thread stay awake any longer?
    pub(super) fn goes_on(&mut self) -> bool {
        cores() > 1
            && match self.since {
                None => {
                    self.since = Some(Instant::now());
                    true
                }
                Some(since) => since.elapsed() < MOMENT,
            }
    }

    /// May it sleep for a moment, in which nobody need wake it? Once.
    pub(super) fn naps(&mut self) -> bool {
        !std::mem::replace(&mut self.napped, true)
    }

    /// Lets some time pass.
    pub(super) fn pause(&self) {
        pause(SPIN);
    }
}
