//! What the test suite of the Python library more-executors pins down, as far as it applies to threads and to a library
//! whose tasks have options instead of layers of executors. A letter and number in a comment (M2) is a defect found there.
//!
//! | there | here |
//! |---|---|
//! | every executor and a stack of 20 layers | `executors.rs`: submits, maps and scopes, and all options at once |
//! | no thread is left behind | `threads.rs`; after the end of its pool: `no_thread_outlives_its_pool` in `behaviours_pebble` |
//! | retry | `retry.rs`; a policy that looks at results does not apply: return an `Err` |
//! | throttle | `throttle.rs`; a limit that is a function, and may raise, does not apply: `set_task_limit` is called |
//! | cancel after a time | `timeout.rs`: a limit counts from the start of a task; who waits may give up and cancel |
//! | poll | does not apply: a handle is a future, and what it needs of polling is an async runtime's |
//! | cancel on shutdown | `shutdown.rs` |
//! | futures: and, or, zip, sequence, apply, proxies | `futures.rs`: `wait` and the combinators of `Iterator` and `Future` |
//! | values for futures that are none, and other types | do not compile |

#[path = "../python_kit/mod.rs"]
mod python_kit;

mod executors;
mod futures;
mod retry;
mod shutdown;
#[cfg(target_os = "linux")]
mod threads;
mod throttle;
mod timeout;
