//! The lines of scopes, streams and submitted tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Level;

use super::*;
use crate::policy::ErrorPolicy;
use crate::stop::StopToken;
use crate::task::{ScopeFailure, as_completed, configure, scope, submit};

fn texts(said: &[Said]) -> Vec<String> {
    said.iter().map(Said::to_string).collect()
}

#[test]
fn a_scope_says_what_has_ended_what_runs_and_what_waits() {
    let said = hear(|_| {
        let pool = pool(2);
        scope(&pool, bodies(), |tasks| {
            let (first, body) = Gate::new();
            tasks.submit(body);
            first.is_reached();
            advance(100 * MS);
            first.open();
            assert!(tasks.as_completed().next().is_some());
            let (gates, more): (Vec<_>, Vec<_>) = (0..2).map(|_| Gate::new()).unzip();
            more.into_iter().for_each(|body| _ = tasks.submit(body));
            gates.iter().for_each(Gate::is_reached);
            tasks.submit(Box::new(|| Ok(3)));
            advance(1900 * MS);
            gates.iter().for_each(Gate::open);
        })
        .unwrap();
    });
    assert_eq!(
        texts(&said),
        [
            "DEBUG starts: name=body workers=2 policy=raise",
            "INFO started: name=body workers=2 policy=raise",
            "INFO 1 done: name=body completed=1 failed=0 in_flight=2 waiting=1 recent=1 rate_per_s=0.5 elapsed_s=2.0",
            "INFO finished: name=body completed=4 failed=0 cancelled=0 elapsed_s=2.0 rate_per_s=2.0 ended=finished",
        ]
    );
}

#[test]
fn a_short_scope_is_quiet_at_info() {
    let said = hear(|_| {
        scope(&pool(2), numbers(), |tasks| tasks.map([0, 2, 4])).unwrap();
    });
    let levels: Vec<_> = said.iter().map(|said| said.level).collect();
    assert_eq!(levels, [Level::DEBUG; 2], "{said:?}");
}

