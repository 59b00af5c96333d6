//! What happens to submitted tasks at some moment, without anybody looking at a clock again and again.

use super::Submitted;
use super::job::{Job, Why};
use super::moments::Moment;
use super::state::State;
use crate::pool::{Shared, Work, relieve_timer};
use crate::sync::{Arc, Instant, MutexGuard, Ordering};

impl Submitted {
    /// Asks to be called at a moment.
    #[inline]
    pub(super) fn ask_timer(&self, moment: Option<Instant>) {
        if let Some(at) = moment {
            self.ask_timer_for(at);
        }
    }

    fn ask_timer_for(&self, at: Instant) {
        let (Some(pool), Some(me)) = (self.pool.upgrade(), self.me.upgrade()) else {
            return;
        };
        let work: Arc<dyn Work> = me;
        if !self.is_timerless() {
            if pool.alarm_at(&work, at) || pool.is_closed() {
                return;
            }
            // Under the lock: who waits has looked at it there.
            let _state = self.state.lock();
            self.timerless.store(true, Ordering::Relaxed);
        }
        self.tick.notify_all();
        self.drained.notify_all();
        self.post_guard(&pool);
    }

    /// Has a worker look at the clock where there is no timer, if none is free to do that.
    pub(super) fn post_guard(&self, pool: &Arc<Shared>) {
        let mut state = self.state.lock();
        let nobody = state.requested == 0 && state.inside == state.busy;
        if nobody && state.next_moment().is_some() {
            state.requested += 1;
            drop(state);
            self.request(pool, 1);
        }
    }

    /// Is there no timer? Then threads that wait look at the clock in its stead.
    #[inline]
    pub(in super::super) fn is_timerless(&self) -> bool {
        self.timerless.load(Ordering::Relaxed)
    }

    /// Does what is due if there is no timer to do it; returns when to look again, if that is so.
    pub(super) fn look_if_timerless(&self) -> Option<Instant> {
        if !self.is_timerless() {
            return None;
        }
        let next = self.state.lock().next_moment()?;
        if next <= Instant::now() {
            self.look_at_the_clock();
        }
        self.state.lock().next_moment()
    }

    /// What a worker does that finds nothing to run: it sees to the next moment. Returns whether it is to look again.
    pub(super) fn stand_by<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        dead: &mut Vec<Arc<dyn Job>>,
    ) -> (MutexGuard<'a, State>, bool) {
        if let Some(moment) = state.moments.unasked() {
            drop(state);
            self.ask_timer(Some(moment));
            return (self.state.lock(), true);
        }
        let next = state.next_moment().filter(|_| self.is_timerless());
        let Some(next) = next.filter(|_| state.ended.is_none()) else {
            return (state, false);
        };
        let left = next.saturating_duration_since(Instant::now());
        if dead.is_empty() && !left.is_zero() {
            return (self.tick.wait_timeout(state, left).0, true);
        }
        drop(state);
        dead.clear();
        self.look_if_timerless();
        (self.state.lock(), true)
    }

    /// Does what is due, and what stopped tokens ask for.
    pub(super) fn look_at_the_clock(&self) {
        let now = Instant::now();
        let (mut runnable, mut too_slow, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
        let mut state = self.state.lock();
        while let Some((what, job)) = state.moments.pop(now) {
            match what {
                Moment::Attempt => {
                    state.requeue(&job);
                    runnable.push(job);
                }
                Moment::Nudge => {
                    if let Some(terms) = job.terms() {
                        terms.at(|place| place.nudge = None);
                    }
                    runnable.push(job);
                }
                Moment::Timeout => too_slow.push(job),
                Moment::Deadline => {
                    if state.take_out(&job, &self.me) {
                        stopped.push(job);
                    }
                }
            }
        }
        state.open_lanes(now);
        let told = state.take_out_stopped(&self.me);
        let room = told.is_some() || !stopped.is_empty();
        stopped.extend(told.into_iter().flatten());
        state.ending += stopped.len();
        let threads = state.summon(self.workers);
        state.show_wait();
        let next = state.next_moment();
        let _ = state.moments.unasked();
        if room {
            self.room.notify_all();
        }
        if state.drainers > 0 {
            self.drained.notify_all();
        }
        self.leave(state);
        if !self.is_timerless() {
            self.ask_timer(next);
        }
        if threads > 0
            && let Some(pool) = self.pool.upgrade()
            && !self.request(&pool, threads)
        {
            relieve_timer();
            self.run_what_is_ready();
        }
        // Others are told last: what they do then may take a while.
        if !(too_slow.is_empty() && stopped.is_empty()) {
            relieve_timer();
        }
        runnable.iter().for_each(|job| job.nudge());
        too_slow.iter().for_each(|job| job.time_out());
        self.finish(&stopped, &Why::Cancelled);
    }

    /// Has those told at a moment who poll a task.
    pub(in super::super) fn nudge_at(&self, at: Instant, job: &Arc<dyn Job>) {
        let Some(terms) = job.terms() else { return };
        let mut state = self.state.lock();
        if !terms.at(|place| place.nudge.is_some()) {
            let key = state.moments.add(at, Moment::Nudge, job);
            terms.at(|place| place.nudge = Some(key));
        }
        let moment = state.moments.unasked();
        drop(state);
        self.ask_timer(moment);
    }
}
