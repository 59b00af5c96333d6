//! The side of a board that looks at the time: limited tasks, and what is due.

use super::board::{Board, Crew, End, Guard};
use super::call::{Again, Broken, Limits, drop_quietly, drop_task};
use super::desk::Worker;
use super::error::{Inner, Task, TaskErrorKind};
use super::kept::Ended;
use super::later::{Special, Timed};
use super::log;
use super::queue::Queued;
use super::state::{After, Place};
use super::work::Handed;
use crate::context::ItemSpan;
use crate::pool::relieve_timer;
use crate::stop::{Entered, Signals};
use crate::sync::{Arc, Instant};

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    /// Runs a task that may be tried again, or whose time is limited.
    #[inline(never)]
    pub(super) fn run_limited(
        &self,
        task: Queued<A>,
        special: Option<Special<A, E>>,
        worker: &mut Worker<A, End<K, T, E>>,
        crew: &dyn Crew,
    ) -> Handed<'_, 'env, A, K, T, E> {
        worker.begin();
        let place = task.place();
        let (own, last) = special.map_or((None, None), |special| (special.own, special.last));
        let attempt = 1 + last.as_ref().map_or(0, |last| last.attempts);
        drop_quietly(last);
        let limits = own.unwrap_or_else(|| self.call.limits());
        let spare = match limits.retry.map(|again| again.spare(attempt, &task.args)) {
            None => None,
            Some(Ok(spare)) => spare,
            Some(Err(payload)) => {
                drop_quietly(task.args);
                let broken = Broken::panicked(payload);
                return self.fail_limited(place, attempt, broken, worker);
            }
        };
        let span = ItemSpan::enter(&self.context, &self.call.name, place.index, attempt);
        let outcome = match self.call.keep(task.args) {
            Ok((kept, args)) => self.perform_limited(place, attempt, &limits, (kept, args), crew),
            Err(broken) => Some(Err(broken)),
        };
        span.end(|| outcome.as_ref().map_or("timed_out", Broken::word));
        let Some(outcome) = outcome else {
            // Its end has been told.
            drop_quietly(spare);
            worker.count(true);
            return self.hand_in(worker, None);
        };
        match outcome {
            Ok((args, result)) => {
                drop_quietly(spare);
                worker.count(false);
                let end = Ok(Task {
                    index: place.index,
                    args,
                    result,
                    attempts: attempt,
                });
                let order = place.order;
                self.hand_in(worker, Some(Ended { order, end }))
            }
            Err(broken) => match (spare, limits.retry) {
                (Some(spare), Some(again)) => {
                    self.try_again((place, attempt), own, broken, (spare, again), worker)
                }
                (spare, _) => {
                    drop_quietly(spare);
                    self.fail_limited(place, attempt, broken, worker)
                }
            },
        }
    }

    /// Runs one attempt; `None` if it has been reported as timed out meanwhile.
    #[allow(clippy::type_complexity)]
    fn perform_limited(
        &self,
        place: Place,
        attempts: u32,
        limits: &Limits<A, E>,
        (kept, args): (K, A),
        crew: &dyn Crew,
    ) -> Option<Result<(K, T), Broken<E>>> {
        let Some(limit) = limits.timeout else {
            return Some(self.call.perform_kept(kept, args));
        };
        // A limit too far away to be written down is none.
        let Some(due) = Instant::now().checked_add(limit) else {
            return Some(self.call.perform_kept(kept, args));
        };
        let call = self.call.describe(&kept);
        let mut state = self.state.lock();
        state.later.begin_time(Timed {
            place,
            attempts,
            limit,
            due,
            call,
        });
        let alarm = state.later.alarm();
        drop(state);
        self.arm(alarm, crew);
        let signals = Arc::new(Signals::new(None, Some(limit)).nested());
        let entered = Entered::new(&signals);
        let outcome = self.call.perform_kept(kept, args);
        drop(entered);
        let in_time = Instant::now() < due;
        let timed = self.state.lock().later.end_time(place.order);
        if timed.is_some() && in_time {
            return Some(outcome);
        }
        match outcome {
            Ok((kept, result)) => drop_task(kept, result),
            Err(broken) => drop_quietly(broken.kind),
        }
        // A task that has heeded its limit may be back before the timer has noticed.
        timed.map(|timed| {
            Err(Broken {
                kind: TaskErrorKind::TimedOut(limit),
                call: timed.call,
                attempts,
            })
        })
    }

    fn fail_limited(
        &self,
        place: Place,
        attempts: u32,
        mut broken: Broken<E>,
        worker: &mut Worker<A, End<K, T, E>>,
    ) -> Handed<'_, 'env, A, K, T, E> {
        broken.attempts = attempts;
        worker.count(true);
        self.fail(self.inner(place.index, place.order, broken), worker)
    }

    /// Has a task wait for its next attempt, if there is to be one.
    fn try_again(
        &self,
        (place, attempt): (Place, u32),
        own: Option<Limits<A, E>>,
        mut broken: Broken<E>,
        (spare, again): (A, Again<A, E>),
        worker: &mut Worker<A, End<K, T, E>>,
    ) -> Handed<'_, 'env, A, K, T, E> {
        let wait = again.wait_after(attempt, &broken.kind);
        let due = wait.and_then(|wait| Instant::now().checked_add(wait));
        let (Some(wait), Some(due)) = (wait, due) else {
            drop_quietly(spare);
            return self.fail_limited(place, attempt, broken, worker);
        };
        broken.attempts = attempt;
        let failure = self.inner(place.index, place.order, broken);
        log::retried(&failure, again.retry.most_attempts(), wait);
        let mut state = self.state.lock();
        if state.stopped {
            drop(state);
            drop_quietly(spare);
            worker.count(true);
            self.tell_cut_short(&failure);
            let last = Ended {
                order: failure.order,
                end: Err(failure),
            };
            return self.hand_in(worker, Some(last));
        }
        state.leave_alone(place.order);
        worker.alone = None;
        let task = Queued {
            index: place.index,
            order: place.order,
            args: spare,
        };
        let special = Special {
            own,
            last: Some(failure),
        };
        state.later.delay(due, task, special);
        state.seats.count_retried();
        state.counts.retried.add(1);
        drop(state);
        self.hand_in(worker, None)
    }

    /// Does what is due: lets waiting tasks start, reports those that have run too long, and stops if it is to stop.
    pub(super) fn ring(&self, crew: &dyn Crew) {
        if self.signals.stop_cause().is_some() && !self.state.lock().stopped {
            relieve_timer();
            self.in_context(|| self.heed());
        }
        let mut state = self.state.lock();
        let late = state.later.look(Instant::now());
        for timed in &late {
            state.leave_alone(timed.place.order);
            state.left_behind += 1;
            // Until its end is there.
            state.ending.push(timed.place.order);
        }
        let alarm = state.later.alarm();
        self.announce_work(state, crew);
        self.arm(alarm, crew);
        let mut late = late.into_iter();
        if late.len() > 0 {
            relieve_timer();
            self.in_context(|| late.by_ref().for_each(|timed| self.time_out(timed, crew)));
        }
    }

    /// Ends a task that is still running.
    fn time_out(&self, timed: Timed, crew: &dyn Crew) {
        let failure = Box::new(Inner {
            index: timed.place.index,
            order: timed.place.order,
            name: self.call.name,
            call: timed.call,
            attempts: timed.attempts,
            kind: TaskErrorKind::TimedOut(timed.limit),
            vtable: self.call.error,
        });
        self.tell(&failure);
        let mut state = self.state.lock();
        let order = failure.order;
        state.ending.retain(|ending| *ending != order);
        let mut after = After::default();
        after.cleared = state.take_end(
            Ended {
                order,
                end: Err(failure),
            },
            &mut after.unwanted,
        );
        if after.cleared.is_some() {
            self.signals.lower_exit(0);
        }
        after.news = state.has_news(true);
        after.calls = state.call();
        drop(state);
        self.follow(after, crew);
    }

    /// Asks for an alarm.
    #[inline]
    pub(super) fn arm(&self, alarm: Option<Instant>, crew: &dyn Crew) {
        if let Some(due) = alarm {
            self.arm_at(due, crew);
        }
    }

    fn arm_at(&self, due: Instant, crew: &dyn Crew) {
        if crew.alarm_at(due) {
            return;
        }
        if self.pool.is_closed() {
            self.abandon();
        } else {
            self.state.lock().later.timerless = true;
            // Whoever waits without looking at the time.
            self.news.notify_all();
        }
    }

    /// Waits for the next moment in the stead of a timer, on a worker.
    pub(super) fn wait_for_moment<'a>(
        &'a self,
        state: Guard<'a, 'env, A, K, T, E>,
        crew: &dyn Crew,
    ) -> Guard<'a, 'env, A, K, T, E> {
        let next = state.later.next().unwrap_or_else(Instant::now);
        let left = next.saturating_duration_since(Instant::now());
        drop(self.guard.wait_timeout(state, left));
        self.ring(crew);
        self.state.lock()
    }
}
