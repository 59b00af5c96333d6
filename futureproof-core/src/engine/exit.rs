//! The exit cell: keeps what leaves the loop at the lowest index.

use crate::stop::Signals;
use crate::sync::Mutex;
use crate::unwind::{self, Payload};

/// How an item left the loop.
#[derive(Debug)]
pub(super) enum Leave<X> {
    Break,
    Exit(X),
    Panic(Payload),
}

/// Keeps the exit with the lowest index that it is given.
///
/// The index is published in [`Signals`] too, where workers look before each item. They may see it late; they never see
/// an index lower than the lowest, so every item before that one runs.
#[derive(Debug)]
pub(super) struct ExitCell<X>(Mutex<Option<(usize, Leave<X>)>>);

impl<X> ExitCell<X> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Records an exit. Gives back the one that does not count, if there are two, to be dropped outside the lock.
    #[must_use]
    pub(super) fn record(
        &self,
        signals: &Signals,
        index: usize,
        leave: Leave<X>,
    ) -> Option<Leave<X>> {
        signals.lower_exit(index);
        let mut cell = self.0.lock();
        match &*cell {
            Some((lowest, _)) if *lowest <= index => Some(leave),
            _ => cell.replace((index, leave)).map(|(_, leave)| leave),
        }
    }

    pub(super) fn into_inner(self) -> Option<(usize, Leave<X>)> {
        self.0.into_inner()
    }
}

impl<X> Leave<X> {
    /// Drops what leaves for nowhere. The sequential loop would not have made it, so a panic of its `Drop` is dropped too.
    pub(super) fn discard(self) {
        match self {
            Self::Break => {}
            Self::Exit(value) => {
                if let Err(payload) = unwind::drop_caught(value) {
                    unwind::discard(payload);
                }
            }
            Self::Panic(payload) => unwind::discard(payload),
        }
    }
}
