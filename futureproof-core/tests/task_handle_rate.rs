//! Submitted tasks of a function with a rate limit: they start no faster, and who waits is in nobody's way.

mod kit;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futureproof_core::__private::{
    Call, DescribeType, TaskOptions, VtableError as _, configure, scope, submit, try_submit,
};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::TrySubmitError::Full;
use futureproof_core::Until::{All, First};
use futureproof_core::{RateLimit, Retry, TaskHandle, TaskPool, is_stopping, wait};
use kit::{
    Body, Counter, Door, Oops, WORKERS, bodies, for_workers, no_hang, oops, pool, threadless_pool,
};

type Limited<T> = Call<(Body<'static, T>,), (), T, Oops>;

const MS: Duration = Duration::from_millis(1);

/// A function that runs the closure it is given, at this rate.
fn limited<T>(limit: RateLimit) -> Limited<T> {
    let options = TaskOptions::new("limited").capacity(1000).rate_limit(limit);
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let run: fn((Body<'static, T>,)) -> Result<T, Oops> = |(body,)| body();
    Call::new(
        Box::leak(Box::new(options.build())),
        run,
        |_| (),
        |()| None,
        error,
    )
}

/// One start now, and the next one when no test looks any more.
fn once<T>() -> Limited<T> {
    limited(RateLimit::new(1, Duration::from_secs(86_400)))
}

fn start<T: Send + 'static>(
    pool: &TaskPool,
    call: &Limited<T>,
    body: impl FnOnce() -> Result<T, Oops> + Send + 'static,
) -> TaskHandle<T, Oops, ()> {
    let body: Body<'static, T> = Box::new(body);
    submit(pool, call.clone(), (body,))
}

/// The starts of tasks; they never come too early, however slow the machine is.
#[derive(Clone)]
struct Starts {
    begun: Instant,
    at: Arc<Mutex<Vec<Duration>>>,
}

impl Starts {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            at: Arc::default(),
        }
    }

    fn note(&self) {
        self.at.lock().unwrap().push(self.begun.elapsed());
    }

    fn check(&self, expected: usize, each: Duration, burst: usize) {
        let mut starts = self.at.lock().unwrap().clone();
        starts.sort_unstable();
        assert_eq!(starts.len(), expected);
        for (n, at) in starts.iter().enumerate() {
            let earliest = each * u32::try_from((n + 1).saturating_sub(burst)).unwrap();
            assert!(*at >= earliest, "start {n} of {starts:?}");
        }
    }
}

#[test]
fn tasks_start_no_faster_than_their_rate() {
    for_workers(|pool, _| {
        for burst in [1, 4] {
            let limit = RateLimit::new(1, 3 * MS).burst(burst);
            let (call, starts) = (limited(limit), Starts::new());
            let handles: Vec<_> = (0..12)
                .map(|n| {
                    let starts = starts.clone();
                    start(pool, &call, move || {
                        starts.note();
                        Ok(n)
                    })
                })
                .collect();
            for (n, handle) in handles.into_iter().enumerate() {
                assert_eq!(handle.join().unwrap(), n);
            }
            starts.check(12, 3 * MS, burst as usize);
        }
    });
}

#[test]
fn a_limit_is_shared_by_the_functions_handles_and_scopes() {
    for_workers(|pool, _| {
        let (call, starts) = (limited(RateLimit::new(1, 2 * MS)), Starts::new());
        let note = || {
            let starts = starts.clone();
            move || {
                starts.note();
                Ok(())
            }
        };
        let handles: Vec<_> = (0..5).map(|_| start(pool, &call, note())).collect();
        scope(pool, call.clone(), |tasks| {
            for _ in 0..5 {
                tasks.submit(Box::new(note()));
            }
        })
        .unwrap();
        assert_eq!(wait(&handles, All).finished.len(), 5);
        starts.check(10, 2 * MS, 1);
    });
}

#[test]
fn every_attempt_counts_as_a_start() {
    type Again = Arc<dyn Fn() -> Result<(), Oops> + Send + Sync>;

    for_workers(|pool, _| {
        let starts = Starts::new();
        let note = starts.clone();
        let body: Again = Arc::new(move || {
            note.note();
            oops("again")
        });
        let error = (&&&&&DescribeType::<Oops>::new()).vtable();
        let run: fn((Again,)) -> Result<(), Oops> = |(body,)| body();
        let call = Call::of("again", run, |_| (), |()| None, error);
        let handle = configure(pool, call)
            .retry(Retry::attempts(5).backoff(MS / 100))
            .rate_limit(RateLimit::new(1, 4 * MS))
            .submit(body);
        assert_eq!(handle.join().unwrap_err().attempts(), 5);
        starts.check(5, 4 * MS, 1);
    });
}

