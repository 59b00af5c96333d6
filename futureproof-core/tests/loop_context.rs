//! Rules 9 and 10, and the monitor: what a subscriber sees.

mod common;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use common::{KINDS, Kind, everywhere, for_each, no_hang, try_for_each};
use futureproof_core::{ErrorPolicy, ParallelFor};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// What one event said.
#[derive(Debug, Clone)]
struct Said {
    level: Level,
    target: String,
    text: String,
    thread: ThreadId,
    /// The innermost span the event was sent in.
    span: Option<u64>,
}

/// Keeps every event.
#[derive(Default)]
struct Ear {
    said: Mutex<Vec<Said>>,
    spans: Mutex<Vec<&'static Metadata<'static>>>,
    inside: Mutex<HashSet<(ThreadId, u64)>>,
    entered: AtomicUsize,
    /// Set once an event has the text to wait for.
    heard: Mutex<Option<(&'static str, Arc<AtomicBool>)>>,
}

impl Ear {
    fn innermost(&self) -> Option<u64> {
        let thread = std::thread::current().id();
        let inside = self.inside.lock().unwrap();
        inside
            .iter()
            .filter(|(at, _)| *at == thread)
            .map(|(_, span)| *span)
            .max()
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("futureproof") || metadata.target() == "test"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.spans.lock().unwrap();
        spans.push(span.metadata());
        Id::from_u64(spans.len() as u64)
    }

    fn current_span(&self) -> Current {
        let Some(id) = self.innermost() else {
            return Current::none();
        };
        let metadata = self.spans.lock().unwrap()[id as usize - 1];
        Current::new(Id::from_u64(id), metadata)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let thread = std::thread::current().id();
        let span = self.innermost();
        if let Some((wanted, flag)) = &*self.heard.lock().unwrap()
            && text.0.contains(wanted)
        {
            flag.store(true, Ordering::Release);
        }
        self.said.lock().unwrap().push(Said {
            level: *event.metadata().level(),
            target: event.metadata().target().into(),
            text: text.0,
            thread,
            span,
        });
    }

    fn enter(&self, span: &Id) {
        self.entered.fetch_add(1, Ordering::SeqCst);
        self.inside
            .lock()
            .unwrap()
            .insert((std::thread::current().id(), span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        self.inside
            .lock()
            .unwrap()
            .remove(&(std::thread::current().id(), span.into_u64()));
    }
}

/// Runs `body` with an ear as the scoped dispatcher, and gives what it heard.
fn listen(body: impl FnOnce(&Arc<Ear>)) -> Vec<Said> {
    let ear = Arc::new(Ear::default());
    tracing::subscriber::with_default(ear.clone(), || body(&ear));
    ear.said.lock().unwrap().clone()
}

/// Runs a loop whose bodies wait until the monitor has said something.
fn until_said(ear: &Ear, wanted: &'static str, options: ParallelFor<'_>) {
    let heard = Arc::new(AtomicBool::new(false));
    *ear.heard.lock().unwrap() = Some((wanted, heard.clone()));
    options.for_each(0..2, |_| {
        while !heard.load(Ordering::Acquire) {
            std::thread::yield_now();
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
            for_each(kind, ParallelFor::new().workers(3).batch(1), 3, |n| {
                together.wait();
                tracing::info!(target: "test", n, "in the body");
            });
        });
        let bodies: Vec<_> = said
            .iter()
            .filter(|said| said.text.contains("in the body"))
            .collect();
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|said| said.span == Some(1)), "{bodies:?}");
        let threads: HashSet<_> = bodies.iter().map(|said| said.thread).collect();
        assert_eq!(threads.len(), 3);
    }
}

#[test]
fn the_context_is_entered_once_per_worker_and_not_per_item() {
    let ear = Arc::new(Ear::default());
    tracing::subscriber::with_default(ear.clone(), || {
        let span = tracing::info_span!(target: "test", "outer");
        let _entered = span.enter();
        for_each(Kind::Shared, ParallelFor::new().workers(3), 10_000, |_| {});
    });
    assert!(ear.entered.load(Ordering::SeqCst) <= 3);
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
        let mut errors: Vec<_> = said
            .iter()
            .filter(|said| said.level == Level::ERROR)
            .collect();
        errors.sort_by(|a, b| a.text.cmp(&b.text));
        assert_eq!(errors.len(), 2, "{kind:?} {workers}: {errors:?}");
        let error = |index: &str, text: &str| {
            errors.iter().any(|said| {
                said.text.contains("name=parsing")
                    && said.text.contains(index)
                    && said.text.contains(text)
            })
        };
        assert!(error("index=3 ", "a bad number"), "{errors:?}");
        assert!(error("index=5 ", "panicked: a worse one"), "{errors:?}");
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
    let pool = futureproof_core::TaskPool::builder()
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
    assert!(warnings[0].text.contains("pool=stuck"));
}

#[test]
fn the_monitor_says_what_is_going_on_without_taking_a_worker() {
    no_hang(|| {
        let mut bodies_on = HashSet::new();
        let said = listen(|ear| {
            bodies_on.insert(std::thread::current().id());
            until_said(
                ear,
                "completed in the last",
                ParallelFor::new()
                    .workers(1)
                    .name("slow")
                    .monitor(Duration::from_millis(20)),
            );
        });
        let lines: Vec<_> = said
            .iter()
            .filter(|said| said.text.contains("completed in the last"))
            .collect();
        assert!(!lines.is_empty());
        for line in lines {
            assert_eq!(
                (line.level, &*line.target),
                (Level::INFO, "futureproof::monitor")
            );
            assert!(
                !bodies_on.contains(&line.thread),
                "the monitor is not a worker"
            );
            for part in [
                "name=slow",
                "completed=0",
                "failed=0",
                "in_flight=1",
                "total=2",
            ] {
                assert!(line.text.contains(part), "{part}: {}", line.text);
            }
        }
    });
}

#[test]
fn a_stall_is_a_warning_that_names_the_item() {
    no_hang(|| {
        let said = listen(|ear| {
            until_said(
                ear,
                "nothing has completed",
                ParallelFor::new()
                    .workers(1)
                    .monitor(Duration::from_millis(10)),
            );
        });
        let warning = said.iter().find(|said| said.level == Level::WARN).unwrap();
        assert!(warning.text.contains("index=0"), "{}", warning.text);
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

#[test]
fn a_short_loop_is_quiet_at_info() {
    let said = listen(|_| {
        for_each(
            Kind::Indexed,
            ParallelFor::new()
                .workers(2)
                .monitor(Duration::from_secs(3600)),
            10,
            |_| {},
        );
    });
    // Unless this machine was too busy to run ten empty bodies within the limit.
    let slow = said
        .iter()
        .any(|said| said.text.contains("ms") && said.level == Level::INFO);
    assert!(
        slow || said.iter().all(|said| said.level == Level::DEBUG),
        "{said:?}"
    );
    assert!(said.iter().any(|said| said.text.contains("finished")));
}
