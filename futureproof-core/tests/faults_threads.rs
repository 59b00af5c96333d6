//! Faults: threads that cannot be started, while others count on them.

mod kit;

use std::sync::Barrier;

use futureproof_core::__private::{as_completed, map, scope, submit};
use futureproof_core::ErrorPolicy::Raise;
use futureproof_core::{ParallelFor, TaskPool, pull, pull_here};
use kit::{Body, bodies, double, no_hang, numbers, threadless_pool};

/// How often each of several threads tries its luck.
const ROUNDS: u64 = 300;
const THREADS: u64 = 4;

/// Calls `test` on several threads at once, each with its number.
fn at_once(test: impl Fn(u64) + Sync) {
    let start = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (start, test) = (&start, &test);
            scope.spawn(move || {
                start.wait();
                test(thread);
            });
        }
    });
}

/// One of them has asked for the only thread, and the others rely on that it comes, when it does not.
#[test]
fn tasks_submitted_by_many_threads_at_once_end_though_no_thread_starts() {
    for workers in [1, 3] {
        no_hang(|| {
            let pool = threadless_pool(workers);
            at_once(|thread| {
                for n in 0..ROUNDS {
                    let number = thread * ROUNDS + n;
                    let handle = submit(&pool, numbers(Raise, double), (number,));
                    assert_eq!(handle.join().unwrap(), 2 * number);
                }
            });
        });
    }
}

#[test]
fn scopes_iterators_and_loops_of_many_threads_at_once_end_though_no_thread_starts() {
    for workers in [1, 3] {
        no_hang(|| {
            let pool = threadless_pool(workers);
            at_once(|thread| {
                for round in 0..ROUNDS / 10 {
                    match (thread + round) % 5 {
                        0 => scope_of_many(&pool),
                        1 => assert_eq!(map(&pool, numbers(Raise, double), 0..50).count(), 50),
                        2 => {
                            let results = as_completed(&pool, numbers(Raise, double), 0..50);
                            assert_eq!(results.count(), 50);
                        }
                        _ => {
                            let options = || ParallelFor::new().pool(&pool);
                            assert_eq!(options().for_each(0..50, |_| {}).completed(), 50);
                            assert_eq!(options().for_each(pull(0..50), |_| {}).completed(), 50);
                            let report = options().for_each(pull_here(0..50), |_| {});
                            assert_eq!(report.completed(), 50);
                        }
                    }
                }
            });
        });
    }
}

/// A scope that several threads submit to, whose tasks are read and joined.
fn scope_of_many(pool: &TaskPool) {
    let mut call = bodies(Raise);
    call.capacity = Some(1);
    let sum = scope(pool, call, |tasks| {
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    for n in 0..20 {
                        let task: Body<'_, u64> = Box::new(move || Ok(n));
                        tasks.submit(task);
                    }
                });
            }
        });
        let mut sum = 0;
        for task in tasks.as_completed() {
            sum += task?.result;
        }
        Ok(sum)
    });
    assert_eq!(sum.unwrap(), 2 * 190);
}
