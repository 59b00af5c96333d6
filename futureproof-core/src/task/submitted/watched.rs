//! What the monitor sees of a pool's submitted tasks.

use super::super::seats::Seats;
use super::Submitted;
use crate::context::Context;
use crate::monitor::{self, MonitorInterval, Watch};
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
    pub(in super::super) context: &'a Context,
}

impl Submitted {
    /// Has the monitor watch from the first task on until none is left, if it is wanted.
    pub(super) fn watch(&self, monitored: &Monitored<'_>) {
        let heard = tracing::enabled!(target: "futureproof::monitor", tracing::Level::INFO);
        if !heard || self.state.lock().watch.is_some() {
            return;
        }
        // Outside the lock: a subscriber is somebody else's code.
        let name = || monitored.name.to_owned();
        let watch = monitor::watch(
            monitored.interval,
            name,
            self.workers,
            None,
            monitored.context,
        );
        let Some(watch) = watch else { return };
        let watched = Watched {
            watch,
            context: monitored.context.clone(),
        };
        let mut state = self.state.lock();
        if state.watch.is_none() && state.running == 0 {
            state.seats = Seats::new(Some(watched.watch.progress()), self.workers);
            state.watch = Some(watched);
            return;
        }
        drop(state);
        watched.end();
    }
}
