//! Failures: policies, panics, who gets which error, and that none is lost.

mod kit;

use std::collections::BTreeSet;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futureproof_core::__private::{Call, DescribeType, scope};
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::{
    MonitorInterval, ScopeError, ScopeFailure, TaskError, TaskErrorKind, TaskPool, is_stopping,
};
use kit::{
    Body, Counter, Door, Log, Oops, bodies, double, for_workers, half, no_hang, numbers, oops,
    pool, task_error,
};

#[test]
fn under_raise_run_returns_the_failure() {
    for_workers(|pool, _| {
        let result = scope(pool, numbers(Raise, half), |tasks| {
            tasks.submit(3);
            let error = tasks.run().unwrap_err();
            assert_eq!(error.to_string(), "task 0: half(3) failed: oops: 3 is odd");
            Err::<(), _>(error.into())
        });
        let error = task_error(result.unwrap_err());
        assert_eq!((error.index(), error.call()), (0, Some("half(3)")));
        assert_eq!(error.source().unwrap().to_string(), "the root of it");
        let TaskErrorKind::Failed(error) = error.into_kind() else {
            panic!("not failed")
        };
        assert_eq!(error, Oops("3 is odd".into()));
    });
}

#[test]
fn under_raise_the_scope_returns_the_failure_although_nobody_reads_results() {
    for_workers(|pool, _| {
        let log = Log::new();
        let error = log.during(|| {
            scope(pool, numbers(Raise, half), |tasks| {
                tasks.submit(4);
                tasks.submit(7);
            })
            .unwrap_err()
        });
        assert_eq!(task_error(error).index(), 1);
        assert_eq!(log.errors(), [""; 0], "what is returned is not logged");
    });
}

#[test]
fn under_raise_a_failure_stops_a_long_input_at_once() {
    for_workers(|pool, workers| {
        let started = AtomicUsize::new(0);
        let result = scope(pool, bodies(Raise), |tasks| {
            tasks.map((0..100_000).map(|n| -> Body<'_, ()> {
                let started = &started;
                Box::new(move || {
                    started.fetch_add(1, Ordering::Relaxed);
                    if n == 1000 {
                        return oops("at 1000");
                    }
                    // Those behind it run until the failure is known.
                    while n > 1000 && !is_stopping() {
                        std::thread::yield_now();
                    }
                    Ok(())
                })
            }));
            tasks.run()?;
            Ok(())
        });
        assert_eq!(task_error(result.unwrap_err()).index(), 1000);
        let started = started.into_inner();
        assert!(
            (1001..=1000 + workers).contains(&started),
            "{started} started"
        );
    });
}

#[test]
fn under_raise_what_is_submitted_but_not_started_never_starts() {
    for_workers(|pool, workers| {
        let mut call = bodies(Raise);
        call.capacity = Some(1000);
        let started = AtomicUsize::new(0);
        let (door, gathered) = (Door::new(), Counter::new());
        let result = scope(pool, call.clone(), |tasks| {
            for n in 0..1000 {
                let (started, door, gathered) = (&started, &door, &gathered);
                tasks.submit(Box::new(move || {
                    started.fetch_add(1, Ordering::Relaxed);
                    gathered.add();
                    door.wait();
                    // The workers' first tasks all fail at once.
                    oops::<()>(n.to_string())
                }));
            }
            gathered.wait_for(workers);
            door.open();
            let ends: Vec<_> = tasks.as_completed().collect();
            assert_eq!(ends.len(), 1000);
            assert_eq!(tasks.failed() + tasks.cancelled(), 1000);
            assert!(matches!(
                ends[0].as_ref().unwrap_err().kind(),
                TaskErrorKind::Failed(_)
            ));
        });
        assert_eq!(
            task_error(result.unwrap_err()).index(),
            0,
            "the first in call order"
        );
        assert!(started.into_inner() < 2 * workers + 1);
    });
}

#[test]
fn a_failure_is_seen_while_the_source_blocks() {
    for workers in [2, 3, 16] {
        no_hang(|| {
            let (items, source) = mpsc::channel();
            let result = scope(&pool(workers), numbers(Raise, half), |tasks| {
                tasks.map(source);
                items.send(1).unwrap();
                let first = tasks.as_completed().next().unwrap();
                assert_eq!(first.unwrap_err().index(), 0);
                // The source is being waited for by a worker; the scope joins it.
                drop(items);
            });
            assert_eq!(task_error(result.unwrap_err()).index(), 0);
        });
    }
}

