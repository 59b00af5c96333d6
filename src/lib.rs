#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![doc(test(attr(deny(warnings))))]

pub use futureproof_core::{
    Ended, ErrorPolicy, IntoSource, Max, Min, MonitorInterval, ParallelFor, Payload, Pull,
    PullHere, Reduce, Report, StopCause, StopToken, Stopped, TaskPool, TaskPoolBuilder,
    UnknownErrorPolicy, default_workers, is_stopping, pull, pull_here,
};
pub use futureproof_macros::task_pool;

/// Runs a `for` loop on several workers.
///
/// See the [crate's documentation](crate) for what it promises.
#[cfg(not(rust_analyzer))]
#[macro_export]
macro_rules! parallel_for {
    ($($tokens:tt)*) => {
        $crate::__private::parallel_for!($crate, $($tokens)*)
    };
}

/// What expansions name. Not public API: it changes with every release.
#[doc(hidden)]
pub mod __private {
    pub use futureproof_core::__private::*;
    pub use futureproof_macros::__parallel_for as parallel_for;
}
