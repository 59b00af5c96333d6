//! The one thread of a pool that waits for moments: of the next attempt, of a time limit, of the next start that a rate
//! allows. It is started when there is something to wait for, and goes when there has been nothing for a while.
//!
//! Some moments are told to code of the user's, which may wait for another moment: before that the thread hands its office to
//! another one, see [`relieve_timer`].

use std::cell::RefCell;

use super::shared::{Shared, Work, quietly};
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Arc, Condvar, Instant, Mutex, thread_local};

#[derive(Default)]
pub(super) struct Timer {
    state: Mutex<State>,
    /// Signalled when there is an earlier moment to wait for, or none any more.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// One for each work at most; there are few.
    alarms: Vec<Alarm>,
    running: bool,
    closed: bool,
    /// When the thread will look again by itself, if ever.
    wakes: Option<Instant>,
    /// Of threads that have not been joined yet.
    handles: Vec<JoinHandle<()>>,
}

struct Alarm {
    due: Instant,
    work: Arc<dyn Work>,
}

thread_local! {
    /// The pool whose timer this thread is.
    static TIMER_OF: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Hears that code of the user's is about to be called: a timer's thread is not the timer any more then. It ends when that
/// code has returned.
pub(crate) fn relieve_timer() {
    let pool = TIMER_OF.try_with(|pool| pool.borrow_mut().take());
    let Ok(Some(pool)) = pool else { return };
    let mut state = pool.timer.state.lock();
    if state.closed {
        return;
    }
    // Whoever asks for an alarm from now on starts another timer; here, those who have asked already.
    state.running = !state.alarms.is_empty();
    if state.running {
        drop(state);
        pool.start_timer(None);
    }
}

impl Shared {
    /// Calls [`Work::alarm`] of `work` at the moment `due`, or earlier if it asked for an earlier one, on a thread of its
    /// own. Returns false if there is no such thread.
    pub(crate) fn alarm_at(self: &Arc<Self>, work: &Arc<dyn Work>, due: Instant) -> bool {
        let mut state = self.timer.state.lock();
        if state.closed {
            return false;
        }
        let known = (state.alarms.iter_mut()).find(|alarm| Arc::ptr_eq(&alarm.work, work));
        match known {
            Some(alarm) if alarm.due <= due => {}
            Some(alarm) => alarm.due = due,
            None => state.alarms.push(Alarm {
                due,
                work: work.clone(),
            }),
        }
        if state.running {
            if state.wakes.is_none_or(|wakes| due < wakes) {
                drop(state);
                self.timer.changed.notify_one();
            }
            return true;
        }
        state.running = true;
        drop(state);
        self.start_timer(Some(work))
    }

    fn start_timer(self: &Arc<Self>, first: Option<&Arc<dyn Work>>) -> bool {
        let shared = self.clone();
        let builder = thread::Builder::new().name(format!("{}-timer", self.config.name));
        let started = builder.spawn(move || shared.run_timer());
        let mut state = self.timer.state.lock();
        match started {
            Ok(handle) => {
                if state.closed {
                    // It sees that, and ends.
                    drop(state);
                    let _ = handle.join();
                    return false;
                }
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
                true
            }
            Err(error) => {
                state.running = false;
                let alarms = std::mem::take(&mut state.alarms);
                drop(state);
                for alarm in alarms {
                    // An early alarm does no harm, one that never comes does.
                    if !first.is_some_and(|first| Arc::ptr_eq(&alarm.work, first)) {
                        quietly(move || alarm.work.alarm());
                    }
                }
                quietly(|| {
                    tracing::warn!(
                        target: "futureproof",
                        pool = %self.config.name,
                        error = %error,
                        "cannot start the timer thread; workers wait in its stead, and time limits are not told of"
                    );
                });
                false
            }
        }
    }

    fn run_timer(self: Arc<Self>) {
        let timer = &self.timer;
        TIMER_OF.set(Some(self.clone()));
        let mut state = timer.state.lock();
        while !state.closed {
            let now = Instant::now();
            let due = state.alarms.iter().position(|alarm| alarm.due <= now);
            if let Some(at) = due {
                let alarm = state.alarms.swap_remove(at);
                drop(state);
                // The work wakes others and tells of failures, all of which may be somebody else's code.
                quietly(move || alarm.work.alarm());
                if TIMER_OF.with_borrow(Option::is_none) {
                    return;
                }
                state = timer.state.lock();
                continue;
            }
            let next = state.alarms.iter().map(|alarm| alarm.due).min();
            let wait = next.map_or(self.config.keep_alive, |due| due - now);
            state.wakes = now.checked_add(wait);
            let timed_out;
            (state, timed_out) = timer.changed.wait_timeout(state, wait);
            if timed_out && next.is_none() && state.alarms.is_empty() {
                break;
            }
        }
        state.running = false;
        drop(state);
        drop(TIMER_OF.take());
    }

    /// Forgets the moment that `work` waits for.
    pub(super) fn forget_alarm(&self, work: &Arc<dyn Work>) {
        let mut state = self.timer.state.lock();
        let at = (state.alarms.iter()).position(|alarm| Arc::ptr_eq(&alarm.work, work));
        let alarm = at.map(|at| state.alarms.swap_remove(at));
        drop(state);
        drop(alarm);
    }

    /// Ends the thread, and waits for it unless it is the calling one.
    pub(super) fn close_timer(&self) {
        let mut state = self.timer.state.lock();
        state.closed = true;
        let alarms = std::mem::take(&mut state.alarms);
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        self.timer.changed.notify_all();
        for alarm in alarms {
            // It may have asked for no thread meanwhile.
            quietly(move || alarm.work.abandon());
        }
        for handle in handles {
            if handle.thread().id() != thread::current().id() {
                // It catches everything, so there is no panic to hear of.
                let _ = handle.join();
            }
        }
    }
}
