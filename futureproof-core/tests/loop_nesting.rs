//! Rules 7 and 8: nesting never deadlocks, and a loop runs on the threads that there are.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{KINDS, WORKERS, everywhere, for_each, no_hang, scaled};
use futureproof_core::{ParallelFor, TaskPool, pull};

#[test]
fn a_loop_inside_a_body_on_the_same_pool() {
    for kind in KINDS {
        for workers in WORKERS {
            no_hang(move || {
                let count = scaled(20, 3);
                let pool = TaskPool::builder().workers(workers).build();
                let ran = AtomicUsize::new(0);
                let inner = || ParallelFor::new().pool(&pool);
                for_each(kind, inner(), count, |_| {
                    for_each(kind, inner(), count, |_| {
                        for_each(kind, inner(), 5, |_| {
                            ran.fetch_add(1, Ordering::Relaxed);
                        });
                    });
                });
                assert_eq!(ran.into_inner(), count * count * 5);
            });
        }
    }
}

#[test]
fn a_loop_inside_a_source() {
    for workers in WORKERS {
        no_hang(move || {
            let sum = AtomicUsize::new(0);
            let count = scaled(100, 10);
            let source = (0..count).map(|n| {
                let part = AtomicUsize::new(0);
                ParallelFor::new()
                    .workers(workers)
                    .for_each(0..10_usize, |m| {
                        part.fetch_add(n * m, Ordering::Relaxed);
                    });
                part.into_inner()
            });
            ParallelFor::new()
                .workers(workers)
                .for_each(pull(source), |n| {
                    sum.fetch_add(n, Ordering::Relaxed);
                });
            assert_eq!(sum.into_inner(), (0..count).sum::<usize>() * 45);
        });
    }
}

#[test]
fn loops_on_two_pools_inside_each_other() {
    no_hang(|| {
        let count = scaled(10, 3);
        let first = TaskPool::builder().workers(2).build();
        let second = TaskPool::builder().workers(2).build();
        let ran = AtomicUsize::new(0);
        ParallelFor::new().pool(&first).for_each(0..count, |_| {
            ParallelFor::new().pool(&second).for_each(0..count, |_| {
                ParallelFor::new().pool(&first).for_each(0..count, |_| {
                    ran.fetch_add(1, Ordering::Relaxed);
                });
            });
        });
        assert_eq!(ran.into_inner(), count * count * count);
    });
}

#[test]
fn a_thread_that_waits_for_an_inner_loop_runs_no_item_of_an_outer_one() {
    // A lock held across an inner loop: a worker that ran another outer item meanwhile would lock it twice.
    no_hang(|| {
        let lock = std::sync::Mutex::new(());
        let count = scaled(50, 5);
        ParallelFor::new().workers(4).for_each(0..count, |_| {
            let _guard = lock.lock().unwrap();
            ParallelFor::new()
                .workers(4)
                .for_each(0..count, |_| std::thread::yield_now());
        });
    });
}

#[test]
fn the_stack_does_not_grow_with_the_number_of_items() {
    let pool = TaskPool::builder()
        .workers(3)
        .stack_size(128 * 1024)
        .build();
    let count = scaled(300_000, 1000);
    for kind in KINDS {
        let report = for_each(kind, ParallelFor::new().pool(&pool), count, |_| {});
        assert_eq!(report.completed(), count as u64);
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn a_loop_whose_threads_cannot_start_runs_on_its_caller() {
    // No system has room for such a stack.
    let pool = TaskPool::builder().workers(8).stack_size(1 << 46).build();
    let caller = std::thread::current().id();
    for kind in KINDS {
        let report = for_each(kind, ParallelFor::new().pool(&pool), 1000, |_| {
            assert_eq!(std::thread::current().id(), caller);
        });
        assert_eq!(report.completed(), 1000);
    }
    assert_eq!(pool.threads(), 0);
}

#[test]
fn no_item_one_item_and_one_worker_need_no_thread() {
    let pool = TaskPool::builder().workers(8).build();
    ParallelFor::new().pool(&pool).for_each(0..0, |_: i32| {});
    ParallelFor::new().pool(&pool).for_each([1], |_| {});
    for kind in KINDS {
        for_each(
            kind,
            ParallelFor::new().pool(&pool).workers(1),
            scaled(1000, 50),
            |_| {},
        );
    }
    for_each(
        common::Kind::Shared,
        ParallelFor::new().pool(&pool),
        0,
        |_| {},
    );
    ParallelFor::new()
        .pool(&pool)
        .for_each(pull([1].iter().map(|n| n + 1)), |_| {});
    assert_eq!(pool.threads(), 0);
}

#[test]
fn a_pool_lends_no_more_threads_than_its_limit() {
    everywhere(|kind, workers| {
        let pool = TaskPool::builder().workers(workers).build();
        for _ in 0..scaled(20, 2) {
            for_each(
                kind,
                ParallelFor::new().pool(&pool).workers(64),
                scaled(200, 20),
                |_| {
                    std::thread::yield_now();
                },
            );
        }
        assert!(pool.threads() <= workers, "{kind:?} {workers}");
    });
}

#[test]
fn no_thread_outlives_its_pool() {
    let ended = std::sync::Arc::new(AtomicUsize::new(0));
    let started = std::sync::Arc::new(AtomicUsize::new(0));
    let (in_start, in_stop) = (started.clone(), ended.clone());
    let pool = TaskPool::builder()
        .workers(6)
        .on_thread_start(move || {
            in_start.fetch_add(1, Ordering::SeqCst);
        })
        .on_thread_stop(move || {
            in_stop.fetch_add(1, Ordering::SeqCst);
        })
        .build();
    ParallelFor::new()
        .pool(&pool)
        .batch(1)
        .for_each(0..scaled(1000, 50), |_| std::thread::yield_now());
    drop(pool);
    assert_eq!(started.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
}

#[test]
fn bodies_borrow_from_the_callers_stack() {
    let words = vec![String::from("borrowed"); scaled(100, 20)];
    let letters = AtomicUsize::new(0);
    ParallelFor::new().workers(4).for_each(&words, |word| {
        letters.fetch_add(word.len(), Ordering::Relaxed);
    });
    assert_eq!(letters.into_inner(), 8 * words.len());
}

#[test]
fn thousands_of_loops_from_many_threads_share_one_pool() {
    no_hang(|| {
        let (threads, rounds) = (scaled(8, 3), scaled(300, 5));
        let pool = TaskPool::builder().workers(4).build();
        let ran = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        ParallelFor::new().pool(&pool).for_each(0..50, |_| {
                            ran.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(ran.into_inner(), threads * rounds * 50);
    });
}
