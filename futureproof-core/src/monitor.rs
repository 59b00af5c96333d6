//! Shows what is going on: one thread that reports on all loops and scopes, off the workers.
//!
//! Nothing here runs unless somebody listens at INFO to the target `futureproof::monitor` when a loop starts. Workers
//! store their counts into a padded slot each; the monitor sums the slots.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::context::Context;
use crate::sync::{Arc, AtomicBool, AtomicU64, Condvar, Mutex, Ordering};
use crate::unwind;

/// The interval of everything that names none.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);
/// What ends sooner is of interest at DEBUG only.
const SHORT: Duration = Duration::from_millis(100);
/// After so many intervals in which nothing completed, there is a warning.
const STALLED_AFTER: u32 = 3;
/// The monitor thread goes when it has had nothing to watch for this long.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How often progress is logged: `monitor = …`.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::{MonitorInterval, ParallelFor};
///
/// assert_eq!(MonitorInterval::default(), Duration::from_secs(2).into());
/// ParallelFor::new().monitor(false).for_each(0..10, |_| ());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonitorInterval(Option<Duration>);

impl MonitorInterval {
    pub(crate) const DEFAULT: Self = Self(Some(DEFAULT_INTERVAL));
}

impl Default for MonitorInterval {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<Duration> for MonitorInterval {
    /// # Panics
    ///
    /// Panics when `interval` is zero.
    fn from(interval: Duration) -> Self {
        assert!(
            !interval.is_zero(),
            "`monitor` must be longer than 0 s, but it is 0 s; write `false` for no progress log"
        );
        Self(Some(interval))
    }
}

impl From<bool> for MonitorInterval {
    /// `false`: no progress log; `true`: the default interval.
    fn from(on: bool) -> Self {
        if on { Self::default() } else { Self(None) }
    }
}

/// What a worker has done, and what it is at.
#[derive(Default)]
struct Slot {
    completed: AtomicU64,
    failed: AtomicU64,
    /// The index of the item (or of the first of a batch of cheap items) it is at, plus one; 0 when it is at none.
    current: AtomicU64,
}

/// The counts of one loop or scope.
pub(crate) struct Progress {
    name: String,
    total: Option<u64>,
    interval: Duration,
    started: Instant,
    slots: Box<[CachePadded<Slot>]>,
    waiting: AtomicU64,
    context: Context,
    ended: AtomicBool,
}

/// The sums over all workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) in_flight: u64,
}

impl Progress {
    /// Publishes a worker's counts so far and the item it is at.
    #[inline]
    pub(crate) fn publish(&self, seat: usize, index: Option<usize>, completed: u64, failed: u64) {
        let Some(slot) = self.slots.get(seat) else {
            return;
        };
        slot.completed.store(completed, Ordering::Relaxed);
        slot.failed.store(failed, Ordering::Relaxed);
        let current = index.map_or(0, |index| index as u64 + 1);
        slot.current.store(current, Ordering::Relaxed);
    }

