//! The counts of one loop, scope, stream or queue that is watched.
//!
//! Workers store what they have done into a padded slot each, which has no other writer. What is rare, and what happens without a
//! worker, is added up beside the slots.
//!
//! Counters that somebody else keeps can only go up, so a look must never see too much of anything. A worker says what it is at
//! before it says what it has done, and whoever looks reads that in the opposite order: no item is seen both ended and in flight.

#[cfg(all(test, loom))]
mod models;

use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::clock::Clock;
use super::meters::{Durations, Sampler};
use crate::report::{Ended, Report};
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, Instant, OnceLock, Ordering};

/// What a slot says its worker is at.
const NOTHING: u64 = 0;
const SOURCE: u64 = 1;
const FIRST_ITEM: u64 = 2;

/// What a worker is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// It has nothing to do, or is gone.
    Nothing,
    /// It wants something of the source: it pulls, or waits for another worker that does.
    Source,
    /// The item with this index.
    Item(usize),
    /// One of so many items from this index on, which were taken together.
    Batch(usize, usize),
}

impl At {
    /// How many items it may be at one of.
    fn items(self) -> u64 {
        match self {
            Self::Batch(_, items) => items as u64,
            _ => 1,
        }
    }

    fn encode(self) -> u64 {
        match self {
            Self::Nothing => NOTHING,
            Self::Source => SOURCE,
            Self::Item(index) | Self::Batch(index, _) => (index as u64).saturating_add(FIRST_ITEM),
        }
    }

    pub(super) fn is_source(code: u64) -> bool {
        code == SOURCE
    }

    /// The item's index, where there is one.
    pub(super) fn item(code: u64) -> Option<u64> {
        code.checked_sub(FIRST_ITEM)
    }
}

/// What a worker has done, and what it is at.
#[derive(Default)]
pub(super) struct Slot {
    completed: AtomicU64,
    errors: AtomicU64,
    panicked: AtomicU64,
    left: AtomicU64,
    pub(super) at: AtomicU64,
    /// How many items were taken together.
    pub(super) items: AtomicU64,
}

/// What workers have done that have no slot, and how many of them are at an item.
#[derive(Default)]
struct Seatless {
    completed: AtomicU64,
    errors: AtomicU64,
    panicked: AtomicU64,
    in_flight: AtomicU64,
}

/// How often each thing has happened so far, and how much is going on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Begun by a worker, whatever has become of it.
    pub(crate) started: u64,
    pub(crate) completed: u64,
    /// With those that panicked.
    pub(crate) failed: u64,
    pub(crate) panicked: u64,
    pub(crate) cancelled: u64,
    /// Attempts that failed and were followed by another.
    pub(crate) retried: u64,
    pub(crate) in_flight: u64,
    pub(crate) waiting: u64,
}

impl Counts {
    /// Everything that has ended, one way or the other.
    pub(super) fn ended(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }
}

/// What keeps a board without running tasks from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wait {
    /// More input.
    Source,
    /// A thread of its pool.
    Pool,
    /// Somebody who reads results.
    Consumer,
    /// A permit of its rate limit.
    Permit,
    /// The next attempt of tasks that have failed.
    Retry,
    /// Nothing: all has been done that there was.
    Nothing,
}

impl Wait {
    const ALL: [Self; 6] = [
        Self::Source,
        Self::Pool,
        Self::Consumer,
        Self::Permit,
        Self::Retry,
        Self::Nothing,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Pool => "pool",
            Self::Consumer => "consumer",
            Self::Permit => "permit",
            Self::Retry => "retry",
            Self::Nothing => "nothing",
        }
    }
}

/// The counts of one loop, scope, stream or queue.
pub(crate) struct Progress {
    pub(super) name: String,
    pub(super) total: Option<u64>,
    pub(super) started: Instant,
    /// What ends sooner, or sooner than this has anything to say, is of interest at DEBUG only.
    pub(super) quiet: Duration,
    /// What is counted: `"item"` or `"task"`.
    pub(super) unit: &'static str,
    pub(super) slots: Box<[CachePadded<Slot>]>,
    waiting: AtomicU64,
    /// Of workers that have no slot of their own, all together.
    seatless: CachePadded<Seatless>,
    /// What failed and was cancelled without a worker.
    failed: AtomicU64,
    cancelled: AtomicU64,
    begun: AtomicU64,
    retried: AtomicU64,
    wait: AtomicU8,
    /// Nothing more is started: it was stopped, or is left.
    ending: AtomicBool,
    /// Where workers report how long tasks took, if anybody records that.
    durations: Option<Durations>,
    end: OnceLock<(Ended, Duration)>,
}

impl Progress {
    pub(super) fn new(
        name: String,
        workers: usize,
        total: Option<usize>,
        durations: Option<Durations>,
        quiet: Duration,
        unit: &'static str,
    ) -> Self {
        Self {
            name,
            total: total.map(|total| total as u64),
            started: Clock::now(),
            quiet,
            unit,
            slots: (0..workers).map(|_| CachePadded::default()).collect(),
            waiting: AtomicU64::new(0),
            seatless: CachePadded::default(),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            wait: AtomicU8::new(Wait::Source as u8),
            ending: AtomicBool::new(false),
            durations,
            end: OnceLock::new(),
        }
    }

