//! The one thread that looks at everything that is watched, at the intervals that are wanted.
//!
//! Nothing foreign is called under the lock, so whoever begins or ends something waits here for no subscriber, terminal or
//! recorder: at most for a look at some counters.

use std::sync::{LazyLock, Once};
use std::time::Duration;

use super::clock::Clock;
use super::look::{Look, Looker};
use super::observers::{Observers, Seen};
use super::progress::Progress;
use super::words;
use crate::context::Context;
use crate::policy::ErrorPolicy;
use crate::sync::{Arc, Condvar, Instant, Mutex};
use crate::unwind;

/// The thread goes when it has had nothing to watch for this long.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

static TICKER: LazyLock<Ticker> = LazyLock::new(Ticker::default);

#[derive(Default)]
struct Ticker {
    state: Mutex<State>,
    changed: Condvar,
    #[cfg(all(test, not(loom)))]
    settled: Condvar,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    running: bool,
    /// When the thread will look again by itself.
    wakes: Option<Instant>,
    /// By when everything has been said.
    #[cfg(all(test, not(loom)))]
    settled: Option<Instant>,
}

/// Something that is watched.
pub(super) struct Entry {
    pub(super) progress: Arc<Progress>,
    pub(super) policy: ErrorPolicy,
    /// Where it was started.
    pub(super) context: Context,
    /// The progress log.
    pub(super) looker: Option<Looker>,
    pub(super) observers: Observers,
}

impl Entry {
    fn due(&self) -> Option<Instant> {
        let log = self.looker.as_ref().map(|looker| looker.due);
        log.into_iter().chain(self.observers.due()).min()
    }

    fn look(&mut self, now: Instant) -> Said {
        let looker = self.looker.as_mut().filter(|looker| looker.due <= now);
        Said {
            look: looker.map(|looker| looker.look(&self.progress, now)),
            seen: self.observers.look(&self.progress, now),
            progress: self.progress.clone(),
            policy: self.policy,
            context: self.context.clone(),
        }
    }
}

/// What is to be said without the lock.
struct Said {
    progress: Arc<Progress>,
    policy: ErrorPolicy,
    context: Context,
    look: Option<Look>,
    seen: Seen,
}

impl Said {
    fn say(self) {
        if let Some(look) = &self.look {
            quietly(|| {
                self.context.enter_outside(|| {
                    if !self.progress.has_ended() {
                        words::look(&self.progress, look, self.policy);
                    }
                });
            });
        }
        if !self.progress.has_ended() {
            quietly(|| self.seen.tell());
        } else {
            quietly(|| self.seen.tell_late());
        }
    }
}

pub(super) fn register(entry: Entry) {
    let due = entry.due();
    let mut state = TICKER.state.lock();
    state.entries.push(entry);
    if !state.running {
        state.running = true;
        drop(state);
        start();
    } else if state
        .wakes
        .is_some_and(|wakes| due.is_some_and(|due| due < wakes))
    {
        TICKER.changed.notify_one();
    }
}

pub(super) fn deregister(progress: &Arc<Progress>) -> Option<Entry> {
    let mut state = TICKER.state.lock();
    let found = (state.entries.iter()).position(|entry| Arc::ptr_eq(&entry.progress, progress));
    found.map(|at| state.entries.swap_remove(at))
}

fn start() {
    let started = std::thread::Builder::new()
        .name("futureproof-mon".into())
        .spawn(run);
    if let Err(error) = started {
        TICKER.state.lock().running = false;
        static WARNED: Once = Once::new();
        WARNED.call_once(|| quietly(|| {
            tracing::warn!(target: "futureproof::monitor", %error, "cannot start the monitor's thread; progress will not be shown");
        }));
    }
}

fn run() {
    let mut state = TICKER.state.lock();
    loop {
        let now = Clock::now();
        // What has been due for longest, lest it wait for ever for others that are due all the time.
        let first = (state.entries.iter_mut())
            .filter_map(|entry| Some((entry.due()?, entry)))
            .min_by_key(|(due, _)| *due);
        if let Some((_, entry)) = first.filter(|(due, _)| *due <= now) {
            let said = entry.look(now);
            drop(state);
            said.say();
            state = TICKER.state.lock();
            continue;
        }
        #[cfg(all(test, not(loom)))]
        {
            state.settled = Some(now);
            TICKER.settled.notify_all();
        }
        let next = state.entries.iter().filter_map(Entry::due).min();
        let wait = next.map_or(KEEP_ALIVE, |due| due.saturating_duration_since(now));
        state.wakes = Some(now + wait);
        let timed_out;
        (state, timed_out) = TICKER.changed.wait_timeout(state, wait);
        if timed_out && state.entries.is_empty() {
            state.running = false;
            return;
        }
    }
}

/// Waits until everything has been said that is due.
#[cfg(all(test, not(loom)))]
pub(super) fn settle() {
    let now = Clock::now();
    let mut state = TICKER.state.lock();
    while state.running && state.settled.is_none_or(|settled| settled < now) {
        // Under the lock: the thread may have read the time and not wait yet.
        TICKER.changed.notify_all();
        state = TICKER.settled.wait(state);
    }
}

/// Runs what calls a subscriber or a recorder: its panic must not end the monitor, nor a loop.
pub(super) fn quietly(f: impl FnOnce()) {
    if let Err(payload) = unwind::catch(f) {
        unwind::discard(payload);
    }
}
