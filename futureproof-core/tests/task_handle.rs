//! Handles of submitted tasks: every one resolves, whatever the way out.

mod kit;

use std::sync::Arc;
use std::time::Duration;

use futureproof_core::__private::submit;
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::TaskPool;
use kit::{
    Counter, Door, Log, Oops, WORKERS, bodies, double, for_workers, half, no_hang, numbers, oops,
    pool, scaled, threadless_pool,
};

#[test]
fn a_handle_gives_the_result_and_knows_the_arguments() {
    for_workers(|pool, _| {
        assert_eq!(
            submit(pool, numbers(Raise, double), (21,)).join().unwrap(),
            42
        );
        let task = submit(pool, numbers(Raise, double), (4,))
            .join_task()
            .unwrap();
        assert_eq!((task.args, task.result), ((4,), 8));
        let handles: Vec<_> = (0..100)
            .map(|n| submit(pool, numbers(Raise, double), (n,)))
            .collect();
        let sum: u64 = handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .sum();
        assert_eq!(sum, 9900);
    });
}

#[test]
fn a_failure_and_a_panic_reach_the_one_who_joins() {
    for_workers(|pool, _| {
        let error = submit(pool, numbers(Raise, half), (3,)).join().unwrap_err();
        assert_eq!(error.to_string(), "task 0: half(3) failed: oops: 3 is odd");
        let error = submit(pool, bodies::<()>(Raise), (Box::new(|| panic!("no")),))
            .join()
            .unwrap_err();
        assert_eq!(error.to_string(), "task 1: body panicked: no");
        assert_eq!(
            submit(pool, numbers(Raise, half), (4,)).join().unwrap(),
            2,
            "the pool goes on"
        );
    });
}

#[test]
fn a_limited_join_gives_the_handle_back() {
    for_workers(|pool, _| {
        let door = Door::new();
        let inside = door.clone();
        let handle = submit(
            pool,
            bodies(Raise),
            (Box::new(move || {
                inside.wait();
                Ok(7)
            }),),
        );
        let handle = handle.join_timeout(Duration::from_millis(1)).unwrap_err();
        let handle = handle.try_join().unwrap_err();
        assert!(!handle.is_finished());
        door.open();
        assert_eq!(handle.join_timeout(Duration::MAX).unwrap().unwrap(), 7);

        let handle = submit(pool, numbers(Raise, double), (1,));
        while !handle.is_finished() {
            std::thread::yield_now();
        }
        assert!(format!("{handle:?}").contains("finished"));
        assert_eq!(handle.try_join().unwrap().unwrap(), 2);
    });
}

#[test]
fn a_queued_task_that_was_cancelled_never_starts() {
    for_workers(|pool, workers| {
        let (door, started) = (Door::new(), Counter::new());
        let busy: Vec<_> = (0..workers)
            .map(|_| {
                let (door, started) = (door.clone(), started.clone());
                submit(
                    pool,
                    bodies(Raise),
                    (Box::new(move || {
                        started.add();
                        door.wait();
                        Ok(())
                    }),),
                )
            })
            .collect();
        started.wait_for(workers);
        let count = Arc::new(());
        let inside = count.clone();
        let handle = submit(
            pool,
            bodies(Raise),
            (Box::new(move || {
                drop(inside);
                panic!("a cancelled task runs")
            }),),
        );
        let handle: futureproof_core::TaskHandle<(), Oops, ()> = handle;
        assert!(handle.cancel());
        assert_eq!(
            Arc::strong_count(&count),
            1,
            "its arguments are dropped at once"
        );
        assert!(handle.cancel(), "cancelled is cancelled");
        assert!(handle.is_finished());
        assert!(!busy[0].cancel(), "a running task is not touched");
        door.open();
        let error = handle.join().unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(
            error.to_string(),
            format!("task {workers}: body was cancelled before it started")
        );
        for handle in busy {
            handle.join().unwrap();
        }
    });
}

#[test]
fn cancelling_makes_room_and_leaves_nothing_behind() {
    for_workers(|pool, workers| {
        let (door, started) = (Door::new(), Counter::new());
        let mut call = bodies::<()>(Raise);
        call.capacity = Some(1);
        let busy: Vec<_> = (0..workers)
            .map(|_| {
                let (door, started) = (door.clone(), started.clone());
                submit(
                    pool,
                    call.clone(),
                    (Box::new(move || {
                        started.add();
                        door.wait();
                        Ok(())
                    }),),
                )
            })
            .collect();
        started.wait_for(workers);
        // Each would block for ever if the one before still took its place.
        for _ in 0..scaled(1000, 50) {
            assert!(
                submit(
                    pool,
                    call.clone(),
                    (Box::new(|| panic!("a cancelled task runs")),)
                )
                .cancel()
            );
        }
        door.open();
        for handle in busy {
            handle.join().unwrap();
        }
    });
}

#[test]
fn submit_blocks_while_the_pool_is_saturated() {
    for_workers(|pool, workers| {
        let (door, accepted) = (Door::new(), Counter::new());
        let mut call = bodies::<()>(Raise);
        call.capacity = Some(2);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for _ in 0..workers + 20 {
                    let door = door.clone();
                    drop(submit(
                        pool,
                        call.clone(),
                        (Box::new(move || {
                            door.wait();
                            Ok(())
                        }),),
                    ));
                    accepted.add();
                }
            });
            accepted.wait_for(workers + 2);
            // Not a proof that it blocks, but it never fails when it does.
            for _ in 0..100 {
                std::thread::yield_now();
                assert_eq!(accepted.get(), workers + 2);
            }
            door.open();
            accepted.wait_for(workers + 20);
        });
    });
}

