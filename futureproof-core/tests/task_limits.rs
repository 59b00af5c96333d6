//! What single tasks and whole functions are limited by: attempts, time, rate, threads.

mod kit;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futureproof_core::__private::{configure, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::{
    Ended, RateLimit, Retry, ScopeError, StopCause, StopToken, TaskErrorKind, TaskPool, is_stopping,
};
use kit::{
    Bodies, Body, Counter, Door, Log, Oops, WORKERS, bodies, double, for_workers, half, no_hang,
    numbers, oops, pool, task_error,
};

const MS: Duration = Duration::from_millis(1);

/// A wait that is over at once in a test.
fn quick(attempts: u32) -> Retry {
    Retry::attempts(attempts).backoff(MS / 10)
}

/// A wait that no test sees the end of.
fn endless(attempts: u32) -> Retry {
    let day = Duration::from_secs(86_400);
    Retry::attempts(attempts).backoff(day).max_backoff(day)
}

#[test]
fn a_task_is_tried_again_with_the_same_arguments_until_it_succeeds() {
    static CALLS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    fn third_time((n,): (u64,)) -> Result<u64, Oops> {
        let mut calls = CALLS.lock().unwrap();
        calls.push(n);
        if calls.iter().filter(|&&call| call == n).count() < 3 {
            return oops("not yet");
        }
        Ok(n)
    }

    for_workers(|pool, _| {
        CALLS.lock().unwrap().clear();
        let results: Vec<_> = configure(pool, numbers(Raise, third_time))
            .retry(quick(5))
            .scope(|tasks| {
                tasks.map(0..20);
                Ok(tasks
                    .in_order()
                    .map(|task| task.map(|task| (task.result, task.attempts)).unwrap())
                    .collect::<Vec<_>>())
            })
            .unwrap();
        let third = (0..20).map(|n| (n, 3)).collect::<Vec<_>>();
        assert_eq!(results, third, "in order, too");
        assert_eq!(CALLS.lock().unwrap().len(), 60);
    });
}

#[test]
fn the_last_error_is_reported_with_the_number_of_attempts() {
    for_workers(|pool, _| {
        let result = configure(pool, numbers(Raise, half))
            .retry(quick(4))
            .scope(|tasks| {
                tasks.submit(2);
                tasks.submit(3);
            });
        let error = task_error(result.unwrap_err());
        assert_eq!(error.attempts(), 4);
        assert_eq!(
            error.to_string(),
            "task 1: half(3) failed after 4 attempts: oops: 3 is odd"
        );
    });
}

#[test]
fn the_predicate_says_which_errors_are_worth_another_attempt_and_panics_never_are() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    fn fail((n,): (u64,)) -> Result<u64, Oops> {
        CALLS.fetch_add(1, Ordering::Relaxed);
        assert_ne!(n, 2, "the task panics");
        oops(if n == 0 { "for a while" } else { "for good" })
    }

    for_workers(|pool, _| {
        CALLS.store(0, Ordering::Relaxed);
        let attempts = configure(pool, numbers(Ignore, fail))
            .retry(quick(3))
            .retry_if(|error| error.0 == "for a while")
            .scope(|tasks| {
                tasks.map(0..3);
                let attempts = tasks.in_order().map(|end| end.unwrap_err().attempts());
                Ok(attempts.collect::<Vec<_>>())
            });
        assert_eq!(attempts.unwrap(), [3, 1, 1]);
        assert_eq!(CALLS.load(Ordering::Relaxed), 5);
    });
}

#[test]
fn a_task_that_waits_for_its_next_attempt_takes_no_worker_and_a_stop_ends_the_wait() {
    for_workers(|pool, _| {
        let outcome = configure(pool, numbers(Ignore, half))
            .capacity(10)
            .retry(endless(2))
            .scope(|tasks| {
                tasks.submit(1);
                tasks.submit(2);
                let first = tasks.as_completed().next().unwrap().unwrap();
                assert_eq!((first.index, first.result), (1, 1));
                // It has failed once, or is about to; after that it waits.
                while tasks.waiting() == 0 {
                    std::thread::yield_now();
                }
                assert_eq!((tasks.running(), tasks.waiting()), (0, 1));
                tasks.stop();
                let waited = tasks.as_completed().next().unwrap().unwrap_err();
                assert!(matches!(waited.kind(), TaskErrorKind::Failed(Oops(_))));
                assert_eq!(waited.attempts(), 1);
                assert_eq!((tasks.failed(), tasks.cancelled()), (1, 0));
                Ok(())
            });
        outcome.unwrap();
    });
}

