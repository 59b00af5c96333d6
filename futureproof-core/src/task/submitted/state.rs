//! What the lock of a queue of submitted tasks guards.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::seats::{Seat, Seats};
use super::job::{Job, Place, Ran, Terms, Why};
use super::lane::Lane;
use super::moments::{Moment, Moments, after};
use super::watched::Watched;
use super::{Refusal, Submitted};
use crate::monitor::{At, Wait};
use crate::pool::{Tally, Work};
use crate::stop::{Signals, StopToken};
use crate::sync::{Arc, Instant, Weak};

#[derive(Default)]
pub(super) struct State {
    /// Tasks to be run next.
    pub(super) jobs: VecDeque<Arc<dyn Job>>,
    /// Tasks that wait for a permit to start.
    pub(super) lanes: Vec<Lane>,
    pub(super) moments: Moments,
    /// The tokens that tasks have, and how many have each.
    pub(super) tokens: Vec<(StopToken, usize)>,
    pub(super) accepted: usize,
    /// Tasks that are accepted and neither run nor have ended; of those, the ones that wait for their next attempt.
    pub(super) waiting: usize,
    pub(super) retrying: usize,
    pub(super) running: usize,
    /// Tasks that were taken out, and whose ends are being told without the lock.
    pub(super) ending: usize,
    /// Threads asked for that have not come; threads inside; of those, the ones that run a task.
    pub(super) requested: usize,
    pub(super) inside: usize,
    pub(super) busy: usize,
    /// When threads were last asked for, none could be started.
    pub(super) alone: bool,
    /// A thread runs what others have submitted, perhaps further down on the calling thread's stack.
    pub(super) helped: bool,
    /// Threads that wait for room.
    pub(super) submitters: usize,
    /// Threads that wait until nothing is left; and the tasks around them, each with how many of them it is around.
    pub(super) drainers: usize,
    pub(super) draining: Vec<(Arc<Signals>, usize)>,
    /// Nothing more is accepted.
    pub(super) closed: bool,
    /// Nothing more is started, for this reason.
    pub(super) ended: Option<Why>,
    pub(super) seats: Seats,
    pub(super) tally: Arc<Tally>,
    /// While there is something to run and somebody listens.
    pub(super) watch: Option<Watched>,
    /// Threads that are telling of the end of a watch.
    pub(super) unwatching: usize,
    /// How many tasks are about to be accepted for whose sake the watch goes on.
    pub(super) to_be_watched: usize,
}

/// A task that was taken to be run.
pub(super) struct Taken {
    pub(super) job: Arc<dyn Job>,
    pub(super) seat: Option<Seat>,
}