#[test]
fn the_question_mark_takes_the_failure_out_of_the_scope_with_its_type() {
    for_workers(|pool, _| {
        fn load(pool: &TaskPool) -> Result<u64, Box<dyn Error>> {
            let sum = scope(pool, numbers(Raise, half), |tasks| {
                tasks.map([2, 4, 5, 6]);
                let mut sum = 0;
                for task in tasks.in_order() {
                    sum += task?.result;
                }
                let _: u64 = "7".parse()?;
                Ok(sum)
            })?;
            Ok(sum)
        }
        let error = load(pool).unwrap_err();
        let error = error.downcast::<ScopeError<Oops>>().unwrap();
        assert_eq!(error.as_task().unwrap().index(), 2);
        assert_eq!(error.to_string(), "task 2: half(5) failed: oops: 5 is odd");
    });
}

#[test]
fn under_raise_a_swallowed_failure_is_still_what_the_scope_returns() {
    for_workers(|pool, _| {
        let result = scope(pool, numbers(Raise, half), |tasks| {
            tasks.map([2, 4, 5]);
            let seen = tasks.as_completed().filter(Result::is_err).count();
            assert_eq!(seen, 1, "yielded once");
            Ok("fine")
        });
        let kind = task_error(result.unwrap_err()).into_kind();
        assert!(matches!(kind, TaskErrorKind::Failed(Oops(text)) if text == "5 is odd"));
    });
}

#[test]
fn under_raise_a_failure_that_the_closure_carried_away_is_still_named() {
    for_workers(|pool, _| {
        let mut kept = None;
        let result = scope(pool, numbers(Raise, half), |tasks| {
            tasks.map([2, 5]);
            kept = tasks.as_completed().find_map(Result::err);
        });
        let error = task_error(result.unwrap_err());
        assert!(matches!(error.kind(), TaskErrorKind::Taken));
        assert_eq!((error.index(), error.call()), (1, Some("half(5)")));
        assert_eq!(kept.unwrap().into_kind_text(), "5 is odd");
    });
}

trait IntoKindText {
    fn into_kind_text(self) -> String;
}

impl IntoKindText for TaskError<Oops> {
    fn into_kind_text(self) -> String {
        match self.into_kind() {
            TaskErrorKind::Failed(Oops(text)) => text,
            other => panic!("not failed: {other:?}"),
        }
    }
}

#[test]
fn of_several_failures_the_first_in_call_order_is_returned_and_the_others_are_logged_once() {
    for workers in [2, 3, 16] {
        no_hang(|| {
            let (log, pool) = (Log::new(), pool(workers));
            let result = log.during(|| {
                let gathered = Counter::new();
                scope(&pool, bodies::<()>(Raise), |tasks| {
                    for n in 0..workers {
                        let gathered = gathered.clone();
                        tasks.submit(Box::new(move || {
                            gathered.add();
                            gathered.wait_for(workers);
                            oops(n.to_string())
                        }));
                    }
                })
            });
            assert_eq!(task_error(result.unwrap_err()).into_kind_text(), "0");
            let errors = log.errors();
            assert_eq!(errors.len(), workers - 1, "{errors:#?}");
            for n in 1..workers {
                let text = format!("oops: {n}: the root of it");
                assert_eq!(errors.iter().filter(|line| line.contains(&text)).count(), 1);
            }
        });
    }
}

#[test]
fn the_closures_own_error_wins_over_a_failure_which_is_logged_unless_it_was_read() {
    for_workers(|pool, _| {
        for read in [false, true] {
            let log = Log::new();
            let result = log.during(|| {
                scope(pool, numbers(Raise, half), |tasks| {
                    tasks.submit(3);
                    if read {
                        assert_eq!(tasks.as_completed().count(), 1);
                    } else {
                        while !tasks.is_stopped() {
                            std::thread::yield_now();
                        }
                    }
                    let _: u64 = "x".parse()?;
                    Ok(())
                })
            });
            let ScopeError::Body(error) = result.unwrap_err() else {
                panic!("the task's error")
            };
            assert!(error.is::<std::num::ParseIntError>());
            assert_eq!(log.errors().len(), usize::from(!read), "{:?}", log.errors());
        }
    });
}

#[test]
fn a_failure_of_another_scope_is_the_closures_own_error() {
    for_workers(|pool, _| {
        let result = scope(pool, numbers(Raise, half), |tasks| {
            tasks.submit(2);
            let inner = scope(pool, numbers(Raise, half), |tasks| {
                tasks.submit(3);
            });
            let inner = task_error(inner.unwrap_err());
            Err::<(), _>(ScopeFailure::from(inner))
        });
        let ScopeError::Body(error) = result.unwrap_err() else {
            panic!("not the closure's own")
        };
        let error = error.downcast::<TaskError<Oops>>().unwrap();
        assert_eq!(error.to_string(), "task 0: half(3) failed: oops: 3 is odd");
    });
}