#[test]
fn a_dropped_handle_lets_its_task_run() {
    for_workers(|pool, _| {
        let ran = Counter::new();
        for _ in 0..100 {
            let ran = ran.clone();
            drop(submit(
                pool,
                bodies(Raise),
                (Box::new(move || {
                    ran.add();
                    Ok(())
                }),),
            ));
        }
        ran.wait_for(100);
    });
}

#[test]
fn the_failure_behind_a_dropped_handle_is_logged_once_unless_it_is_to_be_ignored() {
    for workers in WORKERS {
        no_hang(|| {
            for (policy, expected) in [(Raise, 1), (LogPolicy, 1), (Ignore, 0)] {
                for finish_first in [false, true] {
                    let log = Log::new();
                    log.during(|| {
                        let pool = pool(workers);
                        let (door, started) = (Door::new(), Counter::new());
                        let (inside, begun) = (door.clone(), started.clone());
                        let handle = submit(
                            &pool,
                            bodies::<()>(policy),
                            (Box::new(move || {
                                begun.add();
                                inside.wait();
                                oops("unread")
                            }),),
                        );
                        started.wait_for(1);
                        if finish_first {
                            door.open();
                            while !handle.is_finished() {
                                std::thread::yield_now();
                            }
                        }
                        drop(handle);
                        door.open();
                        // The pool's drop joins the task.
                    });
                    let errors = log.errors();
                    assert_eq!(errors.len(), expected, "{policy} {finish_first} {errors:?}");
                    assert!(
                        errors
                            .iter()
                            .all(|line| line.contains("oops: unread: the root of it"))
                    );
                }
            }
            let log = Log::new();
            log.during(|| {
                let pool = pool(workers);
                assert!(submit(&pool, numbers(Raise, half), (1,)).join().is_err());
            });
            assert_eq!(
                log.errors(),
                [""; 0],
                "what was read is not logged under raise"
            );
        });
    }
}

#[test]
fn handles_outlive_their_pool_and_resolve() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let (door, started) = (Door::new(), Counter::new());
            let mut call = bodies(Raise);
            call.capacity = Some(50);
            let handles: Vec<_> = (0..workers + 50)
                .map(|n| {
                    let (door, started) = (door.clone(), started.clone());
                    submit(
                        &pool,
                        call.clone(),
                        (Box::new(move || {
                            started.add();
                            // Opened by the pool's end: running bodies are asked to stop.
                            while !futureproof_core::is_stopping() {
                                std::thread::yield_now();
                            }
                            door.wait();
                            Ok(n)
                        }),),
                    )
                })
                .collect();
            started.wait_for(workers);
            let opener = std::thread::spawn({
                let door = door.clone();
                move || door.open()
            });
            drop(pool);
            opener.join().unwrap();
            assert_eq!(started.get(), workers);
            for (n, handle) in handles.into_iter().enumerate() {
                match handle.join() {
                    Ok(result) => assert_eq!(result, n),
                    Err(error) => assert!(error.is_cancelled() && n >= workers),
                }
            }
        });
    }
}

#[test]
fn tasks_submit_and_join_tasks_whatever_the_number_of_workers() {
    fn fib(pool: &'static TaskPool, n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let mut call = bodies(Raise);
        call.capacity = Some(0);
        let left = submit(
            pool,
            call.clone(),
            (Box::new(move || Ok(fib(pool, n - 1))),),
        );
        let right = submit(
            pool,
            call.clone(),
            (Box::new(move || Ok(fib(pool, n - 2))),),
        );
        // In the order that a queue does not expect.
        let right = right.join().unwrap();
        left.join().unwrap() + right
    }
    let (n, expected) = (scaled(12, 5) as u64, scaled(144, 5) as u64);
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let handle = submit(pool, bodies(Raise), (Box::new(move || Ok(fib(pool, n))),));
            assert_eq!(handle.join().unwrap(), expected);
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_submit_runs_the_task_itself() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let here = std::thread::current().id();
        for n in 0..10 {
            let handle = submit(
                &pool,
                bodies(Raise),
                (Box::new(move || {
                    assert_eq!(std::thread::current().id(), here);
                    Ok(n)
                }),),
            );
            assert!(handle.is_finished());
            assert_eq!(handle.join().unwrap(), n);
        }
    });
}

#[test]
fn a_pool_dropped_by_one_of_its_tasks_does_not_wait_for_itself() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = Arc::new(pool(workers));
            let (door, inside) = (Door::new(), Arc::clone(&pool));
            let entered = door.clone();
            let handle = submit(
                &pool,
                bodies(Raise),
                (Box::new(move || {
                    entered.wait();
                    drop(inside);
                    Ok(3)
                }),),
            );
            drop(pool);
            door.open();
            assert_eq!(handle.join().unwrap(), 3);
        });
    }
}

#[test]
fn the_callers_span_and_subscriber_travel_to_the_task() {
    for_workers(|pool, _| {
        let log = Log::new();
        let handle = log.during(|| {
            submit(
                pool,
                bodies(Raise),
                (Box::new(|| {
                    tracing::info!("from the task");
                    Ok(())
                }),),
            )
        });
        handle.join().unwrap();
        assert_eq!(
            log.lines()
                .iter()
                .filter(|line| line.contains("from the task"))
                .count(),
            1
        );
    });
}
