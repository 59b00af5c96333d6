//! Getting on with recorders: whether there is one, what it has been told, and what if it panics.

use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{Recorder, Unit};

use super::{COUNTERS, DURATION, GAUGES};
use crate::sync::AtomicBool;
use crate::unwind;

/// Is this the recorder of a program, and not what the facade hands out where none has been installed?
///
/// It has no question for that. Its stand-in has no fields, and lies in a static. A recorder of the process has been boxed, and
/// what has no fields takes no place in a box; the same goes for a constant. What is not seen is a recorder without fields that
/// lies in a variable and was set for one thread only.
pub(super) fn is_installed(recorder: &dyn Recorder) -> bool {
    size_of_val(recorder) > 0 || address(recorder) == align_of_val(recorder)
}

fn address(recorder: &dyn Recorder) -> usize {
    (&raw const *recorder).addr()
}

/// Tells the recorder what each metric is, unless it is the one that was told last.
pub(super) fn describe_once(recorder: &dyn Recorder) {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let address = address(recorder);
    if TOLD.load(Ordering::Relaxed) == address {
        return;
    }
    TOLD.store(address, Ordering::Relaxed);
    for (name, text) in COUNTERS {
        quietly(|| recorder.describe_counter(name.into(), Some(Unit::Count), text.into()));
    }
    for (name, text) in GAUGES {
        quietly(|| recorder.describe_gauge(name.into(), Some(Unit::Count), text.into()));
    }
    let (name, text) = DURATION;
    quietly(|| recorder.describe_histogram(name.into(), Some(Unit::Seconds), text.into()));
}

/// What a recorder has given. After its first panic it is left alone.
pub(super) struct Foreign<H> {
    handle: Option<H>,
    panicked: AtomicBool,
}

impl<H> Foreign<H> {
    pub(super) fn new(register: impl FnOnce() -> H) -> Self {
        Self {
            handle: quietly(register),
            panicked: AtomicBool::new(false),
        }
    }

    pub(super) fn call(&self, f: impl FnOnce(&H)) {
        let Some(handle) = &self.handle else { return };
        if !self.panicked.load(Ordering::Relaxed) && quietly(|| f(handle)).is_none() {
            self.panicked.store(true, Ordering::Relaxed);
        }
    }
}

impl<H> Drop for Foreign<H> {
    fn drop(&mut self) {
        quietly(|| drop(self.handle.take()));
    }
}

/// Runs what belongs to a recorder; `None` if it panicked.
fn quietly<R>(f: impl FnOnce() -> R) -> Option<R> {
    unwind::catch(f).map_err(unwind::discard).ok()
}
