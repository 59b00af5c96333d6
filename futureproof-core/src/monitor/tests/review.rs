//! What the log says of tasks holds at the moment when it is said, and is said where they were begun.

use std::sync::Arc;

use super::*;
use crate::task::{Retry, configure, scope, submit};

/// A task that fails and waits for its next attempt for longer than any test runs.
fn for_ever() -> Retry {
    let day = Duration::from_secs(86_400);
    Retry::attempts(2).backoff(day).max_backoff(day)
}

/// A task that fails and waits for its next attempt for a moment, again and again.
fn at_once() -> Retry {
    Retry::attempts(u32::MAX).backoff(MS).max_backoff(MS)
}

/// Waits until so many attempts have failed.
fn have_failed(pool: &TaskPool, attempts: u64) {
    while pool.stats().retried() < attempts {
        std::thread::yield_now();
    }
}

#[test]
fn what_has_been_read_to_its_end_is_not_stalled() {
    let said = hear(|_| {
        let pool = pool(2);
        let mut results = map(&pool, numbers(), [0, 2, 4]);
        assert_eq!(results.by_ref().count(), 3);
        pass(7);
        drop(results);
        let mut unknown = map(&pool, numbers(), (0..9).filter(|n| n % 2 == 0));
        assert_eq!(unknown.by_ref().count(), 5);
        pass(7);
        drop(unknown);
        scope(&pool, numbers(), |tasks| {
            tasks.map([0, 2, 4]);
            assert_eq!(tasks.as_completed().count(), 3);
            pass(7);
        })
        .unwrap();
    });
    assert!(warnings(&said).is_empty(), "{said:#?}");
}

#[test]
fn a_scope_is_stalled_again_once_it_has_something_to_do() {
    let said = hear(|_| {
        let pool = pool(1);
        scope(&pool, bodies(), |tasks| {
            tasks.submit(Box::new(|| Ok(0)));
            assert!(tasks.as_completed().next().is_some());
            pass(7);
            let (gate, body) = Gate::new();
            tasks.submit(body);
            gate.is_reached();
            pass(4);
            gate.open();
        })
        .unwrap();
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1, "{said:#?}");
    assert!(
        warnings[0].has("waits_for=workers stalled_s=6.0 index=1"),
        "{}",
        warnings[0]
    );
}

#[test]
fn a_task_whose_next_attempt_is_due_waits_for_its_pool() {
    /// Passes time until it is said that the pool is what is waited for: when the attempt is due, nobody is told.
    fn until_it_is_said(ear: &Ear) {
        while !(ear.monitor().iter()).any(|said| said.has("waits_for=pool")) {
            pass(1);
        }
    }

    let of_a_scope = hear(|ear| {
        let pool = pool(1);
        let tasks = configure(&pool, numbers()).retry(at_once());
        tasks
            .scope(|tasks| {
                tasks.submit(1);
                have_failed(&pool, 1);
                pool.set_task_limit(0);
                until_it_is_said(ear);
                tasks.stop();
            })
            .unwrap_err();
    });
    let submitted = hear(|ear| {
        let pool = pool(1);
        let task = configure(&pool, numbers()).retry(at_once()).submit(1);
        have_failed(&pool, 1);
        pool.set_task_limit(0);
        until_it_is_said(ear);
        task.cancel();
    });
    for said in [of_a_scope, submitted] {
        let warning = *warnings(&said).last().unwrap();
        assert!(warning.has("in_flight=0 waiting=1"), "{warning}");
    }
}

#[test]
fn a_task_that_waits_for_its_next_attempt_waits_while_others_run_too() {
    type Again = Arc<dyn Fn() -> Result<u64, String> + Send + Sync>;

    let said = hear(|_| {
        let pool = pool(1);
        let error = (&&&DescribeType::<String>::new()).vtable();
        let run = |(body,): (Again,)| body();
        let call = Call::of("again", run, |_| (), |()| None, error);
        let (gate, body) = Gate::new();
        let body = Mutex::new(Some(body));
        (configure(&pool, call).retry(for_ever()))
            .scope(|tasks| {
                tasks.submit(Arc::new(|| Err("no".into())) as Again);
                have_failed(&pool, 1);
                tasks.submit(Arc::new(move || body.lock().unwrap().take().unwrap()()) as Again);
                gate.is_reached();
                pass(1);
                gate.open();
                assert!(tasks.as_completed().next().is_some());
                has_left(&pool);
                pass(1);
                tasks.stop();
            })
            .unwrap_err();
    });
    let (while_it_runs, after) = (&said[2], &said[3]);
    assert!(while_it_runs.has("in_flight=1 waiting=1"), "{said:#?}");
    assert!(after.has("in_flight=0 waiting=1"), "{said:#?}");
}

#[test]
fn the_end_of_a_stream_is_told_in_the_span_and_to_the_subscriber_of_its_beginning() {
    let ear = Ear::new();
    alone(|| {
        ear::keep_call_sites_awake();
        let pool = pool(2);
        let begin = || {
            let outer = tracing::info_span!(target: "test", "outer");
            outer.in_scope(|| map(&pool, numbers(), [0, 2]))
        };
        // Read in no span, where nobody listens, and on another thread.
        let results = [(); 3].map(|()| ear.during(begin));
        let [here, there, dropped] = results;
        assert_eq!(here.count(), 2);
        std::thread::scope(|threads| {
            threads.spawn(|| assert_eq!(there.count(), 2));
        });
        drop(dropped);
        // In another span of the same subscriber.
        let last = ear.during(begin);
        ear.during(|| {
            let other = tracing::info_span!(target: "test", "other");
            other.in_scope(|| assert_eq!(last.count(), 2));
        });
    });
    let outer: Vec<_> = (ear.spans_of("outer").iter())
        .map(|(at, _)| Some(*at))
        .collect();
    let mut ends = ear.monitor();
    ends.retain(|said| said.get("ended").is_some());
    let inside: Vec<_> = (ends.iter())
        .map(|said| said.inside.last().copied())
        .collect();
    assert_eq!(inside, outer, "{ends:#?}");
}

#[test]
fn a_stall_in_a_batch_of_cheap_items_says_how_many_it_may_be() {
    let said = hear(|_| {
        let options = ParallelFor::new().workers(1).batch(100).name("batched");
        options.for_each(0..1000, |n| {
            if n == 777 {
                pass(4);
            }
        });
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1, "{said:#?}");
    let first: u64 = warnings[0].get("index").unwrap().parse().unwrap();
    assert!((first..first + 100).contains(&777), "{}", warnings[0]);
    let text = format!("item {first} or one of the next 99 has been running");
    assert!(warnings[0].message.contains(&text), "{}", warnings[0]);
}

#[test]
fn tasks_are_called_tasks() {
    let said = hear(|_| {
        let pool = pool(1);
        let (gate, body) = Gate::new();
        let task = submit(&pool, bodies(), (body,));
        gate.is_reached();
        pass(4);
        gate.open();
        task.join().unwrap();
        has_left(&pool);
    });
    let message = &warnings(&said)[0].message;
    assert!(message.contains(": task 0 has been running"), "{message}");
}