#[test]
fn a_single_task_can_have_limits_of_its_own() {
    for_workers(|pool, _| {
        scope(pool, numbers(Ignore, half), |tasks| {
            tasks.submit(1);
            tasks.configure().retry(quick(3)).submit(3);
            tasks.submit(5);
            let attempts: Vec<_> = tasks
                .in_order()
                .map(|end| end.unwrap_err().attempts())
                .collect();
            assert_eq!(attempts, [1, 3, 1]);
        })
        .unwrap();
    });
}

#[test]
fn a_task_that_runs_too_long_is_told_and_reported_at_once_and_still_joined() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let (told, joined) = (Counter::new(), AtomicUsize::new(0));
            let result = configure(&pool, bodies::<()>(Raise))
                .timeout(5 * MS)
                .scope(|tasks| {
                    tasks.submit(Box::new(|| {
                        while !is_stopping() {
                            std::thread::yield_now();
                        }
                        // Reported though it goes on.
                        told.wait_for(1);
                        joined.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    }));
                    let error = tasks.as_completed().next().unwrap().unwrap_err();
                    assert!(error.is_timed_out());
                    assert_eq!(error.attempts(), 1);
                    assert_eq!(error.to_string(), "task 0: body timed out after 5ms");
                    assert!(tasks.as_completed().next().is_none(), "one end each");
                    assert_eq!((tasks.failed(), tasks.completed()), (1, 0));
                    told.add();
                    Ok(())
                });
            assert!(task_error(result.unwrap_err()).is_timed_out());
            assert_eq!(joined.load(Ordering::Relaxed), 1, "the scope has joined");
        });
    }
}

#[test]
fn a_task_that_heeds_its_time_limit_has_timed_out_all_the_same() {
    for_workers(|pool, _| {
        for _ in 0..20 {
            let body = || -> Body<'static, ()> {
                Box::new(|| {
                    while !is_stopping() {
                        std::hint::spin_loop();
                    }
                    Ok(())
                })
            };
            let call = configure(pool, bodies(Ignore)).timeout(MS / 4);
            let ends: Vec<_> = call.map([body(), body()]).collect();
            assert_eq!(ends.len(), 2);
            assert!(ends.into_iter().all(|end| end.unwrap_err().is_timed_out()));
        }
    });
}

#[test]
fn a_task_in_time_is_not_touched_and_results_come_in_order_past_a_late_one() {
    for_workers(|pool, _| {
        let door = Door::new();
        let ends: Vec<_> = configure(pool, bodies::<usize>(Ignore))
            .capacity(8)
            .scope(|tasks| {
                tasks
                    .configure()
                    .timeout(Duration::from_secs(3600))
                    .submit(Box::new(|| Ok(0)));
                let inside = door.clone();
                tasks.configure().timeout(MS).submit(Box::new(move || {
                    inside.wait();
                    Ok(1)
                }));
                let mut ends = tasks.in_order().map(|end| end.map(|task| task.result).ok());
                let ends = [ends.next().unwrap(), ends.next().unwrap()];
                door.open();
                Ok(ends)
            })
            .unwrap()
            .into();
        assert_eq!(ends, [Some(0), None]);
    });
}

#[test]
fn starts_are_no_faster_than_the_rate_over_all_workers() {
    for_workers(|pool, _| {
        let begun = Instant::now();
        let starts = Mutex::new(Vec::new());
        let limit = RateLimit::new(1, 2 * MS);
        let body = || -> Body<'_, ()> {
            Box::new(|| {
                starts.lock().unwrap().push(Instant::now());
                Ok(())
            })
        };
        configure(pool, bodies::<()>(Raise))
            .rate_limit(limit)
            .scope(|tasks| {
                for _ in 0..5 {
                    tasks.submit(body());
                }
                tasks.map((0..5).map(|_| body()));
            })
            .unwrap();
        assert_eq!(starts.lock().unwrap().len(), 10);
        assert!(begun.elapsed() >= 18 * MS, "{:?}", begun.elapsed());
    });
}

#[test]
fn a_reader_inside_the_pool_waits_for_permits_like_any_other() {
    for_workers(|pool, _| {
        let body = || -> Body<'_, usize> {
            Box::new(|| {
                let results = configure(pool, numbers(Raise, double))
                    .rate_limit(RateLimit::new(1, 2 * MS))
                    .map(0..5);
                Ok(results.filter(Result::is_ok).count())
            })
        };
        scope(pool, bodies(Raise), |tasks| {
            tasks.map([body(), body()]);
            assert!(tasks.as_completed().all(|end| end.unwrap().result == 5));
        })
        .unwrap();
    });
}