#[test]
fn errors_that_borrow_or_box_can_leave_the_closure() {
    struct Borrowed<'a>(&'a str, std::cell::Cell<u32>);

    no_hang(|| {
        let text = String::from("text");
        let error = {
            use futureproof_core::__private::VtableAny as _;
            DescribeType::<Borrowed<'_>>::new().vtable()
        };
        let mut call = Call::of(
            "borrow",
            |(text,): (&str,)| Err::<(), _>(Borrowed(text, std::cell::Cell::new(1))),
            |args| *args,
            |_| None,
            error,
        );
        call.monitor = MonitorInterval::from(false);
        let result = scope(&pool(2), call, |tasks| {
            tasks.submit(&text);
            for task in tasks.as_completed() {
                task.map_err(ScopeFailure::task)?;
            }
            Ok(())
        });
        let TaskErrorKind::Failed(error) = task_error(result.unwrap_err()).into_kind() else {
            panic!("not failed")
        };
        assert_eq!((error.0, error.1.get()), ("text", 1));

        let result = scope(&pool(2), numbers(Raise, double), |_| {
            let boxed: Result<(), Box<dyn Error + Send + Sync>> = Err("boxed".into());
            boxed.map_err(ScopeFailure::new)
        });
        assert_eq!(result.unwrap_err().to_string(), "boxed");
    });
}

#[test]
fn under_log_each_failure_is_one_event_with_index_call_and_sources_and_the_rest_runs() {
    for_workers(|pool, _| {
        let log = Log::new();
        let results = log.during(|| {
            scope(pool, numbers(LogPolicy, half), |tasks| {
                tasks.map(0..10);
                Ok(tasks.as_completed().filter(Result::is_ok).count())
            })
        });
        assert_eq!(results.unwrap(), 5);
        let errors = log.errors();
        assert_eq!(errors.len(), 5, "{errors:#?}");
        let of_three = errors.iter().find(|line| line.contains("half(3)")).unwrap();
        for part in [
            "ERROR futureproof ",
            "name=half",
            "index=3",
            "oops: 3 is odd: the root of it",
        ] {
            assert!(of_three.contains(part), "{of_three}");
        }
    });
}

#[test]
fn under_log_a_failure_is_logged_although_nobody_reads_results() {
    for_workers(|pool, _| {
        let log = Log::new();
        log.during(|| {
            scope(pool, numbers(LogPolicy, half), |tasks| {
                tasks.submit(5);
            })
        })
        .unwrap();
        assert_eq!(log.errors().len(), 1);
    });
}

#[test]
fn under_ignore_failures_are_only_yielded() {
    for_workers(|pool, _| {
        let log = Log::new();
        let failed = log.during(|| {
            scope(pool, numbers(Ignore, half), |tasks| {
                tasks.map(0..100);
                let failed: BTreeSet<_> = tasks
                    .as_completed()
                    .filter_map(|task| task.err().map(IntoKindText::into_kind_text))
                    .collect();
                assert_eq!((tasks.completed(), tasks.failed()), (50, 50));
                Ok(failed.len())
            })
        });
        assert_eq!(failed.unwrap(), 50);
        assert_eq!(log.errors(), [""; 0]);
    });
}

#[test]
fn an_error_returned_as_a_value_is_a_value() {
    for_workers(|pool, _| {
        let results = scope(pool, bodies(Raise), |tasks| {
            tasks.submit(Box::new(|| Ok(Oops("a value".into()))));
            Ok(tasks.as_completed().next().unwrap()?.result)
        });
        assert_eq!(results.unwrap(), Oops("a value".into()));
    });
}

#[test]
fn every_argument_is_dropped_once_whatever_happens() {
    for_workers(|pool, _| {
        for end in 0..5 {
            let count = Arc::new(());
            let result = catch_unwind(AssertUnwindSafe(|| {
                scope(pool, bodies::<Arc<()>>(Raise), |tasks| {
                    let body = |n: u32| -> Body<'_, Arc<()>> {
                        let count = count.clone();
                        Box::new(move || match (n, end) {
                            (5, 1) => oops("a failure"),
                            (5, 2) => panic!("a panic"),
                            _ => Ok(count),
                        })
                    };
                    tasks.map((0..50).map(body).collect::<Vec<_>>());
                    tasks.submit(body(50));
                    match end {
                        3 => tasks.stop(),
                        4 => assert!(tasks.is_empty() && !tasks.is_empty(), "the closure's panic"),
                        _ => {}
                    }
                })
                .map_err(drop)
            }));
            drop(result);
            assert_eq!(Arc::strong_count(&count), 1, "end {end}");
        }
    });
}
