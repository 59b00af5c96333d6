//! Cheap tasks are handed over several at a time; what is promised for single ones holds all the same.

mod kit;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use futureproof_core::__private::{as_completed, scope};
use futureproof_core::ErrorPolicy::Raise;
use kit::{Body, Door, Tasks, bodies, double, for_workers, no_hang, numbers, pool};

/// So many cheap tasks that workers take several at a time.
const MANY: u64 = 5000;

fn nothing<'a>() -> Body<'a, u64> {
    Box::new(|| Ok(0))
}

/// Has the manager see that tasks are cheap.
fn warm_up(tasks: &Tasks<'_, '_, u64>) {
    for _ in 0..MANY {
        tasks.submit(nothing());
    }
    tasks.run().unwrap();
}

#[test]
fn more_may_wait_while_tasks_are_cheap_and_few_once_they_are_slow_again() {
    for_workers(|pool, workers| {
        let door = Door::new();
        scope(pool, bodies(Raise), |tasks| {
            warm_up(tasks);
            // Slow ones, seen one by one.
            for _ in 0..50 {
                tasks.submit(Box::new(|| {
                    std::thread::sleep(Duration::from_micros(300));
                    Ok(0)
                }));
                tasks.as_completed().next().unwrap().unwrap();
            }
            let accepted = (0..10 * workers)
                .take_while(|_| {
                    let body: Body<'_, u64> = Box::new(|| {
                        door.wait();
                        Ok(0)
                    });
                    tasks.try_submit(body).is_ok()
                })
                .count();
            assert_eq!(accepted, 2 * workers);
            door.open();
        })
        .unwrap();
    });
}

#[test]
fn a_capacity_that_was_set_is_kept_to_by_cheap_tasks() {
    for_workers(|pool, workers| {
        for capacity in [0, 3] {
            let mut call = numbers(Raise, double);
            call.capacity = Some(capacity);
            scope(pool, call.clone(), |tasks| {
                for n in 0..MANY {
                    tasks.submit(n);
                    let ended = tasks.completed();
                    // What ended after it was counted only makes the difference larger.
                    assert!(n as usize + 1 - ended <= workers + capacity);
                }
            })
            .unwrap();
        }
    });
}

#[test]
fn tasks_that_wait_for_each_other_meet_after_many_cheap_ones() {
    for workers in [2, 3, 16] {
        no_hang(|| {
            let pool = pool(workers);
            for pairs in [1, 20] {
                let meeting = Barrier::new(2);
                scope(&pool, bodies(Raise), |tasks| {
                    warm_up(tasks);
                    let meeting = &meeting;
                    let wait = move || -> Body<'_, u64> {
                        Box::new(|| {
                            meeting.wait();
                            Ok(0)
                        })
                    };
                    let cheap = (0..MANY).map(|_| nothing());
                    tasks.map(cheap.chain((0..2 * pairs).map(move |_| wait())));
                    tasks.run().unwrap();
                    for _ in 0..MANY {
                        tasks.submit(nothing());
                    }
                    for _ in 0..2 * pairs {
                        tasks.submit(wait());
                    }
                })
                .unwrap();
            }
        });
    }
}

#[test]
fn results_before_a_task_that_blocks_can_be_read() {
    for_workers(|pool, _| {
        let door = Door::new();
        scope(pool, bodies(Raise), |tasks| {
            warm_up(tasks);
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    for _ in 0..MANY {
                        tasks.submit(nothing());
                    }
                    tasks.submit(Box::new(|| {
                        door.wait();
                        Ok(1)
                    }));
                });
                let mut read = 0;
                while read < MANY {
                    read += tasks.in_order().take((MANY - read) as usize).count() as u64;
                }
                assert_eq!(tasks.failed() + tasks.cancelled(), 0);
                door.open();
            });
            assert_eq!(tasks.as_completed().count(), 1);
        })
        .unwrap();
    });
}

#[test]
fn an_item_starts_though_the_input_blocks_after_many_quick_ones() {
    for_workers(|pool, _| {
        let (ran, next) = mpsc::channel();
        let quick = (0..MANY).map(|_| -> Body<'static, u64> { Box::new(|| Ok(0)) });
        // Each of these comes only when the one before it has run.
        let mut first = true;
        let slow = (0..20).map(move |n| -> Body<'static, u64> {
            if !std::mem::take(&mut first) {
                next.recv().unwrap();
            }
            let ran = ran.clone();
            Box::new(move || {
                // After the last one nobody asks.
                let _ = ran.send(());
                Ok(n)
            })
        });
        let results = as_completed(pool, bodies(Raise), quick.chain(slow));
        assert_eq!(results.flatten().map(|task| task.result).sum::<u64>(), 190);
    });
}

#[test]
fn an_input_that_panics_after_many_quick_items_gives_those_and_its_panic() {
    for_workers(|pool, _| {
        let inputs = (0..).inspect(|&n| {
            if n == MANY {
                std::panic::resume_unwind(Box::new("expected"));
            }
        });
        let mut results = as_completed(pool, numbers(Raise, double), inputs);
        let (good, bad): (Vec<_>, Vec<_>) = results.by_ref().partition(Result::is_ok);
        assert!(good.len() as u64 <= MANY);
        assert_eq!(bad.len(), 1);
        assert!(results.next().is_none());
    });
}

#[test]
fn what_a_stop_cancels_among_cheap_tasks_never_starts() {
    for_workers(|pool, workers| {
        for _ in 0..20 {
            let (started, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
            let late = AtomicUsize::new(0);
            scope(pool, bodies(Raise), |tasks| {
                for n in 0..MANY / 4 {
                    let (started, stopped, late) = (&started, &stopped, &late);
                    tasks.submit(Box::new(move || {
                        if stopped.load(Ordering::SeqCst) {
                            late.fetch_add(1, Ordering::SeqCst);
                        }
                        started.fetch_add(1, Ordering::SeqCst);
                        Ok(n)
                    }));
                }
                tasks.stop();
                stopped.store(true, Ordering::SeqCst);
                let results = tasks.in_order().filter(Result::is_ok).count();
                assert_eq!(results, started.load(Ordering::SeqCst));
                assert_eq!(tasks.completed() + tasks.cancelled(), tasks.len());
            })
            .unwrap();
            // They had been taken before the stop.
            assert!(late.into_inner() <= workers);
        }
    });
}

#[test]
fn several_readers_of_cheap_results_get_each_once() {
    for_workers(|pool, _| {
        scope(pool, numbers(Raise, double), |tasks| {
            tasks.map(0..MANY);
            let sum = AtomicUsize::new(0);
            std::thread::scope(|threads| {
                for reader in 0..3 {
                    let sum = &sum;
                    threads.spawn(move || {
                        loop {
                            let part = if reader == 0 {
                                tasks.in_order().take(7).flatten().collect::<Vec<_>>()
                            } else {
                                tasks.as_completed().take(11).flatten().collect()
                            };
                            if part.is_empty() {
                                return;
                            }
                            let part = part.iter().map(|task| task.result as usize).sum();
                            sum.fetch_add(part, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!(sum.into_inner() as u64, MANY * (MANY - 1));
        })
        .unwrap();
    });
}
