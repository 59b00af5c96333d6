#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![doc(test(attr(deny(warnings))))]
// docs.rs says which items need a cargo feature.
#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(rust_analyzer))))]

mod door;

pub use futureproof_core::{
    AnyTaskHandle, Configured, ConfiguredTask, Ended, ErrorPolicy, IntoArgs, IntoSource,
    InvalidRateLimit, Left, LeftInPool, LiveReport, Max, Min, MonitorInterval, ParallelFor,
    Payload, PoolStats, Pull, PullHere, RateLimit, Reduce, Report, Results, Retry, ScopeError,
    ScopeFailure, ScopeOutput, StartOutcome, StopCause, StopToken, Stopped, Task, TaskError,
    TaskErrorKind, TaskErrors, TaskHandle, TaskManager, TaskPanic, TaskPool, TaskPoolBuilder,
    TaskResults, TrySubmitError, UnknownErrorPolicy, Until, Waited, default_workers, is_stopping,
    pull, pull_here, wait, wait_timeout,
};
#[cfg(feature = "progress")]
pub use futureproof_core::{ProgressBar, progress};
#[doc = include_str!("task_pool.md")]
pub use futureproof_macros::task_pool;

#[cfg(any(doc, doctest))]
pub mod coming_from;
#[cfg(any(doc, doctest))]
pub mod guide;

/// What expansions name. Not public API: it changes with every release.
#[doc(hidden)]
pub mod __private {
    #[cfg(rust_analyzer)]
    pub use crate::door::unknown;
    pub use futureproof_core::__private::*;
    pub use futureproof_macros::__parallel_for as parallel_for;
}
