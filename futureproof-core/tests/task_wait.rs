//! Waiting for several handles: the first, the first failure, or all.

mod kit;

use std::sync::Arc;
use std::time::Duration;

use futureproof_core::__private::submit;
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::Until::{All, First, FirstFailure};
use futureproof_core::{AnyTaskHandle, TaskHandle, TaskPool, Until, Waited, wait, wait_timeout};
use kit::{
    Body, Counter, Door, Oops, Random, WORKERS, bodies, double, for_workers, no_hang, numbers,
    oops, pool, threadless_pool,
};

type Handle<T> = TaskHandle<T, Oops, ()>;

const LONG: Duration = Duration::from_secs(1000);

fn body<T: Send + 'static>(
    pool: &TaskPool,
    body: impl FnOnce() -> Result<T, Oops> + Send + 'static,
) -> Handle<T> {
    let body: Body<'static, T> = Box::new(body);
    let mut call = bodies(Ignore);
    call.capacity = Some(1000);
    submit(pool, call, (body,))
}

/// A task that waits at a door of its own, and then fails or not.
fn behind_a_door(pool: &TaskPool, fails: bool) -> (Handle<()>, Door) {
    let door = Door::new();
    let inside = door.clone();
    let handle = body(pool, move || {
        inside.wait();
        if fails { oops("no") } else { Ok(()) }
    });
    (handle, door)
}

fn positions(waited: &Waited) -> (&[usize], &[usize]) {
    (&waited.finished, &waited.pending)
}

/// As many tasks as three workers can run at once, all behind doors.
fn three(fails: [bool; 3]) -> (TaskPool, [Handle<()>; 3], [Door; 3]) {
    let pool = pool(3);
    let [a, b, c] = fails.map(|fails| behind_a_door(&pool, fails));
    (pool, [a.0, b.0, c.0], [a.1, b.1, c.1])
}

/// Waits on another thread, so that this one can open doors meanwhile.
fn during_wait(handles: &[Handle<()>], until: Until, meanwhile: impl FnOnce()) -> Waited {
    std::thread::scope(|threads| {
        let waiter = threads.spawn(|| wait(handles, until));
        meanwhile();
        waiter.join().unwrap()
    })
}

#[test]
fn the_first_that_ends_is_enough_in_whatever_way_it_ends() {
    no_hang(|| {
        for fails in [false, true] {
            let (_pool, handles, doors) = three([false, fails, false]);
            let waited = during_wait(&handles, First, || doors[1].open());
            assert_eq!(positions(&waited), (&[1][..], &[0, 2][..]));
            doors.iter().for_each(Door::open);
        }
        let (_pool, handles, doors) = three([false; 3]);
        let queued = [body(&_pool, || Ok(())), body(&_pool, || Ok(()))];
        let waited = during_wait(&queued, First, || assert!(queued[1].cancel()));
        assert_eq!(positions(&waited), (&[1][..], &[0][..]));
        doors.iter().for_each(Door::open);
        wait(&handles, All);
    });
}

#[test]
fn the_first_failure_is_enough_and_success_is_not() {
    no_hang(|| {
        let (_pool, handles, doors) = three([false, true, false]);
        doors[0].open();
        let waited = during_wait(&handles, FirstFailure, || {
            wait(&handles[..1], All);
            doors[1].open();
        });
        assert_eq!(positions(&waited), (&[0, 1][..], &[2][..]));
        doors[2].open();

        let pool = pool(2);
        let panics = body::<()>(&pool, || panic!("no"));
        let (runs, door) = behind_a_door(&pool, false);
        let waited = wait([&runs, &panics], FirstFailure);
        assert_eq!(positions(&waited), (&[1][..], &[0][..]));
        door.open();
    });
}

#[test]
fn without_a_failure_all_are_waited_for_and_a_cancelled_task_has_not_failed() {
    no_hang(|| {
        let (pool, handles, doors) = three([false; 3]);
        let queued = body(&pool, || Ok(()));
        assert!(queued.cancel());
        let waited = wait_timeout(
            handles.iter().chain([&queued]),
            FirstFailure,
            Duration::from_millis(1),
        );
        assert_eq!(positions(&waited), (&[3][..], &[0, 1, 2][..]));
        let waited = during_wait(&handles, FirstFailure, || doors.iter().for_each(Door::open));
        assert_eq!(positions(&waited), (&[0, 1, 2][..], &[][..]));
    });
}

#[test]
fn all_are_waited_for_whatever_their_ends() {
    for_workers(|pool, _| {
        let handles: Vec<Handle<u64>> = (0..100)
            .map(|n| {
                body(pool, move || match n % 3 {
                    0 => Ok(n),
                    1 => oops("no"),
                    _ => panic!("never"),
                })
            })
            .collect();
        let waited = wait(&handles, All);
        assert!(waited.finished.iter().copied().eq(0..100));
        assert!(waited.pending.is_empty());
        assert!(handles.iter().all(TaskHandle::is_finished));
    });
}

