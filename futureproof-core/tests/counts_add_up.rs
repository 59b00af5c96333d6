//! What the progress log, the metrics, the pool and reports say in the end is the same, whatever has happened.
#![cfg(feature = "metrics")]

#[path = "kit/ear.rs"]
mod ear;
mod kit;
#[path = "kit/recorder.rs"]
mod recorder;
#[path = "kit/witness.rs"]
mod witness;

use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

use futureproof_core::__private::{as_completed, configure, map, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{LiveReport, ParallelFor, Retry, StopToken, TaskPool};
use kit::{
    Body, Counter, Door, Oops, Random, WORKERS, bodies, double, half, no_hang, numbers, oops, pool,
    threadless_pool,
};
use witness::{Sums, Wanted, Witness, counted};

/// Completes, fails or panics, and takes its time now and then.
fn mixed((n,): (u64,)) -> Result<u64, Oops> {
    if n % 7 == 0 {
        (0..2000).for_each(|_| std::hint::spin_loop());
    }
    match n {
        n if n % 11 == 3 => panic_any(Wanted),
        n if n % 5 == 1 => oops("no"),
        n => Ok(n),
    }
}

fn soon() -> Retry {
    Retry::attempts(3).backoff(Duration::from_micros(50))
}

/// Longer than any test runs.
fn never() -> Retry {
    let day = Duration::from_secs(86_400);
    Retry::attempts(3).backoff(day).max_backoff(day)
}

#[test]
fn loops_agree_with_their_reports() {
    for workers in WORKERS {
        no_hang(|| {
            let witness = Witness::new();
            let mut reported = Sums::default();
            let mut random = Random::new(workers as u64);
            for round in 0..60 {
                let (items, stop_at) = (random.below(300), random.below(600));
                let (live, token) = (LiveReport::new(), StopToken::new());
                let report = witness.during(|| {
                    let options = ParallelFor::new().name("items").workers(workers);
                    let options = options.error_policy(Ignore).live(&live).stop(&token);
                    // As often as it can look, every other time.
                    let often = (round % 2 == 0).then_some(Duration::from_millis(1));
                    let options = options.monitor(often.unwrap_or(Duration::from_secs(60)));
                    options.try_for_each(0..items, |n| {
                        if n == stop_at {
                            token.stop();
                        }
                        mixed((n,)).map(drop)
                    })
                });
                let report = report.unwrap();
                let shown = live.report();
                assert_eq!(Sums::from(&shown), Sums::from(&report));
                assert_eq!((shown.ended(), live.in_flight()), (report.ended(), 0));
                reported += (&report).into();
            }
            assert_eq!(witness.logged(), reported);
            assert_eq!(witness.recorded("loop", "items"), reported);
        });
    }
}

#[test]
fn scopes_and_streams_agree_with_their_reports() {
    for workers in WORKERS {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), pool(workers));
            let mut reported = Sums::default();
            let mut random = Random::new(10 + workers as u64);
            for _ in 0..60 {
                let count = random.below(100);
                let read = random.below(count + 3) as usize;
                let report = witness.during(|| {
                    let mut results = as_completed(&pool, numbers(Ignore, half), 0..count);
                    results.by_ref().take(read).for_each(drop);
                    results.stop()
                });
                reported += (&report).into();
                let report = witness.during(|| {
                    scope(&pool, numbers(Ignore, half), |tasks| {
                        (0..random.below(50)).for_each(|n| _ = tasks.submit(n));
                        tasks.map(0..random.below(100));
                        let read = random.below(60) as usize;
                        tasks.in_order().take(read).for_each(drop);
                        if random.one_in(2) {
                            tasks.stop();
                        }
                        Ok(tasks.run()?)
                    })
                });
                reported += (&report.unwrap()).into();
            }
            assert_eq!(witness.agrees(&pool, "half"), reported);
        });
    }
}

#[test]
fn a_stream_that_is_dropped_at_its_end_has_counted_its_last_task() {
    for workers in WORKERS {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), pool(workers));
            for round in 0..500 {
                let count = 1 + round % 40;
                witness.during(|| {
                    let results = as_completed(&pool, numbers(Raise, double), 0..count);
                    assert_eq!(results.count() as u64, count);
                });
            }
            witness.agrees(&pool, "half");
        });
    }
}

#[test]
fn handles_and_streams_that_nobody_waits_for_are_counted() {
    for workers in WORKERS {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), pool(workers));
            let mut random = Random::new(20 + workers as u64);
            for _ in 0..40 {
                witness.during(|| {
                    let count = random.below(60);
                    let mut results = map(&pool, numbers(Ignore, mixed), 0..count);
                    let read = random.below(count + 1) as usize;
                    results.by_ref().take(read).for_each(drop);
                    match random.below(2) {
                        0 => results.detach(),
                        _ => drop(results),
                    }
                    let submit = |n| {
                        let call = configure(&pool, numbers(Ignore, mixed));
                        match random.below(4) {
                            0 => call.retry(soon()).submit(n),
                            1 => call.timeout(Duration::from_micros(20)).submit(n),
                            2 => call.deadline(Duration::from_micros(100)).submit(n),
                            _ => call.submit(n),
                        }
                    };
                    let handles: Vec<_> = (0..20).map(submit).collect();
                    for handle in handles {
                        match random.below(4) {
                            0 => _ = handle.cancel(),
                            1 => _ = handle.join(),
                            2 => handle.stop(),
                            _ => drop(handle),
                        }
                    }
                });
            }
            witness.agrees(&pool, "half");
        });
    }
}