impl State {
    /// Is a task to wait until it can be accepted, where `most` may be waiting or running?
    #[inline]
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.waiting + self.running >= most && !self.closed && self.ended.is_none()
    }

    /// Why a task is refused by who does not wait, if it is.
    pub(super) fn refusal(&self, most: usize, is_stopped: bool) -> Option<Refusal> {
        if is_stopped {
            Some(Refusal::Stopped)
        } else if self.closed {
            Some(Refusal::Closed)
        } else if self.is_full(most) {
            Some(Refusal::Full)
        } else {
            None
        }
    }

    /// How a task ends that is submitted now, if it ends at once.
    pub(super) fn why_refused(&self) -> Option<Why> {
        if self.closed {
            Some(Why::Cancelled)
        } else {
            self.ended.clone()
        }
    }

    /// Accepts a task.
    #[inline]
    pub(super) fn accept(&mut self, job: &Arc<dyn Job>, me: &Weak<Submitted>) {
        self.waiting += 1;
        self.seats.show_waiting(self.waiting);
        if let Some(terms) = job.terms() {
            if let Some(at) = terms.deadline {
                let key = self.moments.add(at, Moment::Deadline, job);
                terms.at(|place| place.deadline = Some(key));
            }
            if let Some(token) = &terms.token {
                self.hold(token, me);
            }
            // Behind those that wait for the same permits.
            if let Some(lane) = self.lane_of(job) {
                return lane.push(job.clone());
            }
        }
        self.jobs.push_back(job.clone());
    }

    /// Counts a task of a token, which is to tell of its stop.
    pub(super) fn hold(&mut self, token: &StopToken, me: &Weak<Submitted>) {
        if let Some((_, tasks)) = (self.tokens.iter_mut()).find(|(known, _)| known.is(token)) {
            *tasks += 1;
        } else if let Some(me) = me.upgrade() {
            let work: Arc<dyn Work> = me;
            token.listen(&work);
            self.tokens.push((token.clone(), 1));
        }
    }

    pub(super) fn release(&mut self, token: &StopToken, me: &Weak<Submitted>) {
        let at = (self.tokens.iter()).position(|(known, _)| known.is(token));
        let Some(at) = at else { return };
        self.tokens[at].1 -= 1;
        if self.tokens[at].1 == 0 {
            self.tokens.swap_remove(at);
            if let Some(me) = me.upgrade() {
                let work: Arc<dyn Work> = me;
                token.unlisten(&work);
            }
        }
    }

    /// How many threads would find something to run.
    #[inline]
    pub(super) fn demand(&self) -> usize {
        let mut ready = self.waiting - self.retrying;
        for lane in &self.lanes {
            // Who gets a permit knows when the next one is due.
            ready -= lane.live;
            ready += usize::from(lane.is_open());
        }
        ready
    }

    /// Counts in, and returns, the threads that should be asked for.
    #[must_use]
    #[inline]
    pub(super) fn summon(&mut self, workers: usize) -> usize {
        let crew = self.requested + self.inside;
        let wanted = self.demand().saturating_sub(crew - self.busy);
        let threads = wanted.min(workers.saturating_sub(crew));
        self.requested += threads;
        threads
    }

    /// Takes the next task that can run; also the dead ones before it, which must not be dropped under the lock.
    #[inline]
    pub(super) fn take(&mut self, dead: &mut Vec<Arc<dyn Job>>) -> Option<Taken> {
        if !self.lanes.is_empty()
            && let Some(taken) = self.take_from_lane(dead)
        {
            return Some(taken);
        }
        while let Some(job) = self.jobs.pop_front() {
            if job.is_claimed() {
                dead.push(job);
                continue;
            }
            if job.terms().is_some_and(Terms::is_limited) {
                // A task that ran in place stays behind in the queue, and may have come back to a lane.
                if job.terms().is_some_and(Terms::is_in_lane) {
                    dead.push(job);
                    continue;
                }
                if self.hold_back(&job) {
                    continue;
                }
            }
            job.claim();
            let seat = self.begin(&job);
            return Some(Taken { job, seat });
        }
        None
    }

    /// Takes the right to run or cancel a task that is queued.
    pub(super) fn claim(&mut self, job: &Arc<dyn Job>) -> bool {
        if !job.claim() {
            return false;
        }
        let in_lane = |place: &mut Place| std::mem::take(&mut place.in_lane);
        if job.terms().is_some_and(|terms| terms.at(in_lane))
            && let Some(lane) = self.lane_of(job)
        {
            lane.live -= 1;
        }
        true
    }

    /// Counts in a task that was just claimed to be run.
    #[inline]
    pub(super) fn begin(&mut self, job: &Arc<dyn Job>) -> Option<Seat> {
        self.waiting -= 1;
        self.running += 1;
        self.tally.running.set(self.running);
        self.seats.show_waiting(self.waiting);
        if let Some(terms) = job.terms() {
            job.begin();
            self.limit_time(job, terms);
        }
        let mut seat = None;
        self.seats.begin(&mut seat, At::Item(job.index()));
        seat
    }

    fn limit_time(&mut self, job: &Arc<dyn Job>, terms: &Terms) {
        if let Some(limit) = terms.timeout {
            let key = self.moments.add(after(limit), Moment::Timeout, job);
            terms.at(|place| place.timeout = Some(key));
        }
    }

    /// Has a task that ran and failed wait for its next attempt; false if there is to be none.
    pub(super) fn run_again(&mut self, job: &Arc<dyn Job>, wait: Duration) -> bool {
        let Some(terms) = job.terms() else {
            return false;
        };
        let timeout = terms.at(|place| place.timeout.take());
        let in_time = timeout.is_none_or(|key| self.moments.remove(key));
        if !in_time || self.ended.is_some() || job.is_stopped() {
            return false;
        }
        let key = self.moments.add(after(wait), Moment::Attempt, job);
        terms.at(|place| place.attempt = Some(key));
        self.waiting += 1;
        self.retrying += 1;
        self.seats.count_retried();
        self.tally.retried.add(1);
        self.seats.show_waiting(self.waiting);
        true
    }

    /// Queues a task whose next attempt is due.
    pub(super) fn requeue(&mut self, job: &Arc<dyn Job>) {
        if let Some(terms) = job.terms() {
            terms.at(|place| place.attempt = None);
        }
        self.retrying -= 1;
        job.release();
        match self.lane_of(job) {
            Some(lane) => lane.push(job.clone()),
            None => self.jobs.push_back(job.clone()),
        }
    }

    /// Counts out a task that ran.
    #[inline]
    pub(super) fn end(&mut self, mut seat: Option<Seat>, ran: Ran) {
        self.running -= 1;
        self.tally.running.set(self.running);
        match ran {
            Ran::Completed => self.tally.completed.add(1),
            Ran::Failed => self.tally.failed.add(1),
            Ran::Panicked => {
                self.tally.failed.add(1);
                self.tally.panicked.add(1);
            }
            Ran::Again(_) => {}
            Ran::Cancelled => self.count_unrun(false, false),
        }
        if let Some(seat) = &mut seat {
            match ran {
                Ran::Completed => seat.count(false),
                Ran::Failed => seat.count(true),
                Ran::Panicked => {
                    seat.count(true);
                    seat.count_panic();
                }
                Ran::Again(_) | Ran::Cancelled => {}
            }
        }
        self.seats.leave(seat);
    }

    /// Takes a task out that is queued or waits for its next attempt; it is to be finished then, without the lock.
    pub(super) fn take_out(&mut self, job: &Arc<dyn Job>, me: &Weak<Submitted>) -> bool {
        if job.terms().is_some_and(Terms::is_waiting) {
            self.retrying -= 1;
        } else if !self.claim(job) {
            return false;
        }
        self.waiting -= 1;
        self.seats.show_waiting(self.waiting);
        // With its last error, if it has been tried.
        let begun = job.has_begun();
        self.count_unrun(begun || matches!(self.ended, Some(Why::Broken(_))), begun);
        self.forget(job, me);
        true
    }

    /// Takes all tasks out that are queued or wait for their next attempt, if `which`.
    pub(super) fn take_out_all(
        &mut self,
        which: impl Fn(&dyn Job) -> bool,
        me: &Weak<Submitted>,
    ) -> Vec<Arc<dyn Job>> {
        let lanes = self.lanes.iter().flat_map(|lane| &lane.jobs);
        let mut jobs: Vec<_> = (self.jobs.iter().chain(lanes))
            .chain(self.moments.attempts())
            .filter(|job| which(&***job))
            .cloned()
            .collect();
        jobs.retain(|job| self.take_out(job, me));
        jobs
    }

    /// Takes the tasks out whose token has been stopped, if there is such a token.
    pub(super) fn take_out_stopped(&mut self, me: &Weak<Submitted>) -> Option<Vec<Arc<dyn Job>>> {
        if !(self.tokens.iter()).any(|(token, _)| token.is_stopped()) {
            return None;
        }
        // Once is enough: nothing is started any more that has such a token.
        self.tokens.retain(|(token, _)| !token.is_stopped());
        let has_stopped = |job: &dyn Job| {
            (job.terms())
                .is_some_and(|terms| terms.token.as_ref().is_some_and(StopToken::is_stopped))
        };
        Some(self.take_out_all(has_stopped, me))
    }

    /// Forgets what was remembered of a task that has ended or is about to.
    #[inline]
    pub(super) fn forget(&mut self, job: &Arc<dyn Job>, me: &Weak<Submitted>) {
        if let Some(terms) = job.terms() {
            self.forget_terms(terms, me);
        }
    }

    fn forget_terms(&mut self, terms: &Terms, me: &Weak<Submitted>) {
        let place = terms.at(std::mem::take);
        let keys = [place.attempt, place.timeout, place.deadline, place.nudge];
        for key in keys.into_iter().flatten() {
            self.moments.remove(key);
        }
        if let Some(token) = &terms.token {
            self.release(token, me);
        }
    }

    /// Spares tasks from being waited for, as they are around a thread that waits.
    pub(super) fn spare(&mut self, tasks: &[Arc<Signals>]) {
        for task in tasks {
            match (self.draining.iter_mut()).find(|(known, _)| Arc::ptr_eq(known, task)) {
                Some((_, times)) => *times += 1,
                None => self.draining.push((task.clone(), 1)),
            }
        }
    }

    /// Ends [`spare`](Self::spare).
    pub(super) fn spare_no_more(&mut self, tasks: &[Arc<Signals>]) {
        for task in tasks {
            if let Some((_, times)) =
                (self.draining.iter_mut()).find(|(known, _)| Arc::ptr_eq(known, task))
            {
                *times -= 1;
            }
        }
        self.draining.retain(|(_, times)| *times > 0);
    }

    /// Counts a task that ended without a worker; one that has `begun` had been tried before.
    pub(super) fn count_unrun(&self, failed: bool, begun: bool) {
        (if failed {
            &self.tally.failed
        } else {
            &self.tally.cancelled
        })
        .add(1);
        self.seats.count_unrun(failed, begun);
    }

    /// Shows the monitor what keeps the tasks from going on, if anybody watches.
    pub(super) fn show_wait(&self) {
        if self.seats.are_seen() {
            self.seats
                .show_wait(if self.lanes.iter().any(|lane| lane.due.is_some()) {
                    Wait::Permit
                } else if self.waiting > self.retrying {
                    Wait::Pool
                } else if self.retrying > 0 {
                    Wait::Retry
                } else {
                    Wait::Source
                });
        }
    }

    /// How many running tasks are spared.
    pub(super) fn spared(&self) -> usize {
        let at_work = |(task, _): &&(Arc<Signals>, usize)| task.is_at_work();
        self.draining.iter().filter(at_work).count()
    }

    /// The next moment at which something is to be done.
    pub(super) fn next_moment(&self) -> Option<Instant> {
        let first = self.moments.first().into_iter();
        first.chain(self.first_permit()).min()
    }

    /// Takes the monitor's watch out once there is nothing to watch; it must not end under the lock.
    #[must_use]
    pub(super) fn unwatch(&mut self) -> Option<Watched> {
        if self.running + self.waiting + self.to_be_watched > 0 {
            return None;
        }
        let watched = self.watch.take()?;
        self.seats = Seats::default();
        Some(watched)
    }

    /// Takes the dead tasks out once they are the greater part.
    pub(super) fn sweep(&mut self) -> Vec<Arc<dyn Job>> {
        let in_lanes: usize = self.lanes.iter().map(|lane| lane.jobs.len()).sum();
        if self.jobs.len() + in_lanes <= 2 * (self.waiting - self.retrying) + 16 {
            return Vec::new();
        }
        let mut dead = Vec::new();
        let lanes = self.lanes.iter_mut().map(|lane| &mut lane.jobs);
        for jobs in std::iter::once(&mut self.jobs).chain(lanes) {
            let (claimed, live) = std::mem::take(jobs)
                .into_iter()
                .partition::<Vec<_>, _>(|job| job.is_claimed());
            dead.extend(claimed);
            *jobs = live.into();
        }
        dead
    }
}
