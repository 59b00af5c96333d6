//! The life of a pool's submitted tasks: `try_submit`, close, stop, drain, broken and recycled threads, and what is left behind.

mod kit;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use futureproof_core::__private::{configure, map, scope, submit, try_submit};
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::TrySubmitError::{Closed, Full};
use futureproof_core::Until::{All, First};
use futureproof_core::{
    ErrorPolicy, Retry, TaskErrorKind, TaskHandle, TaskPool, TrySubmitError, is_stopping, wait,
    wait_timeout,
};
use kit::{
    Bodies, Body, Counter, Door, Log, Oops, WORKERS, bodies, double, for_workers, half, no_hang,
    numbers, oops, pool, threadless_pool,
};

type Handle<T> = TaskHandle<T, Oops, ()>;

const MS: Duration = Duration::from_millis(1);

fn roomy<T>(policy: ErrorPolicy) -> Bodies<'static, T> {
    let mut call = bodies(policy);
    call.capacity = Some(1000);
    call
}

fn body<T: Send + 'static>(
    pool: &TaskPool,
    body: impl FnOnce() -> Result<T, Oops> + Send + 'static,
) -> Handle<T> {
    let body: Body<'static, T> = Box::new(body);
    submit(pool, roomy(Ignore), (body,))
}

/// Occupies all workers until the door is opened.
fn occupy(pool: &TaskPool, workers: usize) -> (Vec<Handle<bool>>, Door) {
    let (door, started) = (Door::new(), Counter::new());
    let busy = (0..workers)
        .map(|_| {
            let (door, started) = (door.clone(), started.clone());
            body(pool, move || {
                started.add();
                door.wait();
                Ok(is_stopping())
            })
        })
        .collect();
    started.wait_for(workers);
    (busy, door)
}

fn try_number(pool: &TaskPool, capacity: usize, n: u64) -> Result<u64, TrySubmitError<(u64,)>> {
    let mut call = numbers(Raise, double);
    call.capacity = Some(capacity);
    try_submit(pool, call, (n,)).map(|handle| handle.join().unwrap())
}

/// Submits until it is accepted: a task that was joined may take its place for another moment.
fn accepted(pool: &TaskPool, capacity: usize, n: u64) -> u64 {
    loop {
        match try_number(pool, capacity, n) {
            Ok(result) => return result,
            Err(refused) => assert!(refused.is_full()),
        }
    }
}

#[test]
fn try_submit_gives_the_arguments_back_where_submit_would_wait() {
    for_workers(|pool, workers| {
        assert_eq!(try_number(pool, 0, 4), Ok(8));
        let (busy, door) = occupy(pool, workers);
        assert_eq!(try_number(pool, 0, 4), Err(Full((4,))));
        let queued = body(pool, || Ok(()));
        assert_eq!(try_number(pool, 1, 5), Err(Full((5,))));
        assert!(queued.cancel());
        door.open();
        wait(&busy, All);
        assert_eq!(accepted(pool, 0, 4), 8);
    });
}

#[test]
fn on_a_thread_of_the_pool_try_submit_is_not_limited() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let outer = body(pool, move || {
                Ok((0..50)
                    .map(|n| try_number(pool, 0, n))
                    .sum::<Result<u64, _>>())
            });
            assert_eq!(outer.join().unwrap(), Ok(2450));
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_try_submit_runs_the_task_itself() {
    no_hang(|| assert_eq!(try_number(&threadless_pool(2), 0, 4), Ok(8)));
}

#[test]
fn a_closed_pool_finishes_what_it_has_accepted_and_accepts_no_more() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        assert!(!pool.is_closed());
        let (busy, door) = occupy(&pool, workers);
        let queued: Vec<_> = (0..20).map(|n| body(&pool, move || Ok(n))).collect();
        pool.close();
        pool.close();
        assert!(pool.is_closed());
        assert_eq!(try_number(&pool, 100, 4), Err(Closed((4,))));
        let late = body::<()>(&pool, || panic!("accepted after the close"));
        assert!(late.is_finished());
        assert!(late.join().unwrap_err().is_cancelled());
        door.open();
        for (n, handle) in queued.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        for handle in busy {
            assert!(!handle.join().unwrap(), "nobody is told to stop");
        }
    });
}

