//! What goes wrong in Python libraries and does not here: failures in loops, by an error or a panic. The table is in
//! `python_defects.rs`.

mod python_kit;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use futureproof::{TaskPool, parallel_for, pull_here};
use python_kit::{Counter, Log, Oops, guarded};

/// The numbers of workers that every promise is tested with.
const WORKERS: [usize; 4] = [1, 2, 3, 16];

/// F15
#[test]
fn panics_of_any_kind_are_failures_and_cost_no_worker() {
    guarded(|| {
        let pool = TaskPool::builder().workers(3).build();
        let report = parallel_for!(
            pool = &pool,
            error_policy = "ignore",
            for n in 0..60 {
                match n % 3 {
                    0 => panic::resume_unwind(Box::new(n)),
                    1 => panic::resume_unwind(Box::new("text")),
                    _ => panic::resume_unwind(Box::new(Oops(n))),
                }
            }
        );
        assert_eq!((report.completed(), report.failed()), (0, 60));

        let raised = panic::catch_unwind(AssertUnwindSafe(|| {
            parallel_for!(
                pool = &pool,
                for n in 0..60 {
                    panic::resume_unwind(Box::new(Oops(n)));
                }
            );
        }));
        assert_eq!(raised.unwrap_err().downcast_ref(), Some(&Oops(0)));

        // All workers are there.
        let all = Barrier::new(3);
        parallel_for!(
            pool = &pool,
            batch = 1,
            for _ in 0..9 {
                all.wait();
            }
        );
    });
}

/// F16
#[test]
fn an_error_that_is_a_value_is_no_failure() {
    guarded(|| {
        let mut values = Vec::new();
        let report = parallel_for!(
            workers = 2,
            reduce(values),
            for n in 0..3 {
                values.push(if n == 1 { Err(Oops(n)) } else { Ok(n) });
            }
        );
        assert_eq!((report.completed(), report.failed()), (3, 0));
        assert_eq!(values, [Ok(0), Err(Oops(1)), Ok(2)]);
    });
}

/// F18
#[test]
fn a_source_that_panics_ends_the_loop_after_the_items_before() {
    guarded(|| {
        for workers in WORKERS {
            for here in [false, true] {
                let ran = Counter::new();
                let source = (0..10).inspect(|&n| {
                    if n == 5 {
                        panic::resume_unwind(Box::new("the source"));
                    }
                });
                let raised = panic::catch_unwind(AssertUnwindSafe(|| {
                    if here {
                        parallel_for!(
                            error_policy = "ignore",
                            workers = workers,
                            for _ in pull_here(source) {
                                ran.add();
                            }
                        );
                    } else {
                        parallel_for!(
                            workers = workers,
                            for _ in source {
                                ran.add();
                            }
                        );
                    }
                }));
                assert_eq!(raised.unwrap_err().downcast_ref(), Some(&"the source"));
                assert_eq!(ran.get(), 5);
            }
        }
        // And the pool serves the next.
        assert_eq!(
            parallel_for!(workers = 3, for _ in 0..10 {}).completed(),
            10
        );
    });
}

/// F20
#[test]
fn a_broken_thread_hook_costs_neither_an_item_nor_a_worker() {
    guarded(|| {
        let log = Log::new();
        log.during(|| {
            let pool = TaskPool::builder()
                .workers(3)
                .on_thread_start(|| -> () { panic::resume_unwind(Box::new("the hook")) })
                .on_thread_stop(|| panic::resume_unwind(Box::new("the other hook")))
                .build();
            let all = Barrier::new(3);
            let report = parallel_for!(
                pool = &pool,
                batch = 1,
                for _ in 0..9 {
                    all.wait();
                }
            );
            assert_eq!((report.completed(), report.failed()), (9, 0));
        });
    });
}

/// F20
#[test]
fn a_worker_local_that_fails_is_a_failure_of_its_item() {
    fn connect(attempts: &AtomicUsize) -> Result<usize, Oops> {
        match attempts.fetch_add(1, Ordering::SeqCst) {
            attempt @ 0..3 => Err(Oops(attempt)),
            attempt => Ok(attempt),
        }
    }

    fn raise() -> Result<(), Oops> {
        let attempts = AtomicUsize::new(0);
        parallel_for!(
            workers = 1,
            local(connection = connect(&attempts)?),
            for _ in 0..10 {
                connection += 1;
            }
        );
        Ok(())
    }

    guarded(|| {
        assert_eq!(raise(), Err(Oops(0)));
        let attempts = AtomicUsize::new(0);
        let report = parallel_for!(
            workers = 2,
            error_policy = "ignore",
            local(connection = connect(&attempts)?),
            for _ in 0..10 {
                connection += 1;
            }
        );
        assert_eq!((report.completed(), report.failed()), (7, 3));
    });
}

/// F21
#[test]
fn failures_are_counted_and_logged_and_the_rest_goes_on() {
    guarded(|| {
        let (log, mut sum) = (Log::new(), 0);
        let report = log.during(|| {
            parallel_for!(
                error_policy = "log",
                reduce(sum),
                for n in 0..6 {
                    if n % 2 == 1 {
                        Err(Oops(n))?;
                    }
                    sum += n;
                }
            )
        });
        assert_eq!(
            (sum, report.completed(), report.failed(), log.errors().len()),
            (6, 3, 3, 3)
        );

        let (log, mut sum) = (Log::new(), 0);
        let report = log.during(|| {
            parallel_for!(
                error_policy = "ignore",
                reduce(sum),
                for n in 0..6 {
                    if n % 2 == 1 {
                        Err(Oops(n))?;
                    }
                    sum += n;
                }
            )
        });
        assert_eq!(
            (sum, report.completed(), report.failed(), log.errors().len()),
            (6, 3, 3, 0)
        );
    });
}

/// F22
#[test]
fn the_loop_raises_the_very_error_once() {
    fn raise(error: &Arc<Oops>) -> Result<(), Arc<Oops>> {
        parallel_for!(
            workers = 2,
            for n in 0..10 {
                if n == 3 {
                    return Err(error.clone());
                }
            }
        );
        Ok(())
    }

    guarded(|| {
        let (log, error) = (Log::new(), Arc::new(Oops(1)));
        let raised = log.during(|| raise(&error)).unwrap_err();
        assert!(Arc::ptr_eq(&raised, &error));
        assert_eq!((Arc::strong_count(&error), log.errors().len()), (2, 0));
    });
}
