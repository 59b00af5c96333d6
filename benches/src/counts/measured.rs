//! Marks what is counted.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::scenarios::{Counted, Scenario};

/// The function at whose entry and return callgrind switches its counting on and off, on the thread that calls it.
pub const TOGGLE: &str = "futureproof_measured";

/// The length of a run before the one that counts, for what happens in the first call only.
const WARM_UP: u64 = 64;

static ARMED: AtomicBool = AtomicBool::new(false);

/// Runs a scenario as the child process does.
pub fn run(scenario: &Scenario, length: u64) {
    if scenario.counted == Counted::Marked {
        (scenario.run)(WARM_UP);
        ARMED.store(true, Ordering::Relaxed);
    }
    (scenario.run)(length);
}

/// Runs what is to be counted of a scenario.
pub fn measured<T>(part: impl FnOnce() -> T) -> T {
    let mut part = Some(part);
    let mut result = None;
    let mut call = || result = part.take().map(|part| part());
    if ARMED.load(Ordering::Relaxed) {
        futureproof_measured(&mut call);
    } else {
        call();
    }
    result.expect("it was called")
}

#[unsafe(no_mangle)]
#[inline(never)]
fn futureproof_measured(part: &mut dyn FnMut()) {
    part();
}