#[test]
fn a_task_that_waits_for_its_turn_takes_no_worker_and_holds_up_no_other_function() {
    for_workers(|pool, workers| {
        let call = once();
        assert_eq!(start(pool, &call, || Ok(1)).join().unwrap(), 1);
        let waiting: Vec<_> = (0..workers + 5)
            .map(|_| start(pool, &call, || panic!("too early")))
            .collect();
        for n in 0..50 {
            let body: Body<'static, u32> = Box::new(move || Ok(n));
            let mut free = bodies(Raise);
            free.capacity = Some(1000);
            assert_eq!(submit(pool, free, (body,)).join().unwrap(), n);
        }
        let mut full = bodies::<u32>(Raise);
        full.capacity = Some(5);
        let body: Body<'static, u32> = Box::new(|| Ok(1));
        let refused = try_submit(pool, full, (body,));
        assert!(matches!(refused, Err(Full(_))), "but it counts as waiting");
        for (n, handle) in waiting.iter().enumerate() {
            assert!(!handle.is_finished());
            match n % 2 {
                0 => assert!(handle.cancel()),
                _ => handle.stop(),
            }
        }
        for handle in waiting {
            assert!(handle.join().unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn a_cancelled_task_gives_its_turn_to_the_next() {
    for_workers(|pool, _| {
        let call = limited(RateLimit::new(1, 2 * MS));
        let handles: Vec<_> = (0..20).map(|n| start(pool, &call, move || Ok(n))).collect();
        let kept: Vec<_> = (handles.into_iter().enumerate())
            .filter(|(n, handle)| n % 4 == 3 || !handle.cancel())
            .collect();
        for (n, handle) in kept {
            assert_eq!(handle.join().unwrap(), n);
        }
        assert!(pool.drain(Duration::MAX).is_ok());
    });
}

#[test]
fn a_turn_is_not_forgotten_with_the_task_that_waited_for_it() {
    for_workers(|pool, _| {
        let call = limited(RateLimit::new(1, 100 * MS));
        start(pool, &call, || Ok(0)).join().unwrap();
        // It is to wait for the next turn, and is cancelled.
        assert!(start(pool, &call, || Ok(1)).cancel());
        // The timer looks at something else meanwhile.
        let brief = configure(pool, bodies::<()>(Ignore)).timeout(MS);
        let brief = brief.submit(Box::new(|| {
            while !is_stopping() {
                std::thread::yield_now();
            }
            Ok(())
        }));
        assert!(brief.join().unwrap_err().is_timed_out());
        assert_eq!(start(pool, &call, || Ok(2)).join().unwrap(), 2);
    });
}

#[test]
fn a_stop_or_the_pools_end_cancels_what_waits_for_its_turn() {
    for workers in WORKERS {
        no_hang(|| {
            for stop in [true, false] {
                let pool = pool(workers);
                let call = once();
                start(&pool, &call, || Ok(1)).join().unwrap();
                let waiting: Vec<_> = (0..20)
                    .map(|_| start(&pool, &call, || panic!("too early")))
                    .collect();
                // A round trip of the workers, after which the tasks are known to wait.
                let body: Body<'static, u32> = Box::new(|| Ok(1));
                let mut free = bodies(Raise);
                free.capacity = Some(1000);
                submit(&pool, free, (body,)).join().unwrap();
                if stop {
                    pool.stop();
                } else {
                    drop(pool);
                }
                for handle in waiting {
                    assert!(handle.join().unwrap_err().is_cancelled());
                }
            }
        });
    }
}

#[test]
fn joined_inside_a_task_it_waits_for_its_turn_there() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let starts = Starts::new();
            let inside = starts.clone();
            let outer: Body<'static, ()> = Box::new(move || {
                let call = limited(RateLimit::new(1, 2 * MS));
                let next = || {
                    let starts = inside.clone();
                    start(pool, &call, move || {
                        starts.note();
                        Ok(1)
                    })
                };
                // Nobody waits for the first two.
                let (_first, _second) = (next(), next());
                assert_eq!(next().join().unwrap(), 1);
                assert_eq!(block_on(next()).unwrap(), 1);
                let handles = [next(), next(), next()];
                assert!(!wait(&handles, First).finished.is_empty());
                assert_eq!(wait(&handles, All).finished.len(), 3);
                Ok(())
            });
            submit(pool, bodies(Raise), (outer,)).join().unwrap();
            pool.drain(Duration::MAX).unwrap();
            starts.check(7, 2 * MS, 1);
        });
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut polling = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut polling) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_submit_waits_for_the_turn_itself() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let (call, starts) = (limited(RateLimit::new(1, 2 * MS)), Starts::new());
        for n in 0..5 {
            let starts = starts.clone();
            let handle = start(&pool, &call, move || {
                starts.note();
                Ok(n)
            });
            assert_eq!(handle.try_join().unwrap().unwrap(), n);
        }
        starts.check(5, 2 * MS, 1);
    });
}

#[test]
fn a_turn_that_comes_while_all_workers_are_busy_is_taken_when_one_is_free() {
    for_workers(|pool, workers| {
        let call = limited(RateLimit::new(1, MS));
        let first = start(pool, &call, || Ok(0));
        let second = start(pool, &call, || Ok(1));
        let (door, started) = (Door::new(), Counter::new());
        let busy: Vec<_> = (0..workers)
            .map(|_| {
                let (door, started) = (door.clone(), started.clone());
                let body: Body<'static, ()> = Box::new(move || {
                    started.add();
                    door.wait();
                    Ok(())
                });
                let mut free = bodies(Ignore);
                free.capacity = Some(1000);
                submit(pool, free, (body,))
            })
            .collect();
        started.wait_for(workers);
        let third = start(pool, &call, || Ok(2));
        let third = third.join_timeout(5 * MS).unwrap_err();
        door.open();
        let results = [first, second, third].map(|handle| handle.join().unwrap());
        assert_eq!(results, [0, 1, 2]);
        assert_eq!(wait(&busy, All).finished.len(), workers);
    });
}
