//! Loom's primitives, for the models.

mod atomics;
mod time;

pub(crate) use self::atomics::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
pub(crate) use self::time::Instant;
pub(crate) use loom::cell::UnsafeCell;
pub(crate) use std::panic;
pub(crate) use std::sync::{Arc, OnceLock, Weak};

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
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
        MutexGuard {
            guard: self.0.lock().unwrap(),
            mutex: self,
        }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let guard = self.0.try_lock().ok()?;
        Some(MutexGuard { guard, mutex: self })
    }
}

/// Knows its mutex, for waits that time out.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    guard: loom::sync::MutexGuard<'a, T>,
    mutex: &'a Mutex<T>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

std::thread_local! {
    // All threads of a model are coroutines of the thread that runs it.
    /// Bit by bit, whether the next wait times out.
    static TIMEOUTS: Cell<u32> = const { Cell::new(0) };
    /// Bit by bit, whether the next thread cannot be started.
    static FAILURES: Cell<u32> = const { Cell::new(0) };
}

/// Takes the next bit out.
fn next_of(bits: &'static std::thread::LocalKey<Cell<u32>>) -> bool {
    let before = bits.replace(bits.get() >> 1);
    before & 1 == 1
}

/// Says which of the waits to come time out: that with a 1, the lowest bit first. None does after the last 1.
#[cfg(test)]
pub(crate) fn let_waits_time_out(bits: u32) {
    TIMEOUTS.set(bits);
}

/// Says which of the threads to come cannot be started: that with a 1, the lowest bit first.
#[cfg(test)]
pub(crate) fn let_starts_fail(bits: u32) {
    FAILURES.set(bits);
}

#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let MutexGuard { guard, mutex } = guard;
        let guard = self.0.wait(guard).unwrap();
        MutexGuard { guard, mutex }
    }

    // A protocol must be live without its timeouts, and right whenever one comes: the model says which waits end by one.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        if !next_of(&TIMEOUTS) {
            return (self.wait(guard), false);
        }
        let mutex = guard.mutex;
        drop(guard);
        (mutex.lock(), true)
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

pub(crate) fn pause(_spins: u32) {}

pub(crate) fn spin_for(_limit: Duration, done: impl Fn() -> bool) -> bool {
    done()
}

/// Lets loom see a worker that touches the lender's frame after the lender has left it.
#[derive(Debug, Clone)]
pub(crate) struct FrameToken(Arc<UnsafeCell<()>>);

impl FrameToken {
    #[allow(clippy::arc_with_non_send_sync)] // Loom checks each access itself.
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

pub(crate) mod thread {
    pub(crate) use loom::thread::{Thread, current};
    pub(crate) use std::thread::panicking;

    use std::io;

    #[derive(Debug)]
    pub(crate) struct Builder(loom::thread::Builder);

    impl Builder {
        pub(crate) fn new() -> Self {
            Self(loom::thread::Builder::new())
        }

        pub(crate) fn name(self, name: String) -> Self {
            Self(self.0.name(name))
        }

        // Of the thread that is modelled; loom's own needs the one that it has.
        pub(crate) fn stack_size(self, _bytes: usize) -> Self {
            self
        }

        pub(crate) fn spawn<T: Send + 'static>(
            self,
            f: impl FnOnce() -> T + Send + 'static,
        ) -> io::Result<JoinHandle<T>> {
            if super::next_of(&super::FAILURES) {
                return Err(io::Error::other("this thread cannot be started"));
            }
            self.0.spawn(f).map(JoinHandle)
        }
    }

    #[derive(Debug)]
    pub(crate) struct JoinHandle<T>(loom::thread::JoinHandle<T>);

    impl<T> JoinHandle<T> {
        pub(crate) fn join(self) -> std::thread::Result<T> {
            self.0.join()
        }

        pub(crate) fn thread(&self) -> &Thread {
            self.0.thread()
        }

        // It may always have a last step to go; then it is joined instead of forgotten.
        pub(crate) fn is_finished(&self) -> bool {
            false
        }
    }
}

/// A value per modelled thread; all of them are coroutines of one thread.
pub(crate) struct Local<T: 'static>(loom::thread::LocalKey<T>);

impl<T> Local<T> {
    pub(crate) const fn new(init: fn() -> T) -> Self {
        Self(loom::thread::LocalKey {
            init,
            _p: PhantomData,
        })
    }

    pub(crate) fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(f)
    }

    pub(crate) fn try_with<R>(
        &'static self,
        f: impl FnOnce(&T) -> R,
    ) -> Result<R, loom::thread::AccessError> {
        self.0.try_with(f)
    }
}

impl<T> Local<Cell<T>> {
    pub(crate) fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    pub(crate) fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T> Local<RefCell<T>> {
    pub(crate) fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    pub(crate) fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    pub(crate) fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }
}

macro_rules! locals {
    ($($(#[$attr:meta])* static $name:ident: $type:ty = const { $init:expr };)*) => {
        $($(#[$attr])* static $name: $crate::sync::Local<$type> = $crate::sync::Local::new(|| $init);)*
    };
}
// An attribute has that name, too.
pub(crate) use locals as thread_local;