#[test]
fn a_task_limit_can_change_while_the_pool_runs() {
    no_hang(|| {
        let pool = pool(4);
        pool.set_task_limit(0);
        assert_eq!(pool.task_limit(), Some(0));
        let (running, most) = (Counter::new(), AtomicUsize::new(0));
        let door = Door::new();
        scope(&pool, bodies::<()>(Raise), |tasks| {
            for _ in 0..4 {
                tasks.submit(Box::new(|| {
                    most.fetch_max(running.add(), Ordering::SeqCst);
                    door.wait();
                    running.subtract();
                    Ok(())
                }));
            }
            assert_eq!((tasks.running(), tasks.waiting()), (0, 4), "a pause");
            pool.set_task_limit(1);
            running.wait_for(1);
            pool.set_task_limit(3);
            running.wait_for(3);
            assert_eq!((running.get(), tasks.waiting()), (3, 1));
            pool.set_task_limit(None);
            running.wait_for(4);
            door.open();
            tasks.run().unwrap();
            // A lower limit holds for what starts from now on, over all scopes.
            pool.set_task_limit(1);
            most.store(0, Ordering::SeqCst);
            std::thread::scope(|threads| {
                for _ in 0..2 {
                    threads.spawn(|| {
                        scope(&pool, bodies::<()>(Raise), |tasks| {
                            tasks.map((0..200).map(|_| -> Body<'_, ()> {
                                Box::new(|| {
                                    most.fetch_max(running.add(), Ordering::SeqCst);
                                    std::thread::yield_now();
                                    running.subtract();
                                    Ok(())
                                })
                            }));
                        })
                    });
                }
            });
            assert_eq!(most.load(Ordering::SeqCst), 1);
        })
        .unwrap();
    });
}

#[test]
fn a_pause_holds_up_what_a_worker_has_taken_with_other_tasks() {
    no_hang(|| {
        let pool = pool(1);
        let (started, door) = (Counter::new(), Door::new());
        scope(&pool, bodies::<()>(Raise), |tasks| {
            // Trivial tasks are taken together with what comes behind them.
            for _ in 0..20_000 {
                tasks.submit(Box::new(|| Ok(())));
            }
            for _ in 0..50 {
                tasks.submit(Box::new(|| {
                    started.add();
                    door.wait();
                    Ok(())
                }));
            }
            started.wait_for(1);
            pool.set_task_limit(0);
            door.open();
            while tasks.running() > 0 {
                std::thread::yield_now();
            }
            assert_eq!(started.get(), 1);
            assert_eq!(tasks.waiting(), 49);
            pool.set_task_limit(None);
            assert_eq!(tasks.run().unwrap().completed(), 20_050);
        })
        .unwrap();
    });
}

#[test]
fn a_paused_pool_does_not_hold_up_loops_nor_nested_tasks() {
    for_workers(|pool, _| {
        scope(pool, bodies::<()>(Raise), |tasks| {
            tasks.submit(Box::new(|| {
                pool.set_task_limit(0);
                // On a thread of the pool a scope runs its own tasks.
                scope(pool, numbers(Raise, double), |inner| {
                    inner.map(0..10);
                    assert_eq!(inner.run().unwrap().completed(), 10);
                })
                .unwrap();
                let report = futureproof_core::ParallelFor::new()
                    .pool(pool)
                    .for_each(0..100, |_| ());
                assert_eq!(report.completed(), 100);
                Ok(())
            }));
        })
        .unwrap();
        pool.set_task_limit(None);
    });
}

#[test]
fn a_thread_is_replaced_after_so_many_tasks() {
    no_hang(|| {
        for workers in [1, 3] {
            let pool = TaskPool::builder()
                .workers(workers)
                .max_tasks_per_thread(2)
                .build();
            let threads = Mutex::new(Vec::new());
            scope(&pool, bodies::<()>(Raise), |tasks| {
                tasks.map((0..40).map(|_| -> Body<'_, ()> {
                    Box::new(|| {
                        threads.lock().unwrap().push(std::thread::current().id());
                        Ok(())
                    })
                }));
            })
            .unwrap();
            let threads = threads.into_inner().unwrap();
            assert_eq!(threads.len(), 40);
            let distinct: HashSet<_> = threads.iter().collect();
            let most = distinct
                .iter()
                .map(|thread| threads.iter().filter(|other| other == thread).count())
                .max();
            assert_eq!(most, Some(2), "{distinct:?}");
            assert!(pool.threads() <= workers);
        }
    });
}

