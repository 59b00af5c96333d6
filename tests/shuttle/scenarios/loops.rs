//! Loops and scopes, inside one another and stopped.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use futureproof_core::__private::{configure, scope};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{ParallelFor, StopToken, TaskPool, pull};

use crate::kit::{Body, bodies};
use crate::{lasting, roomy, task, under_every_schedule};

/// Sums up to `count` in a loop.
fn sum(pool: &TaskPool, count: u64, pulls: bool) -> u64 {
    let sum = AtomicU64::new(0);
    let add = |n| {
        sum.fetch_add(n, SeqCst);
    };
    let each = ParallelFor::new().pool(pool);
    if pulls {
        each.for_each(pull(0..count), add);
    } else {
        each.for_each(0..count, add);
    }
    sum.into_inner()
}

#[test]
fn a_loop_is_left_by_all_its_workers_before_it_returns() {
    under_every_schedule("small loops", |random| {
        let pool = lasting(2 + random.below(2)).build();
        for _ in 0..3 {
            assert_eq!(sum(&pool, 3, random.one_in(2)), 3);
        }
    });
}

#[test]
fn loops_and_scopes_inside_one_another_end_on_a_pool_of_one() {
    under_every_schedule("loops and scopes inside one another", |random| {
        let pool = &lasting(1 + random.below(2)).build();
        let (pulls, total) = (random.one_in(2), AtomicU64::new(0));
        ParallelFor::new().pool(pool).for_each(0..2_u64, |_| {
            let ended = scope(pool, bodies(Ignore), |tasks| {
                for _ in 0..2 {
                    let body: Body<'_, u64> = Box::new(|| Ok(sum(pool, 3, pulls)));
                    tasks.submit(body);
                }
                for ended in tasks.as_completed() {
                    total.fetch_add(ended.unwrap().result, SeqCst);
                }
            });
            assert!(ended.is_ok());
        });
        assert_eq!(total.into_inner(), 2 * 2 * 3);
    });
}

#[test]
fn a_scope_that_its_task_stops_runs_or_cancels_each_task() {
    under_every_schedule("scopes are stopped by their tasks", |random| {
        let pool = &lasting(1 + random.below(2)).build();
        let (token, ran, stops) = (&StopToken::new(), &AtomicUsize::new(0), random.below(5));
        let (drains, mut counts) = (random.one_in(2), None);
        let _ = configure(pool, bodies(Ignore)).stop(token).scope(|tasks| {
            let mut submitted = 0;
            for n in 0..4 {
                let body: Body<'_, u64> = Box::new(move || {
                    ran.fetch_add(1, SeqCst);
                    if n == stops {
                        token.stop();
                    }
                    Ok(n)
                });
                submitted += usize::from(tasks.try_submit(body).is_ok());
            }
            if drains {
                let _ = tasks.drain(std::time::Duration::MAX);
            } else {
                tasks.as_completed().for_each(drop);
            }
            counts = Some((submitted, tasks.completed(), tasks.cancelled()));
        });
        let (submitted, completed, cancelled) = counts.unwrap();
        assert_eq!(completed + cancelled, submitted);
        assert_eq!(ran.load(SeqCst), completed);
        assert!(cancelled == 0 || token.is_stopped());
        // Nothing of it is left in the pool.
        assert_eq!(task(pool, || Ok(7)).join().unwrap(), 7);
    });
}

#[test]
fn what_is_over_asks_for_no_threads_any_more() {
    under_every_schedule("what is over asks for no threads", |random| {
        let pool = &lasting(2).build();
        pool.set_task_limit(0);
        if random.one_in(2) {
            let token = &StopToken::new();
            let ended = configure(pool, roomy()).stop(token).scope(|tasks| {
                let body: Body<'_, u64> = Box::new(|| Ok(0));
                tasks.submit(body);
                std::thread::scope(|threads| {
                    threads.spawn(|| token.stop());
                });
            });
            assert!(ended.is_err());
        } else {
            let body: Body<'static, u64> = Box::new(|| Ok(0));
            let results = configure(pool, roomy()).as_completed([body]);
            std::thread::spawn(move || drop(results)).join().unwrap();
        }
        pool.set_task_limit(None);
        assert_eq!(pool.threads(), 0);
    });
}

#[test]
fn a_scope_of_little_room_runs_all_its_tasks() {
    under_every_schedule("scopes of little room", |random| {
        let pool = &lasting(1 + random.below(2)).build();
        let (ran, capacity) = (&AtomicUsize::new(0), random.below(2) as usize);
        let function = configure(pool, bodies(Ignore)).capacity(capacity);
        let ended = function.scope(|tasks| {
            std::thread::scope(|threads| {
                for _ in 0..1 + random.below(2) {
                    threads.spawn(|| {
                        for n in 0..2 {
                            let body: Body<'_, u64> = Box::new(move || {
                                ran.fetch_add(1, SeqCst);
                                Ok(n)
                            });
                            tasks.submit(body);
                        }
                    });
                }
            });
            let results = tasks.as_completed().filter(Result::is_ok).count();
            assert_eq!(results, ran.load(SeqCst));
        });
        assert!(ended.is_ok());
        assert!(ran.load(SeqCst) >= 2);
    });
}