#[test]
fn a_submit_that_waits_for_room_ends_when_the_pool_is_closed() {
    for_workers(|_, workers| {
        for stop in [false, true] {
            let pool = pool(workers);
            let (busy, door) = occupy(&pool, workers);
            let mut call = bodies::<()>(Raise);
            call.capacity = Some(0);
            let begun = Counter::new();
            std::thread::scope(|threads| {
                let blocked = threads.spawn(|| {
                    let never: Body<'static, ()> = Box::new(|| panic!("accepted after the close"));
                    begun.add();
                    submit(&pool, call, (never,)).join()
                });
                begun.wait_for(1);
                // It most likely waits then; if it does not yet, it will not at all.
                for _ in 0..1000 {
                    std::thread::yield_now();
                }
                if stop {
                    pool.stop();
                } else {
                    pool.close();
                }
                assert!(blocked.join().unwrap().unwrap_err().is_cancelled());
            });
            door.open();
            drop(busy);
        }
    });
}

#[test]
fn a_stopped_pool_cancels_what_is_queued_and_tells_what_runs() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let (busy, door) = occupy(&pool, workers);
        let queued: Vec<_> = (0..20)
            .map(|_| body::<()>(&pool, || panic!("a cancelled task runs")))
            .collect();
        pool.stop();
        assert!(pool.is_closed());
        assert!(
            queued.iter().all(TaskHandle::is_finished),
            "before stop returns"
        );
        assert!(busy.iter().all(|handle| !handle.is_finished()));
        for handle in queued {
            assert!(handle.join().unwrap_err().is_cancelled());
        }
        assert_eq!(try_number(&pool, 100, 4), Err(Closed((4,))));
        door.open();
        for handle in busy {
            assert!(handle.join().unwrap(), "it is told");
        }
    });
}

#[test]
fn scopes_and_iterators_are_not_touched_by_close_and_stop() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        pool.close();
        pool.stop();
        scope(&pool, numbers(Raise, half), |tasks| {
            tasks.map([2, 4]);
            assert_eq!(tasks.run().unwrap().completed(), 2);
            tasks.submit(6);
            assert!(!tasks.is_stopped());
        })
        .unwrap();
        let results: Vec<_> = map(&pool, numbers(Raise, double), 0..10)
            .map(|task| task.unwrap().result)
            .collect();
        assert_eq!(results.len(), 10);
    });
}

#[test]
fn a_pool_that_is_gone_is_closed() {
    for workers in WORKERS {
        no_hang(|| {
            for used in [false, true] {
                let pool = pool(workers);
                if used {
                    assert_eq!(accepted(&pool, 0, 1), 2);
                }
                let number = || configure(&pool, numbers(Raise, double));
                let (first, second) = (number(), number());
                drop(pool);
                assert_eq!(first.try_submit(4).map(drop), Err(Closed((4,))));
                assert!(second.submit(4).join().unwrap_err().is_cancelled());
            }
        });
    }
}

#[test]
fn drain_waits_for_all_and_then_nothing_is_left() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let handles: Vec<_> = (0..100).map(|n| body(&pool, move || Ok(n))).collect();
        pool.drain(Duration::MAX).unwrap();
        assert!(handles.iter().all(TaskHandle::is_finished));
        assert!(pool.is_closed());
        pool.drain(Duration::ZERO).unwrap();
        assert_eq!(try_number(&pool, 100, 4), Err(Closed((4,))));
    });
    no_hang(|| pool(2).drain(Duration::ZERO).unwrap());
}

#[test]
fn a_drain_whose_time_is_over_says_what_is_left_and_leaves_it_alone() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let (busy, door) = occupy(&pool, workers);
        let queued: Vec<_> = (0..5).map(|n| body(&pool, move || Ok(n))).collect();
        let left = pool.drain(MS).unwrap_err();
        assert_eq!((left.waiting, left.running), (5, workers));
        assert_eq!(
            left.to_string(),
            format!("the pool was not drained in time: {workers} running, 5 waiting")
        );
        door.open();
        pool.drain(Duration::MAX).unwrap();
        for (n, handle) in queued.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        for handle in busy {
            assert!(!handle.join().unwrap(), "nobody was told to stop");
        }
    });
}

#[test]
fn several_drains_end_together_and_a_stop_ends_them() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let (busy, door) = occupy(&pool, workers);
        for _ in 0..5 {
            drop(body(&pool, || Ok(())));
        }
        std::thread::scope(|threads| {
            let drains = [(); 3].map(|()| threads.spawn(|| pool.drain(Duration::MAX)));
            while !pool.is_closed() {
                std::thread::yield_now();
            }
            pool.stop();
            door.open();
            for drain in drains {
                drain.join().unwrap().unwrap();
            }
        });
        drop(busy);
    });
}

