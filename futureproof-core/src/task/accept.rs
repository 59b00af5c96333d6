//! The side of a board that accepts: tasks, and inputs of `map`.

use std::time::Duration;

use super::board::{Board, Crew, Guard};
use super::call::{Limits, drop_quietly};
use super::error::TaskErrorKind;
use super::hover::Hover;
use super::kept::Ended;
use super::queue::Input;
use super::refused::TrySubmitError;
use crate::sync::Instant;

/// When a submit that waits for cheap tasks looks again by itself.
const SOON: Duration = Duration::from_millis(1);

/// Why a task is not accepted.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Full,
    Stopped,
    Closed,
}

impl Refusal {
    fn of<A>(self, args: A) -> TrySubmitError<A> {
        match self {
            Self::Full => TrySubmitError::Full(args),
            Self::Stopped => TrySubmitError::Stopped(args),
            Self::Closed => TrySubmitError::Closed(args),
        }
    }
}

/// How long a submit waits for room.
#[derive(Debug, Clone, Copy)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Patience {
    /// A limit too far away to be written down is none.
    pub(super) fn limited(limit: Duration) -> Self {
        Instant::now()
            .checked_add(limit)
            .map_or(Self::Endless, Self::Until)
    }
}

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    /// Accepts a task, waiting for room first; returns its index. After a stop or a close it ends at once.
    pub(super) fn submit(&self, args: A, own: Option<Limits<A, E>>, crew: &dyn Crew) -> usize {
        match self.try_submit(args, own, Patience::Endless, crew) {
            Ok(index) => index,
            Err(refused) => self.accept_cancelled(refused.into_args()),
        }
    }

    /// Accepts a task if there is room, or will be in time.
    pub(super) fn try_submit(
        &self,
        args: A,
        own: Option<Limits<A, E>>,
        patience: Patience,
        crew: &dyn Crew,
    ) -> Result<usize, TrySubmitError<A>> {
        match self.make_room(patience, crew) {
            Ok(state) => Ok(self.accept(state, args, own, crew)),
            Err(refusal) => Err(refusal.of(args)),
        }
    }

    fn make_room(
        &self,
        patience: Patience,
        crew: &dyn Crew,
    ) -> Result<Guard<'_, 'env, A, K, T, E>, Refusal> {
        self.heed();
        let mut state = self.state.lock();
        if state.stopped {
            return Err(Refusal::Stopped);
        }
        if state.closed {
            return Err(Refusal::Closed);
        }
        if state.has_room(0) {
            return Ok(state);
        }
        if let Patience::None = patience {
            state.settle(false);
            return if state.has_room(0) {
                Ok(state)
            } else {
                Err(Refusal::Full)
            };
        }
        self.wait_for_room(state, patience, crew)
    }

    /// Waits until a task can be accepted.
    fn wait_for_room<'a>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        patience: Patience,
        crew: &dyn Crew,
    ) -> Result<Guard<'a, 'env, A, K, T, E>, Refusal> {
        let inside = self.is_inside();
        let mut hover = Hover::default();
        let mut urgent = false;
        loop {
            state.settle(urgent);
            if state.stopped {
                return Err(Refusal::Stopped);
            }
            if state.closed {
                return Err(Refusal::Closed);
            }
            if inside || state.has_room(state.pace.slack()) {
                return Ok(state);
            }
            let left = match patience {
                Patience::Until(end) => Some(end.saturating_duration_since(Instant::now())),
                Patience::None | Patience::Endless => None,
            };
            if left.is_some_and(|left| left.is_zero()) {
                return if state.has_room(0) {
                    Ok(state)
                } else {
                    Err(Refusal::Full)
                };
            }
            if state.threadless {
                let helped;
                (state, helped) = self.help(state, crew);
                if helped {
                    continue;
                }
            } else if state.pace.slack() == 0
                && state.pace.is_trivial()
                && state.has_core(false)
                && hover.goes_on()
            {
                drop(state);
                hover.pause();
                state = self.state.lock();
                continue;
            }
            // Once more, now that workers are told to make room at once.
            if !urgent && state.pace.slack() == 0 {
                urgent = true;
                continue;
            }
            state.submitters += 1;
            if state.call_guard(true) {
                self.guard.notify_one();
            }
            // Cheap tasks may turn out slow, with room on the desks that nobody has told of.
            let soon = (state.pace.slack() > 0).then_some(SOON);
            state = match soon.into_iter().chain(left).min() {
                Some(moment) => self.room.wait_timeout(state, moment).0,
                None => self.room.wait(state),
            };
            state.submitters -= 1;
            state.called = state.called.saturating_sub(1);
        }
    }

    fn accept(
        &self,
        mut state: Guard<'_, 'env, A, K, T, E>,
        args: A,
        own: Option<Limits<A, E>>,
        crew: &dyn Crew,
    ) -> usize {
        let index = state.counts.accepted.get();
        state.counts.accepted.add(1);
        let order = state.queue.push_task(index, args);
        if let Some(own) = own {
            state.later.limit(order, own);
        }
        // The next one in the line, if there is room for it too.
        let calls = state.call();
        self.announce_work(state, crew);
        self.let_in(calls);
        index
    }

    /// Accepts a task that nobody will run: it ends at once.
    fn accept_cancelled(&self, args: A) -> usize {
        let broken = self.call.unstarted(args, self.unstarted());
        let mut state = self.state.lock();
        state.cut_short |= state.stopped;
        let index = state.counts.accepted.get();
        state.counts.accepted.add(1);
        let order = state.queue.next_order();
        let inner = self.inner(index, order, broken);
        let unread = self.note(&inner);
        state.count_unrun(inner.is_failure(), false);
        state.kept.push(Ended {
            order,
            end: Err(inner),
        });
        let news = state.has_news(false);
        drop(state);
        self.tell_unread(unread);
        if news {
            self.news.notify_all();
        }
        index
    }

    /// How a task ends that nobody will run.
    pub(super) fn unstarted(&self) -> TaskErrorKind<E> {
        match self.pool.broken() {
            Some(reason) => TaskErrorKind::PoolBroken(reason.clone()),
            None => TaskErrorKind::Cancelled,
        }
    }

    /// Adds an input; after a stop or a close it is dropped unread.
    pub(super) fn add_input(&self, input: Input<'env, A>, crew: &dyn Crew) {
        let mut state = self.state.lock();
        if state.closed {
            state.cut_short |= state.stopped;
            drop(state);
            drop_quietly(input);
            return;
        }
        state.queue.push_input(input);
        self.announce_work(state, crew);
    }
}
