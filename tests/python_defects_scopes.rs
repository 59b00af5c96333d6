//! What goes wrong in Python libraries and does not here: scopes and streams of results, and what becomes of their tasks. The table is in `python_defects.rs`.

mod python_kit;

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use futureproof::{TaskErrorKind, task_pool};
use python_kit::{Log, Oops, failure, guarded, of_task};

/// F15, Pebble's crashed worker
#[test]
fn panics_of_any_kind_are_failures_and_cost_no_worker() {
    #[task_pool(workers = 2, error_policy = "ignore")]
    fn bad(n: usize, both: &Barrier) -> usize {
        match n {
            40.. => {
                both.wait();
                n
            }
            n if n % 3 == 0 => panic::resume_unwind(Box::new(n)),
            n if n % 3 == 1 => panic::resume_unwind(Box::new("text")),
            n => panic::resume_unwind(Box::new(Oops(n))),
        }
    }

    guarded(|| {
        let both = Barrier::new(2);
        bad::scope(|tasks| {
            // Twenty times as many as there are workers; then two that need both workers.
            tasks.map((0..42).map(|n| (n, &both)));
            for done in tasks.in_order() {
                let Err(error) = done else { continue };
                let n = error.index();
                let TaskErrorKind::Panicked(panic) = error.into_kind() else {
                    panic!("{n} did not panic")
                };
                assert_eq!(panic.message().is_some(), n % 3 == 1);
                let payload = panic.into_payload();
                match n % 3 {
                    0 => assert_eq!(payload.downcast_ref(), Some(&n)),
                    1 => assert_eq!(payload.downcast_ref(), Some(&"text")),
                    _ => assert_eq!(payload.downcast_ref(), Some(&Oops(n))),
                }
            }
            assert_eq!((tasks.completed(), tasks.failed()), (2, 40));
        })
        .unwrap();
    });
}

/// F15: under raise it is no success either
#[test]
fn panics_of_any_kind_end_a_scope_under_raise() {
    #[task_pool(workers = 2)]
    fn bad(n: usize) -> usize {
        panic::resume_unwind(Box::new(n))
    }

    guarded(|| {
        let error = of_task(bad::scope(|tasks| tasks.map(5..6)));
        let TaskErrorKind::Panicked(panic) = error.into_kind() else {
            panic!("not panicked")
        };
        assert_eq!(panic.into_payload().downcast_ref(), Some(&5_usize));
    });
}

/// F16
#[test]
fn an_error_that_is_a_value_is_a_result() {
    #[task_pool(workers = 2)]
    fn make(n: usize) -> Result<Oops, Oops> {
        Ok(Oops(n))
    }
    #[task_pool(workers = 2, fallible = false)]
    fn judge(n: usize) -> Result<(), Oops> {
        Err(Oops(n))
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            make::scope(|tasks| {
                tasks.map(0..3);
                for (n, done) in tasks.in_order().enumerate() {
                    assert_eq!(done?.result, Oops(n));
                }
                Ok(())
            })
            .unwrap();
            judge::scope(|tasks| {
                tasks.map(0..3);
                for (n, done) in tasks.in_order().enumerate() {
                    assert_eq!(done?.result, Err(Oops(n)));
                }
                assert_eq!(tasks.failed(), 0);
                Ok(())
            })
            .unwrap();
        });
        assert!(log.errors().is_empty(), "{:#?}", log.errors());
    });
}

/// F17
#[test]
fn run_can_be_called_again() {
    static RAN: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2)]
    fn count(_n: usize) {
        RAN.fetch_add(1, Ordering::SeqCst);
    }

    guarded(|| {
        count::scope(|tasks| {
            for round in 1..=3 {
                tasks.map(0..10);
                assert_eq!(tasks.run().unwrap().completed(), 10 * round);
            }
            assert_eq!(tasks.run().unwrap().completed(), 30);
        })
        .unwrap();
        assert_eq!(RAN.load(Ordering::SeqCst), 30);
    });
}

/// F17
#[test]
fn scopes_share_a_pool_one_after_another_and_at_once() {
    #[task_pool(workers = 2)]
    fn double(n: usize) -> Result<usize, Oops> {
        if n == 7 { Err(Oops(n)) } else { Ok(2 * n) }
    }

    fn sum(inputs: std::ops::Range<usize>) -> Option<usize> {
        let mut sum = 0;
        double::scope(|tasks| {
            tasks.map(inputs);
            for done in tasks.as_completed() {
                sum += done?.result;
            }
            Ok(())
        })
        .ok()?;
        Some(sum)
    }

    guarded(|| {
        assert_eq!(sum(0..7), Some(42));
        // A failure is the end of its own scope alone.
        assert_eq!(sum(0..10), None);
        assert_eq!(sum(0..7), Some(42));
        let all = Barrier::new(4);
        thread::scope(|scope| {
            for thread in 0..4 {
                let all = &all;
                scope.spawn(move || {
                    all.wait();
                    for _ in 0..50 {
                        if thread == 0 {
                            assert_eq!(sum(0..10), None);
                        } else {
                            assert_eq!(sum(0..7), Some(42));
                        }
                    }
                });
            }
        });
    });
}

