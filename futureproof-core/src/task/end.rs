//! Where the end of a submitted task waits for its handle.

use std::task::{Poll, Waker};
use std::time::Instant;

use super::call::drop_quietly;
use super::error::{Inner, Task, TaskError};
use super::log;
use crate::policy::ErrorPolicy;
use crate::sync::{Condvar, Mutex};
use crate::unwind;

/// Where a task's end waits for its handle.
pub(super) struct EndCell<T, E, K> {
    policy: ErrorPolicy,
    state: Mutex<EndState<T, E, K>>,
    ended: Condvar,
}

enum EndState<T, E, K> {
    /// Not ended; whom to wake.
    Pending(Option<Waker>),
    /// Not ended, and the handle is gone.
    Detached,
    Ended(Result<Task<K, T>, Box<Inner<E>>>),
    /// The handle has it, or nobody wanted it.
    Gone,
}

impl<T, E, K> EndCell<T, E, K> {
    pub(super) fn new(policy: ErrorPolicy) -> Self {
        Self {
            policy,
            state: Mutex::new(EndState::Pending(None)),
            ended: Condvar::new(),
        }
    }

    pub(super) fn set(&self, end: Result<Task<K, T>, Box<Inner<E>>>) {
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut *state, EndState::Gone);
        if let EndState::Pending(waker) = before {
            *state = EndState::Ended(end);
            drop(state);
            self.ended.notify_all();
            if let Some(waker) = waker {
                // A waker is somebody else's code.
                if let Err(payload) = unwind::catch(|| waker.wake()) {
                    unwind::discard(payload);
                }
            }
        } else {
            drop(state);
            self.discard(end);
        }
    }

    /// Drops an end that nobody will read; under the policy raise a failure is told.
    fn discard(&self, end: Result<Task<K, T>, Box<Inner<E>>>) {
        if let Err(inner) = &end
            && self.policy == ErrorPolicy::Raise
            && inner.is_failure()
        {
            log::unread(inner);
        }
        drop_quietly(end);
    }

    pub(super) fn take(&self) -> Option<Result<Task<K, T>, TaskError<E>>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, EndState::Gone) {
            EndState::Ended(end) => Some(end.map_err(|inner| TaskError::new(inner, None))),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Waits for the end, at most until `limit`.
    pub(super) fn wait(&self, limit: Option<Instant>) {
        let mut state = self.state.lock();
        while matches!(*state, EndState::Pending(_)) {
            state = match limit {
                None => self.ended.wait(state),
                Some(limit) => {
                    let left = limit.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.ended.wait_timeout(state, left).0
                }
            };
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        matches!(*self.state.lock(), EndState::Pending(_))
    }

    pub(super) fn poll(&self, waker: &Waker) -> Poll<Result<Task<K, T>, TaskError<E>>> {
        if let Some(end) = self.take() {
            return Poll::Ready(end);
        }
        let waker = waker.clone();
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut *state, EndState::Gone);
        match before {
            EndState::Pending(spare) => {
                *state = EndState::Pending(Some(waker));
                drop(state);
                drop(spare);
                Poll::Pending
            }
            EndState::Ended(end) => {
                drop(state);
                Poll::Ready(end.map_err(|inner| TaskError::new(inner, None)))
            }
            EndState::Detached | EndState::Gone => {
                drop(state);
                panic!("a task handle was polled after it was ready")
            }
        }
    }

    pub(super) fn detach(&self) {
        let mut state = self.state.lock();
        let before = match &*state {
            EndState::Pending(_) => std::mem::replace(&mut *state, EndState::Detached),
            _ => std::mem::replace(&mut *state, EndState::Gone),
        };
        drop(state);
        if let EndState::Ended(end) = before {
            self.discard(end);
        }
    }

    /// Has the task ended without having run?
    pub(super) fn is_cancelled(&self) -> bool {
        match &*self.state.lock() {
            EndState::Ended(Err(inner)) => !inner.is_failure(),
            _ => false,
        }
    }
}
