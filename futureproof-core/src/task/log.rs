//! The events of failed tasks.

use std::time::Duration;

use super::error::{Inner, TaskErrorKind};
use crate::report::Report;
use crate::unwind;

/// A failure under the policy log.
pub(super) fn failure<E>(inner: &Inner<E>) {
    report(inner, "");
}

/// A failure that nobody has read, at the last moment somebody could.
pub(super) fn unread<E>(inner: &Inner<E>) {
    // A broken pool has told of itself, once for all its tasks.
    if !matches!(inner.kind, TaskErrorKind::PoolBroken(_)) {
        report(inner, " and nobody read its error");
    }
}

/// A failure after which the task will be tried again.
pub(super) fn retried<E>(inner: &Inner<E>, most: u32, wait: Duration) {
    let attempt = inner.attempts;
    quietly(|| {
        let reason = inner.reason().to_string();
        tracing::info!(
            target: "futureproof",
            name = %inner.name,
            index = inner.index,
            call = inner.call.as_deref().map(tracing::field::display),
            attempt,
            error = %reason,
            "task {}: attempt {attempt} of {most} failed, the next follows in {wait:.1?}: {reason}",
            inner.index,
        );
    });
}

/// An iterator of results that was dropped before its end.
pub(super) fn dropped_early(name: &'static str, report: &Report, unread: u64) {
    quietly(|| {
        tracing::info!(
            target: "futureproof",
            name = %name,
            completed = report.completed(),
            failed = report.failed(),
            cancelled = report.cancelled(),
            unread,
            "the results of {name} were dropped early: {report}; {unread} results were not read",
        );
    });
}

fn report<E>(inner: &Inner<E>, unread: &str) {
    quietly(|| {
        let reason = inner.reason().to_string();
        tracing::error!(
            target: "futureproof",
            name = %inner.name,
            index = inner.index,
            call = inner.call.as_deref().map(tracing::field::display),
            error = %reason,
            "task {} failed{unread}: {reason}",
            inner.index,
        );
    });
}

/// Neither an error's `Display` nor a subscriber may take a worker down.
fn quietly(event: impl FnOnce()) {
    if let Err(payload) = unwind::catch(event) {
        unwind::discard(payload);
    }
}
