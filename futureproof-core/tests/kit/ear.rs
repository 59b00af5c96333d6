//! A subscriber that keeps every event and every span, for tests of what is said where.
#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread::ThreadId;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// What one event said.
#[derive(Debug, Clone)]
pub struct Said {
    pub level: Level,
    pub target: &'static str,
    pub message: String,
    /// `name=value`, separated by spaces, in their order.
    pub fields: String,
    /// The spans it was said in, the innermost last: indices into [`Ear::spans`].
    pub inside: Vec<usize>,
    pub thread: ThreadId,
    pub thread_name: String,
}

impl Said {
    /// The value of a field, as text.
    pub fn get(&self, name: &str) -> Option<&str> {
        (self.fields.split(' ')).find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }

    /// Is `part` one of the fields, or some that follow each other?
    pub fn has(&self, part: &str) -> bool {
        format!(" {} ", self.fields).contains(&format!(" {part} "))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.level, self.message, self.fields)
    }
}

/// What is known of one span.
#[derive(Debug, Clone)]
pub struct Kept {
    pub metadata: &'static Metadata<'static>,
    /// `name=value`, separated by spaces, with those that were recorded later.
    pub fields: String,
    pub parent: Option<usize>,
    /// The thread of each time it was entered.
    pub entered: Vec<ThreadId>,
    /// How often it has been entered and not left.
    pub open: usize,
    handles: usize,
}

impl Kept {
    pub fn name(&self) -> &'static str {
        self.metadata.name()
    }

    /// Has everybody let go of it?
    pub fn is_closed(&self) -> bool {
        self.handles == 0
    }
}

#[derive(Default)]
struct State {
    said: Vec<Said>,
    spans: Vec<Kept>,
    /// What each thread is in.
    stacks: HashMap<ThreadId, Vec<usize>>,
}

struct Inner {
    level: Level,
    state: Mutex<State>,
    news: Condvar,
}

/// Hears what this crate says, and the target `test`. Clones hear the same.
#[derive(Clone)]
pub struct Ear(Arc<Inner>);

impl Ear {
    /// Hears everything but what is said of single items.
    pub fn new() -> Self {
        Self::at(Level::DEBUG)
    }

    /// Hears everything up to `level`.
    pub fn at(level: Level) -> Self {
        keep_call_sites_awake();
        Self::alone_at(level)
    }

    /// Hears as much as [`new`](Self::new) does, where it is to be the process's own subscriber.
    pub fn for_all() -> Self {
        Self::alone_at(Level::DEBUG)
    }

    fn alone_at(level: Level) -> Self {
        Self(Arc::new(Inner {
            level,
            state: Mutex::default(),
            news: Condvar::new(),
        }))
    }

    /// Runs `f` with this as the subscriber of the calling thread.
    pub fn during<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::subscriber::with_default(self.clone(), f)
    }

    pub fn said(&self) -> Vec<Said> {
        self.state().said.clone()
    }

    /// What was said with this target.
    pub fn said_of(&self, target: &str) -> Vec<Said> {
        let mut said = self.said();
        said.retain(|said| said.target == target);
        said
    }

    /// What the progress log has said.
    pub fn monitor(&self) -> Vec<Said> {
        self.said_of("futureproof::monitor")
    }

    pub fn spans(&self) -> Vec<Kept> {
        self.state().spans.clone()
    }

    /// The spans with this name, and their indices.
    pub fn spans_of(&self, name: &str) -> Vec<(usize, Kept)> {
        let spans = self.spans().into_iter().enumerate();
        spans.filter(|(_, span)| span.name() == name).collect()
    }

    /// Waits until something has been said that is `wanted`, and returns it.
    pub fn wait_for(&self, wanted: impl Fn(&Said) -> bool) -> Said {
        let mut state = self.state();
        loop {
            if let Some(said) = state.said.iter().find(|said| wanted(said)) {
                return said.clone();
            }
            state = self
                .0
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until no thread is in any span.
    pub fn wait_until_left(&self) {
        let is_open = |state: &mut State| state.spans.iter().any(|span| span.open > 0);
        let state = self.0.news.wait_while(self.state(), is_open);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn span(&self, span: &Id, change: impl FnOnce(&mut Kept)) {
        change(&mut self.state().spans[index(span)]);
    }
}

impl Default for Ear {
    fn default() -> Self {
        Self::new()
    }
}

fn index(span: &Id) -> usize {
    span.into_u64() as usize - 1
}

fn id(index: usize) -> Id {
    Id::from_u64(index as u64 + 1)
}

fn here() -> ThreadId {
    std::thread::current().id()
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Fields {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == "message" {
            self.message = value.to_string();
            return;
        }
        if !self.rest.is_empty() {
            self.rest.push(' ');
        }
        write!(self.rest, "{}={value}", field.name()).unwrap();
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_ours = metadata.target().starts_with("futureproof") || metadata.target() == "test";
        is_ours && *metadata.level() <= self.0.level
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut state = self.state();
        let current = state
            .stacks
            .get(&here())
            .and_then(|stack| stack.last().copied());
        let parent = match span.parent() {
            Some(parent) => Some(index(parent)),
            None => current.filter(|_| span.is_contextual()),
        };
        state.spans.push(Kept {
            metadata: span.metadata(),
            fields: fields.rest,
            parent,
            entered: Vec::new(),
            open: 0,
            handles: 1,
        });
        id(state.spans.len() - 1)
    }

    fn current_span(&self) -> Current {
        let state = self.state();
        match state.stacks.get(&here()).and_then(|stack| stack.last()) {
            Some(&at) => Current::new(id(at), state.spans[at].metadata),
            None => Current::none(),
        }
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.span(span, |span| {
            span.fields.push(' ');
            span.fields.push_str(&fields.rest);
        });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let thread = std::thread::current();
        let mut state = self.state();
        let inside = state.stacks.get(&thread.id()).cloned().unwrap_or_default();
        state.said.push(Said {
            level: *event.metadata().level(),
            target: event.metadata().target(),
            message: fields.message,
            fields: fields.rest,
            inside,
            thread: thread.id(),
            thread_name: thread.name().unwrap_or_default().to_owned(),
        });
        self.0.news.notify_all();
    }

    fn enter(&self, span: &Id) {
        self.state()
            .stacks
            .entry(here())
            .or_default()
            .push(index(span));
        self.span(span, |span| {
            span.entered.push(here());
            span.open += 1;
        });
    }

    fn exit(&self, span: &Id) {
        let mut state = self.state();
        let stack = state.stacks.entry(here()).or_default();
        let at = stack.iter().rposition(|at| *at == index(span));
        stack.remove(at.expect("a span is left where it was entered"));
        drop(state);
        self.span(span, |span| span.open -= 1);
        self.0.news.notify_all();
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.span(span, |span| span.handles += 1);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        self.span(&span, |span| span.handles -= 1);
        self.spans()[index(&span)].is_closed()
    }
}

/// Makes sure that no event is lost to a race inside `tracing`: a call site that is first met while no subscriber exists
/// may miss one that is just being created. Threads that have no subscriber of their own stay without one.
pub fn keep_call_sites_awake() {
    struct Nobody;

    impl Subscriber for Nobody {
        fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
            Interest::sometimes()
        }
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    static ONCE: Once = Once::new();
    // Somebody else's would do as well.
    ONCE.call_once(|| _ = tracing::subscriber::set_global_default(Nobody));
}