#[test]
fn a_task_that_drains_its_pool_runs_what_is_queued_and_does_not_wait_for_itself() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let ran = Counter::new();
            let count = ran.clone();
            let outer = body(pool, move || {
                for _ in 0..20 {
                    let count = count.clone();
                    drop(body(pool, move || Ok(count.add())));
                }
                // One of them drains, too, on this thread or on another one.
                drop(body(pool, move || {
                    pool.drain(Duration::MAX).unwrap();
                    Ok(())
                }));
                pool.drain(Duration::MAX).unwrap();
                Ok(count.get())
            });
            assert_eq!(outer.join().unwrap(), 20);
            pool.drain(Duration::MAX).unwrap();
        });
    }
}

#[test]
fn tasks_that_drain_their_pool_do_not_wait_for_each_other() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let started = Counter::new();
            let handles: Vec<_> = (0..workers)
                .map(|_| {
                    let started = started.clone();
                    body(pool, move || {
                        started.add();
                        started.wait_for(pool.workers());
                        pool.drain(Duration::MAX)
                            .map_err(|left| Oops(left.to_string()))
                    })
                })
                .collect();
            for handle in handles {
                handle.join().unwrap();
            }
        });
    }
}

#[test]
fn a_drain_does_not_wait_for_the_tasks_around_it_on_other_threads() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let elsewhere: &'static TaskPool = Box::leak(Box::new(kit::pool(2)));
            let ran = Counter::new();
            let count = ran.clone();
            let outer = body(pool, move || {
                drop(body(pool, move || Ok(count.add())));
                let drained = scope(elsewhere, bodies(Raise), |tasks| {
                    tasks.submit(Box::new(move || {
                        let drains = move || Ok(pool.drain(Duration::MAX).is_ok());
                        body(elsewhere, drains)
                            .join()
                            .map_err(|error| Oops(error.to_string()))
                    }));
                    let task = tasks.as_completed().next().unwrap()?;
                    Ok(task.result)
                });
                drained.map_err(|error| Oops(error.to_string()))
            });
            assert!(outer.join().unwrap());
            assert_eq!(ran.get(), 1);
        });
    }
}

#[test]
fn a_task_that_drains_its_pool_runs_attempts_that_become_due() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let outer = body(pool, move || {
                let failing = configure(pool, numbers(Ignore, half))
                    .retry(Retry::attempts(4).backoff(MS))
                    .submit(3);
                pool.drain(Duration::MAX).unwrap();
                assert!(failing.is_finished());
                assert_eq!(failing.join().unwrap_err().attempts(), 4);
                Ok(())
            });
            outer.join().unwrap();
        });
    }
}

#[test]
fn a_pool_whose_threads_cannot_be_initialised_ends_every_task_with_the_reason() {
    for workers in WORKERS {
        no_hang(|| {
            for (policy, panics) in [(Raise, false), (LogPolicy, true)] {
                let log = Log::new();
                log.during(|| {
                    let pool = TaskPool::builder().workers(workers);
                    let pool = pool.on_thread_start(move || {
                        assert!(!panics, "no database");
                        oops::<()>("no database")
                    });
                    let pool = pool.build();
                    for _ in 0..20 {
                        let never: Body<'static, ()> = Box::new(|| panic!("a broken pool runs"));
                        let handle = submit(&pool, roomy(policy), (never,));
                        let error = handle.join().unwrap_err();
                        assert_eq!(error.attempts(), 0);
                        assert!(!error.is_cancelled());
                        assert!(error.to_string().contains("no database"), "{error}");
                        assert!(matches!(error.into_kind(), TaskErrorKind::PoolBroken(_)));
                    }
                    let never: Body<'static, ()> = Box::new(|| panic!("a broken pool runs"));
                    let handle = try_submit(&pool, bodies(policy), (never,)).unwrap();
                    assert!(handle.is_finished());
                    drop(handle);
                    pool.drain(Duration::MAX).unwrap();
                });
                // The pool has told of itself once, on its own thread.
                assert_eq!(log.errors(), [""; 0]);
            }
        });
    }
}

