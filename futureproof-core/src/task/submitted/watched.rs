//! What the monitor sees of a pool's submitted tasks.

use super::super::seats::Seats;
use super::Submitted;
use crate::context::Context;
#[cfg(feature = "progress")]
use crate::monitor::ProgressBar;
use crate::monitor::{self, MonitorInterval, Subject, Watch};
use crate::policy::ErrorPolicy;
use crate::unwind;

/// A watch, and the context in which its end is told.
pub(super) struct Watched {
    watch: Watch,
    context: Context,
}

impl Watched {
    pub(super) fn end(self) {
        // The watch itself tells nothing of a subscriber's panic.
        if let Err(payload) = unwind::catch(|| self.context.enter(|| drop(self.watch))) {
            unwind::discard(payload);
        }
    }
}

/// What the monitor is told of the tasks.
pub(in super::super) struct Monitored<'a> {
    pub(in super::super) interval: MonitorInterval,
    pub(in super::super) name: &'static str,
    pub(in super::super) policy: ErrorPolicy,
    #[cfg(feature = "progress")]
    pub(in super::super) bar: &'a ProgressBar,
    pub(in super::super) context: &'a Context,
}

impl Monitored<'_> {
    /// Does anybody want to know of the tasks?
    fn is_wanted(&self) -> bool {
        #[cfg(feature = "progress")]
        if self.bar.is_on() {
            return true;
        }
        monitor::is_wanted(self.interval)
    }
}

impl Submitted {
    /// Has the monitor watch from the first task on until none is left, if it is wanted. Returns whether the watch goes on for
    /// the sake of a task that is about to be accepted.
    pub(super) fn watch(&self, monitored: &Monitored<'_>) -> bool {
        if !monitored.is_wanted() {
            return false;
        }
        let mut state = self.state.lock();
        if state.watch.is_some() {
            state.to_be_watched += 1;
            return true;
        }
        drop(state);
        // Outside the lock: a subscriber is somebody else's code.
        let subject = Subject {
            kind: "pool",
            workers: self.workers,
            total: None,
            policy: monitored.policy,
            interval: monitored.interval,
            live: None,
            #[cfg(feature = "progress")]
            bar: monitored.bar,
            context: monitored.context,
        };
        let Some(watch) = monitor::watch(&subject, || monitored.name.to_owned()) else {
            return false;
        };
        let watched = Watched {
            watch,
            context: monitored.context.clone(),
        };
        let mut state = self.state.lock();
        state.to_be_watched += 1;
        if state.watch.is_none() {
            // Tasks that are running already, from when nobody wanted to know, are not counted.
            state.seats = Seats::new(Some(watched.watch.progress()), self.workers);
            state.watch = Some(watched);
            return true;
        }
        drop(state);
        watched.end();
        true
    }
}
