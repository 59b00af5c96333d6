//! Scopes: order, bounds, backpressure, nesting, joining, stopping.

mod kit;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};

use futureproof_core::__private::scope;
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{Ended, TrySubmitError};
use kit::{Body, Counter, Door, bodies, double, for_workers, half, no_hang, numbers, pool, scaled};

#[test]
fn submitted_tasks_give_their_results() {
    let most = scaled(100, 20) as u64;
    for_workers(|pool, _| {
        let mut results = scope(pool, numbers(Raise, double), |tasks| {
            for n in 1..=most {
                tasks.submit(n);
            }
            let mut results = Vec::new();
            for task in tasks.as_completed() {
                results.push(task?.result);
            }
            Ok(results)
        })
        .unwrap();
        results.sort_unstable();
        assert_eq!(results, (1..=most).map(|n| n * 2).collect::<Vec<_>>());
    });
}

#[test]
fn map_gives_all_results() {
    let count = scaled(1000, 30) as u64;
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.map(0..count);
            let results: BTreeSet<u64> = tasks
                .as_completed()
                .map(|task| task.unwrap().result)
                .collect();
            assert_eq!(results, (0..count).map(|n| n * 2).collect());
        })
        .unwrap();
    });
}

#[test]
fn in_order_yields_in_the_order_of_the_calls() {
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.submit(0);
            tasks.submit(1);
            tasks.map(2..50);
            tasks.submit(50);
            tasks.map(51..60);
            tasks.map(60..100);
            tasks.submit(100);
            let args: Vec<u64> = tasks.in_order().map(|task| task.unwrap().args.0).collect();
            assert_eq!(args, (0..=100).collect::<Vec<_>>());
        })
        .unwrap();
    });
}

#[test]
fn submit_after_map_and_map_after_submit_run_everything() {
    for_workers(|pool, _| {
        for submit_first in [false, true] {
            let count = scope(pool, numbers(Raise, double), |tasks| {
                if submit_first {
                    tasks.submit(9);
                }
                tasks.map(0..9);
                if !submit_first {
                    tasks.submit(9);
                }
                Ok(tasks.as_completed().count())
            });
            assert_eq!(count.unwrap(), 10);
        }
    });
}

#[test]
fn with_one_worker_tasks_start_in_the_order_of_the_calls() {
    let pool = pool(1);
    let (started, order) = mpsc::channel();
    // Enough that no input waits for a reader.
    let mut call = bodies(Raise);
    call.capacity = Some(100);
    scope(&pool, call.clone(), |tasks| {
        let body = |n: usize| -> (Body<'_, ()>,) {
            let started = started.clone();
            (Box::new(move || {
                started.send(n).unwrap();
                Ok(())
            }),)
        };
        tasks.submit(body(0).0);
        tasks.map((1..9).map(|n| body(n).0).collect::<Vec<_>>());
        tasks.submit(body(9).0);
        tasks.map((10..15).map(|n| body(n).0).collect::<Vec<_>>());
        tasks.run().unwrap();
    })
    .unwrap();
    drop(started);
    assert_eq!(
        order.iter().collect::<Vec<_>>(),
        (0..15).collect::<Vec<_>>()
    );
}

#[test]
fn the_first_result_is_read_while_the_others_are_still_to_run() {
    for_workers(|pool, _| {
        let door = Door::new();
        scope(pool, bodies(Raise), |tasks| {
            tasks.submit(Box::new(|| Ok(0)));
            let mut results = tasks.as_completed();
            assert_eq!(results.next().unwrap().unwrap().result, 0);
            for n in 1..5 {
                let door = door.clone();
                // More than one worker and its queue hold: from another thread.
                let body: Body<'_, _> = Box::new(move || {
                    door.wait();
                    Ok(n)
                });
                if tasks.try_submit(body).is_err() {
                    break;
                }
            }
            assert_eq!(tasks.completed(), 1);
            door.open();
            let rest = results.count();
            assert_eq!(rest + 1, tasks.len());
        })
        .unwrap();
    });
}

#[test]
fn a_result_knows_its_task() {
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            let indices: Vec<usize> = [30, 20, 10].map(|n| tasks.submit(n)).into();
            assert_eq!(indices, [0, 1, 2]);
            for task in tasks.as_completed() {
                let task = task.unwrap();
                assert_eq!(task.args.0, [30, 20, 10][task.index]);
                assert_eq!(task.result, task.args.0 * 2);
            }
        })
        .unwrap();
    });
}

