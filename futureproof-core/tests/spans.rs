//! The spans of loops and scopes, and of single items: which there are, where they hang, and who is inside.

#[path = "kit/ear.rs"]
mod ear;
mod kit;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ear::{Ear, Kept};
use futureproof_core::__private::{Flow, as_completed, configure, each, map, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{IntoSource as _, ParallelFor, Retry, pull, pull_here};
use kit::{Oops, WORKERS, bodies, double, no_hang, numbers, oops, pool};
use tracing::Level;

/// Runs `test` inside a span `outer`, and returns what heard of it up to `level`; that span is the first one.
fn inside_outer(level: Level, test: impl FnOnce()) -> Ear {
    no_hang(|| {
        let ear = Ear::at(level);
        ear.during(|| tracing::error_span!(target: "test", "outer").in_scope(test));
        // Who waits for a task need not wait for the thread that has run it.
        ear.wait_until_left();
        ear
    })
}

fn say(n: impl tracing::Value) {
    tracing::info!(target: "test", n, "in the body");
}

/// The only span with this name, and its index.
fn only(ear: &Ear, name: &str) -> (usize, Kept) {
    let spans = ear.spans_of(name);
    assert_eq!(spans.len(), 1, "{spans:#?}");
    spans[0].clone()
}

#[test]
fn a_loop_has_one_span_with_its_name_workers_and_policy_where_it_was_started() {
    for workers in WORKERS {
        let ear = inside_outer(Level::DEBUG, || {
            let options = ParallelFor::new().workers(workers).name("counting");
            options.error_policy(Ignore).for_each(0..100, |_| {});
        });
        let (_, span) = only(&ear, "parallel_for");
        assert_eq!(
            span.fields,
            format!("of=counting workers={workers} policy=ignore")
        );
        assert_eq!(span.parent, Some(0));
        assert_eq!(
            (span.metadata.target(), *span.metadata.level()),
            ("futureproof", Level::INFO)
        );
    }
}

#[test]
fn every_worker_of_a_loop_enters_its_span_once_and_so_does_the_calling_thread() {
    let caller = std::thread::current().id();
    let ear = inside_outer(Level::DEBUG, || {
        let (together, pool) = (Barrier::new(3), pool(3));
        let options = ParallelFor::new().pool(&pool).batch(1);
        options.for_each(0..3000, |n| {
            if n < 3 {
                together.wait();
            }
        });
    });
    let (_, span) = only(&ear, "parallel_for");
    let threads: HashSet<_> = span.entered.iter().copied().collect();
    assert_eq!(threads.len(), 3);
    assert_eq!(span.entered.len(), 3, "once, and not once per item");
    assert!(threads.contains(&caller));
}

#[test]
fn events_in_bodies_carry_the_span_on_every_worker() {
    for indexed in [true, false] {
        let ear = inside_outer(Level::DEBUG, || {
            let (together, pool) = (Barrier::new(3), pool(3));
            let options = ParallelFor::new().pool(&pool).batch(1);
            let body = |n: u64| {
                together.wait();
                say(n);
            };
            if indexed {
                options.for_each(0..3, body);
            } else {
                options.for_each(pull(0..3), body);
            }
        });
        let (at, _) = only(&ear, "parallel_for");
        let said = ear.said_of("test");
        assert_eq!(said.len(), 3);
        let threads: HashSet<_> = said.iter().map(|said| said.thread).collect();
        assert_eq!(threads.len(), 3);
        assert!(
            said.iter().all(|said| said.inside.last() == Some(&at)),
            "{said:#?}"
        );
    }
    // Here the others get nothing while the calling thread is at a body.
    let ear = inside_outer(Level::DEBUG, || {
        let options = ParallelFor::new().workers(3).batch(1);
        options.for_each(pull_here(0..100_u64), say);
    });
    let (at, _) = only(&ear, "parallel_for");
    let said = ear.said_of("test");
    assert_eq!(said.len(), 100);
    assert!(said.iter().all(|said| said.inside.last() == Some(&at)));
}

#[test]
fn loops_in_bodies_nest() {
    let ear = inside_outer(Level::DEBUG, || {
        let (together, pool) = (Barrier::new(2), pool(2));
        ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .name("around")
            .for_each(0..2_u64, |n| {
                together.wait();
                ParallelFor::new()
                    .workers(2)
                    .name("within")
                    .for_each(0..1, |_| say(n));
            });
    });
    let spans = ear.spans_of("parallel_for");
    assert_eq!(spans.len(), 3);
    let (around, span) = &spans[0];
    assert!(span.fields.starts_with("of=around"));
    for (_, span) in &spans[1..] {
        assert!(span.fields.starts_with("of=within"));
        assert_eq!(span.parent, Some(*around));
    }
    for said in ear.said_of("test") {
        let innermost = *said.inside.last().unwrap();
        assert!(innermost != *around && ear.spans()[innermost].name() == "parallel_for");
    }
}

#[test]
fn the_span_is_left_and_closed_when_the_loop_has_ended_however_it_ends() {
    let ear = inside_outer(Level::DEBUG, || {
        let options = || ParallelFor::new().workers(2).monitor(false);
        options().for_each(0..10, |_| {});
        say(1);
        options().try_for_each(0..10, |_| Err("no")).unwrap_err();
        say(2);
        let panics = || options().for_each(0..10, |_| panic!("the body's"));
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        say(3);
    });
    assert!(ear.said_of("test").iter().all(|said| said.inside == [0]));
    let spans = ear.spans_of("parallel_for");
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|(_, span)| span.is_closed()), "{spans:#?}");
}

