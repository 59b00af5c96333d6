//! How a pool's queue of submitted tasks ends.

use std::cell::RefCell;
use std::time::Duration;

use super::Submitted;
use super::job::{Job, Why};
use crate::pool::Shared;
use crate::stop;
use crate::sync::{Arc, Instant, thread_local};

impl Submitted {
    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.room.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Accepts nothing more, cancels what is queued, and tells what is running.
    pub(crate) fn stop(&self) {
        self.end(Why::Cancelled);
    }

    /// Starts nothing more: what is queued ends, and what comes later.
    pub(super) fn end(&self, why: Why) {
        let mut state = self.state.lock();
        let stops = matches!(why, Why::Cancelled);
        state.closed |= stops;
        state.ended.get_or_insert_with(|| why.clone());
        let jobs = state.take_out_all(|_| true, &self.me);
        state.ending += jobs.len();
        // Both are left with what had been claimed before.
        let dead = (
            std::mem::take(&mut state.jobs),
            std::mem::take(&mut state.lanes),
        );
        self.leave(state);
        if stops {
            self.closing.stop();
        }
        self.room.notify_all();
        self.drained.notify_all();
        self.tick.notify_all();
        drop(dead);
        self.finish(&jobs, &why);
    }

    /// Ends tasks that were taken out and counted as ending.
    pub(super) fn finish(&self, jobs: &[Arc<dyn Job>], why: &Why) {
        if jobs.is_empty() {
            return;
        }
        let ending = Ending::begin(self, jobs.len());
        jobs.iter().for_each(|job| job.finish(why));
        drop(ending);
        let mut state = self.state.lock();
        state.ending -= jobs.len();
        if state.drainers > 0 {
            self.drained.notify_all();
        }
    }

    /// Accepts nothing more and waits until nothing is left, at most for `limit`; else returns how many tasks wait and how
    /// many run. Tasks are spared that are around a thread which does this: none waits for itself, nor for another.
    pub(crate) fn drain(&self, pool: &Arc<Shared>, limit: Duration) -> Result<(), (usize, usize)> {
        self.close();
        // A limit too far away to be written down is none.
        let limit = Instant::now().checked_add(limit);
        let helps = pool.is_current() || stop::works_for(pool);
        let around = stop::around(&self.closing);
        let is_inside = around.iter().any(|task| task.is_at_work());
        let own_ending = Ending::here(self);
        let mut dead = Vec::new();
        let mut state = self.state.lock();
        state.spare(&around);
        if is_inside && state.drainers > 0 {
            self.drained.notify_all();
        }
        let outcome = loop {
            let spared = if is_inside { state.spared() } else { 0 };
            let ending = state.ending - own_ending;
            let is_over = state.waiting + state.running + ending <= spared;
            // Inside, this may be what tells of the watch's end.
            if is_over && (state.unwatching == 0 || helps) {
                break Ok(());
            }
            let now = Instant::now();
            if limit.is_some_and(|limit| limit <= now) {
                if is_over {
                    break Ok(());
                }
                break Err((state.waiting + ending, state.running - spared));
            }
            if helps && let Some(taken) = state.take(&mut dead) {
                let moment = state.moments.unasked();
                drop(state);
                dead.clear();
                self.ask_timer(moment);
                let done = self.run(taken);
                pool.count_task();
                state = self.count_out(done, &mut dead);
                continue;
            }
            if let Some(moment) = state.moments.unasked() {
                drop(state);
                self.ask_timer(Some(moment));
                state = self.state.lock();
                continue;
            }
            let next = state.next_moment().filter(|_| self.is_timerless());
            if !dead.is_empty() || next.is_some_and(|next| next <= now) {
                drop(state);
                dead.clear();
                self.look_if_timerless();
                state = self.state.lock();
                continue;
            }
            state.drainers += 1;
            state = match limit.into_iter().chain(next).min() {
                None => self.drained.wait(state),
                Some(until) => self.drained.wait_timeout(state, until - now).0,
            };
            state.drainers -= 1;
        };
        state.spare_no_more(&around);
        self.leave(state);
        outcome
    }

    /// Runs what there is to run, on the calling thread; where there is no timer either, also what has to wait.
    pub(super) fn run_alone(&self) {
        loop {
            self.run_what_is_ready();
            // The pool's lock is not taken under the queue's.
            let paused = self.is_paused();
            let mut state = self.state.lock();
            if state.demand() > 0 && !paused {
                continue;
            }
            let next = state
                .next_moment()
                .filter(|_| self.is_timerless() && !paused);
            let Some(next) = next.filter(|_| state.waiting > 0 && state.ended.is_none()) else {
                state.helped = false;
                let threads = if paused {
                    state.summon(self.workers)
                } else {
                    0
                };
                drop(state);
                if threads > 0
                    && let Some(pool) = self.pool.upgrade()
                {
                    self.request(&pool, threads);
                }
                return;
            };
            let left = next.saturating_duration_since(Instant::now());
            drop(self.tick.wait_timeout(state, left));
            self.look_if_timerless();
        }
    }

    fn is_paused(&self) -> bool {
        (self.pool.upgrade()).is_some_and(|pool| pool.task_limit() == Some(0))
    }

    /// Runs all that can be run now, on the calling thread.
    pub(super) fn run_what_is_ready(&self) {
        let mut dead = Vec::new();
        let mut state = self.state.lock();
        while let Some(taken) = state.take(&mut dead) {
            let moment = state.moments.unasked();
            drop(state);
            dead.clear();
            self.ask_timer(moment);
            let done = self.run(taken);
            let paused = self.is_paused();
            state = self.count_out(done, &mut dead);
            if paused {
                break;
            }
        }
        let moment = state.moments.unasked();
        self.leave(state);
        self.ask_timer(moment);
    }
}

thread_local! {
    /// Queues whose tasks this thread is telling the ends of, by address, and how many: a callback may drain the queue.
    static ENDING: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
}

/// Marks this thread as telling the ends of tasks until dropped.
struct Ending;

impl Ending {
    fn begin(queue: &Submitted, tasks: usize) -> Self {
        let address = std::ptr::from_ref(queue).addr();
        let _ = ENDING.try_with(|ending| ending.borrow_mut().push((address, tasks)));
        Self
    }

    /// How many of the queue's tasks this thread is telling the ends of.
    fn here(queue: &Submitted) -> usize {
        let address = std::ptr::from_ref(queue).addr();
        let tasks = ENDING.try_with(|ending| {
            let ending = ending.borrow();
            let own = ending.iter().filter(|(its, _)| *its == address);
            own.map(|(_, tasks)| tasks).sum()
        });
        tasks.unwrap_or(0)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = ENDING.try_with(|ending| ending.borrow_mut().pop());
    }
}