#[test]
fn a_pool_that_breaks_later_finishes_what_runs_and_ends_what_is_queued() {
    no_hang(|| {
        let threads = AtomicUsize::new(0);
        let pool = TaskPool::builder().workers(2).on_thread_start(move || {
            match threads.fetch_add(1, Ordering::SeqCst) {
                0 => Ok(()),
                n => Err(format!("no thread {n}")),
            }
        });
        let pool = pool.build();
        let (busy, door) = occupy(&pool, 1);
        // For this one a second thread is started.
        let queued = body::<()>(&pool, || panic!("a broken pool starts a task"));
        let error = queued.join().unwrap_err();
        assert!(matches!(error.into_kind(), TaskErrorKind::PoolBroken(_)));
        door.open();
        for handle in busy {
            assert!(!handle.join().unwrap());
        }
    });
}

#[test]
fn a_thread_is_replaced_after_so_many_tasks() {
    for workers in WORKERS {
        no_hang(|| {
            for most in [1, 3] {
                let pool = TaskPool::builder().workers(workers);
                let pool = pool.max_tasks_per_thread(most).build();
                let ran = Arc::new(Mutex::new(HashMap::<ThreadId, usize>::new()));
                let handles: Vec<_> = (0..30)
                    .map(|n| {
                        let ran = ran.clone();
                        body(&pool, move || {
                            let me = std::thread::current().id();
                            *ran.lock().unwrap().entry(me).or_default() += 1;
                            if n % 5 == 0 { oops("no") } else { Ok(()) }
                        })
                    })
                    .collect();
                assert_eq!(wait(&handles, All).finished.len(), 30);
                let ran = ran.lock().unwrap();
                assert_eq!(ran.values().sum::<usize>(), 30);
                assert!(ran.values().all(|tasks| *tasks <= most), "{ran:?}");
            }
        });
    }
}

#[test]
fn a_task_limit_holds_for_submitted_tasks_and_may_change() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        pool.set_task_limit(0);
        let (running, most, ran) = (Counter::new(), Counter::new(), Counter::new());
        let handles: Vec<_> = (0..60)
            .map(|_| {
                let (running, most, ran) = (running.clone(), most.clone(), ran.clone());
                body(&pool, move || {
                    if running.add() > most.get() {
                        most.add();
                    }
                    std::thread::yield_now();
                    running.subtract();
                    ran.add();
                    Ok(())
                })
            })
            .collect();
        assert_eq!(wait_timeout(&handles, First, 5 * MS).finished, [0; 0]);
        assert_eq!(ran.get(), 0, "the pool is paused");
        pool.set_task_limit(1);
        ran.wait_for(20);
        assert_eq!(most.get(), 1);
        pool.set_task_limit(None);
        wait(&handles, All);
        assert_eq!(ran.get(), 60);
    });
}

/// Is there a thread of this process whose name begins so?
#[cfg(target_os = "linux")]
fn is_there(prefix: &str) -> bool {
    // The list of threads may leave some out while others end.
    (0..3).any(|_| {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.into_iter().any(|name| name.starts_with(prefix))
    })
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_is_left_after_the_pools_drop_whatever_was_going_on() {
    no_hang(|| {
        for round in 0..20 {
            // The system cuts longer names.
            let name = format!("left{round}x");
            let pool = TaskPool::builder().workers(3).name(name.clone()).build();
            let started = Counter::new();
            let count = started.clone();
            let runs = body(&pool, move || {
                count.add();
                while !is_stopping() {
                    std::thread::yield_now();
                }
                Ok(())
            });
            let waits = configure(&pool, numbers(Ignore, half))
                .retry(Retry::attempts(9).backoff(Duration::from_secs(3600)))
                .timeout(Duration::from_secs(3600))
                .submit(3);
            let late = configure(&pool, roomy::<()>(Ignore)).timeout(MS);
            let late = late.submit(Box::new(|| {
                while !is_stopping() {
                    std::thread::yield_now();
                }
                Ok(())
            }));
            started.wait_for(1);
            while !is_there(&name) {
                std::thread::yield_now();
            }
            if round % 2 == 0 {
                wait(&[&late], All);
            }
            drop(pool);
            // The system takes a moment to forget a thread that was joined.
            while is_there(&name) {
                std::thread::yield_now();
            }
            runs.join().unwrap();
            assert!(waits.join().is_err());
            assert!(late.is_finished());
        }
    });
}
