//! What goes wrong in the Python libraries futureproof, Pebble, more-executors and `concurrent.futures`, and does not here.
//! This file: scopes and streams of results, how they fail and how they are read. The other files: `python_defects_scopes.rs`,
//! `…_bounds.rs`, `…_handles.rs`, `…_loops.rs`, `…_loop_failures.rs`, `…_process.rs`. What is tested in all of them:
//!
//! | there | here |
//! |---|---|
//! | F1 hangs with one worker | `one_worker_is_enough` (also for loops, handles) |
//! | F2 the monitor takes a worker | `all_workers_run_tasks_the_monitor_takes_none`; `all_workers_run_bodies_…`, `a_slow_body_does_not_keep_…` |
//! | F3 the end, F4 the error wait for the monitor | `a_scope_…`, `a_loop_ends_without_waiting_for_the_monitor` |
//! | F4 tasks started after a failure (and 98 997 in `concurrent.futures`, 98 999 in Pebble) | `after_a_failure_…` |
//! | F5 the error waits for other tasks | `running_tasks_are_told_of_a_failure_and_may_leave_early`; loops: `after_a_failure_…` |
//! | F6 an error is seen once the window is full | `a_failure_is_read_while_the_source_is_slow` |
//! | F7 results are withheld while the source is slow | `results_are_yielded_…`, `items_start_while_the_source_is_slow` |
//! | F8 a failing body runs the queue (all but one of the libraries) | `a_failing_scope_body_does_not_run_the_recorded_rest` |
//! | F9 a task's error replaces the body's | `the_error_of_the_scope_body_wins_and_the_tasks_failure_is_logged` |
//! | F10 `break` loses a task | `no_task_is_lost_by_breaking_out_of_as_completed`; `breaking_out_of_a_stream_…`; loops: `every_item_before_a_break_…` |
//! | F11 the second error hides the first | `the_first_of_two_failures_…`, `a_cancelled_task_that_the_body_returns_…` |
//! | F12, F13 Ctrl-C | `one_ctrl_c_…` |
//! | F14 SIGTERM | `sigterm_is_left_to_the_program` |
//! | F15 `SystemExit` is a success, kills its worker, hangs | `panics_of_any_kind_…`, `a_task_that_exits_the_process_…` |
//! | F16 an exception as a value | `an_error_that_is_a_value_is_a_result` |
//! | F17 no second run, no sharing | `run_can_be_called_again`, `scopes_share_a_pool_…`, `loops_share_a_pool_…` |
//! | F18 the source raises | `a_source_that_panics_…` |
//! | F19 a submit from a task or the loop is dropped | `tasks_submitted_while_results_are_read_run`, `tasks_submitted_by_tasks_run`, `a_loop_may_feed_its_own_source` |
//! | F20 broken initializer | `a_broken_thread_hook_…`, `a_worker_local_that_fails_…`; tasks: `a_start_hook_that_fails_…` in `behaviours_pebble` |
//! | F21 failures among the results | `failures_are_never_among_the_results` |
//! | F22 the raised error is also a result | `the_scope_returns_the_very_error_once` |
//! | submit and join, nothing ran | `what_is_submitted_runs_although_nobody_reads` |
//! | the task that `submit` returns is never updated | `an_index_leads_…`, `a_handle_carries_its_result_and_arguments` |
//! | default number of workers | `the_default_number_of_workers_is_the_machines` |
//! | monitor off spins, idle polls every 10 ms | `an_idle_pool_uses_no_cpu`, `a_loop_or_scope_that_waits_uses_no_cpu` |
//! | threads for the monitor and for every layer | `a_pool_has_no_more_threads_than_it_needs_and_lets_them_go` |
//! | what the progress log says | `python_suite.rs`, 16 to 18 |
//! | `completed_tasks` and eager maps: 0.2 to 1.8 GB for 10⁶ tasks (also M7) | `memory_holds_…`, `map_pulls_no_further_than_its_bound`, loops: `pulled_items_are_bounded` |
//! | one default dict shared by tasks, a name in the README that does not exist | do not apply: no default arguments; the README is compiled |
//! | process executor, exit codes, P6, time limits by killing | do not apply: there are no processes yet |
//! | P1 `stop` leaves futures pending | `stopping_ends_everything_that_was_accepted`; of a pool: `stop_leaves_what_is_queued_…` in `behaviours_pebble` |
//! | P2 `with` polls every 0.1 s | `an_idle_pool_uses_no_cpu` counts how often it wakes; F3 |
//! | P3, M6, `concurrent.futures`: unread errors vanish | `a_failure_that_nobody_reads_is_logged_once`, `a_failure_of_dropped_results_is_logged` |
//! | P4 keyword arguments get lost on the way to asyncio | `an_awaited_task_gets_every_argument` |
//! | P5 no backpressure, no `as_completed` | `try_submit_refuses_…`, `submit_keeps_the_queue_bounded` |
//! | M1 a cancellation from below leaves the outer future pending | `a_cancelled_task_wakes_whoever_awaits_it`, `a_reader_wakes_when_another_thread_stops_the_scope` |
//! | M2, M3 `with` drops tasks, futures never resolve | `what_is_submitted_runs_although_nobody_reads`, `every_handle_resolves`; with retries and limits: `the_end_of_a_scope_…` in `behaviours_more_executors` |
//! | M4 no limit is a `TypeError` | `an_unlimited_capacity_never_blocks_a_submit`; `raising_the_limit_…` in `behaviours_more_executors` |
//! | M5 `shutdown` blocks behind a blocked `submit` | `stop_wakes_a_blocked_submit`; of a pool: `stopping_a_pool_wakes_…` in `behaviours_more_executors` |
//! | M8 lists scanned for every event | `many_waiting_tasks_cost_no_more_each_than_few`; with retries and limits: `many_tasks_with_retries_…` in `behaviours_more_executors` |
//! | retry without jitter | `Retry` draws its waits; what retries do is in `behaviours_more_executors` |
//! | a limit of 0.2 s on a running task is no limit | `a_limited_wait_returns_the_handle_and_loses_nothing` |
//! | 13 of 500 and 500 of 500 run after an error | `after_a_failure_…`: the bound is the number of workers |

