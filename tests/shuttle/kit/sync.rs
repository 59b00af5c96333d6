//! `std::sync` for what runs under shuttle. Atomics are bookkeeping here: no thread is scheduled at them.
#![allow(dead_code, unused_imports, reason = "not all programs use all of it")]
#![allow(clippy::unnecessary_wraps, reason = "the standard library's may fail")]

pub(crate) use real::sync::{Arc, LockResult, Once, PoisonError, Weak, atomic};
pub(crate) use shuttle::sync::mpsc;

use real::time::Duration;

use futureproof_core::__shuttle as core;
pub(crate) use futureproof_core::__shuttle::MutexGuard;

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(core::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(core::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        Ok(self.0.lock())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(core::Condvar);

impl Condvar {
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        Ok(self.0.wait(guard))
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        Ok(self.0.wait_timeout(guard, limit))
    }

    pub(crate) fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut goes_on: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while goes_on(&mut guard) {
            guard = self.0.wait(guard);
        }
        Ok(guard)
    }
}
