//! Faults: memory is limited. Huge options take none of it up front; where it does run out, the process ends, by the language's
//! rule, instead of hanging. So it does where a panic hook or the destructor of a thread-local panics.
#![cfg(target_os = "linux")]

mod faults_kit;
mod kit;

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use faults_kit::{alone, limit_memory, passes_alone};
use futureproof_core::__private::{as_completed, configure, map, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{LiveReport, ParallelFor, Retry, TaskPool, pull, pull_here};
use kit::{Log, double, half, numbers};

const MIB: u64 = 1 << 20;
const SIGABRT: i32 = 6;

/// There is room for a few of its threads' stacks; what is left is too small for a stack, and large enough for all else.
fn pool_of_too_many() -> TaskPool {
    TaskPool::builder()
        .workers(usize::MAX)
        .stack_size(128 * MIB as usize)
        .build()
}

#[test]
fn huge_options_take_no_memory_up_front() {
    passes_alone("huge_options_take_no_memory_up_front", &[], || {
        let log = Log::new();
        let live = LiveReport::new();
        limit_memory(Some(512 * MIB));
        log.during(|| {
            let pool = pool_of_too_many();
            let options = || {
                ParallelFor::new()
                    .pool(&pool)
                    .batch(usize::MAX)
                    .live(&live)
                    .deadline(Duration::MAX)
            };
            let lazy = || (0..1000).filter(|n| n % 2 == 0);
            assert_eq!(options().for_each(0..1000, |_| {}).completed(), 1000);

            assert_eq!(options().for_each(pull(lazy()), |_| {}).completed(), 500);
            assert_eq!(
                options().for_each(pull_here(lazy()), |_| {}).completed(),
                500
            );
        });
    });
}

#[test]
fn huge_options_of_tasks_take_no_memory_up_front() {
    passes_alone("huge_options_of_tasks_take_no_memory_up_front", &[], || {
        let log = Log::new();
        limit_memory(Some(512 * MIB));
        log.during(|| {
            let pool = pool_of_too_many();
            let configured = configure(&pool, numbers(Ignore, half))
                .capacity(usize::MAX)
                .retry(Retry::attempts(u32::MAX).backoff(Duration::MAX))
                .retry_if(|_| false)
                .raise_after(usize::MAX)
                .timeout(Duration::MAX)
                .deadline(Duration::MAX);
            let handles: Vec<_> = (0..100).map(|n| configured.submit(n)).collect();
            let ended = handles.into_iter().filter_map(|handle| handle.join().ok());
            assert_eq!(ended.count(), 50);
            let ended = configured.scope(|tasks| {
                tasks.map(0..100);
                (0..100).for_each(|n| _ = tasks.submit(n));
                Ok(tasks.as_completed().filter(Result::is_ok).count())
            });
            assert_eq!(ended.unwrap(), 100);
            assert_eq!(configured.map(0..100).filter(Result::is_ok).count(), 50);
            assert_eq!(
                configured
                    .as_completed(0..100)
                    .filter(Result::is_ok)
                    .count(),
                50
            );
        });
    });
}

/// More than there is.
fn hoard() -> Vec<u8> {
    vec![1; 4096 * MIB as usize]
}

/// The process ends by an abort, with this on its standard error.
#[track_caller]
fn aborts(name: &str, says: &str, test: impl FnOnce()) {
    let output = alone(name, &[], test);
    assert_eq!(output.status.signal(), Some(SIGABRT), "{}", output.status);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(says), "{text}");
}

#[test]
fn a_loop_that_runs_out_of_memory_ends_the_process() {
    let name = "a_loop_that_runs_out_of_memory_ends_the_process";
    aborts(name, "memory allocation of 4294967296 bytes failed", || {
        limit_memory(Some(512 * MIB));
        ParallelFor::new().workers(3).for_each(0..100, |n| {
            if n == 50 {
                drop(hoard());
            }
        });
    });
}

#[test]
fn a_task_that_runs_out_of_memory_ends_the_process() {
    let name = "a_task_that_runs_out_of_memory_ends_the_process";
    aborts(name, "memory allocation of 4294967296 bytes failed", || {
        limit_memory(Some(512 * MIB));
        let pool = TaskPool::builder().workers(3).build();
        let run = |(n,)| Ok(if n == 50 { hoard().len() as u64 } else { n });
        let handles: Vec<_> = (0..100)
            .map(|n| submit(&pool, numbers(Raise, run), (n,)))
            .collect();
        handles.into_iter().for_each(|handle| _ = handle.join());
    });
}

#[test]
fn a_panic_hook_that_panics_ends_the_process() {
    let name = "a_panic_hook_that_panics_ends_the_process";
    aborts(name, "panic", || {
        std::panic::set_hook(Box::new(|_| panic!("in the hook")));
        let pool = TaskPool::builder().workers(2).build();
        let run = |(n,)| {
            if n == 50 {
                panic!("in the task")
            } else {
                Ok(n)
            }
        };
        scope(&pool, numbers(Ignore, run), |tasks| tasks.map(0..100)).unwrap();
    });
}

struct Local;

impl Drop for Local {
    fn drop(&mut self) {
        panic!("as the thread ends");
    }
}

#[test]
fn a_thread_local_whose_destructor_panics_ends_the_process() {
    let name = "a_thread_local_whose_destructor_panics_ends_the_process";
    aborts(name, "as the thread ends", || {
        thread_local!(static LOCAL: Local = const { Local });
        let pool = TaskPool::builder().workers(2).build();
        let run = |(n,)| LOCAL.with(|_| double((n,)));
        assert_eq!(map(&pool, numbers(Raise, run), 0..10).count(), 10);
        drop(as_completed(&pool, numbers(Raise, run), 0..10));
        drop(pool);
    });
}
