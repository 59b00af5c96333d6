//! Warnings of scopes, streams and submitted tasks of which nothing completes.

use super::*;
use crate::task::{RateLimit, Retry, as_completed, configure, scope, submit};

/// Longer than any test runs.
const DAY: Duration = Duration::from_secs(86_400);

/// The only warning among these lines.
fn warning(said: &[Said]) -> Said {
    let warnings = warnings(said);
    assert_eq!(warnings.len(), 1, "{said:#?}");
    warnings[0].clone()
}

/// Tasks of which the second has to wait for the next attempt, and that for very long.
fn retried() -> Retry {
    Retry::attempts(2).backoff(DAY).max_backoff(DAY)
}

fn one_a_day() -> RateLimit {
    RateLimit::new(1, DAY)
}

#[test]
fn a_scope_warns_of_a_task_that_does_not_end_until_one_does() {
    let said = hear(|_| {
        let pool = pool(1);
        scope(&pool, bodies(), |tasks| {
            for _ in 0..2 {
                let (gate, body) = Gate::new();
                tasks.submit(body);
                gate.is_reached();
                // At the first look the one before it may be what ended.
                pass(4);
                gate.open();
                assert!(tasks.as_completed().next().is_some());
            }
        })
        .unwrap();
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 2, "{said:#?}");
    assert!(
        warnings[0]
            .has("waits_for=workers stalled_s=6.0 index=0 running_s=4.0 in_flight=1 waiting=0")
    );
    assert!(
        warnings[1]
            .has("waits_for=workers stalled_s=6.0 index=1 running_s=6.0 in_flight=1 waiting=0")
    );
}

#[test]
fn a_stall_of_submitted_tasks_names_the_task() {
    let said = hear(|_| {
        let pool = pool(1);
        let (gate, body) = Gate::new();
        let task = submit(&pool, bodies(), (body,));
        gate.is_reached();
        let next = submit(&pool, bodies(), (Box::new(|| Ok(0)),));
        pass(4);
        gate.open();
        task.join().unwrap();
        next.join().unwrap();
        has_left(&pool);
    });
    let warning = warning(&said);
    assert!(
        warning.has("waits_for=workers stalled_s=6.0 index=0 running_s=4.0 in_flight=1 waiting=1"),
        "{warning}"
    );
}

#[test]
fn a_stream_whose_reader_does_not_read_waits_for_its_consumer() {
    let said = hear(|_| {
        let pool = pool(1);
        let mut call = numbers();
        call.capacity = Some(1);
        let results = map(&pool, call, (0..).map(|n| 2 * n));
        has_left(&pool);
        pass(4);
        drop(results);
    });
    let warning = warning(&said);
    assert!(warning.has("waits_for=consumer"), "{warning}");
    assert_eq!(warning.get("index"), None);
    assert!(
        warning.message.contains("results wait to be read"),
        "{warning}"
    );
}

#[test]
fn a_scope_whose_results_nobody_reads_waits_for_its_consumer() {
    let said = hear(|_| {
        let pool = pool(1);
        let mut call = numbers();
        call.capacity = Some(1);
        scope(&pool, call, |tasks| {
            tasks.map((0..50).map(|n| 2 * n));
            has_left(&pool);
            pass(4);
        })
        .unwrap();
    });
    assert!(warning(&said).has("waits_for=consumer"), "{said:#?}");
}

#[test]
fn a_stream_whose_input_gives_nothing_waits_for_its_source() {
    let said = hear(|_| {
        let pool = pool(1);
        let (gate, body) = Gate::new();
        let mut stuck = Some(body);
        let inputs = (0..3_u64).inspect(move |&n| {
            if n == 1 {
                stuck.take().unwrap()().unwrap();
            }
        });
        let mut results = as_completed(&pool, numbers(), inputs.map(|n| 2 * n));
        results.next().unwrap().unwrap();
        gate.is_reached();
        pass(4);
        gate.open();
        assert_eq!(results.count(), 2);
    });
    let warning = warning(&said);
    assert!(warning.has("waits_for=source"), "{warning}");
    assert!(warning.has("in_flight=0"), "{warning}");
}

#[test]
fn tasks_that_wait_for_their_rate_limit_say_so() {
    let of_a_scope = hear(|_| {
        let pool = pool(1);
        let limited = configure(&pool, numbers()).rate_limit(one_a_day());
        limited
            .scope(|tasks| {
                tasks.submit(0);
                tasks.submit(2);
                assert!(tasks.as_completed().next().is_some());
                has_left(&pool);
                pass(4);
                tasks.stop();
            })
            .unwrap();
    });
    let of_a_stream = hear(|_| {
        let pool = pool(1);
        let limited = configure(&pool, numbers()).rate_limit(one_a_day());
        let mut results = limited.map([0, 2]);
        results.next().unwrap().unwrap();
        has_left(&pool);
        pass(4);
    });
    let submitted = hear(|_| {
        let pool = pool(1);
        let limited = configure(&pool, numbers()).rate_limit(one_a_day());
        let (first, second) = (limited.submit(0), limited.submit(2));
        first.join().unwrap();
        has_left(&pool);
        pass(4);
        second.cancel();
    });
    for said in [of_a_scope, of_a_stream, submitted] {
        let warning = warning(&said);
        assert!(warning.has("waits_for=permit"), "{warning}");
        assert!(warning.has("in_flight=0 waiting=1"), "{warning}");
        assert!(warning.message.contains("rate limit"), "{warning}");
    }
}

#[test]
fn tasks_that_wait_for_their_next_attempt_say_so() {
    let of_a_scope = hear(|_| {
        let pool = pool(1);
        (configure(&pool, numbers()).retry(retried()))
            .scope(|tasks| {
                tasks.submit(1);
                has_left(&pool);
                pass(4);
                tasks.stop();
            })
            .unwrap_err();
    });
    let of_a_stream = hear(|_| {
        let pool = pool(1);
        let results = configure(&pool, numbers()).retry(retried()).map([1]);
        has_left(&pool);
        pass(4);
        drop(results);
    });
    let submitted = hear(|_| {
        let pool = pool(1);
        let task = configure(&pool, numbers()).retry(retried()).submit(1);
        has_left(&pool);
        pass(4);
        task.cancel();
    });
    for said in [of_a_scope, of_a_stream, submitted] {
        let warning = warning(&said);
        assert!(warning.has("waits_for=retry"), "{warning}");
        assert!(warning.has("in_flight=0 waiting=1"), "{warning}");
        assert!(warning.message.contains("next attempt"), "{warning}");
    }
}

#[test]
fn tasks_for_which_the_pool_has_no_thread_say_so() {
    let of_a_scope = hear(|_| {
        let pool = pool(1);
        pool.set_task_limit(0);
        scope(&pool, numbers(), |tasks| {
            tasks.submit(2);
            pass(4);
            pool.set_task_limit(None);
        })
        .unwrap();
    });
    let of_a_stream = hear(|_| {
        let pool = pool(1);
        pool.set_task_limit(0);
        let results = map(&pool, numbers(), [2]);
        pass(4);
        pool.set_task_limit(None);
        assert_eq!(results.count(), 1);
    });
    let submitted = hear(|_| {
        let pool = pool(1);
        pool.set_task_limit(0);
        let task = submit(&pool, numbers(), (2,));
        pass(4);
        pool.set_task_limit(None);
        task.join().unwrap();
    });
    for said in [of_a_scope, of_a_stream, submitted] {
        let warning = warning(&said);
        assert!(warning.has("waits_for=pool"), "{warning}");
        assert!(warning.has("in_flight=0"), "{warning}");
        assert!(
            warning.message.contains("a thread of the pool"),
            "{warning}"
        );
    }
}

#[test]
fn a_scope_for_which_the_pool_has_no_thread_any_more_says_so_though_results_are_unread() {
    let said = hear(|_| {
        let pool = pool(1);
        scope(&pool, numbers(), |tasks| {
            tasks.submit(2);
            has_left(&pool);
            pool.set_task_limit(0);
            tasks.submit(4);
            // Within the first interval, one has ended.
            pass(5);
            pool.set_task_limit(None);
        })
        .unwrap();
    });
    let warning = warning(&said);
    assert!(warning.has("waits_for=pool"), "{warning}");
    assert!(warning.has("in_flight=0 waiting=1"), "{warning}");
}
