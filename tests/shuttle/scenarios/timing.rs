//! What waits for the timer.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use futureproof_core::__private::{Call, DescribeType, VtableError as _, configure};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{Configured, RateLimit, Retry, TaskPool};

use crate::kit::{Body, Counter, Oops, oops};
use crate::{MS, lasting, roomy, under_every_schedule};

/// What a task does, each time it is started.
type Again = Arc<dyn Fn() -> Result<u64, Oops> + Send + Sync>;

/// A function that runs the closure it is given, as often as it is started.
fn again(pool: &TaskPool) -> Configured<(Again,), (), u64, Oops> {
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let run: fn((Again,)) -> Result<u64, Oops> = |(body,)| body();
    let mut call = Call::of("again", run, |_| (), |()| None, error);
    call.policy = Ignore;
    configure(pool, call).capacity(100)
}

#[test]
fn tasks_of_a_limited_rate_all_start_and_none_too_early() {
    under_every_schedule("tasks of a limited rate", |random| {
        let pool = lasting(1 + random.below(2)).build();
        let function = configure(&pool, roomy()).rate_limit(RateLimit::new(1, MS));
        let (begun, starts) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let handles: Vec<_> = (0..1 + random.below(4))
            .map(|n| {
                let starts = starts.clone();
                let body: Body<'static, u64> = Box::new(move || {
                    starts.lock().unwrap().push(begun.elapsed());
                    Ok(n)
                });
                function.submit(body)
            })
            .collect();
        for (n, handle) in (0..).zip(handles) {
            assert_eq!(handle.join().unwrap(), n);
        }
        let mut starts = starts.lock().unwrap().clone();
        starts.sort();
        for (n, start) in (0..).zip(starts) {
            assert!(start >= MS * n, "start {n} came after {start:?}");
        }
    });
}

#[test]
fn tasks_are_tried_again_until_they_succeed() {
    under_every_schedule("tasks are tried again", |random| {
        let pool = lasting(1 + random.below(2)).build();
        thread::scope(|scope| {
            for _ in 0..1 + random.below(2) {
                let (pool, succeeds_at) = (&pool, 1 + random.below(3) as usize);
                scope.spawn(move || {
                    let started = Counter::new();
                    let counts = started.clone();
                    let retry = Retry::attempts(3).backoff(MS).jitter(false);
                    let body = move || match counts.add() {
                        n if n < succeeds_at => oops("not yet"),
                        n => Ok(n as u64),
                    };
                    let handle = again(pool).retry(retry).submit(Arc::new(body));
                    assert_eq!(handle.join().unwrap(), succeeds_at as u64);
                    assert_eq!(started.get(), succeeds_at);
                });
            }
        });
    });
}
