//! What happens to submitted tasks at some moment, without anybody looking at a clock again and again.

use std::time::Instant;

use super::Submitted;
use super::job::{Job, Why};
use super::moments::Moment;
use crate::pool::Work;
use crate::sync::Arc;

impl Submitted {
    /// Asks to be called at a moment. If there is nobody to do that, a `patient` thread waits in its stead.
    #[inline]
    pub(super) fn ask_timer(&self, moment: Option<Instant>, patient: bool) {
        if let Some(at) = moment {
            self.ask_timer_for(at, patient);
        }
    }

    fn ask_timer_for(&self, at: Instant, patient: bool) {
        let (Some(pool), Some(me)) = (self.pool.upgrade(), self.me.upgrade()) else {
            return;
        };
        let work: Arc<dyn Work> = me;
        if pool.alarm_at(&work, at) || !patient {
            return;
        }
        let mut state = self.state.lock();
        while state.ended.is_none() {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.drained.wait_timeout(state, left).0;
        }
        drop(state);
        self.look_at_the_clock();
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
        let next = state
            .moments
            .first()
            .into_iter()
            .chain(state.first_permit())
            .min();
        let _ = state.moments.unasked();
        if room {
            self.room.notify_all();
        }
        if state.drainers > 0 {
            self.drained.notify_all();
        }
        self.leave(state);
        self.ask_timer(next, false);
        if threads > 0
            && let Some(pool) = self.pool.upgrade()
            && !self.request(&pool, threads)
        {
            self.run_what_is_ready();
        }
        // Others are told last: what they do then may take a while.
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
        self.ask_timer(moment, false);
    }
}