    /// Publishes a worker's counts so far and what it is at.
    #[inline]
    pub(crate) fn publish(&self, seat: usize, at: At, done: Done) {
        let Some(slot) = self.slots.get(seat) else {
            return;
        };
        slot.items.store(at.items(), Ordering::Relaxed);
        slot.at.store(at.encode(), Ordering::Relaxed);
        slot.completed.store(done.completed, Ordering::Release);
        slot.errors.store(done.errors, Ordering::Release);
        slot.panicked.store(done.panicked, Ordering::Release);
        slot.left.store(done.left, Ordering::Release);
    }

    /// Publishes that a worker has completed what it was at, and has done nothing else since it published last.
    #[inline]
    pub(crate) fn publish_completed(&self, seat: usize, completed: u64) {
        if let Some(slot) = self.slots.get(seat) {
            slot.at.store(NOTHING, Ordering::Relaxed);
            slot.completed.store(completed, Ordering::Release);
        }
    }

    /// Publishes that a worker begins an item, and has done nothing since it published last.
    #[inline]
    pub(crate) fn publish_item(&self, seat: usize, index: usize) {
        if let Some(slot) = self.slots.get(seat) {
            slot.at.store(At::Item(index).encode(), Ordering::Relaxed);
        }
    }

    /// Publishes what a worker without a slot has done since it did so last, and whether it was and is at an item.
    pub(crate) fn add_seatless(&self, done: Done, was_at_item: bool, is_at_item: bool) {
        let seatless = &self.seatless;
        match (was_at_item, is_at_item) {
            (false, true) => _ = seatless.in_flight.fetch_add(1, Ordering::Relaxed),
            (true, false) => _ = seatless.in_flight.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
        seatless
            .completed
            .fetch_add(done.completed, Ordering::Release);
        seatless.errors.fetch_add(done.errors, Ordering::Release);
        seatless
            .panicked
            .fetch_add(done.panicked, Ordering::Release);
    }

    /// Publishes how many tasks wait for a worker.
    pub(crate) fn publish_waiting(&self, waiting: usize) {
        self.waiting.store(waiting as u64, Ordering::Relaxed);
    }

    /// Publishes what keeps it from going on, for as long as nothing runs.
    pub(crate) fn publish_wait(&self, wait: Wait) {
        self.wait.store(wait as u8, Ordering::Relaxed);
    }

    /// Counts tasks that ended without a worker; those that have `begun` had been tried before.
    pub(crate) fn add_unrun(&self, failed: u64, cancelled: u64, begun: u64) {
        self.begun.fetch_add(begun, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
        self.cancelled.fetch_add(cancelled, Ordering::Relaxed);
    }

    /// Publishes that nothing more will be started.
    pub(crate) fn publish_ending(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Counts an attempt that failed and will be followed by another.
    pub(crate) fn add_retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts {
            started: self.begun.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            retried: self.retried.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
            ..Counts::default()
        };
        let completed = self.seatless.completed.load(Ordering::Acquire);
        let errors = self.seatless.errors.load(Ordering::Acquire);
        let panicked = self.seatless.panicked.load(Ordering::Acquire);
        counts.in_flight = self.seatless.in_flight.load(Ordering::Relaxed);
        counts.started += completed + errors + panicked + counts.in_flight;
        counts.completed = completed;
        counts.failed += errors + panicked;
        counts.panicked = panicked;
        for slot in &self.slots {
            let completed = slot.completed.load(Ordering::Acquire);
            let errors = slot.errors.load(Ordering::Acquire);
            let panicked = slot.panicked.load(Ordering::Acquire);
            let left = slot.left.load(Ordering::Acquire);
            let at = slot.at.load(Ordering::Relaxed);
            let in_flight = u64::from(At::item(at).is_some());
            counts.started += completed + errors + panicked + left + in_flight;
            counts.completed += completed;
            counts.failed += errors + panicked;
            counts.panicked += panicked;
            counts.in_flight += in_flight;
        }
        counts
    }

    /// Chooses the tasks of one worker whose durations are reported, if any are. `now` is in nanoseconds of the clock of those
    /// given later.
    pub(crate) fn sampler(&self, now: u64) -> Option<Sampler> {
        self.durations
            .clone()
            .map(|durations| Sampler::new(durations, now))
    }

    /// What it waits for, where nothing runs.
    pub(super) fn wait(&self, waiting: u64) -> Wait {
        let wait = self.wait.load(Ordering::Relaxed);
        let wait = Wait::ALL.get(usize::from(wait)).copied();
        match wait.unwrap_or(Wait::Source) {
            // There is something to run, so it is not more input that it lacks.
            Wait::Source | Wait::Nothing if waiting > 0 => Wait::Pool,
            wait => wait,
        }
    }

    pub(super) fn end(&self, ended: Ended, elapsed: Duration) {
        _ = self.end.set((ended, elapsed));
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.get().is_some()
    }

    /// What has been done so far.
    pub(super) fn report(&self) -> Report {
        let end = self.end.get().copied();
        let (ended, elapsed) = end.unwrap_or_else(|| {
            let elapsed = Clock::now().saturating_duration_since(self.started);
            (Ended::Running, elapsed)
        });
        let counts = self.counts();
        Report {
            completed: counts.completed,
            failed: counts.failed,
            cancelled: counts.cancelled,
            elapsed,
            ended,
        }
    }
}

/// What one worker has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) completed: u64,
    pub(crate) errors: u64,
    pub(crate) panicked: u64,
    /// Items that left their loop with a value.
    pub(crate) left: u64,
}

impl Done {
    /// What has been done since then.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            completed: self.completed - then.completed,
            errors: self.errors - then.errors,
            panicked: self.panicked - then.panicked,
            left: self.left - then.left,
        }
    }
}
