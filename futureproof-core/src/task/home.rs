//! Where the errors of a scope go when nobody wants them any more.
//!
//! Under the policy raise a scope returns its first failure, which an iterator has usually handed to the closure before.
//! An error is neither `Clone` nor shared, so the one that was handed out comes home when it is dropped: whether the
//! closure swallowed it, or returned it through [`ScopeFailure`](super::ScopeFailure), the scope has it at the end.

use super::error::Inner;
use super::queue::Order;
use crate::sync::Mutex;

pub(super) struct Home<E> {
    state: Mutex<State<E>>,
}

struct State<E> {
    /// Errors that the program has.
    out: usize,
    /// Of the failure that comes first in call order.
    first: Option<Label>,
    /// That failure, when it is at home, and whether somebody has read it.
    kept: Option<(Box<Inner<E>>, bool)>,
    /// Whether the next error to come home is to be caught, whichever it is.
    catching: bool,
    caught: Option<Box<Inner<E>>>,
    closed: bool,
}

/// What is known of a failure while it is out.
#[derive(Clone)]
pub(super) struct Label {
    pub(super) index: usize,
    pub(super) order: Order,
    pub(super) call: Option<String>,
    pub(super) attempts: u32,
}

impl<E> Home<E> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                out: 0,
                first: None,
                kept: None,
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

    /// Hears of a failure; returns what it kept for a later task if nobody has read it.
    pub(super) fn note(&self, failure: &Inner<E>) -> Option<Box<Inner<E>>> {
        let label = Label {
            index: failure.index,
            order: failure.order,
            call: failure.call.clone(),
            attempts: failure.attempts,
        };
        let mut state = self.state.lock();
        if (state.first.as_ref()).is_some_and(|first| first.order <= label.order) {
            return None;
        }
        state.first = Some(label);
        let replaced = state.kept.take();
        drop(state);
        unread(replaced)
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
        if inner.is_failure()
            && (state.first.as_ref()).is_some_and(|first| first.order == inner.order)
        {
            state.kept = Some((inner, read));
            return None;
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

    /// The first failure in call order: where it stands, and itself unless the program still has it.
    pub(super) fn first(&self) -> Option<(Label, Option<Box<Inner<E>>>)> {
        let mut state = self.state.lock();
        let label = state.first.clone()?;
        let kept = state.kept.take();
        Some((label, kept.map(|(inner, _)| inner)))
    }

    /// Ends the stay: errors dropped from now on are just dropped. Returns the first failure if nobody has read it.
    pub(super) fn close(&self) -> Option<Box<Inner<E>>> {
        let mut state = self.state.lock();
        state.closed = true;
        let kept = state.kept.take();
        drop(state);
        unread(kept)
    }
}

/// What has been read can go; the rest is still to be told.
fn unread<E>(kept: Option<(Box<Inner<E>>, bool)>) -> Option<Box<Inner<E>>> {
    kept.and_then(|(inner, read)| (!read).then_some(inner))
}
