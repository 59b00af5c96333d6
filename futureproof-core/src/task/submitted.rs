//! The tasks submitted to a pool outside any scope, waiting for its threads.

use std::collections::VecDeque;

use super::seats::{Seat, Seats};
use crate::context::Context;
use crate::monitor::{self, MonitorInterval, Watch};
use crate::pool::{Shared, Work};
use crate::stop::StopToken;
use crate::sync::{Arc, Condvar, Mutex, Weak};
use crate::unwind;

/// A task with its types erased.
pub(super) trait Job: Send + Sync {
    /// Gives the task its index, before anybody else knows of it.
    fn number(&self, index: usize);

    fn index(&self) -> usize;

    /// Takes the right to run or cancel the task; true once.
    fn claim(&self) -> bool;

    /// Has the task been claimed?
    fn is_claimed(&self) -> bool;

    /// Runs the claimed task and tells its handle; returns whether it failed. Does not unwind.
    fn run(&self) -> bool;

    /// Ends the claimed task without running it. Does not unwind.
    fn cancel(&self);
}

/// One pool's queue of submitted tasks.
///
/// A task is claimed under the queue's lock, by a thread that pops it or by its handle (to cancel it, or to run it in
/// place), so that `waiting` always says how many can still be claimed. What its handle claimed stays behind as a dead
/// entry; when half of the queue is dead it is swept.
pub(crate) struct Submitted {
    state: Mutex<State>,
    room: Condvar,
    /// Stopped when the pool is closed.
    closing: StopToken,
    workers: usize,
    me: Weak<Submitted>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Arc<dyn Job>>,
    accepted: usize,
    waiting: usize,
    running: usize,
    /// Threads asked for that have not come; threads inside; of those, the ones that run a task.
    requested: usize,
    inside: usize,
    busy: usize,
    submitters: usize,
    closed: bool,
    seats: Seats,
    /// While there is something to run and somebody listens.
    watch: Option<Watched>,
}

/// A watch, and the context in which its end is told.
struct Watched {
    watch: Watch,
    context: Context,
}

impl Watched {
    fn end(self) {
        // The watch itself tells nothing of a subscriber's panic.
        if let Err(payload) = unwind::catch(|| self.context.enter(|| drop(self.watch))) {
            unwind::discard(payload);
        }
    }
}

/// What the monitor is told of the tasks.
pub(super) struct Monitored<'a> {
    pub(super) interval: MonitorInterval,
    pub(super) name: &'static str,
    pub(super) context: &'a Context,
}

impl Submitted {
    /// The queue of a pool.
    pub(super) fn of(pool: &Arc<Shared>) -> Arc<Self> {
        let workers = pool.config.workers;
        pool.submitted()
            .get_or_init(|| {
                Arc::new_cyclic(|me| Self {
                    state: Mutex::default(),
                    room: Condvar::new(),
                    closing: StopToken::new(),
                    workers,
                    me: me.clone(),
                })
            })
            .clone()
    }

    pub(super) fn closing(&self) -> &StopToken {
        &self.closing
    }

    /// Accepts a job.
    ///
    /// Waits while `capacity` tasks wait for a worker, unless `beyond` says that the caller must not wait.
    pub(super) fn submit(
        &self,
        pool: &Arc<Shared>,
        capacity: usize,
        beyond: bool,
        job: Arc<dyn Job>,
        monitored: &Monitored<'_>,
    ) {
        self.watch(monitored);
        let saturated = self.workers.saturating_add(capacity);
        let mut state = self.state.lock();
        while !beyond && !state.closed && state.waiting + state.running >= saturated {
            state.submitters += 1;
            state = self.room.wait(state);
            state.submitters -= 1;
        }
        job.number(state.accepted);
        state.accepted += 1;
        if state.closed {
            drop(state);
            if job.claim() {
                job.cancel();
            }
            return;
        }
        state.waiting += 1;
        state.seats.show_waiting(state.waiting);
        state.jobs.push_back(job.clone());
        let crew = state.requested + state.inside;
        let ask = crew < self.workers && crew - state.busy < state.waiting;
        state.requested += usize::from(ask);
        drop(state);
        if ask {
            self.request(pool, &*job);
        }
    }

    /// Has the monitor watch from the first task on until none is left, if it is wanted.
    fn watch(&self, monitored: &Monitored<'_>) {
        let heard = tracing::enabled!(target: "futureproof::monitor", tracing::Level::INFO);
        if !heard || self.state.lock().watch.is_some() {
            return;
        }
        // Outside the lock: a subscriber is somebody else's code.
        let name = || monitored.name.to_owned();
        let watch = monitor::watch(
            monitored.interval,
            name,
            self.workers,
            None,
            monitored.context,
        );
        let Some(watch) = watch else { return };
        let watched = Watched {
            watch,
            context: monitored.context.clone(),
        };
        let mut state = self.state.lock();
        if state.watch.is_none() && state.running == 0 {
            state.seats = Seats::new(Some(watched.watch.progress()), self.workers);
            state.watch = Some(watched);
            return;
        }
        drop(state);
        watched.end();
    }