#[test]
fn at_most_workers_tasks_run_at_once_and_all_workers_are_used() {
    for_workers(|pool, workers| {
        let running = Counter::new();
        let most = AtomicUsize::new(0);
        let together = Barrier::new(workers);
        scope(pool, bodies(Raise), |tasks| {
            // Every body waits for as many as there are workers: fewer threads would hang.
            for _ in 0..workers * scaled(20, 3) {
                tasks.submit(Box::new(|| {
                    most.fetch_max(running.add(), Ordering::Relaxed);
                    together.wait();
                    running.subtract();
                    Ok(())
                }));
            }
            tasks.run().unwrap();
        })
        .unwrap();
        assert_eq!(most.into_inner(), workers);
        assert!(pool.threads() <= workers);
    });
}

#[test]
fn submit_accepts_what_workers_and_capacity_hold_and_then_blocks() {
    for_workers(|pool, workers| {
        for capacity in [0, 1, 5] {
            let door = Door::new();
            let mut call = bodies::<()>(Raise);
            call.capacity = Some(capacity);
            scope(pool, call.clone(), |tasks| {
                let body = || -> Body<'_, ()> {
                    Box::new(|| {
                        door.wait();
                        Ok(())
                    })
                };
                for _ in 0..workers + capacity {
                    tasks.try_submit(body()).unwrap();
                }
                assert!(matches!(
                    tasks.try_submit(body()),
                    Err(TrySubmitError::Full(_))
                ));
                std::thread::scope(|threads| {
                    threads.spawn(|| tasks.submit(body()));
                    threads.spawn(|| tasks.submit(body()));
                    door.open();
                });
                assert_eq!(tasks.as_completed().count(), workers + capacity + 2);
            })
            .unwrap();
        }
    });
}

#[test]
fn results_of_submits_are_kept_until_read() {
    let count = scaled(10_000, 100);
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            for n in 0..count as u64 {
                tasks.submit(n);
            }
            assert_eq!(tasks.in_order().count(), count);
        })
        .unwrap();
    });
}

#[test]
fn a_slow_source_does_not_withhold_finished_results() {
    for_workers(|pool, _| {
        let (items, source) = mpsc::channel::<u64>();
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.map(source);
            let mut results = tasks.as_completed();
            for n in 0..20 {
                // The source gives one more item only after this result was read.
                items.send(n).unwrap();
                assert_eq!(results.next().unwrap().unwrap().result, n * 2);
            }
            drop(items);
            assert!(results.next().is_none());
        })
        .unwrap();
    });
}

#[test]
fn a_source_that_blocks_does_not_hold_up_what_was_submitted_behind_it() {
    for workers in [2, 3, 16] {
        no_hang(|| {
            let (items, source) = mpsc::channel::<u64>();
            scope(&pool(workers), numbers(Raise, double), |tasks| {
                tasks.map(source);
                tasks.submit(7);
                let mut results = tasks.as_completed();
                assert_eq!(results.next().unwrap().unwrap().result, 14);
                drop(items);
                assert!(results.next().is_none());
            })
            .unwrap();
        });
    }
}

#[test]
fn a_slow_reader_bounds_how_far_a_source_is_pulled() {
    for_workers(|pool, workers| {
        for capacity in [0, 1, 7] {
            let pulled = AtomicUsize::new(0);
            let mut call = numbers(Raise, double);
            call.capacity = Some(capacity);
            scope(pool, call.clone(), |tasks| {
                tasks.map((0..).inspect(|_| {
                    pulled.fetch_add(1, Ordering::SeqCst);
                }));
                let mut results = tasks.in_order();
                for read in 1..=scaled(300, 20) {
                    results.next().unwrap().unwrap();
                    let pulled = pulled.load(Ordering::SeqCst);
                    assert!(
                        pulled <= read + workers + capacity,
                        "{pulled} pulled, {read} read, {workers} workers"
                    );
                }
                tasks.stop();
            })
            .unwrap();
        }
    });
}

#[test]
fn a_map_that_waits_for_its_reader_does_not_hold_up_what_was_submitted_behind_it() {
    let count = scaled(100, 20);
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.map(0..);
            // Backpressure of the submits resolves although nobody reads the endless map's results.
            for n in 0..count {
                tasks.submit(1_000_000_000 + n as u64);
            }
            let submitted = tasks
                .as_completed()
                .filter(|task| task.as_ref().unwrap().args.0 >= 1_000_000_000)
                .take(count)
                .count();
            assert_eq!(submitted, count);
            tasks.stop();
        })
        .unwrap();
    });
}

