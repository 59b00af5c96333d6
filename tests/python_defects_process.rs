//! What goes wrong in Python libraries and does not here: what a process sees of it, CPU time, threads and signals. Each test
//! runs in a process of its own. The table is in `python_defects.rs`.
#![cfg(target_os = "linux")]

mod python_kit;

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futureproof::{
    ScopeError, ScopeFailure, StopCause, StopToken, TaskPool, parallel_for, task_pool,
};
use python_kit::{Counter, Log, alone, process, wait_until, work_until_told_to_stop};

/// How much CPU time the process uses, and how often its threads wake, while this one sleeps for a second.
fn used_in_a_second() -> (Duration, u64) {
    let before = (process::cpu_time(), process::sleeps());
    thread::sleep(Duration::from_secs(1));
    (process::cpu_time() - before.0, process::sleeps() - before.1)
}

/// Less than a thread that looks around every 100 ms.
#[track_caller]
fn assert_idle((cpu, wakes): (Duration, u64)) {
    assert!(
        cpu <= Duration::from_millis(50),
        "used {cpu:?} of CPU time in a second"
    );
    assert!(wakes < 10, "woke {wakes} times in a second");
}

/// The idle polling of futureproof and Pebble, P2
#[test]
fn an_idle_pool_uses_no_cpu() {
    #[task_pool(workers = 4)]
    fn meet(four: &Barrier) {
        four.wait();
    }

    let status = alone("an_idle_pool_uses_no_cpu", || {
        let four = Barrier::new(4);
        let log = Log::new();
        log.during(|| {
            meet::scope(|tasks| tasks.map((0..40).map(|_| &four))).unwrap();
            parallel_for!(
                workers = 4,
                batch = 1,
                for _ in 0..40 {
                    four.wait();
                }
            );
            assert!(meet::pool().threads() > 0, "its threads are there");
            // What spins a little before it sleeps has time to.
            thread::sleep(Duration::from_millis(100));
            assert_idle(used_in_a_second());
        });
    });
    assert!(status.success());
}

/// `monitor_interval=0`, the monitor's own polling
#[test]
fn a_loop_or_scope_that_waits_uses_no_cpu() {
    #[task_pool(workers = 4, monitor = false)]
    fn quiet(n: usize) {
        if n == 1 {
            assert_idle(used_in_a_second());
        }
    }

    #[task_pool(workers = 4, monitor = "1h")]
    fn watched(n: usize) {
        quiet(n);
    }

    #[task_pool(workers = 1, capacity = 1, monitor = "1h")]
    fn single(n: usize) {
        quiet(n);
    }

    let status = alone("a_loop_or_scope_that_waits_uses_no_cpu", || {
        let log = Log::new();
        log.during(|| {
            // Three workers and the reader wait for a task.
            quiet::scope(|tasks| {
                tasks.map(0..2);
                for done in tasks.as_completed() {
                    done?;
                }
                Ok(())
            })
            .unwrap();
            watched::scope(|tasks| tasks.map(0..2)).unwrap();
            // A submit waits for room.
            single::scope(|tasks| {
                for n in [1, 0, 0, 0] {
                    tasks.submit(n);
                }
            })
            .unwrap();
            // The workers wait for the source.
            let slow = (0..2).inspect(|&n| {
                if n == 1 {
                    assert_idle(used_in_a_second());
                }
            });
            parallel_for!(workers = 4, monitor = false, for _ in slow {});
            // They wait for a body.
            parallel_for!(
                workers = 4,
                monitor = "1h",
                for n in 0..2 {
                    if n == 1 {
                        assert_idle(used_in_a_second());
                    }
                }
            );
        });
    });
    assert!(status.success());
}

/// The threads of this process whose name starts so.
fn threads_of(name: &str) -> usize {
    let threads = process::threads();
    threads
        .iter()
        .filter(|thread| thread.starts_with(name))
        .count()
}

/// F2, more-executors' helper threads
#[test]
fn a_pool_has_no_more_threads_than_it_needs_and_lets_them_go() {
    #[task_pool(workers = 3, name = "tasks")]
    fn count_threads(_n: usize, most: &AtomicUsize) {
        most.fetch_max(threads_of("tasks-"), Ordering::SeqCst);
    }

    let status = alone(
        "a_pool_has_no_more_threads_than_it_needs_and_lets_them_go",
        || {
            let before = process::threads().len();
            let pool = TaskPool::builder()
                .workers(3)
                .name("loops")
                .keep_alive(Duration::from_millis(1))
                .build();
            // One worker, one item or none: the caller alone.
            parallel_for!(pool = &pool, workers = 1, for _ in 0..100 {});
            parallel_for!(pool = &pool, for _ in 0..1 {});
            parallel_for!(pool = &pool, for _ in 0..0 {});
            assert_eq!(process::threads().len(), before);

            let three = Barrier::new(3);
            parallel_for!(
                pool = &pool,
                batch = 1,
                for _ in 0..9 {
                    three.wait();
                    assert_eq!(threads_of("loops-"), 2, "and the caller");
                    three.wait();
                }
            );
            wait_until(|| pool.threads() == 0 && process::threads().len() == before);

            let most = AtomicUsize::new(0);
            count_threads::scope(|tasks| {
                tasks.submit(0, &most);
            })
            .unwrap();
            assert_eq!(most.load(Ordering::SeqCst), 1, "one task needs one thread");
            count_threads::scope(|tasks| tasks.map((0..300).map(|n| (n, &most)))).unwrap();
            assert!(most.load(Ordering::SeqCst) <= 3);
            // Nobody has listened, so nobody watches; and there is one watcher for all who listen.
            assert_eq!(threads_of("futureproof-mon"), 0);
            Log::new().during(|| {
                count_threads::scope(|tasks| tasks.map((0..300).map(|n| (n, &most)))).unwrap();
                parallel_for!(
                    pool = &pool,
                    for _ in 0..300 {
                        assert!(threads_of("futureproof-mon") <= 1);
                    }
                );
            });
            drop(pool);
            // Dropping a pool joins its threads; the system may list them for a moment longer.
            wait_until(|| threads_of("loops-") == 0);
        },
    );
    assert!(status.success());
}

