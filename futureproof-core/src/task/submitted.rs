//! The tasks submitted to a pool outside any scope, waiting for its threads.

mod job;
mod lane;
mod life;
mod moments;
mod room;
mod state;
mod timing;
mod watched;

pub(super) use self::job::{Job, Ran, Terms, Why};
use self::room::is_stopped;
use self::state::{State, Taken};
pub(super) use self::watched::Monitored;
use self::watched::Watched;
use super::seats::Seat;
use crate::pool::{Shared, Tally, Work, relieve_timer};
use crate::stop::StopToken;
use crate::sync::{Arc, AtomicBool, Condvar, Instant, Mutex, MutexGuard, Weak};

/// One pool's queue of submitted tasks.
///
/// A task is claimed under the queue's lock, by a thread that pops it or by its handle (to cancel it, or to run it in
/// place), so that `waiting` always says how many can still be claimed. What its handle claimed stays behind as a dead
/// entry; when half of the queue is dead it is swept.
///
/// No user code runs under the lock, nor is the pool's taken there.
pub(crate) struct Submitted {
    state: Mutex<State>,
    room: Condvar,
    /// Signalled when tasks have ended that somebody waits for.
    drained: Condvar,
    /// No timer could be started. Set once.
    timerless: AtomicBool,
    /// Where workers wait then.
    tick: Condvar,
    /// Stopped when nothing more is to be started.
    closing: StopToken,
    workers: usize,
    pool: Weak<Shared>,
    me: Weak<Submitted>,
}

/// A task that was run.
struct Done {
    job: Arc<dyn Job>,
    seat: Option<Seat>,
    ran: Ran,
}

/// Why a task was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    Stopped,
    Closed,
}

impl Submitted {
    /// The queue of a pool.
    pub(crate) fn of(pool: &Arc<Shared>) -> Arc<Self> {
        let workers = pool.config.workers;
        pool.submitted()
            .get_or_init(|| {
                let state = State {
                    // A pool may be gone before anything is submitted to it.
                    closed: pool.is_closed(),
                    ..State::default()
                };
                Arc::new_cyclic(|me| Self {
                    state: Mutex::new(state),
                    room: Condvar::new(),
                    drained: Condvar::new(),
                    timerless: AtomicBool::new(false),
                    tick: Condvar::new(),
                    closing: StopToken::new(),
                    workers,
                    pool: Arc::downgrade(pool),
                    me: me.clone(),
                })
            })
            .clone()
    }