#[test]
fn a_scope_and_a_stream_have_one_span_each_and_their_tasks_are_inside() {
    for workers in WORKERS {
        let ear = inside_outer(Level::DEBUG, || {
            let pool = pool(workers);
            scope(&pool, bodies(Raise), |tasks| {
                for n in 0..5_u64 {
                    tasks.submit(Box::new(move || {
                        say(n);
                        Ok(())
                    }));
                }
                tracing::info!(target: "test", "in the closure");
            })
            .unwrap();
            let speak = |(n,): (u64,)| {
                say(n);
                Ok(n)
            };
            assert_eq!(map(&pool, numbers(Ignore, speak), 0..5).count(), 5);
            assert_eq!(as_completed(&pool, numbers(Ignore, speak), 0..5).count(), 5);
        });
        let spans = ear.spans_of("task_pool");
        assert_eq!(spans.len(), 3);
        let fields = [("body", "raise"), ("half", "ignore"), ("half", "ignore")];
        let said = ear.said_of("test");
        for ((at, span), (name, policy)) in spans.iter().zip(fields) {
            assert_eq!(
                span.fields,
                format!("of={name} workers={workers} policy={policy}")
            );
            assert_eq!(span.parent, Some(0));
            assert_eq!(
                (span.metadata.target(), *span.metadata.level()),
                ("futureproof", Level::INFO)
            );
            let inside = said.iter().filter(|said| said.inside.last() == Some(at));
            assert_eq!(
                inside.filter(|said| said.message == "in the body").count(),
                5
            );
        }
    }
}

#[test]
fn a_submitted_task_runs_inside_the_span_where_it_was_submitted() {
    let ear = inside_outer(Level::DEBUG, || {
        let body: kit::Body<'static, ()> = Box::new(|| {
            say(1);
            Ok(())
        });
        submit(&pool(1), bodies(Raise), (body,)).join().unwrap();
    });
    let said = ear.said_of("test");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].inside.last(), Some(&0), "{said:?}");
}

/// The fields of the items' spans, in the order of the items; each hangs below the only span named `parent`.
fn items(ear: &Ear, parent: &str) -> Vec<String> {
    let (at, _) = only(ear, parent);
    let spans = ear.spans_of("task").into_iter();
    let mut items: Vec<_> = spans
        .map(|(_, span)| {
            assert_eq!(
                (span.metadata.target(), *span.metadata.level()),
                ("futureproof::task", Level::TRACE)
            );
            assert_eq!(span.parent, Some(at));
            assert_eq!(span.entered.len(), 1);
            span.fields
        })
        .collect();
    items.sort();
    items
}

#[test]
fn at_trace_each_item_of_a_loop_has_a_span_with_its_index_and_outcome() {
    for workers in WORKERS {
        let ear = inside_outer(Level::TRACE, || {
            // They are handed out one at a time all the same.
            let options = ParallelFor::new().workers(workers).batch(100).name("items");
            let body = |n: u64| {
                say(n);
                match n {
                    1 => Err("no"),
                    2 => panic!("worse"),
                    _ => Ok(()),
                }
            };
            options
                .error_policy(Ignore)
                .try_for_each(0..4_u64, body)
                .unwrap();
        });
        let item = |n, outcome| format!("of=items index={n} attempt=1 outcome={outcome}");
        let expected = [
            item(0, "completed"),
            item(1, "failed"),
            item(2, "panicked"),
            item(3, "completed"),
        ];
        assert_eq!(items(&ear, "parallel_for"), expected);
        // Events carry it.
        for said in ear.said_of("test") {
            let span = &ear.spans()[*said.inside.last().unwrap()];
            assert!(
                span.fields
                    .contains(&format!("index={} ", said.get("n").unwrap())),
                "{said}"
            );
        }
    }
}