    /// Publishes how many tasks wait for a worker.
    pub(crate) fn publish_waiting(&self, waiting: usize) {
        self.waiting.store(waiting as u64, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for slot in &self.slots {
            counts.completed += slot.completed.load(Ordering::Relaxed);
            counts.failed += slot.failed.load(Ordering::Relaxed);
            counts.in_flight += u64::from(slot.current.load(Ordering::Relaxed) != 0);
        }
        counts
    }
}

/// Watches a loop or scope until dropped.
pub(crate) struct Watch {
    progress: Arc<Progress>,
    ended: &'static str,
}

/// Starts to watch a loop or scope of `workers`, if its progress is wanted and somebody listens.
pub(crate) fn watch(
    interval: MonitorInterval,
    name: impl FnOnce() -> String,
    workers: usize,
    total: Option<usize>,
    context: &Context,
) -> Option<Watch> {
    let interval = interval.0?;
    if !tracing::enabled!(target: "futureproof::monitor", tracing::Level::INFO) {
        return None;
    }
    let progress = Arc::new(Progress {
        name: name(),
        total: total.map(|total| total as u64),
        interval,
        started: Instant::now(),
        slots: (0..workers).map(|_| CachePadded::default()).collect(),
        waiting: AtomicU64::new(0),
        context: context.clone(),
        ended: AtomicBool::new(false),
    });
    tracing::debug!(target: "futureproof::monitor", name = %progress.name, workers, total = progress.total, "started");
    let watch = Watch {
        progress,
        ended: "finished",
    };
    MONITOR.register(&watch.progress);
    Some(watch)
}

impl Watch {
    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Stops to watch, and says how it ended.
    pub(crate) fn end(mut self, how: &'static str) {
        self.ended = how;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let progress = &self.progress;
        progress.ended.store(true, Ordering::Relaxed);
        MONITOR.deregister(progress);
        let Counts {
            completed, failed, ..
        } = progress.counts();
        let elapsed = progress.started.elapsed();
        let ended = self.ended;
        // A subscriber's panic must not turn the loop's end into an abort.
        let result = unwind::catch(|| {
            if elapsed < SHORT {
                tracing::debug!(target: "futureproof::monitor", name = %progress.name, completed, failed, elapsed = ?elapsed, ended,
                    "{ended}: {completed} completed, {failed} failed in {elapsed:.2?}");
            } else {
                tracing::info!(target: "futureproof::monitor", name = %progress.name, completed, failed, elapsed = ?elapsed, ended,
                    "{ended}: {completed} completed, {failed} failed in {elapsed:.2?}");
            }
        });
        if let Err(payload) = result {
            unwind::discard(payload);
        }
    }
}

static MONITOR: LazyLock<Monitor> = LazyLock::new(Monitor::default);

#[derive(Default)]
struct Monitor {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    running: bool,
    /// When the thread will look again by itself.
    wakes: Option<Instant>,
}

/// What the monitor remembers of one loop between two looks.
struct Entry {
    progress: Arc<Progress>,
    due: Instant,
    looks: u32,
    seen: Counts,
    seen_at: Instant,
    /// Intervals in a row in which nothing completed.
    idle: u32,
    /// What each worker is at, and since when it has been seen there.
    at: Vec<(u64, Instant)>,
}

impl Monitor {
    fn register(&self, progress: &Arc<Progress>) {
        let due = progress.started + SHORT.min(progress.interval);
        let entry = Entry {
            progress: progress.clone(),
            due,
            looks: 0,
            seen: Counts::default(),
            seen_at: progress.started,
            idle: 0,
            at: vec![(0, progress.started); progress.slots.len()],
        };
        let mut state = self.state.lock();
        state.entries.push(entry);
        if !state.running {
            state.running = true;
            drop(state);
            self.start();
        } else if state.wakes.is_some_and(|wakes| due < wakes) {
            self.changed.notify_one();
        }
    }

    fn deregister(&self, progress: &Arc<Progress>) {
        let mut state = self.state.lock();
        let found = state
            .entries
            .iter()
            .position(|entry| Arc::ptr_eq(&entry.progress, progress));
        let entry = found.map(|at| state.entries.swap_remove(at));
        drop(state);
        drop(entry);
    }

    fn start(&self) {
        let started = std::thread::Builder::new()
            .name("futureproof-mon".into())
            .spawn(|| MONITOR.run());
        if let Err(error) = started {
            self.state.lock().running = false;
            tracing::warn!(target: "futureproof::monitor", %error, "cannot start the monitor thread; there will be no progress log");
        }
    }

    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            let now = Instant::now();
            let due = state.entries.iter_mut().find(|entry| entry.due <= now);
            if let Some(entry) = due {
                let report = entry.look(now);
                drop(state);
                // Outside the lock: a slow subscriber holds up no loop.
                if let Err(payload) = unwind::catch(|| report.emit()) {
                    unwind::discard(payload);
                }
                state = self.state.lock();
                continue;
            }
            let next = state.entries.iter().map(|entry| entry.due).min();
            let wait = next.map_or(KEEP_ALIVE, |due| due.saturating_duration_since(now));
            state.wakes = Some(now + wait);
            let timed_out;
            (state, timed_out) = self.changed.wait_timeout(state, wait);
            if timed_out && next.is_none() && state.entries.is_empty() {
                state.running = false;
                return;
            }
        }
    }
}

/// An interval too long to be written down as a time is as good as one of thirty years.
fn later(from: Instant, interval: Duration) -> Instant {
    from.checked_add(interval)
        .unwrap_or_else(|| from + Duration::from_secs(30 * 365 * 86_400))
}

