//! Faults: threads that cannot be started from some point on, or until some point, or at all. Each test is a process of its own,
//! whose address space is too small for more stacks.
#![cfg(target_os = "linux")]

mod faults_kit;
mod kit;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use faults_kit::{NO_DEFAULT_THREADS, limit_memory, passes_alone};
use futureproof_core::__private::{as_completed, configure, map, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{ParallelFor, RateLimit, Retry, TaskPool, pull, pull_here};
use kit::{Body, Log, bodies, double, half, numbers, threadless_pool};

const GIB: u64 = 1 << 30;
const MS: Duration = Duration::from_millis(1);

/// A pool whose threads take this much address space each.
fn pool_of_large_stacks(workers: usize) -> TaskPool {
    TaskPool::builder()
        .workers(workers)
        .stack_size(2 * GIB as usize)
        .build()
}

/// Loops, scopes, iterators and handles on this pool are all complete.
fn everything_ends(pool: &TaskPool) {
    let count = AtomicUsize::new(0);
    let body = |_| _ = count.fetch_add(1, Ordering::Relaxed);
    let options = || ParallelFor::new().pool(pool).batch(1);
    options().for_each(0..200, body);
    options().for_each(pull(0..200), body);
    options().for_each(pull_here(0..200), body);
    assert_eq!(count.into_inner(), 600);

    let sum = scope(pool, numbers(Raise, double), |tasks| {
        for n in 0..100 {
            tasks.submit(n);
        }
        tasks.map(100..200);
        let mut sum = 0;
        for task in tasks.as_completed() {
            sum += task?.result;
        }
        Ok(sum)
    });
    assert_eq!(sum.unwrap(), 199 * 200);
    let results = map(pool, numbers(Raise, double), 0..100);
    assert_eq!(results.map(|task| task.unwrap().result).sum::<u64>(), 9900);
    assert_eq!(
        as_completed(pool, numbers(Raise, double), 0..100).count(),
        100
    );
    let handles: Vec<_> = (0..100)
        .map(|n| submit(pool, numbers(Raise, double), (n,)))
        .collect();
    let sum: u64 = (handles.into_iter())
        .map(|handle| handle.join().unwrap())
        .sum();
    assert_eq!(sum, 9900);
}

#[test]
fn a_pool_that_can_start_three_threads_of_eight_goes_on_with_three_and_says_so_once() {
    let name = "a_pool_that_can_start_three_threads_of_eight_goes_on_with_three_and_says_so_once";
    passes_alone(name, &[], || {
        let log = Log::new();
        log.during(|| {
            let pool = pool_of_large_stacks(8);
            limit_memory(Some(7 * GIB));
            // Three tasks that wait for each other.
            let together = Barrier::new(3);
            scope(&pool, bodies(Raise), |tasks| {
                for _ in 0..9 {
                    let task: Body<'_, ()> = Box::new(|| {
                        together.wait();
                        Ok(())
                    });
                    tasks.submit(task);
                }
            })
            .unwrap();
            assert_eq!(pool.threads(), 3);
            everything_ends(&pool);
            assert_eq!(pool.threads(), 3);
        });
        let warnings = log.lines();
        let warnings = (warnings.iter()).filter(|line| line.contains("cannot start another"));
        assert_eq!(warnings.count(), 1);
    });
}

#[test]
fn a_pool_whose_first_threads_cannot_start_has_them_once_they_can() {
    let name = "a_pool_whose_first_threads_cannot_start_has_them_once_they_can";
    passes_alone(name, &[], || {
        let pool = pool_of_large_stacks(3);
        for _ in 0..2 {
            limit_memory(Some(GIB));
            everything_ends(&pool);
            assert_eq!(pool.threads(), 0);
        }
        limit_memory(None);
        let together = Barrier::new(3);
        for _ in 0..2 {
            scope(&pool, bodies(Raise), |tasks| {
                for _ in 0..3 {
                    let task: Body<'_, ()> = Box::new(|| {
                        together.wait();
                        Ok(())
                    });
                    tasks.submit(task);
                }
            })
            .unwrap();
        }
        assert_eq!(pool.threads(), 3);
        everything_ends(&pool);
    });
}

/// Tasks that wait for moments: of the next attempt, of a permit, of a deadline.
fn moments_are_kept(pool: &TaskPool) {
    let retry = Retry::attempts(3).backoff(MS).max_backoff(MS);
    let rate = RateLimit::new(1000, Duration::from_secs(1));
    let handles: Vec<_> = (0..20)
        .map(|n| {
            configure(pool, numbers(Ignore, half))
                .retry(retry)
                .submit(n)
        })
        .collect();
    for (n, handle) in handles.into_iter().enumerate() {
        match handle.join() {
            Ok(_) => assert_eq!(n % 2, 0),
            Err(error) => assert_eq!((n % 2, error.attempts()), (1, 3)),
        }
    }
    let limited = configure(pool, numbers(Raise, double)).rate_limit(rate);
    let handles: Vec<_> = (0..20).map(|n| limited.submit(n)).collect();
    assert_eq!(
        handles
            .into_iter()
            .filter_map(|handle| handle.join().ok())
            .count(),
        20
    );
    let counts = configure(pool, numbers(Ignore, half))
        .retry(retry)
        .scope(|tasks| {
            tasks.map(0..20);
            let counts = tasks.as_completed().partition::<Vec<_>, _>(Result::is_ok);
            Ok((counts.0.len(), counts.1.len()))
        });
    assert_eq!(counts.unwrap(), (10, 10));
}

#[test]
fn without_timer_and_monitor_threads_everything_ends_and_each_is_warned_of_once() {
    let name = "without_timer_and_monitor_threads_everything_ends_and_each_is_warned_of_once";
    passes_alone(name, &[NO_DEFAULT_THREADS], || {
        let log = Log::new();
        // Also on the threads of the pool.
        tracing::subscriber::set_global_default(log.clone()).unwrap();
        for workers in [1, 3] {
            let pool = TaskPool::builder().workers(workers).stack_size(1 << 20);
            let pool = pool.build();
            everything_ends(&pool);
            moments_are_kept(&pool);
            assert!(pool.threads() > 0);
        }
        let lines = log.lines();
        let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(count("cannot start the monitor's thread"), 1, "{lines:#?}");
        assert!(count("cannot start the timer thread") >= 2, "{lines:#?}");
        assert_eq!(count("cannot start another thread"), 0, "{lines:#?}");
    });
}

#[test]
fn without_any_thread_but_the_callers_everything_ends() {
    let name = "without_any_thread_but_the_callers_everything_ends";
    passes_alone(name, &[NO_DEFAULT_THREADS], || {
        let log = Log::new();
        log.during(|| {
            for workers in [1, 3] {
                let pool = threadless_pool(workers);
                everything_ends(&pool);
                moments_are_kept(&pool);
                assert_eq!(pool.threads(), 0);
            }
        });
    });
}

#[test]
fn several_callers_without_any_other_thread_end_what_they_have_accepted() {
    let name = "several_callers_without_any_other_thread_end_what_they_have_accepted";
    passes_alone(name, &[NO_DEFAULT_THREADS], || {
        for workers in [1, 3] {
            let pool = threadless_pool(workers);
            std::thread::scope(|threads| {
                for _ in 0..4 {
                    let callers = std::thread::Builder::new().stack_size(1 << 20);
                    let caller = callers.spawn_scoped(threads, || {
                        for _ in 0..10 {
                            everything_ends(&pool);
                            moments_are_kept(&pool);
                        }
                    });
                    caller.unwrap();
                }
            });
        }
    });
}