/// F18
#[test]
fn a_source_that_panics_is_a_failure_of_its_item_and_loses_no_result() {
    #[task_pool(workers = 3, error_policy = "ignore")]
    fn double(n: usize) -> usize {
        2 * n
    }
    #[task_pool(workers = 3)]
    fn double_or_raise(n: usize) -> usize {
        2 * n
    }

    fn broken() -> impl Iterator<Item = usize> + Send + 'static {
        (0..10).inspect(|&n| {
            if n == 5 {
                panic::resume_unwind(Box::new("the source"));
            }
        })
    }

    guarded(|| {
        double::scope(|tasks| {
            tasks.map(broken());
            let mut done = tasks.in_order();
            for n in 0..5 {
                assert_eq!(done.next().unwrap().unwrap().result, 2 * n);
            }
            let error = done.next().unwrap().unwrap_err();
            assert!(matches!(error.kind(), TaskErrorKind::Panicked(panic) if panic.message() == Some("the source")));
            assert!(done.next().is_none());
            // The scope goes on.
            tasks.map(5..10);
            assert_eq!(tasks.as_completed().flatten().count(), 5);
        })
        .unwrap();

        let error = of_task(double_or_raise::scope(|tasks| tasks.map(broken())));
        assert_eq!(error.index(), 5);
        double_or_raise::scope(|tasks| tasks.map(0..10)).unwrap();

        let results: Vec<_> = double_or_raise::map(broken()).collect();
        assert_eq!(results.len(), 6);
        assert!(results[5].as_ref().is_err_and(|error| error.index() == 5));
    });
}

/// F19
#[test]
fn tasks_submitted_while_results_are_read_run() {
    #[task_pool(workers = 2)]
    fn halve(n: usize) -> usize {
        n / 2
    }

    guarded(|| {
        halve::scope(|tasks| {
            tasks.submit(64);
            let mut seen = Vec::new();
            for done in tasks.as_completed() {
                let n = done.unwrap().result;
                seen.push(n);
                if n > 0 {
                    tasks.submit(n);
                }
            }
            assert_eq!(seen, [32, 16, 8, 4, 2, 1, 0]);
        })
        .unwrap();
    });
}

/// F21
#[test]
fn failures_are_never_among_the_results() {
    #[task_pool(workers = 2, error_policy = "log")]
    fn even(n: usize) -> Result<usize, Oops> {
        if n.is_multiple_of(2) {
            Ok(n)
        } else {
            Err(Oops(n))
        }
    }
    #[task_pool(workers = 2, error_policy = "ignore")]
    fn even_or_ignore(n: usize) -> Result<usize, Oops> {
        even(n)
    }

    guarded(|| {
        let log = Log::new();
        let (mut results, mut failures) = (Vec::new(), Vec::new());
        log.during(|| {
            even::scope(|tasks| {
                tasks.map(0..6);
                for done in tasks.in_order() {
                    match done {
                        Ok(done) => results.push(done.result),
                        Err(error) => failures.push(failure(error)),
                    }
                }
            })
            .unwrap();
        });
        assert_eq!(
            (&results[..], &failures[..]),
            (&[0, 2, 4][..], &[Oops(1), Oops(3), Oops(5)][..])
        );
        assert_eq!(log.errors().len(), 3);

        let log = Log::new();
        let sum: usize = log.during(|| {
            even_or_ignore::map(0..6)
                .flatten()
                .map(|done| done.result)
                .sum()
        });
        assert_eq!((sum, log.errors().len()), (6, 0));
    });
}

/// F22
#[test]
fn the_scope_returns_the_very_error_once() {
    #[task_pool(workers = 2, keep_args = false)]
    fn fail(error: Arc<Oops>) -> Result<(), Arc<Oops>> {
        Err(error)
    }

    guarded(|| {
        for read in [false, true] {
            let log = Log::new();
            let error = Arc::new(Oops(1));
            let raised = log.during(|| {
                of_task(fail::scope(|tasks| {
                    tasks.submit(error.clone());
                    if read {
                        for done in tasks.as_completed() {
                            done?;
                        }
                    }
                    Ok(())
                }))
            });
            let raised = failure(raised);
            assert!(Arc::ptr_eq(&raised, &error));
            assert_eq!(Arc::strong_count(&error), 2, "nobody else has it");
            assert!(log.errors().is_empty(), "{:#?}", log.errors());
        }
    });
}

/// Submit and join, M2, M3
#[test]
fn what_is_submitted_runs_although_nobody_reads() {
    static RAN: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, capacity = 1)]
    fn count(_n: usize) {
        RAN.fetch_add(1, Ordering::SeqCst);
    }

    guarded(|| {
        count::scope(|tasks| {
            for n in 0..200 {
                tasks.submit(n);
            }
            tasks.map(0..200);
        })
        .unwrap();
        assert_eq!(RAN.load(Ordering::SeqCst), 400);
    });
}

/// The task that `submit` returns in Python is never updated
#[test]
fn an_index_leads_from_a_submit_to_its_result() {
    #[task_pool(workers = 3)]
    fn double(n: usize, _note: &str) -> usize {
        2 * n
    }

    guarded(|| {
        let note = String::from("borrowed");
        double::scope(|tasks| {
            let mine = tasks.submit(21, &note);
            tasks.map((0..10).map(|n| (n, &*note)));
            let done = tasks
                .as_completed()
                .flatten()
                .find(|done| done.index == mine)
                .unwrap();
            assert_eq!((done.args, done.result), ((21, &*note), 42));
        })
        .unwrap();
    });
}