#[test]
fn the_item_that_leaves_a_loop_says_so() {
    let ear = inside_outer(Level::TRACE, || {
        let options = ParallelFor::new().workers(1).name("items");
        each::<_, (), _>(options, (0..4_u64).into_source(), |n| {
            if n == 1 { Flow::Break } else { Flow::Next }
        });
    });
    let item = |n, outcome| format!("of=items index={n} attempt=1 outcome={outcome}");
    assert_eq!(
        items(&ear, "parallel_for"),
        [item(0, "completed"), item(1, "left")]
    );
}

#[test]
fn at_trace_each_task_of_a_scope_or_a_stream_has_a_span() {
    let run = |(n,): (u64,)| match n {
        1 => oops("no"),
        2 => panic!("worse"),
        n => Ok(n),
    };
    let task = |n, outcome| format!("of=half index={n} attempt=1 outcome={outcome}");
    let expected = [
        task(0, "completed"),
        task(1, "failed"),
        task(2, "panicked"),
        task(3, "completed"),
    ];
    for workers in WORKERS {
        let ear = inside_outer(Level::TRACE, || {
            scope(&pool(workers), numbers(Ignore, run), |tasks| {
                (0..4).for_each(|n| _ = tasks.submit(n));
            })
            .unwrap();
        });
        assert_eq!(items(&ear, "task_pool"), expected);
        let ear = inside_outer(Level::TRACE, || {
            assert_eq!(map(&pool(workers), numbers(Ignore, run), 0..4).count(), 4);
        });
        assert_eq!(items(&ear, "task_pool"), expected);
    }
}

#[test]
fn each_attempt_of_a_task_has_a_span_of_its_own() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    fn second_time((n,): (u64,)) -> Result<u64, Oops> {
        match CALLS.fetch_add(1, Ordering::SeqCst) {
            0 => oops("not yet"),
            _ => Ok(n),
        }
    }

    let quick = Retry::attempts(2).backoff(Duration::from_micros(100));
    let expected = [
        "of=half index=0 attempt=1 outcome=failed",
        "of=half index=0 attempt=2 outcome=completed",
    ];
    CALLS.store(0, Ordering::SeqCst);
    let ear = inside_outer(Level::TRACE, || {
        let pool = pool(1);
        let retried = configure(&pool, numbers(Raise, second_time)).retry(quick);
        retried.scope(|tasks| _ = tasks.submit(7)).unwrap();
    });
    assert_eq!(items(&ear, "task_pool"), expected);
    CALLS.store(0, Ordering::SeqCst);
    let ear = inside_outer(Level::TRACE, || {
        let pool = pool(1);
        let retried = configure(&pool, numbers(Raise, second_time)).retry(quick);
        assert_eq!(retried.submit(7).join().unwrap(), 7);
    });
    assert_eq!(items(&ear, "outer"), expected);
}

#[test]
fn without_a_listener_at_trace_no_item_has_a_span() {
    let ear = inside_outer(Level::DEBUG, || {
        ParallelFor::new().workers(2).for_each(0..100, |_| {});
        assert_eq!(map(&pool(2), numbers(Raise, double), 0..100).count(), 100);
    });
    let names: Vec<_> = ear.spans().iter().map(Kept::name).collect();
    assert_eq!(names, ["outer", "parallel_for", "task_pool"]);
}

#[test]
fn where_nobody_listens_to_the_loops_span_bodies_are_in_the_one_around_it() {
    let ear = inside_outer(Level::WARN, || {
        let (together, pool) = (Barrier::new(2), pool(2));
        let options = ParallelFor::new().pool(&pool).batch(1);
        options.for_each(0..2, |_| {
            together.wait();
            tracing::warn!(target: "test", "in the body");
        });
    });
    assert_eq!(ear.spans().len(), 1);
    let heard = ear.said_of("test");
    assert_eq!(heard.len(), 2);
    assert!(
        heard.iter().all(|said| said.inside.last() == Some(&0)),
        "{heard:?}"
    );
}
