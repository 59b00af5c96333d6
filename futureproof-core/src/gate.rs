//! Counts visitors, closes once, and waits until the last visitor has left.

use std::time::Duration;

use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering, spin_for};

/// Bit 0 of the state: the gate is closed. Bit 1: its owner sleeps. The bits above count the visitors inside.
const CLOSED: usize = 1;
const ASLEEP: usize = 2;
const VISITOR: usize = 4;

/// So long the owner stays awake for the last visitors: about what their last batch of cheap bodies takes.
const LAST_BATCH: Duration = Duration::from_micros(30);

/// A gate that visitors enter until its owner closes it.
///
/// # Memory ordering
///
/// A visitor's leave is a `Release` that the owner's close and wait read with `Acquire`: all that a visitor did happens
/// before [`Gate::close`] returns. To enter is relaxed: what is behind the gate was there before anybody heard of it.
#[derive(Debug)]
pub(crate) struct Gate {
    state: AtomicUsize,
    lock: Mutex<()>,
    left: Condvar,
}

/// Holds a place inside a [`Gate`]; leaves when dropped.
#[derive(Debug)]
pub(crate) struct Visit<'a>(&'a Gate);

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            lock: Mutex::new(()),
            left: Condvar::new(),
        }
    }

    /// Enters, unless the gate is closed.
    pub(crate) fn enter(&self) -> Option<Visit<'_>> {
        self.state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                (state & CLOSED == 0).then_some(state + VISITOR)
            })
            .ok()
            .map(|_| Visit(self))
    }

    /// Closes the gate and waits until nobody is inside.
    pub(crate) fn close(&self) {
        let before = self.state.fetch_or(CLOSED, Ordering::Acquire);
        if before < VISITOR {
            return;
        }
        let is_empty = || self.state.load(Ordering::Acquire) < VISITOR;
        if spin_for(LAST_BATCH, is_empty) {
            return;
        }
        let mut guard = self.lock.lock();
        self.state.fetch_or(ASLEEP, Ordering::Relaxed);
        while !is_empty() {
            guard = self.left.wait(guard);
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let before = self.0.state.fetch_sub(VISITOR, Ordering::Release);
        if before == VISITOR | CLOSED | ASLEEP {
            // Under the lock, so that the owner is either before its check or already waiting. The gate itself is
            // alive: a visitor reaches it through an `Arc`.
            let _guard = self.0.lock.lock();
            self.0.left.notify_one();
        }
    }
}
