//! Catching, keeping and discarding panics.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use crate::sync::{panic, thread};

/// What a panic carries.
pub type Payload = Box<dyn Any + Send + 'static>;

/// Runs `f` and catches its panic. The state `f` touched is the crate's own, which stays valid across an unwind.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    panic::catch_unwind(AssertUnwindSafe(f))
}

/// Drops a value whose `Drop` may panic; a second panic out of that panic's payload is forgotten.
///
/// Returns the payload of the first panic.
pub(crate) fn drop_caught<T>(value: T) -> Result<(), Payload> {
    catch(move || drop(value))
}

/// Drops all items, whatever their `Drop` does.
///
/// Returns the payload of the first panic.
pub(crate) fn drop_all<T>(items: impl IntoIterator<Item = T>) -> Result<(), Payload> {
    let mut first = Ok(());
    for item in items {
        match drop_caught(item) {
            Err(payload) if first.is_ok() => first = Err(payload),
            Err(payload) => discard(payload),
            Ok(()) => {}
        }
    }
    first
}

/// Drops all items, and then goes on with the first panic, if this thread is not unwinding already.
pub(crate) fn drop_all_or_unwind<T>(items: impl IntoIterator<Item = T>) {
    match drop_all(items) {
        Err(payload) if thread::panicking() => discard(payload),
        Err(payload) => panic::resume_unwind(payload),
        Ok(()) => {}
    }
}

/// Drops a payload nobody wants, whatever its `Drop` does.
pub(crate) fn discard(payload: Payload) {
    if let Err(second) = drop_caught(payload) {
        // Dropping payloads of payloads could go on for ever; one leak is the lesser evil.
        std::mem::forget(second);
    }
}

/// The text of a payload, when it is one of the usual two types.
pub(crate) fn message(payload: &Payload) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "Box<dyn Any>"
    }
}