    /// The counts of a pool's queue.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        self.state.lock().tally.clone()
    }

    pub(super) fn closing(&self) -> &StopToken {
        &self.closing
    }

    /// Accepts a job.
    ///
    /// While `capacity` tasks wait for a worker it `waits`, or refuses the job. If it waits it refuses nothing: a job that
    /// comes too late ends at once.
    pub(super) fn submit(
        &self,
        pool: &Arc<Shared>,
        capacity: usize,
        waits: bool,
        job: &Arc<dyn Job>,
        monitored: &Monitored<'_>,
    ) -> Result<(), Refusal> {
        let watched = self.watch(monitored);
        let saturated = self.workers.saturating_add(capacity);
        let mut state = self.state.lock();
        if waits && state.is_full(saturated) {
            state = self.wait_for_room(state, saturated, job);
        }
        // From here to the task's acceptance or refusal the lock is held.
        state.to_be_watched -= usize::from(watched);
        let stopped = is_stopped(job);
        if !waits && let Some(refusal) = state.refusal(saturated, stopped) {
            self.leave(state);
            return Err(refusal);
        }
        let too_late = if stopped {
            Some(Why::Cancelled)
        } else {
            state.why_refused()
        };
        job.number(state.accepted);
        state.accepted += 1;
        state.tally.accepted.set(state.accepted);
        if let Some(why) = too_late {
            state.count_unrun(matches!(why, Why::Broken(_)), false);
            self.leave(state);
            job.claim();
            job.finish(&why);
            return Ok(());
        }
        state.accept(job, &self.me);
        let mut threads = state.summon(self.workers);
        if threads == 0 && state.alone {
            // It may have to wait, but there is nobody to be told when that is over.
            state.requested += 1;
            threads = 1;
        }
        let moment = state.moments.unasked();
        drop(state);
        self.ask_timer(moment);
        if self.is_timerless() {
            self.tick.notify_all();
            self.post_guard(pool);
        }
        if threads > 0 && !self.request(pool, threads) {
            self.run_to_end(job);
        }
        // A token that was stopped before it was listened to tells nobody.
        if is_stopped(job) {
            self.cancel(job, false);
        }
        Ok(())
    }

    /// Asks for threads; false if there are none, though there may be something to run.
    fn request(&self, pool: &Arc<Shared>, threads: usize) -> bool {
        let Some(me) = self.me.upgrade() else {
            return true;
        };
        let work: Arc<dyn Work> = me;
        let any = pool.request(&work, threads) > 0;
        // The pool may have been closed or broken before the request, and not know of it.
        if pool.is_closed() || pool.broken().is_some() {
            self.abandon();
            return true;
        }
        any
    }

    /// Runs a job on the calling thread until it has ended, as far as it is queued.
    pub(super) fn run_to_end(&self, job: &Arc<dyn Job>) {
        loop {
            let nudges = job.nudges();
            let look_again = self.run_in_place(job);
            if job.wait(look_again, nudges) {
                return;
            }
        }
    }

    /// Runs a job on the calling thread, if it is queued; if it may not start yet, returns when to look again.
    pub(super) fn run_in_place(&self, job: &Arc<dyn Job>) -> Option<Instant> {
        if job.is_claimed() {
            return self.look_if_timerless();
        }
        let mut state = self.state.lock();
        if job.is_claimed() {
            drop(state);
            return self.look_if_timerless();
        }
        let limiter = job.terms().and_then(|terms| terms.limiter.as_ref());
        if let Some(limiter) = limiter
            && let Err(due) = limiter.permit(Instant::now())
        {
            return Some(due);
        }
        state.claim(job);
        let seat = state.begin(job);
        let mut dead = state.sweep();
        let moment = state.moments.unasked();
        drop(state);
        dead.clear();
        self.ask_timer(moment);
        let job = job.clone();
        let done = self.run(Taken { job, seat });
        if let Some(pool) = self.pool.upgrade() {
            pool.count_task();
        }
        let state = self.count_out(done, &mut dead);
        self.leave(state);
        self.look_if_timerless()
    }

    /// Runs a job that was taken; what is left is to count it out.
    #[inline]
    fn run(&self, taken: Taken) -> Done {
        let Taken { job, mut seat } = taken;
        let begun = (seat.as_ref())
            .filter(|seat| seat.wants_time(1))
            .map(|_| Instant::now());
        let mut ran = job.run();
        if let Some(seat) = &mut seat
            && !matches!(ran, Ran::Again(_))
        {
            seat.ran(1, begun.map(|begun| begun.elapsed()));
        }
        if let Ran::Again(wait) = ran {
            let mut state = self.state.lock();
            let again = state.run_again(&job, wait);
            let moment = state.moments.unasked();
            drop(state);
            if again {
                self.ask_timer(moment);
                if self.is_timerless() {
                    // Who waits for it has to look at the clock.
                    job.nudge();
                }
            } else {
                job.finish(&Why::Cancelled);
                ran = Ran::Failed;
            }
        }
        Done { job, seat, ran }
    }

    /// Counts out a job that ran. It must not be dropped under the lock, and so becomes one of the `dead`.
    #[inline]
    fn count_out(&self, done: Done, dead: &mut Vec<Arc<dyn Job>>) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.end(done.seat, done.ran);
        if !matches!(done.ran, Ran::Again(_)) {
            state.forget(&done.job, &self.me);
        }
        dead.push(done.job);
        self.tell(&state);
        state
    }

    /// Tells those who wait of a task that has ended.
    fn tell(&self, state: &State) {
        if state.submitters > 0 {
            self.room.notify_one();
        }
        if state.drainers > 0 {
            self.drained.notify_all();
        }
    }

    /// Ends the monitor's watch if there is nothing to watch any more.
    #[inline]
    fn leave(&self, mut state: MutexGuard<'_, State>) {
        if let Some(watched) = state.unwatch() {
            drop(self.end_watch(state, watched));
        }
    }

    /// Tells of the end of a watch, without the lock; who drains the queue waits for that.
    #[cold]
    fn end_watch<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        watched: Watched,
    ) -> MutexGuard<'a, State> {
        state.unwatching += 1;
        drop(state);
        watched.end();
        let mut state = self.state.lock();
        state.unwatching -= 1;
        if state.drainers > 0 {
            self.drained.notify_all();
        }
        state
    }

    /// Takes a task out that is queued or waits for its next attempt, if it has `not_started` or that does not matter, and
    /// cancels it.
    pub(super) fn cancel(&self, job: &Arc<dyn Job>, not_started: bool) -> bool {
        let mut state = self.state.lock();
        if (not_started && job.has_begun()) || !state.take_out(job, &self.me) {
            return false;
        }
        state.ending += 1;
        let dead = state.sweep();
        self.tell(&state);
        self.leave(state);
        drop(dead);
        self.finish(std::slice::from_ref(job), &Why::Cancelled);
        true
    }
}

