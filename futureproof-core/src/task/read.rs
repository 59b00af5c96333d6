//! The side of a board that its owner sees: results, and the join.

use super::board::{Board, Crew, End, Guard};
use super::call::{drop_quietly, drop_task};
use super::error::{Inner, Task, TaskError, TaskErrorKind};
use super::home::Label;
use super::hover::{Hover, NAP};
use super::kept::{Batch, Reading};
use super::state::State;
use crate::policy::ErrorPolicy;
use crate::stop::StopCause;
use crate::sync::Instant;

/// What can be read out of a board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) completed: usize,
    pub(super) failed: usize,
    pub(super) cancelled: usize,
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) stopped: bool,
    pub(super) cause: Option<StopCause>,
    pub(super) cut_off: bool,
}

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    pub(super) fn look(&self) -> Look {
        let mut state = self.state.lock();
        state.settle(false);
        Look {
            completed: state.counts.completed.get(),
            failed: state.counts.failed.get(),
            cancelled: state.counts.cancelled.get(),
            running: state.running(),
            waiting: state.waiting(),
            stopped: state.stopped,
            cause: state.cause,
            cut_off: state.cut_off,
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.heed();
        self.state.lock().stopped
    }

    pub(super) fn accepted(&self) -> usize {
        self.state.lock().counts.accepted.get()
    }

    /// The next result; waits for it. `None` when everything accepted so far has been read and no input is open.
    pub(super) fn next(&self, reading: Reading, crew: &dyn Crew) -> Option<End<K, T, E>> {
        let mut hover = Hover::default();
        loop {
            let mut shelf = self.shelf.lock();
            if let Some(end) = shelf.pop(reading) {
                return Some(end);
            }
            let mut state = self.state.lock();
            let mut goes_on = shelf.settle(&mut state);
            let ended = shelf.fill(&mut state, reading);
            state.show_wait();
            drop(shelf);
            if let Some(ended) = &ended {
                goes_on |= state.queue.read(ended.order);
            }
            let over = ended.is_none() && state.is_over() && state.kept.is_empty();
            if goes_on {
                // Room for an input that was too far ahead.
                self.announce_work(state, crew);
            } else if ended.is_none() && !over {
                drop(self.wait_for_news(state, &mut hover, false, crew));
            }
            if over || ended.is_some() {
                return ended.map(|ended| ended.end);
            }
        }
    }

    /// Waits until there may be a result, or the end of them; or helps.
    fn wait_for_news<'a>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        hover: &mut Hover,
        joining: bool,
        crew: &dyn Crew,
    ) -> Guard<'a, 'env, A, K, T, E> {
        let helps = state.threadless || self.is_inside();
        if helps {
            let helped;
            (state, helped) = self.help(state, crew);
            if helped {
                return state;
            }
        } else if state.pace.is_cheap()
            && !state.pace.is_trivial()
            && state.has_core(false)
            && hover.goes_on()
        {
            drop(state);
            hover.pause();
            return self.state.lock();
        }
        let naps = !helps && !joining && state.pace.is_trivial() && hover.naps();
        if state.settle(!joining && !naps) && !joining {
            return state;
        }
        state.readers += 1;
        state.joiners += usize::from(joining);
        state.helpers += usize::from(helps);
        state.told = false;
        if state.call_guard(true) {
            self.guard.notify_one();
        }
        let moment = (state.later.timerless)
            .then(|| state.later.next())
            .flatten();
        if let Some(moment) = moment {
            // There is no timer: who waits does its work.
            let left = moment.saturating_duration_since(Instant::now());
            drop(self.news.wait_timeout(state, left));
            self.ring(crew);
            state = self.state.lock();
        } else if naps {
            state.nappers += 1;
            (state, _) = self.news.wait_timeout(state, NAP);
            state.nappers -= 1;
        } else {
            state = self.news.wait(state);
        }
        state.readers -= 1;
        state.joiners -= usize::from(joining);
        state.helpers -= usize::from(helps);
        state
    }

    /// Waits until everything accepted so far has ended, at most until `end`; results stay. Says whether it has.
    pub(super) fn wait_for_end(&self, end: Option<Instant>, crew: &dyn Crew) -> bool {
        self.wait_until(end, crew, State::is_over)
    }

    /// Waits until every task has ended and none is running, also none that was reported as timed out.
    pub(super) fn wait_for_running(&self, crew: &dyn Crew) {
        self.wait_until(None, crew, |state| {
            state.counts.unended() + state.running() + state.left_behind == 0
        });
    }

    fn wait_until(
        &self,
        end: Option<Instant>,
        crew: &dyn Crew,
        is_done: impl Fn(&State<'env, A, K, T, E>) -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        let inside = self.is_inside();
        loop {
            state.settle(true);
            if is_done(&state) {
                return true;
            }
            if state.threadless || inside {
                let helped;
                (state, helped) = self.help(state, crew);
                if helped {
                    continue;
                }
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let moment = (state.later.timerless)
                .then(|| state.later.next())
                .flatten();
            let until_moment =
                moment.map(|moment| moment.saturating_duration_since(Instant::now()));
            state.readers += 1;
            state.helpers += usize::from(inside);
            state.told = false;
            if state.call_guard(true) {
                self.guard.notify_one();
            }
            state = match left.into_iter().chain(until_moment).min() {
                Some(left) => self.news.wait_timeout(state, left).0,
                None => self.news.wait(state),
            };
            state.readers -= 1;
            state.helpers -= usize::from(inside);
            if moment.is_some() {
                drop(state);
                self.ring(crew);
                state = self.state.lock();
            }
        }
    }

    /// A result for the program; a dropped error goes home.
    pub(super) fn hand_out(&self, end: End<K, T, E>) -> Result<Task<K, T>, TaskError<E>> {
        end.map_err(|inner| TaskError::new(inner, self.home.clone()))
    }

    /// Waits until everything accepted so far has ended and every input is used up; results are dropped.
    pub(super) fn join(&self, crew: &dyn Crew) {
        let mut hover = Hover::default();
        self.state.lock().discarding += 1;
        loop {
            let mut shelf = self.shelf.lock();
            let mut state = self.state.lock();
            let mut goes_on = shelf.settle(&mut state);
            drop(shelf);
            state.settle(false);
            if !state.kept.is_empty() {
                let all = state.kept.take_all();
                if state.queue.has_open_input() {
                    for ended in all.iter().flatten() {
                        goes_on |= state.queue.read(ended.order);
                    }
                }
                if goes_on {
                    self.announce_work(state, crew);
                } else {
                    drop(state);
                }
                all.into_iter().for_each(|batch| self.dispose_all(batch));
            } else if goes_on {
                self.announce_work(state, crew);
            } else if state.is_over() {
                state.discarding -= 1;
                return;
            } else {
                drop(self.wait_for_news(state, &mut hover, true, crew));
            }
        }
    }

    /// Drops results that nobody reads.
    pub(super) fn dispose_all(&self, ends: Batch<End<K, T, E>>) {
        for ended in ends {
            self.dispose(ended.end);
        }
    }

    /// Drops a result that nobody reads; a failure that would go unseen under the policy raise is told.
    fn dispose(&self, end: End<K, T, E>) {
        match end {
            Ok(Task { args, result, .. }) => drop_task(args, result),
            Err(inner) => {
                if self.call.policy == ErrorPolicy::Raise && inner.is_failure() {
                    let unseen = match &self.home {
                        Some(home) => home.receive(inner, false),
                        None => Some(inner),
                    };
                    self.tell_unread(unseen);
                } else {
                    drop_quietly(inner);
                }
            }
        }
    }

    /// The failures that the scope is to return, in call order; several only if it has collected them.
    pub(super) fn failures(&self) -> Vec<Box<Inner<E>>> {
        let Some(home) = &self.home else {
            return Vec::new();
        };
        let failures = home.take().into_iter();
        failures
            .map(|(label, inner)| self.failure(label, inner))
            .collect()
    }

    /// The first failure in call order, which the scope will return, too.
    pub(super) fn first_failure(&self) -> Option<Box<Inner<E>>> {
        let (label, inner) = self.home.as_ref()?.first()?;
        Some(self.failure(label, inner))
    }

    /// A failure; if the program still has the error itself, what is left is which task it was.
    fn failure(&self, label: Label, inner: Option<Box<Inner<E>>>) -> Box<Inner<E>> {
        inner.unwrap_or_else(|| {
            Box::new(Inner {
                index: label.index,
                order: label.order,
                name: self.call.name,
                call: label.call,
                attempts: label.attempts,
                kind: TaskErrorKind::Taken,
                vtable: self.call.error,
            })
        })
    }
}
