//! The caller's `tracing` context, carried to the threads that work for it.

use tracing::Span;
use tracing::dispatcher::{self, Dispatch};

/// The dispatcher and span that were current where a loop or scope was started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context(Option<(Dispatch, Span)>);

impl Context {
    pub(crate) fn capture() -> Self {
        // One relaxed load in a program without subscribers.
        if !dispatcher::has_been_set() {
            return Self(None);
        }
        Self(Some((
            dispatcher::get_default(Dispatch::clone),
            Span::current(),
        )))
    }

    /// Runs `f` inside the captured context.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.0 {
            Some((dispatch, span)) => dispatcher::with_default(dispatch, || span.in_scope(f)),
            None => f(),
        }
    }
}
