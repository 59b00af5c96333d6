//! The events of failed tasks.

use super::error::Inner;
use crate::unwind;

/// A failure under the policy log.
pub(super) fn failure<E>(inner: &Inner<E>) {
    report(inner, "");
}

/// A failure that nobody has read, at the last moment somebody could.
pub(super) fn unread<E>(inner: &Inner<E>) {
    report(inner, " and nobody read its error");
}

fn report<E>(inner: &Inner<E>, unread: &str) {
    // Neither an error's `Display` nor a subscriber may take a worker down.
    let event = unwind::catch(|| {
        let reason = inner.reason().to_string();
        tracing::error!(
            target: "futureproof",
            name = inner.name,
            index = inner.index,
            call = inner.call.as_deref(),
            error = %reason,
            "task {} failed{unread}: {reason}",
            inner.index,
        );
    });
    if let Err(payload) = event {
        unwind::discard(payload);
    }
}
