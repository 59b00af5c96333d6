//! What the tests of loops share: every kind of source, every number of workers.
#![allow(dead_code, unreachable_pub)]

use std::fmt::Display;
use std::sync::mpsc;
use std::time::Duration;

use futureproof_core::{ParallelFor, Reduce, Report, pull, pull_here};

/// The numbers of workers that every promise is tested with.
#[cfg(not(miri))]
pub const WORKERS: [usize; 4] = [1, 2, 3, 16];
#[cfg(miri)]
pub const WORKERS: [usize; 2] = [1, 3];

/// The first number, or the second where an interpreter runs the test.
pub const fn scaled(count: usize, under_miri: usize) -> usize {
    if cfg!(miri) { under_miri } else { count }
}

/// The kinds of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Indexed,
    Shared,
    CallerFed,
}

pub const KINDS: [Kind; 3] = [Kind::Indexed, Kind::Shared, Kind::CallerFed];

/// Calls `test` for every kind of source and number of workers.
pub fn everywhere(test: impl Fn(Kind, usize)) {
    for kind in KINDS {
        for workers in WORKERS {
            test(kind, workers);
        }
    }
}

/// Runs a loop over `0..count`.
pub fn for_each(
    kind: Kind,
    options: ParallelFor<'_>,
    count: usize,
    body: impl Fn(usize) + Sync,
) -> Report {
    match kind {
        Kind::Indexed => options.for_each(0..count, body),
        Kind::Shared => options.for_each(pull(0..count), body),
        Kind::CallerFed => options.for_each(pull_here(0..count), body),
    }
}

/// Runs a fallible loop over `0..count`.
pub fn try_for_each<E: Display + Send>(
    kind: Kind,
    options: ParallelFor<'_>,
    count: usize,
    body: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<Report, E> {
    match kind {
        Kind::Indexed => options.try_for_each(0..count, body),
        Kind::Shared => options.try_for_each(pull(0..count), body),
        Kind::CallerFed => options.try_for_each(pull_here(0..count), body),
    }
}

/// Runs a fallible reducing loop over `0..count`.
pub fn try_fold_into<T: Reduce + Send, E: Display + Send>(
    kind: Kind,
    options: ParallelFor<'_>,
    total: &mut T,
    count: usize,
    body: impl Fn(&mut T, usize) -> Result<(), E> + Sync,
) -> Result<Report, E> {
    match kind {
        Kind::Indexed => options.try_fold_into(total, 0..count, body),
        Kind::Shared => options.try_fold_into(total, pull(0..count), body),
        Kind::CallerFed => options.try_fold_into(total, pull_here(0..count), body),
    }
}

/// Fails the test, instead of hanging it, when `body` does not end.
pub fn no_hang<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    // It sees a deadlock by itself.
    if cfg!(miri) {
        return body();
    }
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = body();
        let _ = done.send(());
        result
    });
    match wait.recv_timeout(Duration::from_secs(120)) {
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => {
            eprintln!("the test hangs");
            std::process::abort();
        }
    }
    thread
        .join()
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

/// A small generator of pseudo-random numbers: `SplitMix64` (Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
