//! Threads that are woken, started, refused, let go and closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use futureproof_core::__private::submit;
use futureproof_core::{ParallelFor, TaskPool};

use crate::kit::{Body, Counter, Door, Random};
use crate::{MS, lasting, roomy, task, under_every_schedule};

/// Several threads each submit tasks and wait for them, one after the other or all at once.
fn submit_from(pool: &TaskPool, random: &mut Random) {
    let (threads, each, at_once) = (1 + random.below(3), 1 + random.below(3), random.one_in(2));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                let submitted = (0..each).map(|n| (n, task(pool, move || Ok(n))));
                let check =
                    |(n, handle): (u64, crate::Handle)| assert_eq!(handle.join().unwrap(), n);
                if at_once {
                    submitted.collect::<Vec<_>>().into_iter().for_each(check);
                } else {
                    submitted.for_each(check);
                }
            });
        }
    });
    pool.drain(Duration::MAX).unwrap();
    assert_eq!(pool.stats().completed(), threads * each);
    assert!(pool.threads() <= pool.workers());
}

#[test]
fn idle_threads_are_woken_for_what_several_threads_submit() {
    under_every_schedule("idle threads are woken", |random| {
        let pool = lasting(1 + random.below(3)).build();
        submit_from(&pool, random);
    });
}

#[test]
fn every_task_ends_where_every_other_thread_cannot_be_started() {
    under_every_schedule("every other thread cannot be started", |random| {
        let pool = lasting(1 + random.below(3)).stack_size(1 << 55).build();
        submit_from(&pool, random);
    });
}

#[test]
fn threads_that_are_let_go_come_back_and_go_again() {
    under_every_schedule("threads come and go", |random| {
        let workers = 1 + random.below(3);
        let pool = lasting(workers).keep_alive(MS).build();
        for _ in 0..2 {
            let handles = (0..1 + random.below(3)).map(|n| task(&pool, move || Ok(n)));
            let handles: Vec<_> = handles.collect();
            let sum = AtomicU64::new(0);
            ParallelFor::new().pool(&pool).for_each(0..4_u64, |n| {
                sum.fetch_add(n, SeqCst);
            });
            assert_eq!(sum.into_inner(), 6);
            for (n, handle) in (0..).zip(handles) {
                assert_eq!(handle.join().unwrap(), n);
            }
            assert!(pool.threads() <= pool.workers());
            while random.one_in(2) && pool.threads() > 0 {
                thread::sleep(MS);
            }
        }
        while pool.threads() > 0 {
            thread::sleep(MS);
        }
    });
}

#[test]
fn tasks_of_a_pool_that_is_closed_while_busy_end_once_and_are_run_or_cancelled() {
    under_every_schedule("a pool is closed while busy", |random| {
        let pool = Arc::new(lasting(1 + random.below(2)).build());
        let (door, ran) = (Door::new(), Counter::new());
        let handles: Vec<_> = (0..1 + random.below(4))
            .map(|n| {
                let (door, ran) = (door.clone(), ran.clone());
                task(&pool, move || {
                    ran.add();
                    door.wait();
                    Ok(n)
                })
            })
            .collect();
        let (how, weak) = (random.below(4), Arc::downgrade(&pool));
        let kept = (how < 3).then(|| pool.clone());
        let ender = thread::spawn(move || match how {
            0 => pool.close(),
            1 => drop(pool.drain(MS)),
            2 => pool.stop(),
            // Cancels what is queued too, and waits for what runs.
            _ => drop(pool),
        });
        let opener = thread::spawn(move || door.open());
        let mut ended = 0;
        for (n, handle) in (0..).zip(handles) {
            match handle.join() {
                Ok(result) => {
                    assert_eq!(result, n);
                    ended += 1;
                }
                Err(error) => assert!(error.is_cancelled() && how >= 2, "{error}"),
            }
        }
        ender.join().unwrap();
        opener.join().unwrap();
        assert_eq!(ran.get(), ended);
        drop(kept);
        assert_eq!(weak.strong_count(), 0);
    });
}

#[test]
fn a_task_that_drains_its_own_pool_leaves_nothing_behind() {
    under_every_schedule("tasks drain their own pool", |random| {
        let pool = Arc::new(lasting(1 + random.below(2)).build());
        let ran = Counter::new();
        let drains = 1 + random.below(2);
        let handles: Vec<_> = (0..4)
            .map(|n| {
                let (pool, ran) = (Arc::downgrade(&pool), ran.clone());
                task(&pool.clone().upgrade().unwrap(), move || {
                    ran.add();
                    let pool = pool.upgrade().filter(|_| n < drains);
                    Ok(pool.map_or(0, |pool| u64::from(pool.drain(Duration::MAX).is_ok())))
                })
            })
            .collect();
        let mut accepted = 0;
        for (n, handle) in (0..).zip(handles) {
            match handle.join() {
                Ok(drained) => {
                    assert_eq!(drained, u64::from(n < drains));
                    accepted += 1;
                }
                // Offered when the pool was draining.
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
        assert_eq!(ran.get(), accepted);
        assert!(pool.is_closed());
    });
}

#[test]
fn who_waits_for_room_gets_it_or_hears_that_there_will_be_none() {
    under_every_schedule("submits wait for room", |random| {
        let pool = &lasting(1 + random.below(2)).build();
        let mut call = roomy();
        call.capacity = Some(random.below(3) as usize);
        let (call, each, end) = (&call, 1 + random.below(3), random.below(4));
        thread::scope(|threads| {
            for _ in 0..1 + random.below(2) {
                threads.spawn(move || {
                    let handles = (0..each).map(|n| {
                        let body: Body<'static, u64> = Box::new(move || Ok(n));
                        submit(pool, call.clone(), (body,))
                    });
                    let handles: Vec<_> = handles.collect();
                    for (n, handle) in (0..).zip(handles) {
                        match handle.join() {
                            Ok(result) => assert_eq!(result, n),
                            Err(error) => assert!(error.is_cancelled() && end > 1, "{error}"),
                        }
                    }
                });
            }
            threads.spawn(move || match end {
                2 => pool.close(),
                3 => pool.stop(),
                _ => {}
            });
        });
    });
}

#[test]
fn when_a_pause_is_over_so_many_tasks_run_at_once_as_may() {
    under_every_schedule("pauses", |random| {
        let pool = &lasting(3).build();
        let limit = 1 + random.below(2) as usize;
        let at_once = Arc::new(AtomicUsize::new(0));
        pool.set_task_limit(0);
        thread::scope(|threads| {
            for n in 0..3 {
                let at_once = at_once.clone();
                threads.spawn(move || {
                    let handle = task(pool, move || {
                        let others = at_once.fetch_add(1, SeqCst);
                        thread::yield_now();
                        at_once.fetch_sub(1, SeqCst);
                        assert!(others < limit, "{others} others run");
                        Ok(n)
                    });
                    assert_eq!(handle.join().unwrap(), n);
                });
            }
            threads.spawn(|| pool.set_task_limit(limit));
        });
    });
}