mod python_kit;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use futureproof::{ScopeError, task_pool};
use python_kit::{
    Counter, Gauge, Log, Oops, failure, guarded, of_task, wait_until, work_until_told_to_stop,
};

/// F1
#[test]
fn one_worker_is_enough() {
    #[task_pool(workers = 1)]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            double::scope(|tasks| {
                for n in 0..5 {
                    tasks.submit(n);
                }
                tasks.map(5..10);
                let results = tasks.as_completed().map(|done| done.unwrap().result);
                assert_eq!(results.sum::<usize>(), 90);
            })
            .unwrap();
            assert_eq!(
                double::map(0..10)
                    .map(|done| done.unwrap().result)
                    .sum::<usize>(),
                90
            );
            assert_eq!(
                double::as_completed(0..10)
                    .map(|done| done.unwrap().result)
                    .sum::<usize>(),
                90
            );
        });
    });
}

/// F2
#[test]
fn all_workers_run_tasks_the_monitor_takes_none() {
    static RUNNING: Gauge = Gauge::new();

    #[task_pool(workers = 3, monitor = "100ms")]
    fn meet(_n: usize, three: &Barrier) {
        let _running = RUNNING.enter();
        three.wait();
    }

    guarded(|| {
        let three = Barrier::new(3);
        let log = Log::new();
        log.during(|| {
            meet::scope(|tasks| tasks.map((0..300).map(|n| (n, &three)))).unwrap();
        });
        assert_eq!(RUNNING.peak(), 3);
    });
}

/// F3, F4, P2
#[test]
fn a_scope_ends_without_waiting_for_the_monitor() {
    #[task_pool(workers = 3, monitor = Duration::from_secs(3600))]
    fn even(n: usize) -> Result<usize, Oops> {
        if n.is_multiple_of(2) {
            Ok(n)
        } else {
            Err(Oops(n))
        }
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            even::scope(|tasks| tasks.map([2, 4, 6, 8])).unwrap();
            assert_eq!(
                failure(of_task(even::scope(|tasks| tasks.map([2, 4, 5, 8])))),
                Oops(5)
            );
            assert_eq!(even::map([2, 4, 5, 8]).count(), 3);
        });
    });
}