#[test]
fn what_the_closure_does_not_wait_for_still_runs() {
    let count = scaled(1000, 30);
    for_workers(|pool, _| {
        let ran = AtomicUsize::new(0);
        scope(pool, bodies(Raise), |tasks| {
            for _ in 0..count {
                tasks.submit(Box::new(|| {
                    ran.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }));
            }
            // Leaving the results early loses no task.
            assert_eq!(tasks.as_completed().take(10).count(), 10);
        })
        .unwrap();
        assert_eq!(ran.into_inner(), count);

        let ran = AtomicUsize::new(0);
        scope(pool, bodies(Raise), |tasks| {
            tasks.map((0..count).map(|_| -> Body<'_, ()> {
                Box::new(|| {
                    ran.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                })
            }));
        })
        .unwrap();
        assert_eq!(ran.into_inner(), count);
    });
}

#[test]
fn run_can_be_called_again_and_reports() {
    for_workers(|pool, _| {
        scope(pool, numbers(Ignore, half), |tasks| {
            tasks.map(0..100);
            let report = tasks.run().unwrap();
            assert_eq!((report.completed(), report.failed()), (50, 50));
            assert_eq!(report.ended(), Ended::Exhausted);
            tasks.map(0..10);
            let report = tasks.run().unwrap();
            assert_eq!((report.completed(), report.failed()), (55, 55));
            assert_eq!(tasks.as_completed().count(), 0, "run drops the results");
        })
        .unwrap();
    });
}

#[test]
fn a_pool_serves_scope_after_scope_and_several_at_once() {
    for_workers(|pool, _| {
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..scaled(50, 2) {
                        let sum = scope(pool, numbers(Raise, double), |tasks| {
                            tasks.map(0..10);
                            Ok(tasks
                                .as_completed()
                                .map(|task| task.unwrap().result)
                                .sum::<u64>())
                        });
                        assert_eq!(sum.unwrap(), 90);
                    }
                });
            }
        });
    });
}

#[test]
fn tasks_submitted_while_results_are_read_run_too() {
    let last = scaled(2000, 40) as u64;
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.submit(1);
            let mut seen = 0;
            // A crawl: every result up to the last brings two more tasks.
            for task in tasks.as_completed() {
                seen += 1;
                let n = task.unwrap().result;
                if n < last {
                    tasks.submit(n);
                    tasks.submit(n + 1);
                }
            }
            assert_eq!(seen, tasks.len());
            assert!(seen as u64 > last / 2);
        })
        .unwrap();
    });
}

#[test]
fn several_threads_can_submit_to_one_scope() {
    let each = scaled(200, 10) as u64;
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            std::thread::scope(|threads| {
                for part in 0..4 {
                    threads
                        .spawn(move || (0..each).for_each(|n| _ = tasks.submit(part * each + n)));
                }
            });
            let seen: BTreeSet<u64> = tasks
                .as_completed()
                .map(|task| task.unwrap().args.0)
                .collect();
            assert_eq!(seen, (0..4 * each).collect());
        })
        .unwrap();
    });
}

#[test]
fn arguments_and_results_may_borrow() {
    for_workers(|pool, _| {
        let texts: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let total = AtomicUsize::new(0);
        let longest = scope(pool, bodies(Raise), |tasks| {
            for text in &texts {
                let total = &total;
                tasks.submit(Box::new(move || {
                    total.fetch_add(text.len(), Ordering::Relaxed);
                    Ok(text.as_str())
                }));
            }
            let mut longest = "";
            for task in tasks.as_completed() {
                longest = longest.max(task?.result);
            }
            Ok(longest)
        });
        assert_eq!(longest.unwrap(), "9");
        assert_eq!(total.into_inner(), 90);
    });
}

#[test]
fn an_empty_scope_starts_no_thread() {
    for_workers(|pool, _| {
        scope(pool, bodies::<()>(Raise), |tasks| {
            assert!(tasks.as_completed().next().is_none());
            assert!(tasks.is_empty());
            assert_eq!(tasks.run().unwrap().completed(), 0);
        })
        .unwrap();
        assert_eq!(pool.threads(), 0);
    });
}

#[test]
fn iterators_can_be_mixed_and_called_again() {
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.map(0..100);
            let mut seen: Vec<u64> = Vec::new();
            seen.extend(
                tasks
                    .as_completed()
                    .take(10)
                    .map(|task| task.unwrap().args.0),
            );
            let ordered: Vec<u64> = tasks
                .in_order()
                .take(20)
                .map(|task| task.unwrap().args.0)
                .collect();
            assert!(ordered.is_sorted());
            seen.extend(ordered);
            seen.extend(tasks.as_completed().map(|task| task.unwrap().args.0));
            seen.sort_unstable();
            assert_eq!(seen, (0..100).collect::<Vec<_>>());
            assert!(tasks.in_order().next().is_none());
            tasks.submit(1);
            assert_eq!(tasks.in_order().count(), 1);
        })
        .unwrap();
    });
}