#[test]
fn tasks_stay_on_the_pools_threads_however_soon_those_are_replaced() {
    no_hang(|| {
        let pool = TaskPool::builder()
            .workers(1)
            .max_tasks_per_thread(1)
            .build();
        let owner = std::thread::current().id();
        for _ in 0..200 {
            scope(&pool, bodies::<()>(Raise), |tasks| {
                for _ in 0..3 {
                    tasks.submit(Box::new(|| {
                        assert_ne!(std::thread::current().id(), owner);
                        Ok(())
                    }));
                }
            })
            .unwrap();
        }
    });
}

#[test]
fn a_start_hook_that_fails_breaks_the_pool_and_every_task_says_so() {
    for workers in WORKERS {
        no_hang(|| {
            let log = Log::new();
            let pool = TaskPool::builder()
                .workers(workers)
                .on_thread_start(|| Err::<(), _>("no database"))
                .build();
            log.during(|| {
                let result = scope(&pool, numbers(Raise, double), |tasks| {
                    tasks.map(0..5);
                    tasks.submit(7);
                });
                let error = task_error(result.unwrap_err());
                assert!(
                    matches!(error.kind(), TaskErrorKind::PoolBroken(_)),
                    "{error}"
                );
                assert!(error.to_string().contains("no database"), "{error}");
                // What comes later, too.
                let result = scope(&pool, numbers(Raise, double), |tasks| {
                    tasks.submit(7);
                });
                assert!(result.unwrap_err().to_string().contains("no database"));
            });
            assert!(
                log.errors().is_empty(),
                "the pool has told of it: {:#?}",
                log.errors()
            );
            // Loops go on without those threads.
            let report = futureproof_core::ParallelFor::new()
                .pool(&pool)
                .for_each(0..100, |_| ());
            assert_eq!(report.completed(), 100);
        });
    }
}

#[test]
fn several_failures_can_be_collected_before_everything_stops() {
    for_workers(|pool, workers| {
        let result = configure(pool, numbers(Raise, half))
            .raise_after(3)
            .scope(|tasks| {
                tasks.map(0..);
                for _ in tasks.as_completed() {}
            });
        let Err(ScopeError::Tasks(errors)) = result else {
            panic!("{result:?}");
        };
        let indices: Vec<_> = errors
            .iter()
            .map(futureproof_core::TaskError::index)
            .collect();
        assert!(indices.is_sorted(), "{indices:?}");
        assert!((3..3 + workers).contains(&indices.len()), "{indices:?}");
        // Fewer are an error, too; the others are all run.
        let result = configure(pool, numbers(Raise, half))
            .raise_after(3)
            .scope(|tasks| {
                tasks.map([1, 2, 4, 6]);
                assert_eq!(tasks.in_order().filter(Result::is_ok).count(), 3);
            });
        assert_eq!(task_error(result.unwrap_err()).index(), 0);
        // An iterator ends with the last of them.
        let results = configure(pool, numbers(Raise, half))
            .raise_after(2)
            .map(0..);
        let ends: Vec<_> = results.map(|end| end.is_ok()).collect();
        assert_eq!(ends, [true, false, true, false]);
    });
}

