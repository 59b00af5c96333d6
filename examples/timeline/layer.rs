//! Listens to the spans of loops, pools and their items, and keeps when and where they ran.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::recording::{Group, Kind, Outcome, Recording, Run};

/// The spans that a timeline is made of. The one per item is there only if somebody asks for it.
pub(crate) fn spans() -> Targets {
    Targets::new()
        .with_target("futureproof", Level::INFO)
        .with_target("futureproof::task", Level::TRACE)
}

/// Gives the layer, to be used with the filter [`spans`], and what it will have seen.
pub(crate) fn recorder() -> (RecordLayer, Recorder) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let layer = RecordLayer {
        begin: Instant::now(),
        seen: Arc::clone(&seen),
    };
    (layer, Recorder { seen })
}

pub(crate) struct Recorder {
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    /// Gives what has been seen so far.
    pub(crate) fn recording(&self) -> Recording {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recording = seen.recording.clone();
        // A pool may still be open.
        for run in &recording.runs {
            let group = &mut recording.groups[run.group];
            group.end = group.end.max(run.end);
        }
        recording
    }
}

#[derive(Default)]
struct Seen {
    recording: Recording,
    threads: HashMap<ThreadId, usize>,
    /// For tasks that were submitted one by one: such a task has no span around it that is its own.
    single: HashMap<String, usize>,
}

impl Seen {
    fn add(&mut self, group: Group) -> usize {
        let groups = &mut self.recording.groups;
        groups.push(group);
        groups.len() - 1
    }

    /// Gives what an item of the loop or pool `name` belongs to: what is `around` it, if that is its own.
    fn group_of(&mut self, name: &str, around: Option<usize>, now: Duration) -> usize {
        let own = around.filter(|&place| self.recording.groups[place].name == name);
        if let Some(place) = own.or_else(|| self.single.get(name).copied()) {
            return place;
        }
        let fields = Fields {
            name: name.to_owned(),
            ..Fields::default()
        };
        let place = self.add(Group::new(Kind::Pool, fields, now));
        self.single.insert(name.to_owned(), place);
        place
    }

    fn worker(&mut self, thread: &Thread) -> usize {
        let workers = &mut self.recording.workers;
        *self.threads.entry(thread.id()).or_insert_with(|| {
            workers.push(
                thread
                    .name()
                    .map_or_else(|| format!("{:?}", thread.id()), str::to_owned),
            );
            workers.len() - 1
        })
    }
}

impl Group {
    fn new(kind: Kind, fields: Fields, now: Duration) -> Self {
        let Fields {
            name,
            workers,
            policy,
            ..
        } = fields;
        Self {
            kind,
            name,
            workers,
            policy,
            start: now,
            end: now,
        }
    }
}

pub(crate) struct RecordLayer {
    begin: Instant,
    seen: Arc<Mutex<Seen>>,
}

/// What a span of a loop or a pool remembers: its place in the recording.
struct GroupSpan(usize);

/// What the span of an item remembers.
struct RunSpan {
    group: usize,
    fields: Fields,
    /// Where and since when it runs, once it has been entered.
    began: Option<(usize, Duration)>,
}

impl RecordLayer {
    fn seen<T>(&self, add: impl FnOnce(&mut Seen) -> T) -> T {
        add(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for RecordLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let now = self.begin.elapsed();
        let span = context.span(id).expect("a new span is in the registry");
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(kind) = group(attributes.metadata()) {
            let group = Group::new(kind, fields, now);
            let place = self.seen(|seen| seen.add(group));
            span.extensions_mut().insert(GroupSpan(place));
        } else if attributes.metadata().name() == "task" {
            let group = span.scope().skip(1).find_map(|parent| {
                let extensions = parent.extensions();
                extensions.get::<GroupSpan>().map(|group| group.0)
            });
            let group = self.seen(|seen| seen.group_of(&fields.name, group, now));
            let began = None;
            span.extensions_mut().insert(RunSpan {
                group,
                fields,
                began,
            });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context
            .span(id)
            .expect("a recorded span is in the registry");
        if let Some(run) = span.extensions_mut().get_mut::<RunSpan>() {
            values.record(&mut run.fields);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let span = context
            .span(id)
            .expect("an entered span is in the registry");
        let mut extensions = span.extensions_mut();
        let Some(run) = extensions.get_mut::<RunSpan>() else {
            return;
        };
        // Tasks that the item starts are inside of its span, too, on other threads.
        if run.began.is_none() {
            let worker = self.seen(|seen| seen.worker(&thread::current()));
            run.began = Some((worker, self.begin.elapsed()));
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let end = self.begin.elapsed();
        let span = context
            .span(id)
            .expect("a span that is left is in the registry");
        let mut extensions = span.extensions_mut();
        let Some(run) = extensions.get_mut::<RunSpan>() else {
            return;
        };
        // Whoever knows the outcome has run it.
        if let Some(outcome) = run.fields.outcome.take()
            && let Some((worker, start)) = run.began
        {
            let run = Run {
                worker,
                group: run.group,
                index: run.fields.index,
                attempt: run.fields.attempt.max(1),
                outcome,
                start,
                end,
            };
            self.seen(|seen| seen.recording.runs.push(run));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let now = self.begin.elapsed();
        let span = context
            .span(&id)
            .expect("a closing span is in the registry");
        if let Some(&GroupSpan(place)) = span.extensions().get() {
            self.seen(|seen| seen.recording.groups[place].end = now);
        }
    }
}

/// What kind of group a span is, if any.
fn group(metadata: &Metadata<'_>) -> Option<Kind> {
    match (metadata.target(), metadata.name()) {
        ("futureproof", "parallel_for") => Some(Kind::Loop),
        ("futureproof", "task_pool") => Some(Kind::Pool),
        _ => None,
    }
}

/// The fields of all these spans; none has all of them.
#[derive(Default)]
struct Fields {
    name: String,
    workers: Option<u64>,
    policy: String,
    index: u64,
    attempt: u64,
    /// What was handed out but not run has none of these.
    outcome: Option<Outcome>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "workers" => self.workers = Some(value),
            "index" => self.index = value,
            "attempt" => self.attempt = value,
            _ => {}
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, value.try_into().unwrap_or_default());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "of" => value.clone_into(&mut self.name),
            "policy" => value.clone_into(&mut self.policy),
            "outcome" => {
                let mut known = Outcome::ALL.into_iter();
                self.outcome = known.find(|outcome| outcome.text() == value);
            }
            _ => {}
        }
    }

    /// Text also comes through `Display`.
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
