//! Faults: thousands of workers, pools and handles.
#![cfg(target_os = "linux")]

mod faults_kit;
mod kit;

use std::sync::atomic::{AtomicUsize, Ordering};

use faults_kit::{limit_memory, passes_alone, scale, status};
use futureproof_core::__private::{configure, map, scope, submit};
use futureproof_core::ErrorPolicy::Raise;
use futureproof_core::{ParallelFor, TaskPool, Until, pull, pull_here, wait};
use kit::{Body, Door, Log, bodies, double, no_hang, numbers};

const MANY: usize = 10_000;

#[test]
fn ten_thousand_workers_for_a_few_items_are_as_many_as_there_are_items() {
    let name = "ten_thousand_workers_for_a_few_items_are_as_many_as_there_are_items";
    passes_alone(name, &[], || {
        let before = status("Threads");
        let count = AtomicUsize::new(0);
        let body = |_| _ = count.fetch_add(1, Ordering::Relaxed);
        let options = || ParallelFor::new().workers(MANY);
        options().for_each(0..10, body);
        options().for_each(pull(0..10), body);
        options().for_each(pull_here(0..10), body);
        assert_eq!(count.into_inner(), 30);
        assert!(status("Threads") <= before + 30);
        let pool = TaskPool::builder().workers(MANY).build();
        assert_eq!(map(&pool, numbers(Raise, double), 0..10).count(), 10);
        scope(&pool, numbers(Raise, double), |tasks| tasks.map(0..10)).unwrap();
        assert!(pool.threads() <= 20);
    });
}

/// There is room for some fifteen stacks.
#[test]
fn ten_thousand_workers_for_many_items_are_as_many_as_the_machine_has_room_for() {
    let name = "ten_thousand_workers_for_many_items_are_as_many_as_the_machine_has_room_for";
    let stack = (64 << 20).to_string();
    passes_alone(name, &[("RUST_MIN_STACK", &stack)], || {
        let log = Log::new();
        log.during(|| {
            limit_memory(Some(1 << 30));
            let count = AtomicUsize::new(0);
            let body = |_| _ = count.fetch_add(1, Ordering::Relaxed);
            let options = || ParallelFor::new().workers(MANY).batch(1);
            options().for_each(0..20_000, body);
            options().for_each(pull(0..20_000), body);
            options().for_each(pull_here(0..20_000), body);
            assert_eq!(count.into_inner(), 60_000);
            assert!(status("Threads") < 40);
            let pool = TaskPool::builder().workers(MANY).build();
            assert_eq!(
                map(&pool, numbers(Raise, double), 0..20_000).count(),
                20_000
            );
            let handles: Vec<_> = (0..20_000)
                .map(|n| submit(&pool, numbers(Raise, double), (n,)))
                .collect();
            assert_eq!(wait(&handles, Until::All).finished.len(), 20_000);
        });
    });
}

#[test]
fn ten_thousand_pools_are_made_used_and_dropped() {
    no_hang(|| {
        let before = status("Threads");
        // To start and join threads is what takes its time.
        let used = if scale() > 1 { 1 } else { 10 };
        for n in 0..MANY as u64 {
            let pool = TaskPool::builder().workers(2).build();
            if n % used > 0 {
                continue;
            }
            match n / used % 4 {
                0 => assert_eq!(
                    submit(&pool, numbers(Raise, double), (n,)).join().unwrap(),
                    2 * n
                ),
                1 => assert_eq!(
                    ParallelFor::new()
                        .pool(&pool)
                        .for_each(0..4, |_| {})
                        .completed(),
                    4
                ),
                2 => drop(submit(&pool, numbers(Raise, double), (n,))),
                _ => {}
            }
        }
        // Other tests of this process have some.
        assert!(status("Threads") <= before + 20);
    });
}

#[test]
fn ten_thousand_handles_are_outstanding_and_each_gets_its_end() {
    for workers in [1, 3] {
        no_hang(|| {
            let pool = TaskPool::builder().workers(workers).build();
            let door = Door::new();
            let roomy = configure(&pool, bodies(Raise)).capacity(usize::MAX);
            let tasks = MANY * scale();
            let handles: Vec<_> = (0..tasks)
                .map(|n| {
                    let inside = door.clone();
                    let task: Body<'static, usize> = Box::new(move || {
                        inside.wait();
                        Ok(n)
                    });
                    roomy.submit(task)
                })
                .collect();
            // The last thousand are cancelled, or dropped.
            for handle in &handles[tasks - 1000..tasks - 500] {
                assert!(handle.cancel());
            }
            let mut handles = handles;
            handles.truncate(tasks - 500);
            door.open();
            for (n, handle) in handles.into_iter().enumerate().rev() {
                match handle.join() {
                    Ok(result) => assert_eq!(result, n),
                    Err(error) => assert!(error.is_cancelled() && n >= tasks - 1000),
                }
            }
        });
    }
}
