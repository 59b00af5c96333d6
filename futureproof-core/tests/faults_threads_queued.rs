//! Faults: tasks that were queued while the pool was paused, and no thread that can be started for them when it goes on.
//! Whoever resumes the pool runs them.

mod kit;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use futureproof_core::__private::{scope, submit};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{TaskHandle, TaskPool};
use kit::{Bodies, Oops, bodies, no_hang, threadless_pool};

/// A pool without threads, that is paused; leaked, so that tasks can use it.
fn paused_pool() -> &'static TaskPool {
    let pool: &'static TaskPool = Box::leak(Box::new(threadless_pool(4)));
    pool.set_task_limit(0);
    pool
}

type Handle = TaskHandle<u32, Oops, ()>;

fn queue(pool: &'static TaskPool, body: impl FnOnce() -> u32 + Send + 'static) -> Handle {
    let mut call: Bodies<'static, u32> = bodies(Ignore);
    call.capacity = Some(usize::MAX);
    submit(pool, call, (Box::new(move || Ok(body())),))
}

#[test]
fn tasks_that_submit_take_no_more_stack_for_more_of_them() {
    no_hang(|| {
        let pool = paused_pool();
        let inner = Arc::new(AtomicUsize::new(0));
        let handles: Vec<_> = (0..20_000)
            .map(|n| {
                let inner = inner.clone();
                queue(pool, move || {
                    drop(queue(pool, move || {
                        inner.fetch_add(1, Ordering::Relaxed);
                        0
                    }));
                    n
                })
            })
            .collect();
        pool.set_task_limit(None);
        for (n, handle) in (0..).zip(handles) {
            assert_eq!(handle.join().unwrap(), n);
        }
        // Only a guard: all are there.
        pool.drain(Duration::from_secs(60)).unwrap();
        assert_eq!(inner.load(Ordering::Relaxed), 20_000);
    });
}

#[test]
fn a_task_that_holds_a_lock_and_submits_runs_no_other_task_meanwhile() {
    no_hang(|| {
        let pool = paused_pool();
        let lock = Arc::new(Mutex::new(()));
        let handles: Vec<_> = (0..3)
            .map(|n| {
                let lock = lock.clone();
                queue(pool, move || {
                    let _guard = lock.lock().unwrap();
                    drop(queue(pool, || 0));
                    n
                })
            })
            .collect();
        pool.set_task_limit(None);
        for (n, handle) in (0..).zip(handles) {
            assert_eq!(handle.join().unwrap(), n);
        }
    });
}

#[test]
fn a_pool_that_is_paused_again_starts_no_more_of_them_until_it_goes_on() {
    no_hang(|| {
        let pool = paused_pool();
        let ran = Arc::new(AtomicUsize::new(0));
        let handles: Vec<_> = (0..10)
            .map(|n| {
                let ran = ran.clone();
                queue(pool, move || {
                    ran.fetch_add(1, Ordering::Relaxed);
                    pool.set_task_limit(0);
                    n
                })
            })
            .collect();
        for round in 1..=10 {
            pool.set_task_limit(None);
            assert_eq!(ran.load(Ordering::Relaxed), round);
        }
        for (n, handle) in (0..).zip(handles) {
            assert_eq!(handle.join().unwrap(), n);
        }
    });
}

#[test]
fn a_task_may_wait_for_one_of_a_scope_that_was_queued_behind_it() {
    no_hang(|| {
        let pool = paused_pool();
        let (send, receive) = mpsc::channel();
        let waiting = queue(pool, move || receive.recv().unwrap());
        let (is_queued, queued) = mpsc::channel();
        let scope_thread = std::thread::spawn(move || {
            scope(pool, bodies(Ignore), |tasks| {
                tasks.submit(Box::new(move || {
                    send.send(7).unwrap();
                    Ok(0)
                }));
                is_queued.send(()).unwrap();
                assert_eq!(tasks.as_completed().count(), 1);
            })
            .unwrap();
        });
        queued.recv().unwrap();
        pool.set_task_limit(None);
        assert_eq!(waiting.join().unwrap(), 7);
        scope_thread.join().unwrap();
    });
}
