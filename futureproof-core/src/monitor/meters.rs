//! Counters, gauges and a histogram for whoever records, through the facade of the crate `metrics`.
//!
//! Several loops of one name add up: nothing is ever set to a value, only changed by the difference. What a loop has done is
//! handed to the recorder while it runs, and the rest of it before it returns.

mod recorder;
mod sampler;
#[cfg(all(test, not(loom)))]
mod tests;

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, SharedString};

use self::recorder::Foreign;
pub(crate) use self::sampler::Sampler;
use super::progress::Counts;
use crate::sync::{Arc, Mutex};

/// Each name with what it means; the counts come from [`totals`], in this order.
const COUNTERS: [(&str, &str); 6] = [
    (
        "futureproof_tasks_started_total",
        "Tasks that workers have begun to run",
    ),
    (
        "futureproof_tasks_completed_total",
        "Tasks that ended without an error",
    ),
    (
        "futureproof_tasks_failed_total",
        "Tasks that ended with an error; panics are counted apart",
    ),
    ("futureproof_tasks_panicked_total", "Tasks that panicked"),
    (
        "futureproof_tasks_cancelled_total",
        "Accepted tasks that were cancelled before they started",
    ),
    (
        "futureproof_tasks_retried_total",
        "Attempts that failed and were followed by another",
    ),
];

fn totals(counts: &Counts) -> [u64; COUNTERS.len()] {
    [
        counts.started,
        counts.completed,
        counts.failed.saturating_sub(counts.panicked),
        counts.panicked,
        counts.cancelled,
        counts.retried,
    ]
}

/// Each name with what it means; the values come from [`levels`], in this order.
const GAUGES: [(&str, &str); 2] = [
    (
        "futureproof_tasks_in_flight",
        "Workers that are running a task, or a batch of cheap ones",
    ),
    (
        "futureproof_tasks_waiting",
        "Accepted tasks that wait for a worker",
    ),
];

fn levels(counts: &Counts) -> [u64; GAUGES.len()] {
    [counts.in_flight, counts.waiting]
}

/// The sampled histogram.
const DURATION: (&str, &str) = (
    "futureproof_task_duration_seconds",
    "How long tasks ran: a random sample, in which cheap tasks stand for the mean of their batch",
);

/// What one loop, scope, stream or queue tells the recorder.
pub(crate) struct Meters {
    shared: Arc<Shared>,
    totals: [u64; COUNTERS.len()],
    levels: [u64; GAUGES.len()],
}

/// What is new and has not been recorded.
#[derive(Default)]
struct Change {
    counters: [u64; COUNTERS.len()],
    gauges: [i64; GAUGES.len()],
}

struct Shared {
    counters: [Foreign<Counter>; COUNTERS.len()],
    gauges: [Foreign<Gauge>; GAUGES.len()],
    durations: Foreign<Histogram>,
    change: Mutex<Change>,
    /// Held by whoever records, so that the end of a loop waits for what the ticker has begun to record.
    turn: Mutex<()>,
}

impl Meters {
    /// How often the recorder is told.
    pub(super) const INTERVAL: Duration = Duration::from_secs(1);

    /// Is there a recorder for what the current thread starts?
    pub(super) fn are_wanted() -> bool {
        metrics::with_recorder(recorder::is_installed)
    }

    /// Registers with the current thread's recorder, or with that of the process; `None` where there is none.
    pub(super) fn new(name: &str, kind: &'static str) -> Option<Self> {
        metrics::with_recorder(|recorder| {
            if !recorder::is_installed(recorder) {
                return None;
            }
            recorder::describe_once(recorder);
            Some(Self {
                shared: Arc::new(Shared::new(recorder, name, kind)),
                totals: [0; COUNTERS.len()],
                levels: [0; GAUGES.len()],
            })
        })
    }

    /// Where workers report how long tasks took.
    pub(super) fn durations(&self) -> Durations {
        Durations(self.shared.clone())
    }

    /// Takes down what is new since the last time. Calls nothing foreign.
    pub(super) fn delta(&mut self, counts: &Counts) -> Delta {
        let mut change = self.shared.change.lock();
        let counters = change.counters.iter_mut();
        for ((seen, now), new) in (self.totals.iter_mut().zip(totals(counts))).zip(counters) {
            // The counts are read one by one while workers go on, so that a sum may lag behind an earlier one.
            let more = now.saturating_sub(*seen);
            *seen += more;
            *new += more;
        }
        let gauges = change.gauges.iter_mut();
        for ((seen, now), new) in (self.levels.iter_mut().zip(levels(counts))).zip(gauges) {
            *new += now.cast_signed() - seen.cast_signed();
            *seen = now;
        }
        Delta(self.shared.clone())
    }

    /// Takes down the rest: all counts as they are in the end, and nothing in flight nor waiting.
    pub(super) fn end(&mut self, counts: &Counts) -> Delta {
        self.delta(&Counts {
            in_flight: 0,
            waiting: 0,
            ..*counts
        })
    }
}

impl Shared {
    fn new(recorder: &dyn Recorder, name: &str, kind: &'static str) -> Self {
        let metadata = Metadata::new("futureproof", Level::INFO, Some(module_path!()));
        let labels = [
            Label::new("name", SharedString::from_shared(name.into())),
            Label::from_static_parts("kind", kind),
        ];
        let key = |name: &'static str| Key::from_parts(name, labels.to_vec());
        Self {
            counters: COUNTERS
                .map(|(name, _)| Foreign::new(|| recorder.register_counter(&key(name), &metadata))),
            gauges: GAUGES
                .map(|(name, _)| Foreign::new(|| recorder.register_gauge(&key(name), &metadata))),
            durations: Foreign::new(|| recorder.register_histogram(&key(DURATION.0), &metadata)),
            change: Mutex::new(Change::default()),
            turn: Mutex::new(()),
        }
    }
}

/// Something to be recorded.
pub(super) struct Delta(Arc<Shared>);

impl Delta {
    /// Records everything that has been taken down, by whomever. When it returns, all of that has been recorded.
    pub(super) fn record(&self) {
        let shared = &*self.0;
        let _turn = shared.turn.lock();
        let change = std::mem::take(&mut *shared.change.lock());
        for (counter, more) in shared.counters.iter().zip(change.counters) {
            if more > 0 {
                counter.call(|counter| counter.increment(more));
            }
        }
        for (gauge, by) in shared.gauges.iter().zip(change.gauges) {
            let size = by.unsigned_abs() as f64;
            match by {
                0 => {}
                1.. => gauge.call(|gauge| gauge.increment(size)),
                _ => gauge.call(|gauge| gauge.decrement(size)),
            }
        }
    }
}

/// The histogram, for workers.
#[derive(Clone)]
pub(crate) struct Durations(Arc<Shared>);

impl Durations {
    fn sample(&self, seconds: f64, times: usize) {
        self.0.durations.call(|durations| match times {
            1 => durations.record(seconds),
            times => durations.record_many(seconds, times),
        });
    }
}
