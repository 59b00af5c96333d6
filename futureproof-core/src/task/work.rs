//! The side of a board that pool threads see: take, run, hand in.

use std::time::Duration;

use super::board::{Board, Crew, End, Guard};
use super::call::{Broken, drop_quietly};
use super::desk::{Role, Worker};
use super::error::{Inner, Task};
use super::hover::{Hover, NAP};
use super::kept::Ended;
use super::later::Special;
use super::log;
use super::queue::{Next, Queued};
use super::state::After;
use crate::context::ItemSpan;
use crate::policy::ErrorPolicy;
use crate::stop;
use crate::sync::Ordering;
use crate::unwind;

/// The board, locked again after something was handed in, and what is to be done about that without the lock.
pub(super) type Handed<'a, 'env, A, K, T, E> =
    (Guard<'a, 'env, A, K, T, E>, After<'env, A, End<K, T, E>>);

/// So long a thread stands guard.
const WATCH: Duration = Duration::from_micros(250);
/// So many times in a row, before the pool may have it for something else.
const MOST_WATCHES: usize = 4;

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    /// Runs what there is to run; what a pool thread calls. Waits only for a moment.
    pub(super) fn work(&self, crew: &dyn Crew) {
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(1);
        state.inside += 1;
        state.threadless = false;
        let mut worker = Some(state.sit_down(Role::Crew));
        drop(state);
        self.surrounded(|| {
            if let Some(worker) = worker.take() {
                self.run_rounds(worker, crew);
            }
        });
    }

    fn run_rounds(&self, mut worker: Worker<A, End<K, T, E>>, crew: &dyn Crew) {
        let mut hover = Hover::default();
        let mut watches = 0;
        let mut state = self.state.lock();
        let mut after = After::default();
        loop {
            if crew.is_closed() || self.pool.broken().is_some() {
                drop(state);
                self.abandon();
                state = self.state.lock();
            }
            if self.signals.is_stoppable() && !state.stopped {
                drop(state);
                self.heed();
                state = self.state.lock();
            }
            if self.pool.wants_place() {
                state.put_back(&mut worker);
                after.threads += state.make_place();
                state.show_wait();
                state.get_up(worker);
                drop(state);
                self.follow(after, crew);
                return;
            }
            let next = state.take(&mut worker);
            if matches!(next, Next::Nothing) {
                // Nobody is to wait for what lies on the desk of a worker whose task turned out slow.
                state.settle(false);
                after.news |= state.has_news(true);
                after.calls += state.call();
            }
            if let Some(due) = state.later.alarm() {
                after.alarm = Some(due);
            }
            self.open.store(state.demand() > 0, Ordering::Relaxed);
            if matches!(next, Next::Task(_) | Next::Pull(..)) {
                after.threads += state.summon();
                hover.reset();
                watches = 0;
            }
            match next {
                Next::Task(task) => {
                    worker.prepare(state.pace.is_trivial());
                    let special = state.later.begin(task.order);
                    drop(state);
                    self.follow(after, crew);
                    (state, after) = self.run(task, special, &mut worker, crew);
                }
                Next::Pull(number, input) => {
                    let most = state.pull_ahead(number);
                    worker.prepare(most == 1 && state.pace.is_trivial());
                    drop(state);
                    self.follow(after, crew);
                    (state, after) = if most > 1 {
                        self.pull_several(number, input, most, &mut worker, crew)
                    } else {
                        self.pull_and_run(number, input, &mut worker, crew)
                    };
                }
                Next::Busy | Next::Nothing => {
                    let awaited = state.pace.is_cheap() && !state.closing;
                    if !after.is_empty() {
                        drop(state);
                        self.follow(after, crew);
                        state = self.state.lock();
                        after = After::default();
                    } else if state.awaits_moment() {
                        state = self.wait_for_moment(state, crew);
                    } else if awaited
                        && state.hovering == 0
                        && state.has_core(true)
                        && hover.goes_on()
                    {
                        state = self.look_around(state, &mut hover);
                    } else if awaited && watches < MOST_WATCHES && state.wants_guard() {
                        state = self.stand_guard(state, watches == 0);
                        watches += 1;
                        state.steal(&mut worker);
                    } else if !state.steal(&mut worker) {
                        state.show_wait();
                        state.inside -= 1;
                        state.get_up(worker);
                        return;
                    }
                }
            }
        }
    }

    /// Sleeps for a moment inside the board, so that cheap tasks need not ask for a thread again and again. The first nap
    /// among trivial tasks is one from which a few of them do not wake it.
    fn stand_guard<'a>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        first: bool,
    ) -> Guard<'a, 'env, A, K, T, E> {
        let lazy = first && state.pace.is_trivial();
        let moment = if lazy { NAP } else { WATCH };
        state.guards += 1;
        state.lazy = lazy;
        self.guarded.store(true, Ordering::Relaxed);
        loop {
            let turns = state.turns;
            (state, _) = self.guard.wait_timeout(state, moment);
            // Trivial tasks are better run by one thread, as long as that gets on with them.
            let go_on = !state.guard_called
                && state.pace.is_trivial()
                && state.busy > 0
                && state.turns != turns
                && !state.closing;
            if !go_on {
                break;
            }
        }
        state.guards -= 1;
        state.guard_called = false;
        // Before it looks at the desks: see `pull_several`.
        self.guarded.store(state.guards > 0, Ordering::Relaxed);
        state
    }

    /// Stays awake for a moment, until there may be something that can start.
    fn look_around<'a>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        hover: &mut Hover,
    ) -> Guard<'a, 'env, A, K, T, E> {
        state.hovering += 1;
        drop(state);
        hover.pause();
        while !self.open.load(Ordering::Relaxed) && hover.goes_on() {
            hover.pause();
        }
        let mut state = self.state.lock();
        state.hovering -= 1;
        state
    }

    /// Runs one thing that is queued here, on a thread that waits for this board, if there is one and a place is free.
    pub(super) fn help<'a>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        crew: &dyn Crew,
    ) -> (Guard<'a, 'env, A, K, T, E>, bool) {
        if !state.stopped && self.signals.stop_cause().is_some() {
            drop(state);
            self.heed();
            // The lock was let go: there may be something now.
            return (self.state.lock(), true);
        }
        let mut worker = state.sit_down(Role::Helper);
        let mut next = state.take(&mut worker);
        if matches!(next, Next::Busy | Next::Nothing) && state.steal(&mut worker) {
            next = state.take(&mut worker);
        }
        if matches!(next, Next::Busy | Next::Nothing) {
            state.get_up(worker);
            let alarm = state.later.alarm();
            if alarm.is_none() {
                return (state, false);
            }
            // The lock was let go: there may be something now.
            drop(state);
            self.arm(alarm, crew);
            return (self.state.lock(), true);
        }
        let threads = state.summon();
        let special = match &next {
            Next::Task(task) => state.later.begin(task.order),
            _ => None,
        };
        let alarm = state.later.alarm();
        drop(state);
        self.request(threads, crew);
        self.arm(alarm, crew);
        let mut taken = Some((worker, next, special));
        self.surrounded(|| {
            let Some((mut worker, next, special)) = taken.take() else {
                return;
            };
            worker.prepare(false);
            let (mut state, mut after) = match next {
                Next::Task(task) => self.run(task, special, &mut worker, crew),
                Next::Pull(number, input) => self.pull_and_run(number, input, &mut worker, crew),
                Next::Busy | Next::Nothing => return,
            };
            after.threads += state.summon();
            state.get_up(worker);
            drop(state);
            self.follow(after, crew);
        });
        (self.state.lock(), true)
    }

    /// Runs `work` in the context of whoever created the board.
    fn surrounded(&self, work: impl FnMut()) {
        let _signals = stop::Entered::new(&self.signals);
        self.in_context(work);
    }

    /// Runs `work` where the creator's subscriber and span see it.
    pub(super) fn in_context(&self, mut work: impl FnMut()) {
        let mut done = false;
        let entered = unwind::catch(|| {
            self.context.enter(|| {
                work();
                done = true;
            });
        });
        // A subscriber that panics must not cost a task: nothing else in there can panic.
        if let Err(payload) = entered {
            unwind::discard(payload);
            if !done {
                work();
            }
        }
    }

    /// Runs a task, and those that were taken with it.
    pub(super) fn run(
        &self,
        mut task: Queued<A>,
        special: Option<Special<A, E>>,
        worker: &mut Worker<A, End<K, T, E>>,
        crew: &dyn Crew,
    ) -> Handed<'_, 'env, A, K, T, E> {
        if special.is_some() || self.limited {
            return self.run_limited(task, special, worker, crew);
        }
        worker.begin();
        let last = loop {
            let Queued { index, order, args } = task;
            let span = ItemSpan::enter(&self.context, &self.call.name, index, 1);
            let outcome = self.call.perform(args);
            span.end(|| Broken::word(&outcome));
            worker.count(outcome.is_err());
            let (args, result) = match outcome {
                Ok(outcome) => outcome,
                Err(broken) => return self.fail(self.inner(index, order, broken), worker),
            };
            let end = Ok(Task {
                index,
                args,
                result,
                attempts: 1,
            });
            let ended = Ended { order, end };
            if !worker.in_batch {
                break Some(ended);
            }
            match worker.go_on(ended, || self.is_to_pause(crew)) {
                Some(next) => task = next,
                None => break None,
            }
        };
        self.hand_in(worker, last)
    }

    /// Is what a worker has taken and not started to be looked at again first?
    fn is_to_pause(&self, crew: &dyn Crew) -> bool {
        crew.is_closed() || self.pool.has_surplus() || self.signals.is_token_stopped()
    }

    /// Hands in what a worker has finished.
    #[inline]
    pub(super) fn hand_in(
        &self,
        worker: &mut Worker<A, End<K, T, E>>,
        last: Option<Ended<End<K, T, E>>>,
    ) -> Handed<'_, 'env, A, K, T, E> {
        worker.finish();
        if self.pool.counts_tasks() && worker.role == Role::Crew {
            self.pool.count_task();
        }
        let mut state = self.state.lock();
        let after = state.hand_in(worker, last);
        if after.cleared.is_some() {
            self.signals.lower_exit(0);
        }
        (state, after)
    }

    /// Hands in a task that failed, and does what the policy says.
    pub(super) fn fail(
        &self,
        failure: Box<Inner<E>>,
        worker: &mut Worker<A, End<K, T, E>>,
    ) -> Handed<'_, 'env, A, K, T, E> {
        if failure.is_panic() {
            worker.count_panic();
        }
        self.tell(&failure);
        let last = Ended {
            order: failure.order,
            end: Err(failure),
        };
        self.hand_in(worker, Some(last))
    }

    /// Does what the policy says with a failure.
    pub(super) fn tell(&self, failure: &Inner<E>) {
        let unread = self.note(failure);
        self.tell_unread(unread);
        if self.call.policy == ErrorPolicy::Log {
            log::failure(failure);
        }
    }

    /// The same with the failure of a task that would have been tried again, had nothing been stopped. It is no reason for the
    /// scope to fail where another failure is why it was stopped.
    pub(super) fn tell_cut_short(&self, failure: &Inner<E>) {
        // Only under the policy raise is there one.
        let has_reason = self.home.as_ref().is_some_and(|home| home.has_failure());
        if !has_reason {
            self.tell(failure);
        }
    }

    /// Remembers a failure that the scope is to return; gives back one that it is not to return any more.
    pub(super) fn note(&self, failure: &Inner<E>) -> Option<Box<Inner<E>>> {
        if self.call.policy != ErrorPolicy::Raise || !failure.is_failure() {
            return None;
        }
        self.home.as_ref()?.note(failure)
    }

    /// Tells of a failure that nobody will read.
    pub(super) fn tell_unread(&self, unread: Option<Box<Inner<E>>>) {
        if let Some(unread) = unread {
            log::unread(&unread);
            drop_quietly(unread);
        }
    }

    /// Does what is to be done without the lock.
    #[inline]
    pub(super) fn follow(&self, after: After<'env, A, End<K, T, E>>, crew: &dyn Crew) {
        if after.news {
            self.news.notify_all();
        }
        self.let_in(after.calls);
        self.request(after.threads, crew);
        self.arm(after.alarm, crew);
        self.dispose_all(after.unwanted);
        if let Some(cleared) = after.cleared {
            self.cancel(*cleared);
        }
    }
}