#[test]
fn without_monitor_nothing_is_said_of_scopes_streams_and_submitted_tasks() {
    let said = hear(|_| {
        let pool = pool(1);
        let mut quiet = bodies();
        quiet.monitor = false.into();
        scope(&pool, quiet.clone(), |tasks| {
            let (gate, body) = Gate::new();
            tasks.submit(body);
            gate.is_reached();
            pass(4);
        })
        .unwrap();
        let (gate, body) = Gate::new();
        let results = map(&pool, quiet.clone(), [body]);
        gate.is_reached();
        pass(4);
        drop(gate);
        assert_eq!(results.count(), 1);
        let (gate, body) = Gate::new();
        let task = submit(&pool, quiet, (body,));
        gate.is_reached();
        pass(4);
        drop(gate);
        task.join().unwrap();
    });
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn failures_of_a_scope_are_counted_and_its_panics_are_failures() {
    let said = hear(|_| {
        let mut call = bodies();
        call.policy = ErrorPolicy::Ignore;
        scope(&pool(1), call, |tasks| {
            tasks.submit(Box::new(|| Err("no".into())));
            tasks.submit(Box::new(|| panic!("worse")));
            tasks.submit(Box::new(|| Ok(1)));
            tasks.as_completed().for_each(drop);
            pass(1);
        })
        .unwrap();
    });
    let line = &said[said.len() - 2];
    assert!(
        line.has("completed=1 failed=2 in_flight=0 waiting=0 recent=3"),
        "{line}"
    );
    assert!(
        last(&said).has("completed=1 failed=2 cancelled=0"),
        "{}",
        last(&said)
    );
}

#[test]
fn a_stream_knows_its_total_where_its_input_does() {
    let stream = |sized: bool| {
        hear(|_| {
            let pool = pool(1);
            let (gate, body) = Gate::new();
            let first: Body<'static> = Box::new(|| Ok(0));
            let inputs = vec![first, body, Box::new(|| Ok(2)), Box::new(|| Ok(3))];
            let mut results = if sized {
                as_completed(&pool, bodies(), inputs)
            } else {
                as_completed(&pool, bodies(), inputs.into_iter().filter(|_| true))
            };
            results.next().unwrap().unwrap();
            gate.is_reached();
            pass(1);
            gate.open();
            assert_eq!(results.count(), 3);
        })
    };
    let said = stream(true);
    let line = &said[2];
    assert_eq!(line.message, "25 %, 6.0 s left");
    assert!(
        line.has("completed=1 total=4 failed=0 in_flight=1"),
        "{line}"
    );
    assert!(line.has("left_s=6.0"), "{line}");
    let line = &stream(false)[2];
    assert_eq!(line.message, "1 done");
    assert_eq!((line.get("total"), line.get("left_s")), (None, None));
}

#[test]
fn the_end_of_a_stream_is_told_where_it_was_begun() {
    for workers in [1, 2, 3] {
        let said = hear(|_| {
            let pool = pool(workers);
            assert_eq!(map(&pool, numbers(), (0..20).map(|n| 2 * n)).count(), 20);
        });
        assert_eq!(
            last(&said).message,
            "finished",
            "{workers} workers: {said:?}"
        );
        assert!(
            last(&said).has("completed=20 failed=0 cancelled=0"),
            "{}",
            last(&said)
        );
    }
}

#[test]
fn what_was_cancelled_is_counted_at_the_end_of_a_stream_that_is_dropped() {
    let said = hear(|_| {
        let pool = pool(1);
        let mut results = map(&pool, numbers(), (0..).map(|n| 2 * n));
        results.next().unwrap().unwrap();
        pass(1);
        drop(results);
    });
    let end = last(&said);
    assert_eq!(end.get("ended"), Some("stopped"), "{end}");
}

#[test]
fn submitted_tasks_are_watched_from_the_first_to_the_last_of_them() {
    let said = hear(|_| {
        let pool = pool(1);
        for _ in 0..2 {
            let (gate, body) = Gate::new();
            let first = submit(&pool, bodies(), (body,));
            gate.is_reached();
            let second = submit(&pool, bodies(), (Box::new(|| Err("no".into())),));
            advance(100 * MS);
            advance(1900 * MS);
            gate.open();
            first.join().unwrap();
            second.join().unwrap_err();
            has_left(&pool);
        }
    });
    let once = [
        "DEBUG starts: name=body workers=1 policy=raise",
        "INFO started: name=body workers=1 policy=raise",
        "INFO 0 done, nothing lately: name=body completed=0 failed=0 in_flight=1 waiting=1 recent=0 rate_per_s=0.0 \
         elapsed_s=2.0",
        "INFO finished: name=body completed=1 failed=1 cancelled=0 elapsed_s=2.0 rate_per_s=1.0 ended=finished",
    ];
    assert_eq!(texts(&said), [once, once].concat());
}

#[test]
fn the_end_says_how_a_scope_has_ended() {
    let ended = |test: &dyn Fn(&TaskPool)| {
        let said = hear(|_| test(&pool(1)));
        last(&said).get("ended").unwrap_or_default().to_owned()
    };
    let ends = [
        ended(&|pool| scope(pool, numbers(), |tasks| _ = tasks.submit(2)).unwrap()),
        ended(&|pool| {
            let token = StopToken::new();
            token.stop();
            let tasks = configure(pool, numbers()).stop(&token);
            tasks.scope(|tasks| _ = tasks.submit(2)).unwrap_err();
        }),
        ended(&|pool| _ = scope(pool, numbers(), |tasks| _ = tasks.submit(1)).unwrap_err()),
        ended(&|pool| {
            let body = |_: &_| Err::<(), _>(ScopeFailure::new("the closure's"));
            scope(pool, numbers(), body).unwrap_err();
        }),
        ended(&|pool| {
            let body = || scope(pool, numbers(), |_| -> () { panic!("the closure's") });
            catch_unwind(AssertUnwindSafe(body)).unwrap_err();
        }),
    ];
    assert_eq!(ends, ["finished", "stopped", "left", "left", "panic"]);
}

#[test]
fn the_end_says_how_a_stream_has_ended() {
    let ended = |test: &dyn Fn(&TaskPool)| {
        let said = hear(|_| test(&pool(1)));
        last(&said).get("ended").unwrap_or_default().to_owned()
    };
    let ends = [
        ended(&|pool| assert_eq!(map(pool, numbers(), [0, 2]).count(), 2)),
        ended(&|pool| {
            let results = map(pool, numbers(), [1, 2]);
            assert_eq!(results.filter(Result::is_err).count(), 1);
        }),
        ended(&|pool| _ = map(pool, numbers(), (0..).map(|n| 2 * n)).stop()),
        ended(&|pool| {
            let token = StopToken::new();
            token.stop();
            let tasks = configure(pool, numbers()).stop(&token);
            _ = tasks.as_completed((0..).map(|n| 2 * n)).count();
        }),
    ];
    assert_eq!(ends, ["finished", "left", "stopped", "stopped"]);
}

#[test]
fn a_detached_stream_is_watched_until_its_last_task_has_ended() {
    let said = hear(|ear| {
        let pool = pool(1);
        let (gate, body) = Gate::new();
        let rest: Body<'static> = Box::new(|| Ok(1));
        let results = map(&pool, bodies(), vec![body, rest]);
        gate.is_reached();
        results.detach();
        pass(1);
        gate.open();
        // Nobody waits for its threads.
        ear.wait_for(|said| said.get("ended").is_some());
    });
    let line = &said[said.len() - 2];
    assert!(line.has("in_flight=1"), "{said:#?}");
    let end = last(&said);
    assert_eq!(end.get("ended"), Some("stopped"), "{said:#?}");
    assert!(end.has("completed=1 failed=0"), "{end}");
}

#[test]
fn a_stopped_scope_says_what_it_has_cancelled() {
    let said = hear(|_| {
        let pool = pool(1);
        scope(&pool, bodies(), |tasks| {
            let (gate, body) = Gate::new();
            tasks.submit(body);
            gate.is_reached();
            tasks.submit(Box::new(|| Ok(1)));
            pass(1);
            tasks.stop();
            gate.open();
        })
        .unwrap();
    });
    let end = last(&said);
    assert!(end.has("completed=1 failed=0 cancelled=1"), "{end}");
    assert_eq!(
        (&*end.message, end.get("ended")),
        ("stopped", Some("stopped"))
    );
}
