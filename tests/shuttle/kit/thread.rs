//! `std::thread` for what runs under shuttle.
#![allow(dead_code, unused_imports, reason = "not all programs use all of it")]

pub(crate) use shuttle::thread::{
    JoinHandle, Scope, Thread, ThreadId, current, park, scope, spawn, yield_now,
};

use real::time::Duration;

pub(crate) use futureproof_core::__shuttle::panic::panicking;
use futureproof_core::__shuttle::{Condvar, Mutex};

pub(crate) fn sleep(time: Duration) {
    let (nobody, wakes) = (Mutex::new(()), Condvar::new());
    let _ = wakes.wait_timeout(nobody.lock(), time);
}
