//! The side of a board that its owner sees: results, the join, the end.

use super::board::{Board, Counts, Crew, End};
use super::call::drop_quietly;
use super::error::{Inner, Task, TaskError, TaskErrorKind};
use super::kept::Reading;
use super::log;
use crate::policy::ErrorPolicy;

/// What can be read out of a board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) counts: Counts,
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) stopped: bool,
}

impl<A, K, T, E> Board<'_, A, K, T, E> {
    pub(super) fn look(&self) -> Look {
        let state = self.state.lock();
        Look {
            counts: state.counts,
            running: state.running.len(),
            waiting: state.queue.waiting(),
            stopped: state.stopped,
        }
    }

    /// The next result; waits for it. `None` when everything accepted so far has been read and no input is open.
    pub(super) fn next(&self, reading: Reading, crew: &dyn Crew) -> Option<End<K, T, E>> {
        let mut state = self.state.lock();
        loop {
            let ended = match reading {
                Reading::AsCompleted => state.kept.pop(),
                Reading::InOrder => {
                    let unended = state.first_unended();
                    state.kept.pop_before(unended)
                }
            };
            if let Some(ended) = ended {
                state.queue.read(ended.order);
                // Room for an input that was too far ahead.
                self.announce_work(state, crew);
                return Some(ended.end);
            }
            if state.is_over() && state.kept.is_empty() {
                return None;
            }
            let helps = state.threadless || self.is_inside();
            if helps {
                let helped;
                (state, helped) = self.help(state, crew);
                if helped {
                    continue;
                }
            }
            state.readers += 1;
            state.helpers += usize::from(helps);
            state = self.news.wait(state);
            state.readers -= 1;
            state.helpers -= usize::from(helps);
        }
    }

    /// A result for the program; a dropped error goes home.
    pub(super) fn hand_out(&self, end: End<K, T, E>) -> Result<Task<K, T>, TaskError<E>> {
        end.map_err(|inner| TaskError::new(inner, self.home.clone()))
    }

    /// Waits until everything accepted so far has ended and every input is used up; results are dropped.
    pub(super) fn join(&self, crew: &dyn Crew) {
        self.state.lock().discarding += 1;
        while let Some(end) = self.next(Reading::AsCompleted, crew) {
            self.dispose(end);
        }
        self.state.lock().discarding -= 1;
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
                kind: TaskErrorKind::Taken,
                vtable: self.call.error,
            })
        }))
    }

    /// Stops, and drops what has ended; what is running will be dropped when it ends. Does not wait.
    pub(super) fn walk_away(&self) {
        self.state.lock().deserted = true;
        self.stop();
        loop {
            let ended = self.state.lock().kept.pop();
            match ended {
                Some(ended) => self.dispose(ended.end),
                None => return,
            }
        }
    }
}
