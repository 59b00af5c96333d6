//! Hears of the failures that are logged.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::job::named;

/// The tasks whose failures were logged.
static FAILURES: Mutex<Vec<(u64, usize)>> = Mutex::new(Vec::new());
static MONITORS: AtomicBool = AtomicBool::new(false);

/// Listens to failures from now on.
pub(crate) fn begin() {
    // A second program of the process finds it listening.
    let _ = tracing::subscriber::set_global_default(Listener);
}

pub(crate) fn listen_to_monitors(listen: bool) {
    MONITORS.store(listen, SeqCst);
}

/// Takes the tasks whose failures were logged since the last time.
pub(crate) fn logged() -> Vec<(u64, usize)> {
    std::mem::take(&mut *FAILURES.lock().unwrap())
}

struct Listener;

impl Subscriber for Listener {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            "futureproof::monitor" => MONITORS.load(SeqCst),
            target => target.starts_with("futureproof"),
        }
    }

    fn event(&self, event: &Event<'_>) {
        let mut call = Call(None);
        event.record(&mut call);
        if *event.metadata().level() == Level::ERROR
            && let Some(name) = call.0.as_deref().and_then(named)
        {
            FAILURES.lock().unwrap().push(name);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The field `call` of an event.
struct Call(Option<String>);

impl Visit for Call {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // What a subscriber that prints does.
        let value = format!("{value:?}");
        if field.name() == "call" {
            self.0 = Some(value);
        }
    }
}