/// F12, F13
#[test]
fn one_ctrl_c_stops_a_loop() {
    let status = alone("one_ctrl_c_stops_a_loop", || {
        let token = StopToken::new();
        let handler = token.clone();
        ctrlc::set_handler(move || handler.stop()).unwrap();
        let late = AtomicUsize::new(0);
        let outcome = parallel_for!(
            workers = 3,
            stop = &token,
            for n in 0_u64.. {
                if n == 10 {
                    process::signal("INT");
                }
                if n >= 10 {
                    late.fetch_add(1, Ordering::SeqCst);
                    work_until_told_to_stop();
                }
            }
        );
        assert_eq!(outcome.unwrap_err().cause(), StopCause::Token);
        assert!(late.into_inner() <= 3, "only bodies that were running");
    });
    assert!(status.success());
}

/// F12, F13
#[test]
fn one_ctrl_c_stops_a_scope_that_is_being_read() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 3, capacity = 500)]
    fn interrupt(n: usize) {
        STARTED.fetch_add(1, Ordering::SeqCst);
        if n == 10 {
            process::signal("INT");
        }
        if n > 10 {
            work_until_told_to_stop();
        }
    }

    let status = alone("one_ctrl_c_stops_a_scope_that_is_being_read", || {
        let token = StopToken::new();
        let handler = token.clone();
        ctrlc::set_handler(move || handler.stop()).unwrap();
        let outcome: Result<(), _> = interrupt::scope(|tasks| {
            for n in 0..500 {
                tasks.submit(n);
            }
            for done in tasks.as_completed() {
                done?;
                if tasks.completed() == 11 {
                    wait_until(|| token.is_stopped());
                    return Err(ScopeFailure::new("interrupted"));
                }
            }
            Ok(())
        });
        assert!(
            matches!(&outcome, Err(ScopeError::Body(error)) if error.to_string() == "interrupted")
        );
        let started = STARTED.load(Ordering::SeqCst);
        assert!(started <= 11 + 3, "{started} of 500 tasks started");
    });
    assert!(status.success());
}

/// F14
#[test]
fn sigterm_is_left_to_the_program() {
    let status = alone("sigterm_is_left_to_the_program", || {
        parallel_for!(
            workers = 2,
            for n in 0_u64.. {
                if n == 10 {
                    process::signal("TERM");
                }
            }
        );
    });
    assert_eq!(status.signal(), Some(15), "{status}");
}

/// F15
#[test]
fn a_task_that_exits_the_process_ends_it_with_its_status() {
    #[task_pool(workers = 2)]
    fn exit(n: usize) {
        if n == 10 {
            std::process::exit(7);
        }
    }

    let status = alone(
        "a_task_that_exits_the_process_ends_it_with_its_status",
        || {
            exit::scope(|tasks| tasks.map(0..)).unwrap();
        },
    );
    assert_eq!(status.code(), Some(7), "{status}");
}

/// M8
#[test]
fn many_waiting_tasks_cost_no_more_each_than_few() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = usize::MAX)]
    fn gated(gate: usize) {
        GATE.wait_for(gate);
    }

    /// The CPU time of submitting `count` tasks that wait, of cancelling half of them and of reading the rest.
    fn cost(count: usize, gate: usize) -> Duration {
        let before = process::cpu_time();
        let first = gated::submit(gate);
        let handles: Vec<_> = (0..count).map(|_| gated::submit(0)).collect();
        for handle in handles.iter().skip(count / 2).rev() {
            assert!(handle.cancel());
        }
        GATE.add();
        first.join().unwrap();
        assert_eq!(
            handles
                .into_iter()
                .filter_map(|handle| handle.join().ok())
                .count(),
            count / 2
        );
        gated::scope(|tasks| {
            tasks.submit(gate + 1);
            for _ in 0..count {
                tasks.submit(0);
            }
            GATE.add();
            assert_eq!(tasks.in_order().count(), count + 1);
            for _ in 0..count {
                tasks.submit(gate + 2);
            }
            tasks.stop();
            GATE.add();
            assert_eq!(tasks.as_completed().count(), count);
        })
        .unwrap();
        process::cpu_time() - before
    }

    let status = alone("many_waiting_tasks_cost_no_more_each_than_few", || {
        let few = cost(2000, 1).max(Duration::from_millis(20));
        let many = cost(32 * 2000, 4);
        assert!(
            many <= few * 32 * 4,
            "{few:?} for 2000 and {many:?} for 64000"
        );
    });
    assert!(status.success());
}
