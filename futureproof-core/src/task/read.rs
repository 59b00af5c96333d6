//! The side of a board that its owner sees: results, the join, the end.

use super::board::{Board, Crew, End, Guard};
use super::call::drop_quietly;
use super::error::{Inner, Task, TaskError, TaskErrorKind};
use super::hover::{Hover, NAP};
use super::kept::{Batch, Reading};
use super::log;
use super::state::Counts;
use crate::policy::ErrorPolicy;
use crate::sync::Ordering;

/// What can be read out of a board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) counts: Counts,
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) stopped: bool,
}

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    pub(super) fn look(&self) -> Look {
        let mut state = self.state.lock();
        state.settle(false);
        Look {
            counts: state.counts,
            running: state.running(),
            waiting: state.waiting(),
            stopped: state.stopped,
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    pub(super) fn accepted(&self) -> usize {
        self.state.lock().counts.accepted
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
        if naps {
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

    /// Lets the threads go, which have nothing more to wait for.
    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.open.store(true, Ordering::Relaxed);
        self.guard.notify_one();
    }

    /// Drops results that nobody reads.
    pub(super) fn dispose_all(&self, ends: Batch<End<K, T, E>>) {
        for ended in ends {
            self.dispose(ended.end);
        }
    }

    /// Drops a result that nobody reads; a failure that would go unseen under the policy raise is told.
    pub(super) fn dispose(&self, end: End<K, T, E>) {
        match end {
            Ok(task) => drop_quietly(task),
            Err(inner) => {
                if self.call.policy == ErrorPolicy::Raise && inner.is_failure() {
                    let unseen = match &self.home {
                        Some(home) => home.receive(inner, false),
                        None => Some(inner),
                    };
                    if let Some(unseen) = unseen {
                        log::unread(&unseen);
                        drop_quietly(unseen);
                    }
                } else {
                    drop_quietly(inner);
                }
            }
        }
    }

    /// The failure that ended the scope, if one did: the first in call order.
    pub(super) fn first_failure(&self) -> Option<Box<Inner<E>>> {
        let (label, inner) = self.home.as_ref()?.first()?;
        // The program still has the error itself: what is left is which task it was.
        Some(inner.unwrap_or_else(|| {
            Box::new(Inner {
                index: label.index,
                order: label.order,
                name: self.call.name,
                call: label.call,
                attempts: label.attempts,
                kind: TaskErrorKind::Taken,
                vtable: self.call.error,
            })
        }))
    }

    /// Stops, and drops what has ended; what is running will be dropped when it ends. Does not wait.
    pub(super) fn walk_away(&self) {
        self.state.lock().deserted = true;
        self.stop();
        let mut shelf = self.shelf.lock();
        let mut state = self.state.lock();
        shelf.settle(&mut state);
        let ends = state.kept.take_all();
        drop(state);
        drop(shelf);
        ends.into_iter().for_each(|batch| self.dispose_all(batch));
    }
}
