//! The threads that tasks run on: Pebble 15 to 19, and 43.

use std::cell::Cell;
use std::collections::HashMap;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use futureproof::{TaskErrorKind, TaskPool, parallel_for, task_pool};

use crate::python_kit::{guarded, of_task};

/// Pebble 15
#[test]
fn two_workers_run_two_tasks_at_once() {
    #[task_pool(workers = 2)]
    fn meet(two: &Barrier) -> ThreadId {
        two.wait();
        thread::current().id()
    }

    guarded(|| {
        let two = Barrier::new(2);
        meet::scope(|tasks| {
            tasks.map([&two, &two]);
            let threads: Vec<_> = tasks
                .as_completed()
                .map(|done| done.unwrap().result)
                .collect();
            assert_ne!(threads[0], threads[1]);
        })
        .unwrap();
    });
}

/// Pebble 16
#[test]
fn a_thread_that_has_run_its_number_of_tasks_is_replaced() {
    #[task_pool(workers = 1, max_tasks_per_thread = 2)]
    fn this_thread() -> ThreadId {
        thread::current().id()
    }

    fn assert_two_each(threads: impl Iterator<Item = ThreadId>, count: usize) {
        let mut tasks_of = HashMap::new();
        for thread in threads {
            *tasks_of.entry(thread).or_insert(0) += 1;
        }
        assert_eq!(tasks_of.into_values().collect::<Vec<_>>(), vec![2; count]);
    }

    guarded(|| {
        let threads: Vec<_> = (0..4)
            .map(|_| this_thread::submit().join().unwrap())
            .collect();
        assert_two_each(threads.into_iter(), 2);
        this_thread::scope(|tasks| {
            for _ in 0..6 {
                tasks.submit();
            }
            assert_two_each(tasks.as_completed().map(|done| done.unwrap().result), 3);
        })
        .unwrap();
    });
}

/// Pebble 17
#[test]
fn what_the_start_hook_has_set_is_there_for_every_task_on_every_thread() {
    thread_local!(static CONNECTION: Cell<usize> = const { Cell::new(0) });
    static OPENED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(
        workers = 2,
        max_tasks_per_thread = 3,
        on_thread_start = || CONNECTION.set(1 + OPENED.fetch_add(1, Ordering::SeqCst))
    )]
    fn connection() -> usize {
        CONNECTION.get()
    }

    guarded(|| {
        let mut tasks_of = HashMap::new();
        connection::scope(|tasks| {
            tasks.map((0..30).map(|_| ()));
            for done in tasks.as_completed() {
                *tasks_of.entry(done?.result).or_insert(0) += 1;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(tasks_of.get(&0), None, "a task without a connection");
        assert!(tasks_of.values().all(|&tasks| tasks <= 3), "{tasks_of:?}");
        assert_eq!(tasks_of.values().sum::<usize>(), 30);
    });
}

/// Pebble 18
#[test]
fn a_start_hook_that_fails_breaks_the_pool_and_every_task_says_why() {
    #[task_pool(workers = 2, capacity = 8, on_thread_start = || Err::<(), _>("no licence"))]
    fn licensed(n: usize) -> usize {
        n
    }

    guarded(|| {
        let handles = [1, 2, 3].map(licensed::submit);
        let later = licensed::submit(4);
        for handle in handles.into_iter().chain([later]) {
            let error = handle.join().unwrap_err();
            assert_eq!(error.attempts(), 0, "it never started");
            match error.kind() {
                TaskErrorKind::PoolBroken(why) => assert!(why.contains("no licence"), "{why}"),
                other => panic!("{other:?}"),
            }
            assert!(error.to_string().contains("no licence"), "{error}");
        }
        let error = of_task(licensed::scope(|tasks| {
            tasks.submit(5);
        }));
        assert!(
            matches!(error.kind(), TaskErrorKind::PoolBroken(_)),
            "{error}"
        );
    });
}

/// Pebble 19
#[test]
fn a_task_may_start_processes_threads_loops_pools_and_tasks() {
    #[task_pool(workers = 1)]
    fn double(n: usize) -> usize {
        2 * n
    }

    #[task_pool(workers = 1)]
    fn everything(depth: usize) -> usize {
        let child = Command::new(std::env::current_exe().unwrap())
            .arg("--help")
            .output();
        assert!(child.unwrap().status.success());
        assert_eq!(thread::spawn(|| 5).join().unwrap(), 5);

        let pool = TaskPool::builder().workers(2).name("nested").build();
        let mut sum = double::submit(1).join().unwrap();
        parallel_for!(
            pool = &pool,
            reduce(sum),
            for n in 0..100 {
                sum += double::submit(n).join().unwrap();
            }
        );
        // On the pool whose only worker this is.
        if depth > 0 {
            sum += everything::submit(depth - 1).join().unwrap();
        }
        sum
    }

    guarded(|| assert_eq!(everything::submit(1).join().unwrap(), 2 * 9902));
}

/// Pebble 43
#[test]
fn no_thread_outlives_its_pool() {
    guarded(|| {
        let (started, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
        let pool = TaskPool::builder()
            .workers(3)
            .on_thread_start({
                let started = started.clone();
                move || {
                    started.fetch_add(1, Ordering::SeqCst);
                }
            })
            .on_thread_stop({
                let stopped = stopped.clone();
                move || *stopped.lock().unwrap() += 1
            })
            .build();
        let three = Barrier::new(3);
        parallel_for!(
            pool = &pool,
            batch = 1,
            for _ in 0..3 {
                three.wait();
            }
        );
        assert_eq!(started.load(Ordering::SeqCst), 2, "and the caller");
        drop(pool);
        assert_eq!(*stopped.lock().unwrap(), 2);
    });
}
