//! The progress bar of one loop, scope, stream or queue.

mod line;
#[cfg(all(test, not(loom)))]
mod tests;

use std::time::Duration;

use self::line::{Label, Line, clean};
use super::progress::Counts;
use super::screen::{Place, Screen, Shown};
use crate::stop;
use crate::sync::{Arc, Mutex};

/// A loop within a body has no bar before it was shown so often, which takes about a second: such loops come by the hundred, and
/// lines that come and go in no time are of no use to anybody.
const NESTED_AFTER: u64 = 10;

/// A bar; nothing at all where there is no terminal.
///
/// Told by the monitor thread how things stand, never by a worker. It comes with the first [`show`](Self::show) and goes with
/// [`end`](Self::end).
#[derive(Clone)]
pub(super) struct Bar(Option<Arc<Inner>>);

struct Inner {
    screen: Arc<Screen>,
    label: Label,
    total: Option<u64>,
    /// Is it started in the body of a loop or task? That one's summary is enough.
    nested: bool,
    stage: Mutex<Stage>,
}

#[derive(Default)]
struct Stage {
    shows: u64,
    shown: Option<Shown>,
    ended: bool,
}

impl Bar {
    /// How often to call [`show`](Self::show).
    pub(super) const INTERVAL: Duration = Duration::from_millis(100);

    /// Can bars be seen at all?
    pub(super) fn is_possible() -> bool {
        Screen::stderr().is_some()
    }

    /// Creates a bar that is not there yet, for a loop that starts on this thread.
    pub(super) fn new(label: &str, total: Option<u64>) -> Self {
        match Screen::stderr() {
            Some(screen) => Self::on(screen.clone(), label, total, stop::in_body()),
            None => Self(None),
        }
    }

    fn on(screen: Arc<Screen>, label: &str, total: Option<u64>, nested: bool) -> Self {
        Self(Some(Arc::new(Inner {
            screen,
            label: Label::new(label),
            total,
            nested,
            stage: Mutex::default(),
        })))
    }

    /// Shows how things stand: how much was done, what the rate was of late, and how long it may still take.
    ///
    /// Does nothing after the end: the monitor may come late.
    pub(super) fn show(&self, counts: &Counts, rate: f64, left: Option<Duration>) {
        let Some(inner) = &self.0 else {
            return;
        };
        let mut stage = inner.stage.lock();
        if stage.ended {
            return;
        }
        stage.shows += 1;
        if inner.nested && stage.shows < NESTED_AFTER {
            return;
        }
        let line = Line {
            label: &inner.label,
            counts: *counts,
            total: inner.total,
            rate,
            left,
            turn: stage.shows,
        };
        let place = Place {
            nested: inner.nested,
            label: inner.label.width(),
        };
        inner
            .screen
            .show(&mut stage.shown, place, |page| line.text(page));
    }

    /// Replaces the bar by one line that says how the loop went. Where there has been no bar, there is no line either.
    pub(super) fn end(&self, summary: &str) {
        if let Some(inner) = &self.0 {
            inner.end(Some(summary));
        }
    }
}

impl Inner {
    fn end(&self, summary: Option<&str>) {
        let mut stage = self.stage.lock();
        if std::mem::replace(&mut stage.ended, true) || stage.shows == 0 {
            return;
        }
        // A bar that was to be shown and found no room has its summary all the same.
        let summary = summary
            .filter(|_| !self.nested)
            .map(|text| format!("{}\n", clean(text)));
        self.screen.remove(stage.shown.take(), summary.as_deref());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end(None);
    }
}