#[test]
fn scopes_with_retries_timeouts_and_deadlines_are_counted() {
    for workers in WORKERS {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), pool(workers));
            let mut random = Random::new(30 + workers as u64);
            for _ in 0..60 {
                let policy = if random.one_in(2) { Ignore } else { Raise };
                let mut call = configure(&pool, numbers(policy, mixed)).retry(soon());
                if random.one_in(2) {
                    call = call.timeout(Duration::from_micros(100));
                }
                if random.one_in(4) {
                    call = call.deadline(Duration::from_millis(1));
                }
                // How it ends is up to the policy and to chance.
                _ = witness.during(|| {
                    call.scope(|tasks| {
                        tasks.map(0..random.below(30));
                        (0..random.below(10)).for_each(|n| _ = tasks.submit(n));
                        if random.one_in(4) {
                            _ = tasks.drain(Duration::from_micros(200));
                        }
                        _ = tasks.run();
                    })
                });
            }
            witness.agrees(&pool, "half");
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn tasks_that_are_joined_inside_tasks_are_counted() {
    fn nested(pool: &Arc<TaskPool>, depth: usize) -> Body<'static, usize> {
        let pool = pool.clone();
        Box::new(move || match depth {
            0 => Ok(0),
            _ => {
                let inner = submit(&pool, bodies(Raise), (nested(&pool, depth - 1),));
                Ok(1 + inner.join().unwrap())
            }
        })
    }

    for pool in [pool(1), pool(2), pool(3), threadless_pool(1)] {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), Arc::new(pool));
            for _ in 0..20 {
                let outer = || submit(&pool, bodies(Raise), (nested(&pool, 4),)).join();
                assert_eq!(witness.during(outer).unwrap(), 4);
            }
            let sums = witness.agrees(&pool, "body");
            assert_eq!(sums.completed, 100);
        });
    }
}

#[test]
fn scopes_in_the_bodies_of_a_loop_on_the_same_pool_are_counted() {
    for workers in WORKERS {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), pool(workers));
            for _ in 0..40 {
                witness.during(|| {
                    let options = ParallelFor::new().pool(&pool).batch(1).monitor(false);
                    options.for_each(0..2, |_| {
                        scope(&pool, numbers(Raise, slow_at_times), |tasks| {
                            for n in 0..10 {
                                tasks.submit(7 * n);
                                tasks.submit(n);
                                assert!(tasks.as_completed().next().is_some());
                            }
                        })
                        .unwrap();
                    });
                });
            }
            // A recorder of the test's thread is not known to others.
            let sums = witness.logged();
            assert_eq!((sums, sums.completed), (counted(&pool), 40 * 2 * 20));
        });
    }
}

fn slow_at_times((n,): (u64,)) -> Result<u64, Oops> {
    (0..1000 * (n % 4)).for_each(|_| std::hint::spin_loop());
    Ok(n)
}

#[test]
fn a_task_that_is_given_up_before_its_next_attempt_has_been_started() {
    let waits = |pool: &TaskPool| {
        while pool.stats().retried() == 0 {
            std::thread::yield_now();
        }
    };
    for workers in WORKERS {
        no_hang(|| {
            let (witness, pool) = (Witness::new(), pool(workers));
            let token = StopToken::new();
            let (failed, of_a_scope) = witness.during(|| {
                let call = configure(&pool, numbers(Ignore, half));
                let handle = call.retry(never()).stop(&token).submit(1);
                waits(&pool);
                token.stop();
                let error = handle.join().unwrap_err();
                let call = configure(&pool, numbers(Ignore, half)).retry(never());
                let of_a_scope = call.scope(|tasks| {
                    tasks.submit(1);
                    while pool.stats().retried() == 1 {
                        std::thread::yield_now();
                    }
                    tasks.stop();
                    Ok(tasks.run()?)
                });
                (!error.is_cancelled(), of_a_scope.unwrap())
            });
            assert!(failed);
            assert_eq!(of_a_scope.failed(), 1);
            assert_eq!(witness.agrees(&pool, "half").failed, 2);
        });
    }
}

#[test]
fn tasks_wait_while_the_only_thread_pulls() {
    no_hang(|| {
        let pool = pool(1);
        let (door, pulls) = (Door::new(), Counter::new());
        scope(&pool, bodies::<()>(Raise), |tasks| {
            tasks.map(std::iter::from_fn(|| {
                pulls.add();
                door.wait();
                None::<Body<'_, ()>>
            }));
            pulls.wait_for(1);
            (0..2).for_each(|_| _ = tasks.submit(Box::new(|| Ok(()))));
            let stats = pool.stats();
            assert_eq!((stats.waiting(), stats.running()), (2, 0));
            assert_eq!((tasks.waiting(), tasks.running()), (2, 0));
            door.open();
        })
        .unwrap();
    });
}