/// F4, F5, P5
#[test]
fn after_a_failure_only_tasks_that_are_running_complete() {
    static LATE: Mutex<Option<Arc<Counter>>> = Mutex::new(None);

    #[task_pool(workers = 3)]
    fn fails_at_1000(n: usize) -> Result<(), Oops> {
        if n < 1000 {
            return Ok(());
        }
        let late = LATE.lock().unwrap().clone().unwrap();
        if n == 1000 {
            // The other workers are at tasks behind this one.
            late.wait_for(2);
            return Err(Oops(n));
        }
        late.add();
        work_until_told_to_stop();
        Ok(())
    }

    fn check(what: &str, run: impl FnOnce() -> Oops) {
        let late = Arc::new(Counter::new());
        *LATE.lock().unwrap() = Some(late.clone());
        assert_eq!(run(), Oops(1000), "{what}");
        assert_eq!(
            late.get(),
            2,
            "{what}: tasks started after the one that failed"
        );
    }

    guarded(|| {
        let inputs = || 0..100_000;
        check("unread", || {
            failure(of_task(fails_at_1000::scope(|tasks| tasks.map(inputs()))))
        });
        check("run", || {
            failure(of_task(fails_at_1000::scope(|tasks| {
                tasks.map(inputs());
                tasks.run()?;
                Ok(())
            })))
        });
        check("as_completed", || {
            failure(of_task(fails_at_1000::scope(|tasks| {
                for n in inputs() {
                    tasks.submit(n);
                }
                for done in tasks.as_completed() {
                    done?;
                }
                Ok(())
            })))
        });
        check("map", || {
            failure(fails_at_1000::map(inputs()).find_map(Result::err).unwrap())
        });
        check("stream as_completed", || {
            failure(
                fails_at_1000::as_completed(inputs())
                    .find_map(Result::err)
                    .unwrap(),
            )
        });
    });
}

/// F5
#[test]
fn running_tasks_are_told_of_a_failure_and_may_leave_early() {
    #[task_pool(workers = 2)]
    fn one_fails(n: usize, both: &Barrier) -> Result<(), Oops> {
        both.wait();
        if n == 1 {
            return Err(Oops(n));
        }
        work_until_told_to_stop();
        Ok(())
    }

    guarded(|| {
        let both = Barrier::new(2);
        let error = of_task(one_fails::scope(|tasks| {
            tasks.map([(0, &both), (1, &both)]);
        }));
        assert_eq!(failure(error), Oops(1));
    });
}

#[task_pool(workers = 5)]
fn first_fails(n: usize) -> Result<usize, Oops> {
    if n == 0 { Err(Oops(n)) } else { Ok(n) }
}

#[task_pool(workers = 5, error_policy = "ignore")]
fn first_fails_ignored(n: usize) -> Result<usize, Oops> {
    first_fails(n)
}

/// F6
#[test]
fn a_failure_is_read_while_the_source_is_slow() {
    guarded(|| {
        // The source gives its second item when the failure of the first has been read.
        let read = Counter::new();
        let source = || {
            (0..3).inspect(|&n| {
                if n == 1 {
                    read.wait_for(1);
                }
            })
        };
        first_fails_ignored::scope(|tasks| {
            tasks.map(source());
            for done in tasks.as_completed() {
                if done.is_err() {
                    read.add();
                }
            }
            assert_eq!(tasks.failed(), 1);
        })
        .unwrap();

        let read = Counter::new();
        let error = of_task(first_fails::scope(|tasks| {
            tasks.map((0..3).inspect(|&n| {
                if n == 1 {
                    read.wait_for(1);
                }
            }));
            let first = tasks.as_completed().next().unwrap();
            read.add();
            first?;
            Ok(())
        }));
        assert_eq!(failure(error), Oops(0));
    });
}

/// F7
#[test]
fn results_are_yielded_while_the_source_is_slow() {
    #[task_pool(workers = 3)]
    fn double(n: usize) -> usize {
        2 * n
    }

    /// Gives an item when the results of all items before it have been read.
    fn slow(read: &Arc<Counter>) -> impl Iterator<Item = usize> + Send + 'static {
        let read = read.clone();
        (0..20).inspect(move |&n| read.wait_for(n))
    }

    guarded(|| {
        for in_order in [true, false] {
            let read = Arc::new(Counter::new());
            double::scope(|tasks| {
                tasks.map(slow(&read));
                if in_order {
                    tasks.in_order().for_each(|_| read.add());
                } else {
                    tasks.as_completed().for_each(|_| read.add());
                }
            })
            .unwrap();
            assert_eq!(read.get(), 20);

            let read = Arc::new(Counter::new());
            if in_order {
                double::map(slow(&read)).for_each(|_| read.add());
            } else {
                double::as_completed(slow(&read)).for_each(|_| read.add());
            }
            assert_eq!(read.get(), 20);
        }
    });
}

