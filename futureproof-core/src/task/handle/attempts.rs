//! Tasks that are tried again, must end or start in time, or can be stopped.

use super::super::call::{Broken, Call, drop_quietly};
use super::super::error::{Inner, TaskErrorKind};
use super::super::log;
use super::super::submitted::{Ran, Terms, Why};
use super::submission::Submission;
use crate::stop::{Signals, is_stopping};
use crate::sync::{Arc, Instant, Mutex};

/// What a task has that can be tried again, must end or start in time, or be stopped.
pub(super) struct Extras<E> {
    pub(super) terms: Terms,
    /// Of the token and the deadline.
    pub(super) signals: Arc<Signals>,
    tries: Mutex<Tries<E>>,
}

struct Tries<E> {
    /// How often the task was claimed to be run.
    attempts: u32,
    /// How the last of them ended, while it waits for the next one.
    last: Option<Box<Inner<E>>>,
    /// The call as text, for the error of one that runs too long.
    call: Option<String>,
}

impl<E> Extras<E> {
    pub(super) fn of<A, K, T>(call: &Call<A, K, T, E>) -> Option<Box<Self>> {
        if call.is_plain() {
            return None;
        }
        let (limits, limiter) = (call.limits(), call.limiter().cloned());
        let (token, deadline) = (call.token().cloned(), call.deadline());
        if limits.is_empty() && limiter.is_none() && token.is_none() && deadline.is_none() {
            return None;
        }
        let signals = Signals::new(token.clone(), deadline).nested_task();
        // Once this moment has come, so has that of the signals.
        let deadline = deadline.and_then(|limit| Instant::now().checked_add(limit));
        Some(Box::new(Self {
            terms: Terms::new(limits.timeout, limiter, token, deadline),
            signals: Arc::new(signals),
            tries: Mutex::new(Tries {
                attempts: 0,
                last: None,
                call: None,
            }),
        }))
    }

    /// Has the token been stopped, or has the deadline passed?
    pub(super) fn is_stopped(&self) -> bool {
        self.signals.stop_cause().is_some()
    }

    /// Counts an attempt.
    pub(super) fn begin(&self) {
        self.tries.lock().attempts += 1;
    }

    pub(super) fn attempts(&self) -> u32 {
        self.tries.lock().attempts
    }

    fn take_last(&self) -> Option<Box<Inner<E>>> {
        self.tries.lock().last.take()
    }
}

impl<A, K, T, E> Submission<A, K, T, E> {
    /// Runs the task once, and says when it is to be run again.
    pub(super) fn attempt(&self, extras: &Extras<E>, args: A) -> Ran {
        let attempt = extras.attempts();
        if self.end.how().is_some() {
            // Its time was over before the function could be called.
            drop_quietly(args);
            drop_quietly(extras.take_last());
            return Ran::Failed;
        }
        // Nobody may have told the queue of a stop of the loop in whose body the task was submitted.
        if extras.is_stopped() || (attempt > 1 && is_stopping()) {
            self.give_up(args, &Why::Cancelled);
            // With its last error, if it has been tried.
            return if attempt > 1 {
                Ran::Failed
            } else {
                Ran::Cancelled
            };
        }
        drop_quietly(extras.take_last());
        let limits = self.call.limits();
        let again = limits.retry.as_ref();
        let spare = match again.map(|again| again.spare(attempt, &args)).transpose() {
            Ok(spare) => spare.flatten(),
            Err(payload) => {
                drop_quietly(args);
                let broken = Broken {
                    attempts: attempt,
                    ..Broken::panicked(payload)
                };
                return self.conclude(attempt, Err(broken));
            }
        };
        let span = self.span(attempt);
        let outcome = self.call.keep(args).and_then(|(kept, args)| {
            if extras.terms.timeout.is_some() {
                let call = self.call.describe(&kept);
                extras.tries.lock().call = call;
            }
            self.call.perform_kept(kept, args)
        });
        span.end(|| Broken::word(&outcome));
        let outcome = outcome.map_err(|broken| Broken {
            attempts: attempt,
            ..broken
        });
        let (broken, spare) = match (outcome, spare) {
            (Err(broken), Some(spare)) => (broken, spare),
            (outcome, spare) => {
                drop_quietly(spare);
                return self.conclude(attempt, outcome);
            }
        };
        let is_over = is_stopping() || self.end.how().is_some();
        let wait = again.filter(|_| !is_over);
        let Some(wait) = wait.and_then(|again| again.wait_after(attempt, &broken.kind)) else {
            drop_quietly(spare);
            return self.conclude(attempt, Err(broken));
        };
        let failure = self.inner(broken);
        if let Some(again) = again {
            log::retried(&failure, again.retry.most_attempts(), wait);
        }
        extras.tries.lock().last = Some(failure);
        *self.args.lock() = Some(spare);
        Ran::Again(wait)
    }

    /// Ends the task with its last error, or, if it was never started, for this reason.
    pub(super) fn give_up(&self, args: A, why: &Why) {
        let last = (self.extras.as_ref()).and_then(|extras| extras.take_last());
        let inner = match (last, why) {
            (Some(last), _) => {
                drop_quietly(args);
                last
            }
            (None, Why::Cancelled) => self.inner(self.call.cancelled(args)),
            (None, Why::Broken(reason)) => {
                let kind = TaskErrorKind::PoolBroken(reason.clone());
                self.inner(self.call.unstarted(args, kind))
            }
        };
        self.end.set(Err(inner), || ());
    }

    /// Ends the task for its handle, though its function is still running.
    pub(super) fn end_as_timed_out(&self) {
        let Some(extras) = &self.extras else { return };
        let Some(limit) = extras.terms.timeout else {
            return;
        };
        let tries = extras.tries.lock();
        let broken = Broken {
            kind: TaskErrorKind::TimedOut(limit),
            call: tries.call.clone(),
            attempts: tries.attempts,
        };
        drop(tries);
        // Not before this is the end: the function may give another one as soon as it is told.
        (self.end).set(Err(self.inner(broken)), || self.signal_stop());
    }
}
