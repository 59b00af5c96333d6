//! The caller's `tracing` context, carried to the threads that work for it, and the spans of what they do.

use std::fmt;

use tracing::Span;
use tracing::dispatcher::{self, Dispatch};
use tracing::field::Empty;

use crate::policy::ErrorPolicy;
use crate::sync::Arc;
use crate::unwind;

/// The dispatcher and span that were current where something was started, and the span of that itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    dispatch: Dispatch,
    /// Where it was started.
    outside: Span,
    /// Of the loop or scope; else, where nobody wants to know of that or it has none, as outside.
    inside: Span,
    /// Is each item to have a span of its own?
    traced: bool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Self {
            dispatch,
            outside,
            inside,
            ..
        } = self;
        for span in [inside, outside] {
            let span = std::mem::replace(span, Span::none());
            // A span that goes closes its parent through the dispatcher that is current then, whatever its own is.
            quietly(|| dispatcher::with_default(dispatch, || drop(span)));
        }
    }
}

/// What a loop or scope tells of itself in its span. Its name is the field `of`: `name` is what formatters call that of the span.
pub(crate) struct Described<'a> {
    pub(crate) name: &'a dyn fmt::Display,
    pub(crate) workers: usize,
    pub(crate) policy: ErrorPolicy,
}

impl Context {
    /// The context of a single task.
    pub(crate) fn capture() -> Self {
        Self::new(Span::none)
    }

    /// The context of a loop.
    pub(crate) fn of_loop(of: &Described<'_>) -> Self {
        Self::new(|| {
            let Described {
                name,
                workers,
                policy,
            } = of;
            tracing::info_span!(target: "futureproof", "parallel_for", of = %name, workers, policy = %policy)
        })
    }

    /// The context of a scope or a stream.
    pub(crate) fn of_tasks(of: &Described<'_>) -> Self {
        Self::new(|| {
            let Described {
                name,
                workers,
                policy,
            } = of;
            tracing::info_span!(target: "futureproof", "task_pool", of = %name, workers, policy = %policy)
        })
    }

    #[inline]
    fn new(span: impl FnOnce() -> Span) -> Self {
        // One relaxed load in a program without subscribers.
        if !dispatcher::has_been_set() {
            return Self(None);
        }
        // A subscriber that panics must not cost the loop. Each call is caught by itself: two panics at once would end the process.
        let outside = quietly(Span::current).unwrap_or_else(Span::none);
        let span = quietly(span).unwrap_or_else(Span::none);
        let inside = if span.is_disabled() {
            copy(&outside)
        } else {
            span
        };
        let traced =
            quietly(|| tracing::span_enabled!(target: "futureproof::task", tracing::Level::TRACE));
        Self(Some(Arc::new(Inner {
            dispatch: dispatcher::get_default(Dispatch::clone),
            inside,
            outside,
            traced: traced.unwrap_or(false),
        })))
    }

    /// The context in which it was started, without its own span, which need not live for that.
    pub(crate) fn outside(&self) -> Self {
        Self(self.0.as_ref().map(|inner| {
            Arc::new(Inner {
                dispatch: inner.dispatch.clone(),
                outside: copy(&inner.outside),
                inside: Span::none(),
                traced: false,
            })
        }))
    }

    /// Runs `f` inside the loop or scope, on another thread.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.0 {
            Some(inner) => dispatcher::with_default(&inner.dispatch, || within(&inner.inside, f)),
            None => f(),
        }
    }

    /// Runs `f` inside the loop, on the thread that has started it.
    pub(crate) fn enter_here<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.0 {
            // As it is there, it need not be entered again.
            Some(inner) if inner.inside != inner.outside => within(&inner.inside, f),
            _ => f(),
        }
    }

    /// Runs `f` where the loop or scope was started, perhaps on another thread.
    pub(crate) fn enter_outside<R>(&self, f: impl FnOnce() -> R) -> R {
        let Some(inner) = &self.0 else {
            return f();
        };
        dispatcher::with_default(&inner.dispatch, || {
            let is_there = quietly(|| Span::current() == inner.outside);
            if is_there.unwrap_or(false) {
                f()
            } else {
                within(&inner.outside, f)
            }
        })
    }

    /// Is each item to have a span of its own?
    #[inline]
    pub(crate) fn is_traced(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.traced)
    }
}

fn copy(span: &Span) -> Span {
    quietly(|| span.clone()).unwrap_or_else(Span::none)
}

/// Runs `f` in a span.
fn within<R>(span: &Span, f: impl FnOnce() -> R) -> R {
    struct Exit<'a>(Option<&'a Span>);

    impl Drop for Exit<'_> {
        fn drop(&mut self) {
            if let Some(span) = self.0 {
                exit(span);
            }
        }
    }

    let _exit = Exit(enter(span).then_some(span));
    f()
}

/// Enters a span; false if the subscriber has panicked.
fn enter(span: &Span) -> bool {
    quietly(|| span.with_subscriber(|(id, dispatch)| dispatch.enter(id))).is_some()
}

fn exit(span: &Span) {
    quietly(|| span.with_subscriber(|(id, dispatch)| dispatch.exit(id)));
}

/// The span of one item or one attempt of a task, entered; it is told how that ended.
#[derive(Default)]
pub(crate) struct ItemSpan(Option<Span>);

impl ItemSpan {
    /// Enters the span of an item, if the `context` wants one.
    #[inline]
    pub(crate) fn enter(
        context: &Context,
        name: &dyn fmt::Display,
        index: usize,
        attempt: u32,
    ) -> Self {
        if !context.is_traced() {
            return Self(None);
        }
        Self::enter_traced(name, index, attempt)
    }

    #[cold]
    fn enter_traced(name: &dyn fmt::Display, index: usize, attempt: u32) -> Self {
        let span = quietly(|| {
            tracing::trace_span!(
                target: "futureproof::task", "task", of = %name, index, attempt, outcome = Empty
            )
        });
        match span {
            Some(span) if enter(&span) => Self(Some(span)),
            Some(span) => {
                quietly(|| drop(span));
                Self(None)
            }
            None => Self(None),
        }
    }

    /// Leaves the span.
    #[inline]
    pub(crate) fn end(self, outcome: impl FnOnce() -> &'static str) {
        if let Some(span) = self.0 {
            end_traced(span, outcome());
        }
    }
}

#[cold]
fn end_traced(span: Span, outcome: &'static str) {
    quietly(|| {
        span.record("outcome", tracing::field::display(outcome));
    });
    exit(&span);
    quietly(|| drop(span));
}

fn quietly<R>(f: impl FnOnce() -> R) -> Option<R> {
    unwind::catch(f).map_err(unwind::discard).ok()
}
