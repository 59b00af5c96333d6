//! Nothing polls: while tasks wait for an attempt, a permit or a place, every thread sleeps; and no thread outlives its pool.
#![cfg(target_os = "linux")]

mod kit;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use futureproof_core::__private::{configure, map, scope, submit};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{RateLimit, Retry, TaskPool};
use kit::{bodies, double, half, no_hang, numbers, oops};

const HOUR: Duration = Duration::from_secs(3600);

/// How often each thread of this process has gone to sleep or been sent off its core, by number and name.
fn switches() -> BTreeMap<(u32, String), u64> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/task").unwrap() {
        let path = entry.unwrap().path();
        let Ok(status) = fs::read_to_string(path.join("status")) else {
            continue; // It has ended meanwhile.
        };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        let id = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let count = field("voluntary_ctxt_switches:").parse::<u64>().unwrap();
        threads.insert((id, field("Name:")), count);
    }
    threads
}

/// The threads whose names begin like this.
fn threads(prefix: &str) -> Vec<String> {
    let names = switches().into_keys().map(|(_, name)| name);
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// Checks that in a while no thread of the pool called "idle" wakes up.
fn assert_asleep(what: &str) {
    let own = |threads: BTreeMap<(u32, String), u64>| -> BTreeMap<_, _> {
        let own = threads.into_iter();
        own.filter(|((_, name), _)| name.starts_with("idle"))
            .collect()
    };
    // Threads that have just worked stay awake for a moment.
    let mut before = own(switches());
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = own(switches());
        if now == before {
            break;
        }
        before = now;
    }
    // Whoever polls would do it far more often than this.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(own(switches()), before, "{what}");
}

fn pool(workers: usize) -> TaskPool {
    TaskPool::builder()
        .workers(workers)
        .name("idle")
        .keep_alive(HOUR)
        .build()
}

#[test]
fn every_thread_sleeps_while_tasks_wait_and_none_outlives_the_pool() {
    for workers in [1, 3] {
        no_hang(|| {
            let idle = pool(workers);
            let endless = Retry::attempts(2).backoff(HOUR).max_backoff(HOUR);
            configure(&idle, numbers(Ignore, half))
                .capacity(9)
                .retry(endless)
                .scope(|tasks| {
                    tasks.map([1, 3, 5]);
                    while tasks.waiting() < 3 {
                        std::thread::yield_now();
                    }
                    assert_asleep("tasks wait for their next attempts");
                    tasks.stop();
                })
                .unwrap();
            let rarely = RateLimit::new(1, HOUR);
            configure(&idle, numbers(Ignore, double))
                .rate_limit(rarely)
                .scope(|tasks| {
                    tasks.submit(1);
                    tasks.submit(2);
                    tasks.as_completed().next().unwrap().unwrap();
                    assert_asleep("a task waits for a permit");
                    tasks.stop();
                })
                .unwrap();
            configure(&idle, bodies::<()>(Ignore))
                .timeout(HOUR)
                .deadline(HOUR)
                .scope(|tasks| {
                    let (gate, opened) = std::sync::mpsc::channel::<()>();
                    tasks.submit(Box::new(move || {
                        opened.recv().unwrap_err();
                        Ok(())
                    }));
                    while tasks.running() == 0 {
                        std::thread::yield_now();
                    }
                    assert_asleep("a task with a time limit waits for something of its own");
                    drop(gate);
                })
                .unwrap();
            idle.set_task_limit(0);
            scope(&idle, numbers(Ignore, double), |tasks| {
                tasks.submit(1);
                assert_asleep("the pool is paused");
                idle.set_task_limit(None);
            })
            .unwrap();
            let mut results = map(&idle, numbers(Ignore, double), 0..);
            results.next().unwrap().unwrap();
            assert_asleep("nobody reads the results");
            drop(results);
            let handle = configure(&idle, bodies::<()>(Ignore));
            let handle = handle.timeout(HOUR).submit(Box::new(|| oops("at once")));
            handle.join().unwrap_err();
            submit(&idle, numbers(Ignore, double), (1,)).join().unwrap();
            assert_asleep("there is nothing to do");
            assert!(!threads("idle").is_empty());
            drop(idle);
            assert_eq!(threads("idle"), [""; 0], "no thread outlives its pool");
        });
    }
}