impl Entry {
    /// Takes stock and says what is worth saying.
    fn look(&mut self, now: Instant) -> Look {
        let progress = self.progress.clone();
        let counts = progress.counts();
        let first = self.looks == 0;
        self.looks += 1;
        for (slot, at) in progress.slots.iter().zip(&mut self.at) {
            let current = slot.current.load(Ordering::Relaxed);
            if current != at.0 {
                *at = (current, now);
            }
        }
        let ended = counts.completed + counts.failed;
        let delta = ended - (self.seen.completed + self.seen.failed);
        let completed = counts.completed - self.seen.completed;
        let since = now.saturating_duration_since(self.seen_at);
        let early = first && SHORT < progress.interval;
        if early {
            // The first look only says that the loop is there.
            self.due = later(progress.started, progress.interval);
        } else {
            self.idle = if delta == 0 { self.idle + 1 } else { 0 };
            self.seen = counts;
            self.seen_at = now;
            self.due = later(now, progress.interval);
        }
        // Said after three intervals, then after six, twelve, …
        let stalled = self.idle >= STALLED_AFTER
            && self.idle.is_multiple_of(STALLED_AFTER)
            && (self.idle / STALLED_AFTER).is_power_of_two();
        let longest = self
            .at
            .iter()
            .filter(|(current, _)| *current != 0)
            .min_by_key(|(_, since)| *since)
            .map(|(current, since)| (current - 1, now.saturating_duration_since(*since)));
        Look {
            progress,
            counts,
            early,
            delta,
            completed,
            since,
            stalled: stalled.then_some((since * self.idle, longest)),
        }
    }
}

/// What one look at a loop found.
struct Look {
    progress: Arc<Progress>,
    counts: Counts,
    early: bool,
    /// Ended since the last look, one way or the other; and of those, completed.
    delta: u64,
    completed: u64,
    since: Duration,
    /// For how long nothing has completed, and the item that has been running longest, with its time.
    stalled: Option<(Duration, Option<(u64, Duration)>)>,
}

impl Look {
    fn emit(&self) {
        let progress = &self.progress;
        progress.context.enter(|| {
            if !progress.ended.load(Ordering::Relaxed) {
                self.emit_here();
            }
        });
    }

    fn emit_here(&self) {
        let Progress { name, total, .. } = &*self.progress;
        let Counts {
            completed,
            failed,
            in_flight,
        } = self.counts;
        let waiting = self.progress.waiting.load(Ordering::Relaxed);
        if self.early {
            tracing::info!(target: "futureproof::monitor", name = %name, workers = self.progress.slots.len(), total, "started");
            return;
        }
        let seconds = self.since.as_secs_f64();
        let rate = self.completed as f64 / seconds;
        // Nothing is known of the time left while nothing moves.
        let left = self.time_left().filter(|_| self.delta > 0);
        tracing::info!(
            target: "futureproof::monitor",
            name = %name, completed, failed, in_flight, waiting, total, rate, left = left.map(tracing::field::debug),
            "{}", Line { look: self, rate, left }
        );
        match self.stalled {
            Some((idle, Some((index, running)))) => tracing::warn!(
                target: "futureproof::monitor",
                name = %name, index, running = ?running, idle = ?idle,
                "nothing has completed for {idle:.1?}: item {index} has been running for more than {running:.1?}"
            ),
            Some((idle, None)) => tracing::warn!(
                target: "futureproof::monitor",
                name = %name, idle = ?idle,
                "nothing has completed for {idle:.1?}: no item is running, the workers wait for the input"
            ),
            None => {}
        }
    }

    /// The time left at the mean rate so far.
    fn time_left(&self) -> Option<Duration> {
        let done = self.counts.completed + self.counts.failed;
        let left = self.progress.total?.checked_sub(done)?;
        if done == 0 {
            return None;
        }
        let each = self.progress.started.elapsed().as_secs_f64() / done as f64;
        Duration::try_from_secs_f64(each * left as f64).ok()
    }
}

/// The progress log's line for people.
struct Line<'a> {
    look: &'a Look,
    rate: f64,
    left: Option<Duration>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let look = self.look;
        write!(
            f,
            "{} completed in the last {:.2} s ({:.1}/s), {} in all",
            look.completed,
            look.since.as_secs_f64(),
            self.rate,
            look.counts.completed
        )?;
        if let Some(total) = look.progress.total {
            write!(f, " of {total}")?;
        }
        write!(
            f,
            ", {} failed, {} in flight",
            look.counts.failed, look.counts.in_flight
        )?;
        if let Some(left) = self.left {
            write!(f, ", {} left", Rough(left))?;
        }
        Ok(())
    }
}

/// A duration as a person says it.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..60 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            60..3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3600..86_400 => write!(f, "{} h {} min", seconds / 3600, seconds % 3600 / 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_interval_too_long_for_the_clock_is_due_in_years_and_does_not_end_the_monitor() {
        let now = Instant::now();
        let year = Duration::from_secs(365 * 86_400);
        assert!(later(now, Duration::MAX) > now + 10 * year);
        assert_eq!(later(now, year), now + year);
    }
}