#[test]
fn a_stop_token_wakes_whoever_waits_and_the_scope_says_so() {
    for_workers(|pool, workers| {
        let token = StopToken::new();
        let started = Counter::new();
        let call = || -> Bodies<'_, ()> { bodies(Raise) };
        let body = || -> Body<'_, ()> {
            Box::new(|| {
                started.add();
                while !is_stopping() {
                    std::thread::yield_now();
                }
                Ok(())
            })
        };
        let result = std::thread::scope(|threads| {
            threads.spawn(|| {
                started.wait_for(workers);
                token.stop();
            });
            configure(pool, call())
                .capacity(0)
                .stop(&token)
                .scope(|tasks| {
                    // The last of them waits for room until the stop.
                    for _ in 0..=workers {
                        tasks.submit(body());
                    }
                    assert!(tasks.is_stopped());
                })
        });
        // Nothing that was accepted in time has been kept from running, or one task has been cancelled.
        match result {
            Ok(()) => {}
            Err(ScopeError::Stopped(stopped)) => assert_eq!(stopped.cause(), StopCause::Token),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_stop_that_has_come_before_the_work_is_no_quiet_success() {
    for_workers(|pool, _| {
        let token = StopToken::new();
        token.stop();
        let call = configure(pool, numbers(Raise, double)).stop(&token);
        let mapped = call.scope(|tasks| tasks.map(0..));
        assert!(matches!(mapped, Err(ScopeError::Stopped(_))), "{mapped:?}");
        let submitted = call.scope(|tasks| {
            tasks.submit(1);
        });
        assert!(
            matches!(submitted, Err(ScopeError::Stopped(_))),
            "{submitted:?}"
        );
        call.scope(|_| ()).unwrap();
        let results: Vec<_> = call.map(0..3).collect();
        assert!(results.last().unwrap().as_ref().unwrap_err().is_cancelled());
    });
}

#[test]
fn the_end_of_an_input_takes_no_permit() {
    for_workers(|pool, _| {
        let rarely = RateLimit::new(2, Duration::from_secs(86_400)).burst(2);
        let call = configure(pool, numbers(Raise, double)).rate_limit(rarely);
        assert_eq!(call.map([1, 2]).count(), 2);
    });
}

#[test]
fn a_drain_that_gives_up_a_task_between_two_attempts_says_so_and_is_no_stop_of_the_scope() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    fn fail(_: (u64,)) -> Result<u64, Oops> {
        CALLS.fetch_add(1, Ordering::SeqCst);
        oops("once")
    }

    for_workers(|pool, _| {
        CALLS.store(0, Ordering::SeqCst);
        let token = StopToken::new();
        let result = configure(pool, numbers(Ignore, fail))
            .retry(endless(2))
            .stop(&token)
            .scope(|tasks| {
                tasks.submit(1);
                while CALLS.load(Ordering::SeqCst) == 0 || tasks.waiting() == 0 {
                    std::thread::yield_now();
                }
                let left = tasks.drain(MS).unwrap_err();
                assert!(left.tasks().is_empty() && left.running().is_empty());
                assert_eq!((left.given_up(), left.report().failed()), (&[0][..], 1));
            });
        result.unwrap();
    });
}

#[test]
fn a_retry_that_a_failure_cuts_short_does_not_hide_that_failure() {
    fn busy_or_broken((n,): (u64,)) -> Result<u64, Oops> {
        oops(if n == 0 { "busy" } else { "broken" })
    }

    for_workers(|pool, _| {
        for failures in [1, 2] {
            let result = configure(pool, numbers(Raise, busy_or_broken))
                .retry(endless(2))
                .retry_if(|error| error.0 == "busy")
                .raise_after(failures)
                .scope(|tasks| {
                    tasks.submit(0);
                    while tasks.running() > 0 || tasks.waiting() == 0 {
                        std::thread::yield_now();
                    }
                    // The first one waits for its next attempt, for a day.
                    (0..failures).for_each(|_| _ = tasks.submit(1));
                });
            let error = result.unwrap_err();
            let reasons: Vec<_> = (error.task_errors().iter())
                .map(|error| (error.index() > 0, error.to_string().ends_with("broken")))
                .collect();
            assert_eq!(reasons, vec![(true, true); failures]);
        }
    });
}

#[test]
fn what_ends_by_the_clock_is_told_to_the_subscriber_of_the_scope() {
    for_workers(|pool, _| {
        let log = Log::new();
        log.during(|| {
            configure(pool, bodies::<()>(LogPolicy))
                .timeout(MS)
                .scope(|tasks| {
                    let (gate, opened) = std::sync::mpsc::channel::<()>();
                    tasks.submit(Box::new(move || {
                        opened.recv().unwrap_err();
                        Ok(())
                    }));
                    tasks.as_completed().next().unwrap().unwrap_err();
                    drop(gate);
                })
                .unwrap();
        });
        assert_eq!(log.errors().len(), 1, "{:#?}", log.errors());
    });
}

#[test]
fn a_task_that_submits_its_successor_makes_no_chain() {
    fn next(pool: &Arc<TaskPool>, left: usize, done: &Counter) {
        if left == 0 {
            done.add();
            return;
        }
        let (pool_, done) = (pool.clone(), done.clone());
        let body: Body<'static, ()> = Box::new(move || {
            next(&pool_, left - 1, &done);
            Ok(())
        });
        drop(submit(pool, bodies(Raise), (body,)));
    }

    no_hang(|| {
        let (pool, done) = (Arc::new(pool(2)), Counter::new());
        next(&pool, 100_000, &done);
        done.wait_for(1);
    });
}

