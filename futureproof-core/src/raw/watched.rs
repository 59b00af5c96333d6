//! What models see of data that is passed from thread to thread.

use crate::sync::UnsafeCell;

/// Stands for data that threads pass on: of two accesses, one of them a write, one has to happen before the other.
#[derive(Debug)]
pub(crate) struct Watched(UnsafeCell<()>);

// SAFETY: there is nothing behind the cell that could be raced for; loom hears of each access, and fails the model where two
// of them are not in order.
unsafe impl Sync for Watched {}
// SAFETY: as above.
unsafe impl Send for Watched {}

impl Watched {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(()))
    }

    pub(crate) fn read(&self) {
        self.0.with(|_| ());
    }

    pub(crate) fn write(&self) {
        self.0.with_mut(|_| ());
    }
}
