//! Scopes that end early: by a stop, by a failure, by their closure's error or panic.

mod kit;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use futureproof_core::__private::scope;
use futureproof_core::ErrorPolicy::Raise;
use futureproof_core::{ScopeError, ScopeFailure, TaskErrorKind};
use kit::{Body, Counter, Door, Tasks, bodies, for_workers, oops};

#[test]
fn a_blocked_submit_wakes_when_the_scope_stops_and_its_task_is_cancelled() {
    for_workers(|pool, workers| {
        let (door, started) = (Door::new(), Counter::new());
        let mut call = bodies::<()>(Raise);
        call.capacity = Some(0);
        scope(pool, call.clone(), |tasks| {
            for _ in 0..workers {
                tasks.submit(Box::new(|| {
                    started.add();
                    door.wait();
                    Ok(())
                }));
            }
            started.wait_for(workers);
            std::thread::scope(|threads| {
                let blocked = threads.spawn(|| tasks.submit(Box::new(|| Ok(()))));
                tasks.stop();
                assert_eq!(blocked.join().unwrap(), workers);
            });
            door.open();
            let cancelled = tasks.as_completed().filter(Result::is_err).count();
            assert_eq!(
                (cancelled, tasks.cancelled(), tasks.completed()),
                (1, 1, workers)
            );
        })
        .unwrap();
    });
}

#[test]
fn a_blocked_submit_wakes_when_a_task_fails() {
    for_workers(|pool, workers| {
        let mut call = bodies::<()>(Raise);
        call.capacity = Some(0);
        let door = Door::new();
        let result = scope(pool, call.clone(), |tasks| {
            for _ in 0..workers {
                let door = door.clone();
                tasks.submit(Box::new(move || {
                    door.wait();
                    oops("no")
                }));
            }
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    for _ in 0..100 {
                        tasks.submit(Box::new(|| Ok(())));
                    }
                });
                door.open();
            });
        });
        assert!(matches!(result, Err(ScopeError::Task(_))));
    });
}

#[test]
fn an_error_of_the_closure_cancels_what_has_not_started_and_wins() {
    for_workers(|pool, workers| {
        let ran = AtomicUsize::new(0);
        let door = Door::new();
        let result = scope(pool, bodies::<()>(Raise), |tasks| {
            tasks.map((0..1_000_000).map(|_| -> Body<'_, ()> {
                Box::new(|| {
                    ran.fetch_add(1, Ordering::Relaxed);
                    door.wait();
                    oops("a task fails too")
                })
            }));
            door.open();
            Err::<(), _>(ScopeFailure::new("the closure's own"))
        });
        let ScopeError::Body(error) = result.unwrap_err() else {
            panic!("not the closure's error")
        };
        assert_eq!(error.to_string(), "the closure's own");
        assert!(ran.into_inner() <= workers * 2 + 2);
    });
}

#[test]
fn a_panic_of_the_closure_cancels_joins_and_goes_on() {
    for_workers(|pool, workers| {
        let (started, ended) = (Counter::new(), Counter::new());
        let door = Door::new();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            scope(pool, bodies::<()>(Raise), |tasks| {
                for _ in 0..workers * 2 {
                    tasks.submit(Box::new(|| {
                        started.add();
                        door.wait();
                        ended.add();
                        Ok(())
                    }));
                }
                started.wait_for(workers);
                door.open();
                assert!(tasks.is_empty(), "the closure's panic");
            })
        }))
        .unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), "the closure's panic");
        assert_eq!(started.get(), ended.get(), "what started was joined");
    });
}

#[test]
fn a_stopped_scope_cancels_what_has_not_started_and_yields_each_task_once() {
    for_workers(|pool, workers| {
        let door = Door::new();
        let started = Counter::new();
        let mut call = bodies(Raise);
        call.capacity = Some(100);
        scope(pool, call.clone(), |tasks: &Tasks<'_, '_, usize>| {
            for n in 0..workers + 100 {
                let (door, started) = (&door, &started);
                tasks.submit(Box::new(move || {
                    started.add();
                    door.wait();
                    Ok(n)
                }));
            }
            started.wait_for(workers);
            tasks.stop();
            tasks.stop();
            assert!(tasks.is_stopped());
            assert_eq!(
                tasks.submit(Box::new(|| panic!("must not start"))),
                workers + 100
            );
            let refused = tasks.try_submit(Box::new(|| Ok(5))).unwrap_err();
            assert!(!refused.is_full());
            assert_eq!(
                (refused.into_args().0)().unwrap(),
                5,
                "the arguments come back"
            );
            tasks.map([Box::new(|| oops("must not start")) as Body<'_, usize>]);
            door.open();
            let mut seen = BTreeSet::new();
            for task in tasks.in_order() {
                let index = match &task {
                    Ok(task) => task.index,
                    Err(error) => {
                        assert!(matches!(error.kind(), TaskErrorKind::Cancelled));
                        error.index()
                    }
                };
                assert!(seen.insert(index), "task {index} twice");
            }
            assert_eq!(seen, (0..=workers + 100).collect());
            assert_eq!((tasks.completed(), tasks.cancelled()), (workers, 101));
            assert_eq!(tasks.run().unwrap().completed(), workers as u64);
        })
        .unwrap();
        assert_eq!(started.get(), workers);
    });
}

#[test]
fn a_running_task_can_ask_whether_its_scope_stops() {
    for_workers(|pool, workers| {
        let started = Counter::new();
        scope(pool, bodies(Raise), |tasks| {
            for _ in 0..workers {
                tasks.submit(Box::new(|| {
                    started.add();
                    while !futureproof_core::is_stopping() {
                        std::hint::spin_loop();
                    }
                    Ok(())
                }));
            }
            started.wait_for(workers);
            tasks.stop();
            assert_eq!(tasks.as_completed().count(), workers);
        })
        .unwrap();
    });
}
