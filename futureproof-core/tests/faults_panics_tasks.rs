//! Faults: panics in the `Drop` of whatever a task has or gives, and in all code of the user's that is called around it. Every
//! task ends, everything is dropped exactly once, and the pool goes on.

mod faults_kit;
mod kit;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use faults_kit::things::{Census, Thing, hush, quiet_panic};
use futureproof_core::__private::{
    Call, DescribeType, VtableError as _, as_completed, configure, map, scope, submit,
};
use futureproof_core::ErrorPolicy::{self, Ignore, Log as LogPolicy, Raise};
use futureproof_core::{Retry, TaskError, TaskErrorKind, TaskPool, Until, wait};
use kit::{Log, for_workers, no_hang, pool};

const POLICIES: [ErrorPolicy; 3] = [Raise, LogPolicy, Ignore];

/// A function of things; what it does with one says its number.
type Things = Call<(Thing,), (Thing,), Thing, Thing>;

fn things(policy: ErrorPolicy) -> Things {
    let mut call = Call::of(
        "thing",
        |(thing,): (Thing,)| match thing.number % 5 {
            0 => Err(thing),
            1 => panic_any(thing),
            2 => Ok(thing.clone()),
            _ => Ok(thing),
        },
        |(thing,): &(Thing,)| (thing.clone(),),
        |(thing,)| Some(format!("{thing:?}")),
        (&&&&&DescribeType::<Thing>::new()).vtable(),
    );
    call.policy = policy;
    call
}

/// Drops something that may panic as it is dropped.
fn drop_it<T>(it: T) {
    get_and_drop(|| it);
}

/// The same for what has parts that are dropped as it is got.
fn get_and_drop<T>(get: impl FnOnce() -> T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(get()))).map_err(std::mem::forget);
}

fn some(census: &Census, fuse: u32) -> impl Iterator<Item = Thing> + use<> {
    let census = census.clone();
    (0..30).map(move |number| match number % 3 {
        0 if fuse > 0 => census.grenade(number, fuse),
        _ => census.thing(number),
    })
}

/// The pool runs what comes next.
fn goes_on(pool: &TaskPool) {
    let handles: Vec<_> = (0..8)
        .map(|n| submit(pool, kit::numbers(Raise, kit::double), (n,)))
        .collect();
    let sum: u64 = (handles.into_iter())
        .map(|handle| handle.join().unwrap())
        .sum();
    assert_eq!(sum, 56);
}

#[test]
fn scopes_drop_everything_once_whatever_panics_as_it_is_dropped() {
    hush();
    for_workers(|pool, _| {
        for policy in POLICIES {
            for (fuse, read) in [(0, 0), (0, 7), (0, 99), (1, 0), (1, 7), (1, 99)] {
                let census = Census::new();
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    scope(pool, things(policy), |tasks| {
                        for thing in some(&census, fuse) {
                            tasks.submit(thing);
                        }
                        tasks.map(some(&census, fuse));
                        let mut results = tasks.as_completed();
                        results.by_ref().take(read).for_each(drop_it);
                        drop_it(results);
                        Ok(())
                    })
                }));
                match outcome {
                    Ok(outcome) => {
                        assert!(outcome.is_err() || policy != Raise);
                        drop_it(outcome);
                    }
                    Err(payload) => drop_it(payload),
                }
                // Each grenade's payload is one more thing, which somebody has to forget.
                census.all_are_gone_but(if fuse == 0 { 0 } else { 200 });
                goes_on(pool);
            }
        }
    });
}

#[test]
fn iterators_drop_everything_once_whatever_panics_as_it_is_dropped() {
    hush();
    for_workers(|_, workers| {
        for policy in POLICIES {
            for (fuse, read) in [(0, 0), (0, 7), (0, 99), (1, 0), (1, 7), (1, 99)] {
                let census = Census::new();
                let pool = &mut pool(workers);
                let mut results = map(pool, things(policy), some(&census, fuse));
                results.by_ref().take(read).for_each(drop_it);
                drop_it(results);
                let mut results = as_completed(pool, things(policy), some(&census, fuse));
                results.by_ref().take(read).for_each(drop_it);
                drop_it(results);
                goes_on(pool);
                // Until then one of its threads may still be about to drop the last of it.
                drop_it(std::mem::replace(pool, kit::pool(1)));
                census.all_are_gone_but(if fuse == 0 { 0 } else { 200 });
            }
        }
    });
}

#[test]
fn handles_drop_everything_once_whatever_panics_as_it_is_dropped() {
    hush();
    for_workers(|_, workers| {
        for policy in POLICIES {
            for fuse in [0, 1, 3] {
                let census = Census::new();
                let pool = pool(workers);
                let handles: Vec<_> = some(&census, fuse)
                    .map(|thing| submit(&pool, things(policy), (thing,)))
                    .collect();
                for (n, handle) in handles.into_iter().enumerate() {
                    match n % 6 {
                        0 => get_and_drop(|| handle.join()),
                        1 => get_and_drop(|| handle.join_task()),
                        2 => drop_it(handle),
                        3 => {
                            handle.on_finish(|_| quiet_panic());
                            drop_it(handle);
                        }
                        4 => {
                            handle.cancel();
                            get_and_drop(|| handle.join());
                        }
                        _ => {
                            handle.stop();
                            drop_it(handle);
                        }
                    }
                }
                goes_on(&pool);
                // Some are queued when the pool goes.
                let late: Vec<_> = some(&census, fuse)
                    .map(|thing| configure(&pool, things(policy)).capacity(99).submit(thing))
                    .collect();
                drop_it(pool);
                late.into_iter()
                    .for_each(|handle| get_and_drop(|| handle.join()));
                census.all_are_gone_but(if fuse == 0 { 0 } else { 400 });
            }
        }
    });
}