#[test]
fn nothing_is_to_be_waited_for_without_handles_or_when_it_has_happened() {
    for_workers(|pool, _| {
        for until in [First, FirstFailure, All] {
            let nothing: [&Handle<()>; 0] = [];
            let waited = wait(nothing, until);
            assert_eq!(positions(&waited), (&[][..], &[][..]));
            let failed = body::<()>(pool, || oops("no"));
            wait([&failed], All);
            assert_eq!(wait([&failed, &failed], until).finished, [0, 1]);
        }
    });
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    no_hang(|| {
        let (_pool, handles, doors) = three([false; 3]);
        for until in [First, FirstFailure, All] {
            let waited = wait_timeout(&handles, until, Duration::from_millis(1));
            assert_eq!(positions(&waited), (&[][..], &[0, 1, 2][..]));
        }
        doors[0].open();
        assert_eq!(wait_timeout(&handles, First, LONG).finished, [0]);
        let waited = wait_timeout(&handles, All, Duration::from_millis(1));
        assert_eq!(positions(&waited), (&[0][..], &[1, 2][..]));
        doors.iter().for_each(Door::open);
        assert_eq!(wait_timeout(&handles, All, Duration::MAX).pending, [0; 0]);
    });
}

#[test]
fn handles_of_different_functions_are_waited_for_together() {
    for_workers(|pool, _| {
        let text: Handle<String> = body(pool, || Ok("text".into()));
        let number = submit(pool, numbers(Raise, double), (4,));
        let handles: [&dyn AnyTaskHandle; 2] = [&text, &number];
        assert_eq!(wait(handles, All).finished, [0, 1]);
        assert_eq!(text.join().unwrap(), "text");
        assert_eq!(number.join().unwrap(), 8);
    });
}

#[test]
fn inside_a_task_queued_ones_are_run_in_place_whatever_the_number_of_workers() {
    for workers in WORKERS {
        no_hang(|| {
            for until in [First, FirstFailure, All] {
                for limit in [None, Some(LONG)] {
                    let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
                    let outer = body(pool, move || {
                        let handles: Vec<_> = (0..10_u64)
                            .map(|n| body(pool, move || if n == 4 { oops("no") } else { Ok(n) }))
                            .collect();
                        let waited = match limit {
                            None => wait(&handles, until),
                            Some(limit) => wait_timeout(&handles, until, limit),
                        };
                        let enough = match until {
                            First => !waited.finished.is_empty(),
                            FirstFailure => waited.finished.contains(&4),
                            All => waited.pending.is_empty(),
                        };
                        assert!(enough, "{until:?} {waited:?}");
                        // Nobody else could run them, and no more than needed were run.
                        if pool.workers() == 1 {
                            let expected = match until {
                                First => 1,
                                FirstFailure => 5,
                                All => 10,
                            };
                            assert!(waited.finished.into_iter().eq(0..expected));
                        }
                        Ok(())
                    });
                    outer.join().unwrap();
                }
            }
        });
    }
}

#[test]
fn without_time_nothing_is_run_in_place() {
    no_hang(|| {
        let pool: &'static TaskPool = Box::leak(Box::new(pool(1)));
        let outer = body(pool, move || {
            let inner = body(pool, || Ok(()));
            let waited = wait_timeout([&inner], All, Duration::ZERO);
            assert_eq!(positions(&waited), (&[][..], &[0][..]));
            assert!(inner.cancel());
            Ok(())
        });
        outer.join().unwrap();
    });
}

#[test]
fn callbacks_that_panic_do_not_keep_a_wait_from_ending() {
    for_workers(|pool, _| {
        for until in [First, FirstFailure, All] {
            let handles: Vec<Handle<()>> = (0..20)
                .map(|_| {
                    let handle = body(pool, || oops("no"));
                    handle.on_finish(|_| std::panic::resume_unwind(Box::new("rude")));
                    handle
                })
                .collect();
            assert!(!wait(&handles, until).finished.is_empty());
            assert_eq!(wait(&handles, All).finished.len(), 20);
        }
    });
}

#[test]
fn a_pool_that_is_dropped_ends_a_wait() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let (door, started) = (Door::new(), Counter::new());
            let handles: Vec<_> = (0..workers + 20)
                .map(|_| {
                    let (door, started) = (door.clone(), started.clone());
                    body(&pool, move || {
                        started.add();
                        door.wait();
                        Ok(())
                    })
                })
                .collect();
            started.wait_for(workers);
            std::thread::scope(|threads| {
                let waiter = threads.spawn(|| wait(&handles, All));
                threads.spawn(|| {
                    wait(&handles[workers..], All);
                    door.open();
                });
                drop(pool);
                assert_eq!(waiter.join().unwrap().finished.len(), workers + 20);
            });
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_everything_has_ended_before() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let handles = [1, 2, 3].map(|n| body(&pool, move || Ok(n)));
        assert_eq!(
            wait_timeout(&handles, All, Duration::ZERO).finished,
            [0, 1, 2]
        );
    });
}

#[test]
fn many_threads_wait_for_the_same_handles() {
    for_workers(|pool, _| {
        let mut random = Random::new(7);
        let handles: Arc<Vec<Handle<u64>>> = Arc::new(
            (0..200)
                .map(|n| {
                    let fails = random.one_in(50);
                    body(pool, move || if fails { oops("no") } else { Ok(n) })
                })
                .collect(),
        );
        std::thread::scope(|threads| {
            for until in [First, FirstFailure, All, First, FirstFailure, All] {
                let handles = handles.clone();
                threads.spawn(move || {
                    let waited = wait(handles.iter(), until);
                    assert_eq!(waited.finished.len() + waited.pending.len(), 200);
                    assert!(waited.finished.is_sorted() && waited.pending.is_sorted());
                    assert!(!waited.finished.is_empty());
                });
            }
        });
    });
}
