//! What a pool costs that has nothing to do.

use std::hint::black_box;
use std::thread::sleep;
use std::time::Duration;

use futureproof::{parallel_for, task_pool};
use futureproof_benches::body::mix;
use futureproof_benches::cpu;
use futureproof_benches::stats::Spread;

use crate::bar::{Decides, Verdict};
use crate::child;
use crate::row::Row;
use crate::setup::Setup;

#[task_pool]
fn mixed(item: u64) -> u64 {
    mix(item)
}

pub fn idle(setup: &Setup) -> Row {
    let mut row = Row::default();
    let seconds = setup.pick(10, 2, 0);
    let arguments = [seconds.to_string(), setup.threads.to_string()];
    let [before, after] = child::run("idle", &[&arguments[0], &arguments[1]])[..] else {
        panic!("a child of this program prints two figures");
    };
    row.verdicts.push(Verdict {
        what: format!("processor time of a process whose pools are idle for {seconds} s"),
        limit: 1.0,
        unit: "ms",
        spread: Spread::of([after - before]),
        decides: Decides::Median,
    });
    row.notes.push(format!(
        "Processor time before {before:.3} ms, after {after:.3} ms. The bar allows for the sleeping thread itself and \
         for threads that leave after being idle for long."
    ));
    row
}

/// What the child process does: it prints its processor time in milliseconds, before and after being idle.
pub fn child(seconds: u64, threads: usize) {
    for _ in 0..10 {
        parallel_for!(
            workers = threads,
            for item in 0..1_000_000_u64 {
                black_box(mix(item));
            }
        );
    }
    let sum = mixed::map(0..10_000)
        .map(|done| done.expect("no task fails").result)
        .fold(0, u64::wrapping_add);
    black_box(sum);
    // The threads may take a moment to park.
    sleep(Duration::from_millis(50));
    let millis = || cpu::used().as_secs_f64() * 1e3;
    let before = millis();
    sleep(Duration::from_secs(seconds));
    println!("{before} {}", millis());
}
