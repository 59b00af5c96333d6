//! Rules 9 and 10, and the monitor: what a subscriber sees.

mod common;
#[path = "kit/ear.rs"]
mod ear;

use std::collections::HashSet;
use std::sync::Barrier;
use std::time::Duration;

use common::{KINDS, Kind, everywhere, for_each, no_hang, try_for_each};
use ear::{Ear, Said};
use futureproof_core::{ErrorPolicy, ParallelFor, TaskPool};
use tracing::Level;

/// Runs `body` with an ear as the scoped dispatcher, and gives what it heard.
fn listen(body: impl FnOnce(&Ear)) -> Vec<Said> {
    let ear = Ear::new();
    ear.during(|| body(&ear));
    ear.said()
}

/// Has the last one of two items wait until the monitor has said something of it.
fn until_said(ear: &Ear, options: ParallelFor<'_>, wanted: impl Fn(&Said) -> bool + Sync) {
    options.batch(1).for_each(0..2, |n| {
        if n == 1 {
            ear.wait_for(&wanted);
        }
    });
}

#[test]
fn the_callers_dispatcher_and_span_are_current_on_every_worker() {
    for kind in [Kind::Indexed, Kind::Shared] {
        let said = listen(|_| {
            let span = tracing::info_span!(target: "test", "outer");
            let _entered = span.enter();
            let together = Barrier::new(3);
            let pool = TaskPool::builder().workers(3).build();
            for_each(kind, ParallelFor::new().pool(&pool).batch(1), 3, |n| {
                together.wait();
                tracing::info!(target: "test", n, "in the body");
            });
        });
        let bodies: Vec<_> = said
            .iter()
            .filter(|said| said.message == "in the body")
            .collect();
        assert_eq!(bodies.len(), 3);
        // In the loop's span, which is in the caller's.
        assert!(
            bodies.iter().all(|said| said.inside.last() == Some(&1)),
            "{bodies:?}"
        );
        let threads: HashSet<_> = bodies.iter().map(|said| said.thread).collect();
        assert_eq!(threads.len(), 3);
    }
}

#[test]
fn the_context_is_entered_once_per_worker_and_not_per_item() {
    let ear = Ear::new();
    ear.during(|| {
        let span = tracing::info_span!(target: "test", "outer");
        let _entered = span.enter();
        for_each(Kind::Shared, ParallelFor::new().workers(3), 10_000, |_| {});
    });
    let entered: usize = ear.spans().iter().map(|span| span.entered.len()).sum();
    assert!(entered <= 1 + 3, "{entered}");
}

#[test]
fn under_log_each_failure_is_one_error_event_with_name_index_and_error() {
    everywhere(|kind, workers| {
        let said = listen(|_| {
            let report = try_for_each(
                kind,
                ParallelFor::new()
                    .workers(workers)
                    .name("parsing")
                    .error_policy(ErrorPolicy::Log),
                20,
                |n| match n {
                    3 => Err("a bad number"),
                    5 => panic!("a worse one"),
                    _ => Ok(()),
                },
            )
            .unwrap();
            assert_eq!(report.failed(), 2);
        });
        let errors: Vec<_> = said
            .iter()
            .filter(|said| said.level == Level::ERROR)
            .collect();
        assert_eq!(errors.len(), 2, "{kind:?} {workers}: {errors:?}");
        let error = |index: &str, text: &str| {
            errors.iter().any(|said| {
                said.has("name=parsing") && said.has(index) && said.fields.contains(text)
            })
        };
        assert!(error("index=3", "a bad number"), "{errors:?}");
        assert!(error("index=5", "panicked: a worse one"), "{errors:?}");
    });
}

#[test]
fn under_ignore_nothing_is_logged() {
    for kind in KINDS {
        let said = listen(|_| {
            let report = try_for_each(
                kind,
                ParallelFor::new()
                    .workers(2)
                    .error_policy(ErrorPolicy::Ignore),
                20,
                |_| Err::<(), _>("quiet"),
            )
            .unwrap();
            assert_eq!(report.failed(), 20);
        });
        assert!(
            said.iter().all(|said| said.level == Level::DEBUG),
            "{said:?}"
        );
    }
}

#[test]
fn a_thread_that_cannot_start_is_warned_of_once() {
    let pool = TaskPool::builder()
        .workers(4)
        .name("stuck")
        .stack_size(1 << 46)
        .build();
    let said = listen(|_| {
        for kind in KINDS {
            for_each(kind, ParallelFor::new().pool(&pool), 100, |_| {});
        }
    });
    let warnings: Vec<_> = said
        .iter()
        .filter(|said| said.level == Level::WARN)
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].has("pool=stuck"));
}

#[test]
fn the_monitor_says_what_is_going_on_without_taking_a_worker() {
    no_hang(|| {
        let caller = std::thread::current().id();
        let said = listen(|ear| {
            let options = ParallelFor::new()
                .workers(1)
                .name("slow")
                .monitor(Duration::from_millis(101));
            until_said(ear, options, |said| said.get("recent").is_some());
        });
        let started = said.iter().position(|said| said.message == "started");
        let line = said.iter().position(|said| said.get("recent").is_some());
        assert!(started < line, "{said:?}");
        for line in [&said[started.unwrap()], &said[line.unwrap()]] {
            assert_eq!(
                (line.level, line.target),
                (Level::INFO, "futureproof::monitor")
            );
            assert!(line.thread != caller, "the monitor is not a worker");
        }
        let (started, line) = (&said[started.unwrap()], &said[line.unwrap()]);
        assert_eq!(started.fields, "name=slow workers=1 policy=raise total=2");
        assert!(
            line.has("name=slow completed=1 total=2 failed=0 in_flight=1 waiting=0"),
            "{line}"
        );
        let end = said.last().unwrap();
        assert_eq!((&*end.message, end.level), ("finished", Level::INFO));
        assert!(end.has("completed=2 failed=0 cancelled=0"), "{end}");
        assert_eq!(end.thread, caller);
    });
}

#[test]
fn a_stall_is_a_warning_that_names_the_item() {
    no_hang(|| {
        let said = listen(|ear| {
            let options = ParallelFor::new()
                .workers(1)
                .monitor(Duration::from_millis(10));
            until_said(ear, options, |said| said.get("waits_for").is_some());
        });
        let warning = said.iter().find(|said| said.level == Level::WARN).unwrap();
        assert!(warning.has("index=1"), "{warning}");
        assert!(warning.has("waits_for=workers"), "{warning}");
    });
}

#[test]
fn a_monitor_that_is_off_says_nothing() {
    let said = listen(|_| {
        for_each(
            Kind::Indexed,
            ParallelFor::new().workers(2).monitor(false),
            1000,
            |_| {},
        );
    });
    assert!(said.is_empty(), "{said:?}");
}
