//! Where the errors of a scope go when nobody wants them any more.
//!
//! Under the policy raise a scope returns its first failure, or several of them, which an iterator has usually handed to the
//! closure before. An error is neither `Clone` nor shared, so the ones that were handed out come home when they are dropped:
//! whether the closure swallowed them, or returned one through [`ScopeFailure`](super::ScopeFailure), the scope has them at
//! the end.

use super::call::drop_quietly;
use super::error::Inner;
use super::queue::Order;
use crate::sync::Mutex;

pub(super) struct Home<E> {
    /// Does the scope return all failures, or just the first one in call order?
    all: bool,
    state: Mutex<State<E>>,
}

struct State<E> {
    /// Errors that the program has.
    out: usize,
    /// The failures that the scope is to return, in call order.
    failures: Vec<Failure<E>>,
    /// Whether the next error to come home is to be caught, whichever it is.
    catching: bool,
    caught: Option<Box<Inner<E>>>,
    closed: bool,
}

struct Failure<E> {
    label: Label,
    /// The failure itself when it is at home, and whether somebody has read it.
    kept: Option<(Box<Inner<E>>, bool)>,
}

/// What is known of a failure while it is out.
pub(super) struct Label {
    pub(super) index: usize,
    pub(super) order: Order,
    pub(super) call: Option<String>,
    pub(super) attempts: u32,
}

impl<E> Home<E> {
    pub(super) fn new(all: bool) -> Self {
        Self {
            all,
            state: Mutex::new(State {
                out: 0,
                failures: Vec::new(),
                catching: false,
                caught: None,
                closed: false,
            }),
        }
    }

    /// Hears that an error goes out to the program.
    pub(super) fn send_out(&self) {
        self.state.lock().out += 1;
    }

    /// Hears that an error that was out will not come back.
    pub(super) fn lose(&self) {
        self.state.lock().out -= 1;
    }

    /// May an error of this scope be in the program's hands?
    pub(super) fn has_any_out(&self) -> bool {
        self.state.lock().out > 0
    }

    /// Is there a failure that the scope is to return?
    pub(super) fn has_failure(&self) -> bool {
        !self.state.lock().failures.is_empty()
    }

    /// Hears of a failure; returns what it kept for a later task if nobody has read it.
    pub(super) fn note(&self, failure: &Inner<E>) -> Option<Box<Inner<E>>> {
        let mut state = self.state.lock();
        let first = state.failures.first();
        if !self.all && first.is_some_and(|first| first.label.order <= failure.order) {
            return None;
        }
        let replaced = if self.all { None } else { state.failures.pop() };
        let label = Label {
            index: failure.index,
            order: failure.order,
            call: failure.call.clone(),
            attempts: failure.attempts,
        };
        let failure = Failure { label, kept: None };
        let order = failure.label.order;
        let at = (state.failures).partition_point(|other| other.label.order < order);
        state.failures.insert(at, failure);
        drop(state);
        unread(replaced?.kept)
    }

    /// Takes in an error that is being dropped; gives it back unless it is wanted.
    pub(super) fn receive(&self, inner: Box<Inner<E>>, read: bool) -> Option<Box<Inner<E>>> {
        let mut state = self.state.lock();
        if state.closed {
            return Some(inner);
        }
        if state.catching && state.caught.is_none() {
            state.caught = Some(inner);
            return None;
        }
        let at = (state.failures).binary_search_by_key(&inner.order, |failure| failure.label.order);
        if inner.is_failure()
            && let Ok(at) = at
        {
            // There is one of each.
            let other = state.failures[at].kept.replace((inner, read));
            return other.map(|(other, _)| other);
        }
        Some(inner)
    }

    /// Drops `error` and returns the error of this scope that was in it, if there was one.
    pub(super) fn catch<X>(&self, error: X) -> Option<Box<Inner<E>>> {
        self.state.lock().catching = true;
        drop(error);
        let mut state = self.state.lock();
        state.catching = false;
        state.caught.take()
    }

    /// The failures in call order: where they stand, and themselves unless the program still has them.
    pub(super) fn take(&self) -> Vec<(Label, Option<Box<Inner<E>>>)> {
        let failures = std::mem::take(&mut self.state.lock().failures).into_iter();
        failures
            .map(|failure| (failure.label, failure.kept.map(|(inner, _)| inner)))
            .collect()
    }

    /// The first failure in call order, which stays.
    pub(super) fn first(&self) -> Option<(Label, Option<Box<Inner<E>>>)> {
        let mut state = self.state.lock();
        let failure = state.failures.first_mut()?;
        let label = Label {
            call: failure.label.call.clone(),
            ..failure.label
        };
        Some((label, failure.kept.take().map(|(inner, _)| inner)))
    }

    /// Ends the stay: errors dropped from now on are just dropped. Returns the failures that nobody has read.
    pub(super) fn close(&self) -> Vec<Box<Inner<E>>> {
        let mut state = self.state.lock();
        state.closed = true;
        let failures = std::mem::take(&mut state.failures).into_iter();
        drop(state);
        failures
            .filter_map(|failure| unread(failure.kept))
            .collect()
    }
}

/// What has been read can go; the rest is still to be told.
fn unread<E>(kept: Option<(Box<Inner<E>>, bool)>) -> Option<Box<Inner<E>>> {
    let (inner, read) = kept?;
    if read {
        drop_quietly(inner);
        return None;
    }
    Some(inner)
}
