//! The standard library's primitives.

pub(crate) use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
};

pub(crate) use std::sync::{MutexGuard, OnceLock};
pub(crate) use std::time::Instant;
pub(crate) use std::{panic, thread, thread_local};

use std::num::NonZeroUsize;
use std::sync::{LazyLock, PoisonError, TryLockError};
use std::time::Duration;

/// A mutex whose lock ignores poisoning: no user code runs under the crate's locks, or its panic is caught there.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Mutex<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks, if that takes no waiting.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(std::sync::Condvar);

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for at most `limit`; the second value is true when the time ran out.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        let (guard, result) = self
            .0
            .wait_timeout(guard, limit)
            .unwrap_or_else(PoisonError::into_inner);
        (guard, result.timed_out())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// How many threads this process can run at once.
pub(crate) fn cores() -> usize {
    // Asked once: it takes system calls.
    static CORES: LazyLock<usize> =
        LazyLock::new(|| thread::available_parallelism().map_or(1, NonZeroUsize::get));
    *CORES
}

/// Asks `look` every `pause` until it knows.
///
/// For what another thread is about to do. On a single core it cannot do it meanwhile: there is one look only.
pub(crate) fn spin(pause: Duration, mut look: impl FnMut() -> Option<bool>) -> bool {
    if let Some(known) = look() {
        return known;
    }
    if cores() == 1 {
        return false;
    }
    let mut last = Instant::now();
    loop {
        let mut now = last;
        while now - last <= pause {
            (0..4).for_each(|_| std::hint::spin_loop());
            now = Instant::now();
        }
        if let Some(known) = look() {
            return known;
        }
        last = now;
    }
}

/// Looks again and again whether `done`, for at most about `limit`; returns the last answer.
pub(crate) fn spin_for(limit: Duration, done: impl Fn() -> bool) -> bool {
    let mut end = None;
    while cores() > 1 {
        // To look is cheaper than to read the clock.
        for _ in 0..8 {
            if done() {
                return true;
            }
            std::hint::spin_loop();
        }
        let now = Instant::now();
        if now >= *end.get_or_insert(now + limit) {
            break;
        }
    }
    done()
}

/// Lets a little time pass.
#[inline]
pub(crate) fn pause(spins: u32) {
    (0..spins).for_each(|_| std::hint::spin_loop());
}

/// A cell with loom's access shape; the caller of `with` and `with_mut` upholds the aliasing rules.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Stands for "the lender's frame is alive"; only loom gives it a body.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FrameToken;

impl FrameToken {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn hold<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    pub(crate) fn end(&self) {}
}