    /// Asks for a thread; without one, the job runs here and now.
    fn request(&self, pool: &Arc<Shared>, job: &dyn Job) {
        let Some(me) = self.me.upgrade() else { return };
        let work: Arc<dyn Work> = me;
        if pool.request(&work, 1) > 0 {
            // Unless the pool was closed before the request and does not know of it.
            if pool.is_closed() {
                self.close();
            }
            return;
        }
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(1);
        drop(state);
        if pool.is_closed() {
            self.close();
        } else {
            self.run_in_place(job);
        }
    }

    /// Runs a job on the calling thread, if it is still queued.
    pub(super) fn run_in_place(&self, job: &dyn Job) {
        let mut state = self.state.lock();
        if !job.claim() {
            return;
        }
        let seat = state.begin(job);
        let dead = state.sweep();
        drop(state);
        drop(dead);
        let failed = job.run();
        let mut state = self.state.lock();
        state.end(seat, failed);
        self.make_room(&state);
        let watched = state.unwatch();
        drop(state);
        if let Some(watched) = watched {
            watched.end();
        }
    }

    /// Takes a queued job for its handle, which will cancel it.
    pub(super) fn claim_to_cancel(&self, job: &dyn Job) -> bool {
        let mut state = self.state.lock();
        if !job.claim() {
            return false;
        }
        state.waiting -= 1;
        let dead = state.sweep();
        self.make_room(&state);
        let watched = state.unwatch();
        drop(state);
        drop(dead);
        if let Some(watched) = watched {
            watched.end();
        }
        true
    }

    fn make_room(&self, state: &State) {
        if state.submitters > 0 {
            self.room.notify_one();
        }
    }

    /// The pool is closed: what is queued is cancelled.
    fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        let claimed: Vec<_> = jobs.into_iter().map(|job| (job.claim(), job)).collect();
        state.waiting = 0;
        let watched = state.unwatch();
        drop(state);
        if let Some(watched) = watched {
            watched.end();
        }
        self.closing.stop();
        self.room.notify_all();
        for (claimed, job) in claimed {
            if claimed {
                job.cancel();
            }
        }
    }
}

impl State {
    /// Takes the next job that can run; also the dead ones before it, which must not be dropped under the lock.
    fn take(&mut self, dead: &mut Vec<Arc<dyn Job>>) -> Option<(Arc<dyn Job>, Option<Seat>)> {
        while let Some(job) = self.jobs.pop_front() {
            if job.claim() {
                self.busy += 1;
                let seat = self.begin(&*job);
                return Some((job, seat));
            }
            dead.push(job);
        }
        None
    }

    /// Counts in a job that was just claimed to be run.
    fn begin(&mut self, job: &dyn Job) -> Option<Seat> {
        self.waiting -= 1;
        self.running += 1;
        self.seats.show_waiting(self.waiting);
        let mut seat = None;
        self.seats.begin(&mut seat, job.index());
        seat
    }

    /// Counts out a job that ran.
    fn end(&mut self, mut seat: Option<Seat>, failed: bool) {
        self.running -= 1;
        if let Some(seat) = &mut seat {
            seat.count(failed);
        }
        self.seats.leave(seat);
    }

    /// Takes the monitor's watch out once there is nothing to watch; it must not end under the lock.
    #[must_use]
    fn unwatch(&mut self) -> Option<Watched> {
        if self.running + self.waiting > 0 {
            return None;
        }
        let watched = self.watch.take()?;
        self.seats = Seats::default();
        Some(watched)
    }

    /// Takes the dead jobs out once they are the greater part.
    fn sweep(&mut self) -> Vec<Arc<dyn Job>> {
        if self.jobs.len() <= 2 * self.waiting + 16 {
            return Vec::new();
        }
        let (dead, live) = std::mem::take(&mut self.jobs)
            .into_iter()
            .partition::<Vec<_>, _>(|job| job.is_claimed());
        self.jobs = live.into();
        dead
    }
}

impl Work for Submitted {
    fn work(&self) {
        let mut dead = Vec::new();
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(1);
        state.inside += 1;
        while let Some((job, seat)) = state.take(&mut dead) {
            drop(state);
            dead.clear();
            let failed = job.run();
            drop(job);
            state = self.state.lock();
            state.busy -= 1;
            state.end(seat, failed);
            self.make_room(&state);
            if let Some(watched) = state.unwatch() {
                drop(state);
                watched.end();
                state = self.state.lock();
            }
        }
        state.inside -= 1;
        drop(state);
    }

    fn abandon(&self) {
        self.close();
    }
}