#[test]
fn a_deadline_ends_an_endless_scope_and_an_endless_iterator() {
    for_workers(|pool, _| {
        let result = configure(pool, numbers(Raise, double))
            .deadline(5 * MS)
            .scope(|tasks| {
                tasks.map(0..);
                assert!(
                    tasks
                        .as_completed()
                        .all(|end| end.map_or_else(|error| error.is_cancelled(), |_| true))
                );
            });
        let Err(ScopeError::Stopped(stopped)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(stopped.cause(), StopCause::Deadline(5 * MS));
        assert!(stopped.report().completed() > 0 || stopped.report().cancelled() == 0);
        let results = configure(pool, numbers(Raise, double))
            .deadline(5 * MS)
            .map(0..);
        let last = results.last().unwrap();
        assert!(last.unwrap_err().is_cancelled(), "a part is not the whole");
    });
}

#[test]
fn a_closed_manager_finishes_what_it_has_and_gives_the_rest_back() {
    for_workers(|pool, workers| {
        let door = Door::new();
        scope(pool, bodies::<()>(Raise), |tasks| {
            let body = || -> Body<'_, ()> {
                let door = door.clone();
                Box::new(move || {
                    door.wait();
                    Ok(())
                })
            };
            for _ in 0..2 * workers {
                tasks.submit(body());
            }
            assert!(tasks.submit_timeout(MS, body()).unwrap_err().is_full());
            tasks.close();
            assert!(tasks.is_closed() && !tasks.is_stopped());
            let refused = tasks.try_submit(body()).unwrap_err();
            assert!(!refused.is_full());
            let refused = tasks.submit_timeout(Duration::MAX, refused.into_args().0);
            assert!(refused.is_err());
            tasks.map((0..).map(move |_| body()));
            door.open();
            let report = tasks.run().unwrap();
            assert_eq!(report.completed(), 2 * workers as u64);
            assert_eq!(report.ended(), Ended::Exhausted);
        })
        .unwrap();
    });
}

#[test]
fn what_is_submitted_after_a_close_ends_as_cancelled_in_its_place() {
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.submit(1);
            tasks.drain(Duration::MAX).unwrap();
            tasks.submit(2);
            let ends: Vec<_> = tasks.in_order().map(|end| end.is_ok()).collect();
            assert_eq!(ends, [true, false]);
            assert_eq!((tasks.completed(), tasks.cancelled()), (1, 1));
        })
        .unwrap();
        let door = Door::new();
        scope(pool, bodies::<()>(Raise), |tasks| {
            let body = || -> Body<'_, ()> {
                let door = door.clone();
                Box::new(move || {
                    door.wait();
                    Ok(())
                })
            };
            (0..2 * pool.workers()).for_each(|_| _ = tasks.submit(body()));
            tasks.close();
            // Some are still queued when this one gets its place.
            tasks.submit(body());
            door.open();
            assert_eq!(tasks.in_order().filter(Result::is_err).count(), 1);
        })
        .unwrap();
    });
}

#[test]
fn a_drain_waits_so_long_and_then_gives_back_what_has_not_started() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            scope(&pool, numbers(Raise, double), |tasks| {
                tasks.map(0..50);
                // How much of the input has been accepted by now is for the workers to say.
                let report = tasks.drain(Duration::MAX).unwrap();
                let read = tasks.as_completed().count();
                assert_eq!(report.completed(), read as u64);
            })
            .unwrap();
            let (door, started) = (Door::new(), Counter::new());
            scope(&pool, bodies::<usize>(Raise), |tasks| {
                for n in 0..2 * workers {
                    let (door, started) = (door.clone(), started.clone());
                    tasks.submit(Box::new(move || {
                        started.add();
                        door.wait();
                        Ok(n)
                    }));
                }
                started.wait_for(workers);
                let left = tasks.drain(MS).unwrap_err();
                assert_eq!(left.running(), (0..workers).collect::<Vec<_>>());
                let tasks_left: Vec<_> = left.tasks().iter().map(|(index, _)| *index).collect();
                assert_eq!(tasks_left, (workers..2 * workers).collect::<Vec<_>>());
                assert_eq!(left.report().cancelled(), workers as u64);
                door.open();
                let ended: Vec<_> = tasks.in_order().map(|end| end.unwrap().result).collect();
                assert_eq!(ended, (0..workers).collect::<Vec<_>>(), "one end each");
            })
            .unwrap();
        });
    }
}
