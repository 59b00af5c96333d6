//! Rule 6: panics are failures, wherever they come from.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{KINDS, WORKERS, everywhere, for_each, no_hang, scaled};
use futureproof_core::{Ended, ErrorPolicy, ParallelFor, Payload, Reduce, pull, pull_here};

fn payload_of(body: impl FnOnce()) -> Payload {
    catch_unwind(AssertUnwindSafe(body)).expect_err("the loop should have panicked")
}

#[derive(Debug, PartialEq)]
struct Custom(usize);

#[test]
fn the_original_payload_of_the_first_panicking_item_arrives() {
    everywhere(|kind, workers| {
        let payload = payload_of(|| {
            let options = ParallelFor::new().workers(workers);
            for_each(kind, options, scaled(1000, 100), |n| {
                if n % 100 == 77 {
                    panic_any(Custom(n));
                }
            });
        });
        assert_eq!(
            *payload.downcast::<Custom>().unwrap(),
            Custom(77),
            "{kind:?} {workers}"
        );
    });
}

#[test]
fn under_log_and_ignore_a_panic_fails_its_item_alone() {
    everywhere(|kind, workers| {
        for policy in [ErrorPolicy::Log, ErrorPolicy::Ignore] {
            let count = scaled(1000, 50);
            let ran = AtomicUsize::new(0);
            let report = for_each(
                kind,
                ParallelFor::new().workers(workers).error_policy(policy),
                count,
                |n| {
                    ran.fetch_add(1, Ordering::Relaxed);
                    assert!(n % 10 != 0, "every tenth");
                },
            );
            assert_eq!(ran.into_inner(), count);
            assert_eq!(
                (report.completed(), report.failed()),
                (count as u64 * 9 / 10, count as u64 / 10),
                "{kind:?} {workers}"
            );
            assert_eq!(report.ended(), Ended::Exhausted);
        }
    });
}

#[test]
fn a_panicking_source_ends_the_loop_after_the_items_it_gave() {
    for policy in [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore] {
        for workers in WORKERS {
            for here in [false, true] {
                for count in [0, 1, scaled(300, 10)] {
                    let ran = AtomicUsize::new(0);
                    let source = (0..1000).inspect(|&n| assert!(n < count, "the source"));
                    let body = |_| {
                        ran.fetch_add(1, Ordering::Relaxed);
                    };
                    let options = ParallelFor::new().workers(workers).error_policy(policy);
                    let payload = payload_of(|| {
                        if here {
                            options.for_each(pull_here(source), body);
                        } else {
                            options.for_each(pull(source), body);
                        }
                    });
                    assert_eq!(*payload.downcast::<&str>().unwrap(), "the source");
                    assert_eq!(ran.into_inner(), count, "{workers} {here}");
                }
            }
        }
    }
}

/// A payload whose drop panics, with another such payload.
struct Nasty(u32);

impl Drop for Nasty {
    fn drop(&mut self) {
        if self.0 > 0 && !std::thread::panicking() {
            panic_any(Nasty(self.0 - 1));
        }
    }
}

#[test]
fn payloads_whose_drop_panics_neither_hang_nor_abort() {
    for kind in KINDS {
        for workers in WORKERS {
            no_hang(move || {
                for policy in [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore] {
                    let outcome = catch_unwind(AssertUnwindSafe(|| {
                        for_each(
                            kind,
                            ParallelFor::new().workers(workers).error_policy(policy),
                            scaled(200, 5),
                            |_| panic_any(Nasty(3)),
                        )
                    }));
                    match outcome {
                        Ok(report) => assert_eq!(report.failed(), scaled(200, 5) as u64),
                        Err(payload) => {
                            assert!(policy == ErrorPolicy::Raise);
                            std::mem::forget(payload);
                        }
                    }
                }
            });
        }
    }
}

/// Panics when it is dropped outside a body.
struct Fragile<'a>(usize, &'a AtomicUsize);

impl Drop for Fragile<'_> {
    fn drop(&mut self) {
        if self.1.fetch_add(1, Ordering::Relaxed) == self.0 {
            panic!("dropped {}", self.0);
        }
    }
}

#[test]
fn a_panic_in_the_drop_of_an_item_that_is_not_run_reaches_the_caller() {
    for workers in WORKERS {
        let dropped = AtomicUsize::new(0);
        let items: Vec<_> = (0..100).map(|_| Fragile(60, &dropped)).collect();
        let payload = payload_of(|| {
            let _ = ParallelFor::new()
                .workers(workers)
                .try_for_each(pull(items), |item| {
                    let last = item.1.load(Ordering::Relaxed) == 20;
                    std::mem::forget(item);
                    if last {
                        Err("leaves the rest to be dropped")
                    } else {
                        Ok(())
                    }
                });
            // Nothing dropped yet when every item ran: then the test drops one itself.
            dropped.store(60, Ordering::Relaxed);
            drop(Fragile(60, &dropped));
        });
        assert_eq!(*payload.downcast::<String>().unwrap(), "dropped 60");
    }
}

/// Adds up, until it should not.
struct Brittle(u64);

impl Reduce for Brittle {
    fn identity(&self) -> Self {
        Self(0)
    }

    fn merge(&mut self, later: Self) {
        assert!(later.0 < 1000, "too much to merge");
        self.0 += later.0;
    }
}

#[test]
fn a_panic_in_a_reducer_reaches_the_caller() {
    for workers in WORKERS {
        no_hang(move || {
            let mut total = Brittle(0);
            let payload = payload_of(|| {
                ParallelFor::new().workers(workers).batch(1).fold_into(
                    &mut total,
                    0..100_u64,
                    |part, n| part.0 += if n == 50 { 5000 } else { 1 },
                );
            });
            assert_eq!(*payload.downcast::<&str>().unwrap(), "too much to merge");
            assert!(total.0 <= 50, "nothing after the panic is merged");
        });
    }
}

#[test]
fn a_panic_while_a_local_is_made_counts_as_the_items() {
    for workers in WORKERS {
        let made = AtomicUsize::new(0);
        let report = ParallelFor::new()
            .workers(workers)
            .error_policy(ErrorPolicy::Ignore)
            .for_each_with(
                || {
                    let before = made.fetch_add(1, Ordering::Relaxed);
                    assert!(before >= 5, "not yet");
                    before
                },
                0..100,
                |_, _| {},
            );
        assert_eq!((report.completed(), report.failed()), (95, 5), "{workers}");
    }
}

#[test]
fn a_local_is_made_for_no_worker_that_runs_nothing() {
    let made = AtomicUsize::new(0);
    let make = || {
        made.fetch_add(1, Ordering::Relaxed);
    };
    ParallelFor::new()
        .workers(4)
        .for_each_with(make, pull(0..0), |(), _: i32| {});
    ParallelFor::new()
        .workers(1)
        .for_each_with(make, pull(0..0), |(), _: i32| {});
    ParallelFor::new()
        .workers(4)
        .for_each_with(make, pull_here(0..0), |(), _: i32| {});
    ParallelFor::new()
        .workers(4)
        .for_each_with(make, 0..0, |(), _: i32| {});
    assert_eq!(made.into_inner(), 0);
}
