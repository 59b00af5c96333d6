//! Shuttle's primitives, for the scenarios of `tests/shuttle`: one thread runs at a time, and a seeded scheduler chooses it
//! at every lock, wait, wake and atomic access.
//!
//! Time is virtual. It passes a little with every look at the clock, and jumps to the earliest moment that a thread waits
//! for, when the scheduler feels like it or nothing else can go on.

#![allow(
    missing_docs,
    reason = "what is public is for tests/shuttle, and as the standard library's"
)]

pub mod panic;
pub(crate) mod thread;
mod time;

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Duration;

use shuttle::rand::{Rng as _, thread_rng};

pub use self::thread::LocalKey;
pub(crate) use self::thread::thread_local;
pub use self::time::Instant;
use self::time::{TIME, Waiter, Wake};

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Arc, Weak};

/// Condition variables may wake threads for no reason: here, one in so many waits.
const SPURIOUS: u32 = 32;

#[derive(Debug, Default)]
pub struct Mutex<T: ?Sized>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Mutex<T> {
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard { guard, mutex: self }
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        use std::sync::TryLockError::{Poisoned, WouldBlock};

        let guard = match self.0.try_lock() {
            Ok(guard) => guard,
            Err(Poisoned(error)) => error.into_inner(),
            Err(WouldBlock) => return None,
        };
        Some(MutexGuard { guard, mutex: self })
    }
}

#[derive(Debug)]
pub struct MutexGuard<'a, T: ?Sized> {
    guard: shuttle::sync::MutexGuard<'a, T>,
    mutex: &'a Mutex<T>,
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// A condition variable that can time out, which shuttle's own cannot. It wakes any of those who wait.
#[derive(Default)]
pub struct Condvar {
    waiters: std::sync::Mutex<Vec<Waiter>>,
    /// Lets the scheduler choose before somebody waits or is notified.
    point: AtomicUsize,
}

impl Condvar {
    pub const fn new() -> Self {
        Self {
            waiters: std::sync::Mutex::new(Vec::new()),
            point: AtomicUsize::new(0),
        }
    }

    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wait_until(guard, None).0
    }

    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        let end = Instant::now().checked_add(limit);
        self.wait_until(guard, end)
    }

    fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        end: Option<Instant>,
    ) -> (MutexGuard<'a, T>, bool) {
        // What was found under the lock may have changed by now, if that takes no lock.
        self.point.load(Ordering::SeqCst);
        let waiter = Waiter::default();
        self.waiters().push(waiter.clone());
        let mutex = guard.mutex;
        drop(guard);
        if let Some(end) = end {
            TIME.wake_at(end, &waiter);
        }
        if one_in(SPURIOUS) {
            waiter.wake(Wake::Notified);
        }
        let why = waiter.wait();
        (mutex.lock(), why == Wake::TimedOut)
    }

    pub fn notify_one(&self) {
        self.point.fetch_add(1, Ordering::SeqCst);
        let mut waiters = self.waiters();
        waiters.retain(Waiter::waits);
        if !waiters.is_empty() {
            let chosen = thread_rng().gen_range(0..waiters.len());
            waiters.swap_remove(chosen).wake(Wake::Notified);
        }
    }

    pub fn notify_all(&self) {
        self.point.fetch_add(1, Ordering::SeqCst);
        for waiter in self.waiters().drain(..) {
            waiter.wake(Wake::Notified);
        }
    }

    fn waiters(&self) -> std::sync::MutexGuard<'_, Vec<Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Condvar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

fn one_in(times: u32) -> bool {
    thread_rng().gen_range(0..times) == 0
}

/// A cell that is written once.
#[derive(Debug, Default)]
pub(crate) struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    writer: Mutex<()>,
    point: AtomicUsize,
}

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        Self {
            value: std::sync::OnceLock::new(),
            writer: Mutex::new(()),
            point: AtomicUsize::new(0),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.point.load(Ordering::SeqCst);
        self.value.get()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _writer = self.writer.lock();
        self.value.set(value)
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _writer = self.writer.lock();
        // Nobody else comes in between: `init` may wait.
        match self.value.get() {
            Some(value) => value,
            None => {
                let value = init();
                self.value.get_or_init(|| value)
            }
        }
    }
}

pub(crate) fn cores() -> usize {
    2
}

// A spin is a look and a chance for others, a few times: they may never come.
pub(crate) fn spin(_pause: Duration, mut look: impl FnMut() -> Option<bool>) -> bool {
    for _ in 0..2 {
        if let Some(known) = look() {
            return known;
        }
        shuttle::thread::yield_now();
    }
    look() == Some(true)
}

pub(crate) fn spin_for(_limit: Duration, done: impl Fn() -> bool) -> bool {
    done() || {
        pause(0);
        done()
    }
}

pub(crate) fn pause(_spins: u32) {
    shuttle::thread::yield_now();
}

/// A cell with loom's access shape. One thread runs at a time, so no access is seen to overlap another.
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

/// Sees a worker that touches the lender's frame after the lender has left it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FrameToken(Arc<Frame>);

#[derive(Debug, Default)]
struct Frame {
    visitors: std::sync::atomic::AtomicUsize,
    ended: std::sync::atomic::AtomicBool,
}

impl FrameToken {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn hold<R>(&self, f: impl FnOnce() -> R) -> R {
        use std::sync::atomic::Ordering::Relaxed;

        /// Leaves when dropped.
        struct Visitor<'a>(&'a Frame);

        impl Drop for Visitor<'_> {
            fn drop(&mut self) {
                self.0.visitors.fetch_sub(1, Relaxed);
            }
        }

        self.0.visitors.fetch_add(1, Relaxed);
        let _visitor = Visitor(&self.0);
        fatal_unless(!self.0.ended.load(Relaxed), "a visitor came too late");
        f()
    }

    pub(crate) fn end(&self) {
        use std::sync::atomic::Ordering::Relaxed;

        self.0.ended.store(true, Relaxed);
        let visitors = self.0.visitors.load(Relaxed);
        fatal_unless(visitors == 0, "the lender left before its visitors");
    }
}

/// A panic would be caught as a body's.
fn fatal_unless(holds: bool, what: &str) {
    if !holds {
        eprintln!("{what}");
        std::process::abort();
    }
}