/// F8, and the same in Pebble and `concurrent.futures`
#[test]
fn a_failing_scope_body_does_not_run_the_recorded_rest() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, capacity = 1000)]
    fn long(_n: usize) {
        STARTED.fetch_add(1, Ordering::SeqCst);
        work_until_told_to_stop();
    }

    guarded(|| {
        for mapped in [false, true] {
            STARTED.store(0, Ordering::SeqCst);
            let outcome: Result<(), _> = long::scope(|tasks| {
                if mapped {
                    tasks.map(0..);
                } else {
                    for n in 0..1000 {
                        tasks.submit(n);
                    }
                }
                wait_until(|| STARTED.load(Ordering::SeqCst) == 2);
                "x".parse::<u8>()?;
                Ok(())
            });
            assert!(matches!(outcome, Err(ScopeError::Body(_))), "{outcome:?}");
            assert_eq!(STARTED.load(Ordering::SeqCst), 2);

            // The same when it panics.
            STARTED.store(0, Ordering::SeqCst);
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
                long::scope(|tasks| {
                    for n in 0..1000 {
                        tasks.submit(n);
                    }
                    wait_until(|| STARTED.load(Ordering::SeqCst) == 2);
                    if tasks.len() == 1000 {
                        panic::resume_unwind(Box::new("the body"));
                    }
                })
            }));
            assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"the body"));
            assert_eq!(STARTED.load(Ordering::SeqCst), 2);
        }
    });
}

/// F9
#[test]
fn the_error_of_the_scope_body_wins_and_the_tasks_failure_is_logged() {
    guarded(|| {
        let log = Log::new();
        let outcome: Result<(), _> = log.during(|| {
            first_fails::scope(|tasks| {
                tasks.submit(0);
                wait_until(|| tasks.failed() == 1);
                "x".parse::<u8>()?;
                Ok(())
            })
        });
        assert!(matches!(outcome, Err(ScopeError::Body(_))), "{outcome:?}");
        assert_eq!(log.errors().len(), 1, "{:#?}", log.errors());
    });
}

/// F10, M2
#[test]
fn no_task_is_lost_by_breaking_out_of_as_completed() {
    static RAN: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 3)]
    fn count(n: usize) -> usize {
        RAN.fetch_add(1, Ordering::SeqCst);
        n
    }

    guarded(|| {
        count::scope(|tasks| {
            tasks.map(0..1000);
            for done in tasks.as_completed() {
                if done.unwrap().result >= 10 {
                    break;
                }
            }
        })
        .unwrap();
        assert_eq!(RAN.load(Ordering::SeqCst), 1000);

        // What was not read can be read later.
        let mut seen = Vec::new();
        count::scope(|tasks| {
            tasks.map(0..1000);
            seen.extend(
                tasks
                    .as_completed()
                    .take(10)
                    .map(|done| done.unwrap().result),
            );
            seen.extend(tasks.as_completed().map(|done| done.unwrap().result));
        })
        .unwrap();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..1000));
    });
}

/// F11
#[test]
fn the_first_of_two_failures_in_call_order_is_returned_and_the_other_logged() {
    #[task_pool(workers = 2)]
    fn both_fail(n: usize, both: &Barrier) -> Result<(), Oops> {
        both.wait();
        if n == 0 {
            work_until_told_to_stop(); // so that it fails after the other
        }
        Err(Oops(n))
    }

    guarded(|| {
        for read in [false, true] {
            let both = Barrier::new(2);
            let log = Log::new();
            let outcome = log.during(|| {
                both_fail::scope(|tasks| {
                    tasks.map([(0, &both), (1, &both)]);
                    if read {
                        for done in tasks.as_completed() {
                            done?;
                        }
                    }
                    Ok(())
                })
            });
            assert_eq!(failure(of_task(outcome)), Oops(0), "read: {read}");
            let errors = log.errors();
            assert!(
                errors.len() == 1 && errors[0].contains("oops 1"),
                "{errors:#?}"
            );
        }
    });
}

/// F11: a cancelled task that leaves the body is no failure that could be hidden
#[test]
fn a_cancelled_task_that_the_body_returns_is_not_logged_as_a_failure() {
    #[task_pool(workers = 1, capacity = 10)]
    fn first_fails(n: usize) -> Result<(), Oops> {
        if n == 0 { Err(Oops(n)) } else { Ok(()) }
    }

    guarded(|| {
        let log = Log::new();
        let outcome = log.during(|| {
            first_fails::scope(|tasks| {
                for n in 0..10 {
                    tasks.submit(n);
                }
                for done in tasks.as_completed() {
                    if done.as_ref().is_err_and(|error| !error.is_cancelled()) {
                        continue; // swallowed
                    }
                    done?;
                }
                Ok(())
            })
        });
        assert_eq!(failure(of_task(outcome)), Oops(0));
        assert!(log.errors().is_empty(), "{:#?}", log.errors());
    });
}
