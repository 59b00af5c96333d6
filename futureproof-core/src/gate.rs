//! Counts visitors, closes once, and waits until the last visitor has left.

use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering};

/// Bit 0 of the state: the gate is closed. The bits above it count the visitors inside.
const CLOSED: usize = 1;
const VISITOR: usize = 2;

/// A gate that visitors enter until its owner closes it.
///
/// # Memory ordering
///
/// A visitor's leave is a `Release` that the owner's wait reads with `Acquire`: all that a visitor did happens before
/// [`Gate::close`] returns.
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
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |state| {
                (state & CLOSED == 0).then_some(state + VISITOR)
            })
            .ok()
            .map(|_| Visit(self))
    }

    /// Closes the gate and waits until nobody is inside.
    pub(crate) fn close(&self) {
        let before = self.state.fetch_or(CLOSED, Ordering::AcqRel);
        if before < VISITOR {
            return;
        }
        let mut guard = self.lock.lock();
        while self.state.load(Ordering::Acquire) >= VISITOR {
            guard = self.left.wait(guard);
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let before = self.0.state.fetch_sub(VISITOR, Ordering::Release);
        if before == VISITOR | CLOSED {
            // Under the lock, so that the owner is either before its check or already waiting. The gate itself is
            // alive: a visitor reaches it through an `Arc`.
            let _guard = self.0.lock.lock();
            self.0.left.notify_one();
        }
    }
}