impl Work for Submitted {
    fn work(&self) {
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        let mut dead = Vec::new();
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(1);
        state.alone = false;
        state.inside += 1;
        let mut leaves = false;
        while !leaves {
            let Some(taken) = state.take(&mut dead) else {
                let goes_on;
                (state, goes_on) = self.stand_by(state, &mut dead);
                if goes_on {
                    continue;
                }
                break;
            };
            state.busy += 1;
            let moment = state.moments.unasked();
            // There may be more permits at once, as after a pause.
            let threads = if state.lanes.is_empty() {
                0
            } else {
                state.summon(self.workers)
            };
            drop(state);
            dead.clear();
            if threads > 0 {
                self.request(&pool, threads);
            }
            self.ask_timer(moment);
            if self.is_timerless() {
                self.post_guard(&pool);
            }
            let done = self.run(taken);
            if pool.counts_tasks() {
                pool.count_task();
            }
            leaves = pool.wants_place();
            state = self.count_out(done, &mut dead);
            state.busy -= 1;
            if let Some(watched) = state.unwatch() {
                state = self.end_watch(state, watched);
            }
        }
        state.inside -= 1;
        state.show_wait();
        let threads = if leaves {
            state.summon(self.workers)
        } else {
            0
        };
        drop(state);
        drop(dead);
        if threads > 0 {
            self.request(&pool, threads);
        }
        if leaves && self.is_timerless() {
            self.post_guard(&pool);
        }
    }

    fn abandon(&self) {
        let pool = self.pool.upgrade();
        let broken = pool
            .as_ref()
            .filter(|pool| !pool.is_closed())
            .and_then(|pool| pool.broken());
        self.end(match broken {
            Some(reason) => Why::Broken(reason.clone()),
            None => Why::Cancelled,
        });
    }

    fn nobody_comes(&self, threads: usize) {
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(threads);
        state.alone = true;
        let helped = std::mem::replace(&mut state.helped, true);
        drop(state);
        if helped {
            // Not inside one of those tasks, nor beside: who asked runs its own.
            self.tick.notify_all();
            return;
        }
        // It is for the one who hears of it to run what others have submitted: they may be waiting for nothing else.
        relieve_timer();
        self.run_alone();
    }

    fn runs_tasks(&self) -> bool {
        true
    }

    fn alarm_now(&self) {
        let (Some(pool), Some(me)) = (self.pool.upgrade(), self.me.upgrade()) else {
            return;
        };
        let work: Arc<dyn Work> = me;
        if !pool.alarm_at(&work, Instant::now()) {
            self.alarm();
        }
    }

    fn alarm(&self) {
        self.look_at_the_clock();
    }
}
