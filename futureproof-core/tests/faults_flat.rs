//! Faults: neither the stack nor the memory grows with the number of items, whatever the items come from. `cargo test` runs some
//! hundred thousand; `FUTUREPROOF_FAULTS_ITEMS` is how many there are to be.
#![cfg(target_os = "linux")]

mod faults_kit;
mod kit;

use faults_kit::{passes_alone, status};
use futureproof_core::__private::{as_completed, map, scope};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{ParallelFor, TaskPool, pull, pull_here};
use kit::{double, half, numbers};

/// Of the caller's thread and of the pool's, in bytes: small, though a body without optimisation takes some of it.
const STACK: usize = 96 * 1024;
/// More memory than this, in KiB, would be memory for items: a thousand bytes each for the fewest of them are 200 MB.
const GROWTH: u64 = 2 * 1024;

fn items() -> u64 {
    let items = std::env::var("FUTUREPROOF_FAULTS_ITEMS");
    items.map_or(200_000, |items| items.parse().unwrap())
}

/// Runs `test` on a small stack, first for a thousand items and then for all, and compares the most memory that was in use.
fn is_flat(name: &'static str, test: fn(&TaskPool, u64)) {
    passes_alone(name, &[], || {
        let builder = std::thread::Builder::new().stack_size(STACK);
        let caller = builder.spawn(move || {
            let pool = TaskPool::builder().workers(2).stack_size(STACK).build();
            for _ in 0..20 {
                test(&pool, 1000);
            }
            let before = status("VmHWM");
            let items = items();
            test(&pool, items);
            let after = status("VmHWM");
            println!("seen: {name}: {items} items, {before} KiB before, {after} KiB after");
            assert!(after <= before + GROWTH, "{before} KiB, then {after} KiB");
        });
        caller.unwrap().join().unwrap();
    });
}

#[test]
fn loops_over_a_range_take_no_more_for_more_items() {
    is_flat(
        "loops_over_a_range_take_no_more_for_more_items",
        |pool, items| {
            let options = || ParallelFor::new().pool(pool).monitor(false);
            let mut sum = 0;
            options().fold_into(&mut sum, 0..items, |sum, n| *sum += n);
            assert_eq!(sum, items * (items - 1) / 2);
            let outcome = options()
                .try_for_each(0..items, |n| if n == u64::MAX { Err("no") } else { Ok(()) });
            assert_eq!(outcome.unwrap().completed(), items);
        },
    );
}

#[test]
fn loops_over_an_iterator_take_no_more_for_more_items() {
    is_flat(
        "loops_over_an_iterator_take_no_more_for_more_items",
        |pool, items| {
            let source = (0..items).filter(|n| n % 2 == 0);
            let options = ParallelFor::new().pool(pool).monitor(false);
            let report = options.for_each(pull(source), |_| {});
            assert_eq!(report.completed(), items / 2);
        },
    );
}

#[test]
fn loops_fed_by_the_caller_take_no_more_for_more_items() {
    is_flat(
        "loops_fed_by_the_caller_take_no_more_for_more_items",
        |pool, items| {
            let source = (0..items).filter(|n| n % 2 == 0);
            let options = ParallelFor::new().pool(pool).monitor(false);
            let report = options.for_each(pull_here(source), |_| {});
            assert_eq!(report.completed(), items / 2);
        },
    );
}

#[test]
fn results_in_order_take_no_more_for_more_items() {
    is_flat(
        "results_in_order_take_no_more_for_more_items",
        |pool, items| {
            let results = map(pool, numbers(Raise, double), 0..items);
            let sum: u64 = results.map(|end| end.unwrap().result).sum();
            assert_eq!(sum, items * (items - 1));
        },
    );
}

#[test]
fn results_as_completed_take_no_more_for_more_items() {
    is_flat(
        "results_as_completed_take_no_more_for_more_items",
        |pool, items| {
            let results = as_completed(pool, numbers(Ignore, half), 0..items);
            assert_eq!(
                results.filter(Result::is_ok).count() as u64,
                items.div_ceil(2)
            );
        },
    );
}

#[test]
fn scopes_whose_results_are_read_take_no_more_for_more_tasks() {
    is_flat(
        "scopes_whose_results_are_read_take_no_more_for_more_tasks",
        |pool, items| {
            let sum = scope(pool, numbers(Raise, double), |tasks| {
                let mut sum = 0;
                for n in 0..items {
                    tasks.submit(n);
                    if n % 100 == 99 {
                        for end in tasks.as_completed().take(100) {
                            sum += end?.result;
                        }
                    }
                }
                Ok(sum)
            });
            assert_eq!(sum.unwrap(), items * (items - 1));
        },
    );
}
