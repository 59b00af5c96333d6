//! Loom's primitives, for the models.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
};
pub(crate) use std::sync::{Arc, Weak};

use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap()
    }

    // Models never rely on time: a protocol must be live without its timeouts.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        (self.0.wait(guard).unwrap(), false)
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn cores() -> usize {
    2
}

// A spin is a look, and then another way to wait; loom explores all moments at which the look can happen.
pub(crate) fn spin(_pause: Duration, mut look: impl FnMut() -> Option<bool>) -> bool {
    look() == Some(true)
}

pub(crate) fn spin_for(_limit: Duration, done: impl Fn() -> bool) -> bool {
    done()
}

/// Lets loom see a worker that touches the lender's frame after the lender has left it.
#[derive(Debug, Clone)]
pub(crate) struct FrameToken(Arc<UnsafeCell<()>>);

impl FrameToken {
    pub(crate) fn new() -> Self {
        Self(Arc::new(UnsafeCell::new(())))
    }

    pub(crate) fn hold<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with(|_| f())
    }

    pub(crate) fn end(&self) {
        self.0.with_mut(|_| ());
    }
}
