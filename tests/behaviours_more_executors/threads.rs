//! Threads that are left behind, and CPU time that waiting takes. Each test looks at a process of its own.

use std::thread;
use std::time::Duration;

use futureproof::{Retry, TaskHandle, TaskPool, task_pool};

use crate::python_kit::{Counter, Oops, alone, process, wait_until};

const HOUR: Duration = Duration::from_secs(3600);

/// How many threads of this process have a name that starts so.
fn threads_of(name: &str) -> usize {
    process::threads()
        .iter()
        .filter(|thread| thread.starts_with(name))
        .count()
}

#[test]
fn a_pool_that_is_not_used_has_no_thread() {
    #[task_pool(workers = 8)]
    fn unused() {}

    let status = alone("threads::a_pool_that_is_not_used_has_no_thread", || {
        let before = process::threads().len();
        let pool = TaskPool::builder().workers(8).build();
        assert_eq!(unused::pool().workers(), 8);
        unused::scope(|_| ()).unwrap();
        assert_eq!(process::threads().len(), before);
        drop(pool);
    });
    assert!(status.success());
}

#[test]
fn handles_that_are_dropped_held_cancelled_or_awaited_cost_no_thread() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 1000, name = "held")]
    fn gated(n: usize) -> Result<usize, Oops> {
        GATE.wait_for(1);
        if n % 2 == 1 { Err(Oops(n)) } else { Ok(n) }
    }

    let status = alone(
        "threads::handles_that_are_dropped_held_cancelled_or_awaited_cost_no_thread",
        || {
            let mut held: Vec<_> = (0..1000).map(gated::submit).collect();
            held.iter()
                .skip(10)
                .step_by(3)
                .for_each(|handle| assert!(handle.cancel()));
            held.truncate(500);
            GATE.add();
            wait_until(|| held.iter().all(TaskHandle::is_finished));
            assert!(threads_of("held-") <= 2);
            let completed = held.into_iter().filter_map(|handle| handle.join().ok());
            let expected = (0..500_usize).step_by(2).filter(|&n| n < 10 || n % 3 != 1);
            assert_eq!(completed.count(), expected.count());
        },
    );
    assert!(status.success());
}

/// One helper thread for each layer of retry, throttle and timeout there
#[test]
fn one_timer_serves_all_the_tasks_of_a_pool() {
    #[task_pool(
        workers = 2,
        capacity = 1000,
        name = "timed",
        error_policy = "ignore",
        retry = Retry::attempts(2).backoff(HOUR),
        timeout = HOUR,
        rate_limit = "1000/s burst 100"
    )]
    fn fail(n: usize) -> Result<(), Oops> {
        FAILED.add();
        Err(Oops(n))
    }

    static FAILED: Counter = Counter::new();

    let status = alone("threads::one_timer_serves_all_the_tasks_of_a_pool", || {
        let before = process::threads().len();
        let handles: Vec<_> = (0..100).map(fail::submit).collect();
        FAILED.wait_for(100);
        // A thread gets its name once it runs.
        wait_until(|| threads_of("timed-timer") == 1);
        let threads = process::threads();
        assert!(threads.len() <= before + 2 + 1, "{threads:?}");
        fail::pool().stop();
        for handle in handles {
            assert_eq!(handle.join().unwrap_err().attempts(), 1);
        }
    });
    assert!(status.success());
}

#[test]
fn tasks_that_wait_for_an_attempt_a_limit_or_their_turn_use_no_cpu() {
    static GATE: Counter = Counter::new();
    static FAILED: Counter = Counter::new();

    #[task_pool(
        workers = 2,
        capacity = 1000,
        error_policy = "ignore",
        retry = Retry::attempts(2).backoff(HOUR),
        rate_limit = "1/h burst 100",
        timeout = HOUR
    )]
    fn fail(n: usize) -> Result<(), Oops> {
        FAILED.add();
        Err(Oops(n))
    }

    #[task_pool(workers = 2, capacity = 100)]
    fn gated() {
        GATE.wait_for(1);
    }

    let status = alone(
        "threads::tasks_that_wait_for_an_attempt_a_limit_or_their_turn_use_no_cpu",
        || {
            // A hundred wait for their next attempt, the others for a permit, and these for a change of the limit.
            gated::pool().set_task_limit(0);
            let paused: Vec<_> = (0..10).map(|_| gated::submit()).collect();
            let handles: Vec<_> = (0..150).map(fail::submit).collect();
            fail::scope(|tasks| {
                tasks.map(0..);
                FAILED.wait_for(100);
                thread::sleep(Duration::from_millis(300));
                let before = (process::cpu_time(), process::sleeps());
                thread::sleep(Duration::from_secs(1));
                let cpu = process::cpu_time() - before.0;
                let woken = process::sleeps() - before.1;
                assert!(cpu <= Duration::from_millis(50), "used {cpu:?} of CPU time");
                assert!(woken < 10, "woke {woken} times");
                tasks.stop();
            })
            .unwrap();
            fail::pool().stop();
            for handle in handles {
                handle.join().unwrap_err();
            }
            GATE.add();
            gated::pool().set_task_limit(None);
            for handle in paused {
                handle.join().unwrap();
            }
        },
    );
    assert!(status.success());
}

/// M8: lists that are searched for every event
#[test]
fn many_tasks_with_retries_and_limits_cost_no_more_each_than_few() {
    #[task_pool(
        workers = 1,
        capacity = usize::MAX,
        error_policy = "ignore",
        retry = Retry::attempts(2).backoff(HOUR),
        timeout = HOUR
    )]
    fn fail(n: usize) -> Result<(), Oops> {
        Err(Oops(n))
    }

    /// The CPU time of so many tasks that fail, wait for another attempt, and are stopped.
    fn cost(count: usize) -> Duration {
        let before = process::cpu_time();
        let handles: Vec<_> = (0..count).map(fail::submit).collect();
        for handle in &handles {
            handle.stop();
        }
        let ends = handles.into_iter().map(|handle| handle.join().unwrap_err());
        assert!(
            ends.map(|error| error.attempts())
                .all(|attempts| attempts < 2)
        );
        fail::scope(|tasks| {
            for n in 0..count {
                tasks.submit(n);
            }
            wait_until(|| tasks.running() == 0 && tasks.waiting() == count);
            tasks.stop();
            assert_eq!(tasks.as_completed().count(), count);
        })
        .unwrap();
        process::cpu_time() - before
    }

    let status = alone(
        "threads::many_tasks_with_retries_and_limits_cost_no_more_each_than_few",
        || {
            let few = cost(1000).max(Duration::from_millis(20));
            let many = cost(32 * 1000);
            assert!(
                many <= few * 32 * 4,
                "{few:?} for 1000 and {many:?} for 32000"
            );
        },
    );
    assert!(status.success());
}