/// Everything that is asked of it panics, but for its drop.
struct Rude;

impl Clone for Rude {
    fn clone(&self) -> Self {
        quiet_panic()
    }
}

impl fmt::Debug for Rude {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        quiet_panic()
    }
}

impl fmt::Display for Rude {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        quiet_panic()
    }
}

impl std::error::Error for Rude {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        quiet_panic()
    }
}

/// An error whose source panics, of which the rest is in order.
#[derive(Debug)]
struct RudeSource;

impl fmt::Display for RudeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("in order")
    }
}

impl std::error::Error for RudeSource {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        quiet_panic()
    }
}

fn failing<E: std::error::Error + 'static>(
    policy: ErrorPolicy,
    run: fn((u64,)) -> Result<u64, E>,
) -> Call<(u64,), (u64,), u64, E> {
    let mut call = Call::of(
        "failing",
        run,
        |args| *args,
        |_| quiet_panic(),
        (&&&&&DescribeType::<E>::new()).vtable(),
    );
    call.policy = policy;
    call
}

/// All ways to run ten tasks of which each fails; returns how many failures were read.
fn failures<E: std::error::Error + Send + 'static>(
    pool: &TaskPool,
    call: &Call<(u64,), (u64,), u64, E>,
) -> usize {
    let handles: Vec<_> = (0..10).map(|n| submit(pool, call.clone(), (n,))).collect();
    let joined = handles.into_iter().map(futureproof_core::TaskHandle::join);
    let mut count = joined.filter(Result::is_err).count();
    count += map(pool, call.clone(), 0..10)
        .filter(Result::is_err)
        .count();
    let of_scope = scope(pool, call.clone(), |tasks| {
        (0..10).for_each(|n| _ = tasks.submit(n));
        Ok(tasks.in_order().filter(Result::is_err).count())
    });
    count + of_scope.unwrap_or(10)
}

#[test]
fn errors_that_panic_when_they_are_shown_cost_the_line_and_no_task() {
    hush();
    for_workers(|pool, _| {
        for policy in [LogPolicy, Ignore] {
            let log = Log::new();
            log.during(|| {
                assert_eq!(failures(pool, &failing(policy, |_| Err(Rude))), 30);
                assert_eq!(failures(pool, &failing(policy, |_| Err(RudeSource))), 30);
            });
            goes_on(pool);
        }
        // Dropped handles, whose failures are told at the end.
        for policy in POLICIES {
            for n in 0..10 {
                drop(submit(pool, failing(policy, |_| Err(Rude)), (n,)));
                drop(submit(pool, failing(policy, |_| Err(RudeSource)), (n,)));
            }
            goes_on(pool);
        }
    });
}

#[test]
fn predicates_of_retries_that_panic_end_their_task() {
    hush();
    for_workers(|pool, _| {
        let run: fn((u64,)) -> Result<u64, RudeSource> = |_| Err(RudeSource);
        let configured = configure(pool, failing(Ignore, run))
            .retry(Retry::attempts(5).backoff(Duration::ZERO))
            .retry_if(|_| quiet_panic());
        let handles: Vec<_> = (0..10).map(|n| configured.submit(n)).collect();
        for handle in handles {
            let error = handle.join().unwrap_err();
            assert_eq!(error.attempts(), 1, "{:?}", error.kind());
        }
        let failed = configured.scope(|tasks| {
            tasks.map(0..10);
            Ok(tasks.as_completed().filter(Result::is_err).count())
        });
        assert_eq!(failed.unwrap(), 10);
        goes_on(pool);
    });
}

#[test]
fn callbacks_and_wakers_that_panic_keep_no_one_waiting() {
    struct RudeWaker(AtomicUsize);

    impl Wake for RudeWaker {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            quiet_panic();
        }
    }

    hush();
    for_workers(|pool, _| {
        for policy in POLICIES {
            let census = Census::new();
            let rude = Arc::new(RudeWaker(AtomicUsize::new(0)));
            let waker = Waker::from(rude.clone());
            let mut handles: Vec<_> = some(&census, 0)
                .map(|thing| submit(pool, things(policy), (thing,)))
                .collect();
            for handle in &mut handles {
                handle.on_finish(|_| quiet_panic());
                let mut polling = std::task::Context::from_waker(&waker);
                if let std::task::Poll::Ready(end) = std::pin::pin!(&mut *handle).poll(&mut polling)
                {
                    drop_it(end);
                }
            }
            assert_eq!(wait(&handles, Until::All).finished.len(), 30);
            drop_it(handles);
            census.all_are_gone();
            goes_on(pool);
        }
    });
}

#[test]
fn a_pool_whose_hooks_panic_with_grenades_says_so_and_ends() {
    hush();
    for workers in [1, 3] {
        no_hang(|| {
            let census = Census::new();
            for stop_only in [true, false] {
                let (start, stop) = (census.clone(), census.clone());
                let pool = TaskPool::builder()
                    .workers(workers)
                    .on_thread_start(move || {
                        if !stop_only {
                            panic_any(start.grenade(0, 1));
                        }
                    })
                    .on_thread_stop(move || panic_any(stop.grenade(0, 1)))
                    .build();
                let handles: Vec<_> = some(&census, 0)
                    .map(|thing| submit(&pool, things(Ignore), (thing,)))
                    .collect();
                for handle in handles {
                    let end = handle.join();
                    let broken = matches!(
                        end.as_ref().map_err(TaskError::kind),
                        Err(TaskErrorKind::PoolBroken(_))
                    );
                    assert_eq!(broken, !stop_only);
                    drop_it(end);
                }
                drop(pool);
            }
            census.all_are_gone_but(4 * workers);
        });
    }
}
