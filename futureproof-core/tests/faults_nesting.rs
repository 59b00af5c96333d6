//! Faults: bombs of nested loops and scopes. They end with the right count, and on no more threads than the pools may have.
#![cfg(target_os = "linux")]

mod faults_kit;

use std::sync::atomic::{AtomicU64, Ordering};

use faults_kit::{passes_alone, scale, status};
use futureproof_core::__private::{Call, DescribeType, VtableError as _, map, scope};
use futureproof_core::{ParallelFor, TaskPool, default_workers, pull, pull_here};

/// How deep, and how many at each level.
const DEPTH: u32 = 8;
const FAN_OUT: u64 = 4;

fn pool(workers: usize) -> TaskPool {
    TaskPool::builder().workers(workers).build()
}

fn options(pool: Option<&TaskPool>) -> ParallelFor<'_> {
    let options = ParallelFor::new().monitor(false);
    match pool {
        Some(pool) => options.pool(pool),
        None => options,
    }
}

/// A bomb of loops of all kinds; adds up how many bodies run at the bottom.
fn loops(pool: Option<&TaskPool>, depth: u32, count: &AtomicU64) {
    if depth == 0 {
        count.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let body = |_| loops(pool, depth - 1, count);
    match depth % 3 {
        0 => options(pool).for_each(0..FAN_OUT, body),
        1 => options(pool).for_each(pull(0..FAN_OUT), body),
        _ => options(pool).for_each(pull_here(0..FAN_OUT), body),
    };
}

/// How many threads this process has at most; one more while one ends as the next starts.
fn has_no_more_threads_than(most: usize) {
    let threads = status("Threads");
    assert!(
        threads <= most as u64,
        "{threads} threads, more than {most}"
    );
}

#[test]
fn loops_in_loops_end_on_no_more_threads_than_the_pool_may_have() {
    let name = "loops_in_loops_end_on_no_more_threads_than_the_pool_may_have";
    passes_alone(name, &[], || {
        let before = status("Threads") as usize;
        let depth = DEPTH + if scale() > 1 { 2 } else { 0 };
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let count = AtomicU64::new(0);
            loops(Some(&pool), depth, &count);
            assert_eq!(count.into_inner(), FAN_OUT.pow(depth));
            assert!(pool.threads() <= workers);
            has_no_more_threads_than(before + workers);
        }
    });
}

/// On the default pool, whose threads are not limited but by what each loop asks for.
#[test]
fn loops_in_loops_end_on_the_default_pool() {
    let name = "loops_in_loops_end_on_the_default_pool";
    passes_alone(name, &[("FUTUREPROOF_WORKERS", "3")], || {
        assert_eq!(default_workers(), 3);
        let count = AtomicU64::new(0);
        loops(None, DEPTH, &count);
        assert_eq!(count.into_inner(), FAN_OUT.pow(DEPTH));
    });
}

#[derive(Clone, Copy)]
struct Bomb<'a> {
    pool: &'a TaskPool,
    depth: u32,
    count: &'a AtomicU64,
}

/// What is at each level: a loop, a scope of submits, a scope of a map, and again.
fn mixed((bomb,): (Bomb<'_>,)) -> Result<(), std::fmt::Error> {
    let Bomb { pool, depth, count } = bomb;
    if depth == 0 {
        count.fetch_add(1, Ordering::Relaxed);
        return Ok(());
    }
    let next = Bomb {
        depth: depth - 1,
        ..bomb
    };
    let call = Call::of(
        "mixed",
        mixed,
        |_| (),
        |()| None,
        (&&&&&DescribeType::<std::fmt::Error>::new()).vtable(),
    );
    match depth % 3 {
        0 => {
            options(Some(pool)).try_for_each(0..FAN_OUT, |_| mixed((next,)))?;
        }
        1 => scope(pool, call, |tasks| {
            for _ in 0..FAN_OUT {
                tasks.submit(next);
            }
        })
        .unwrap(),
        _ => {
            let ended = scope(pool, call, |tasks| {
                tasks.map((0..FAN_OUT).map(|_| next));
                Ok(tasks.as_completed().filter(Result::is_ok).count())
            });
            assert_eq!(ended.unwrap() as u64, FAN_OUT);
        }
    }
    Ok(())
}

#[test]
fn loops_in_scopes_in_loops_in_tasks_end_on_no_more_threads_than_the_pool_may_have() {
    let name = "loops_in_scopes_in_loops_in_tasks_end_on_no_more_threads_than_the_pool_may_have";
    passes_alone(name, &[], || {
        let before = status("Threads") as usize;
        let depth = DEPTH - if scale() > 1 { 0 } else { 1 };
        for workers in [1, 2, 4] {
            let pool = pool(workers);
            let count = AtomicU64::new(0);
            let bomb = Bomb {
                pool: &pool,
                depth,
                count: &count,
            };
            mixed((bomb,)).unwrap();
            assert_eq!(count.load(Ordering::Relaxed), FAN_OUT.pow(depth));
            assert!(pool.threads() <= workers);
            // And a timer at most.
            has_no_more_threads_than(before + workers + 1);
        }
    });
}

fn deep_streams((depth,): (u32,)) -> Result<u64, std::fmt::Error> {
    static POOL: std::sync::LazyLock<TaskPool> = std::sync::LazyLock::new(|| pool(2));
    if depth == 0 {
        return Ok(1);
    }
    let call = Call::of(
        "streams",
        deep_streams,
        |_| (),
        |()| None,
        (&&&&&DescribeType::<std::fmt::Error>::new()).vtable(),
    );
    let ends = map(&POOL, call, (0..FAN_OUT).map(move |_| depth - 1));
    Ok(ends.map(|end| end.unwrap().result).sum())
}

#[test]
fn iterators_in_tasks_of_iterators_end() {
    let name = "iterators_in_tasks_of_iterators_end";
    passes_alone(name, &[], || {
        assert_eq!(deep_streams((6,)).unwrap(), FAN_OUT.pow(6));
    });
}
