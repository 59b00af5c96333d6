//! The runtime of the [futureproof](https://docs.rs/futureproof) crate. Use that crate; this one is its engine room.
//!
//! One engine runs everything: a *source* hands items out in input order, *workers* run flat loops of take, run and
//! record, an *exit* cell keeps the lowest index that ends the loop, and a *sink* takes what the bodies give.

#![deny(unsafe_code)]
// docs.rs says which items need a cargo feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod context;
#[cfg(feature = "ctrl-c")]
mod ctrl_c;
mod describe;
mod engine;
mod flow;
mod gate;
#[cfg(all(test, loom))]
mod models;
mod monitor;
#[cfg(not(feature = "ctrl-c"))]
mod no_ctrl_c;
mod policy;
mod pool;
mod raw;
mod reduce;
mod report;
mod source;
mod stop;
mod sync;
mod task;
mod unwind;

pub use crate::engine::ParallelFor;
pub use crate::monitor::{LiveReport, MonitorInterval};
#[cfg(feature = "progress")]
pub use crate::monitor::{ProgressBar, terminal as progress};
pub use crate::policy::{ErrorPolicy, UnknownErrorPolicy};
pub use crate::pool::{
    LeftInPool, PoolStats, StartOutcome, TaskPool, TaskPoolBuilder, default_workers,
};
pub use crate::reduce::{Max, Min, Reduce};
pub use crate::report::{Ended, Report};
pub use crate::source::{IntoSource, Pull, PullHere, pull, pull_here};
pub use crate::stop::{StopCause, StopToken, Stopped, is_stopping};
pub use crate::task::{
    AnyTaskHandle, Configured, ConfiguredTask, IntoArgs, InvalidRateLimit, Left, RateLimit,
    Results, Retry, ScopeError, ScopeFailure, ScopeOutput, Task, TaskError, TaskErrorKind,
    TaskErrors, TaskHandle, TaskManager, TaskPanic, TaskResults, TrySubmitError, Until, Waited,
    wait, wait_timeout,
};
pub use crate::unwind::Payload;

/// What `tests/shuttle` waits with and reads the time from.
#[cfg(futureproof_shuttle)]
#[doc(hidden)]
pub mod __shuttle {
    pub use crate::sync::of_shuttle::panic;
    pub use crate::sync::of_shuttle::thread::running;
    pub use crate::sync::of_shuttle::{Condvar, Instant, LocalKey, Mutex, MutexGuard};
}

/// What expansions name. Not public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::ParallelFor as Loop;
    pub use crate::describe::{
        Describe, DescribeAny, DescribeDebug, DescribeDeref, DescribeDisplay, DescribeError,
        DescribeType, ErrorVtable, Failure, Residual, VtableAny, VtableDebug, VtableDeref,
        VtableDisplay, VtableError,
    };
    pub use crate::engine::{Exits, Leaves, Worker, each, each_plain, workers, workers_plain};
    pub use crate::flow::{Flow, Hole, Never, Outcome, Try, broke, send, untried};
    pub use crate::policy::ErrorPolicy;
    pub use crate::pool::TaskPool;
    pub use crate::reduce::{Accumulator, Accumulators, Added, Largest, Smallest};
    pub use crate::report::Report;
    pub use crate::source::{
        CallerFedKind, Fed, Handout, Indexed, IndexedKind, IntoIndexed, SendElsePullHere, Shared,
        SharedKind, Source, Tag, ViaCaller, ViaIndexed,
    };
    pub use crate::stop::Stopped;
    pub use crate::task::*;
    // By these names, so that user code may shadow the prelude.
    pub use std::clone::Clone;
    pub use std::iter::IntoIterator;
    pub use std::marker::Send;
    pub use std::ops::FnOnce;
    pub use std::option::Option::{None, Some};
    pub use std::result::Result::{self, Ok};
    pub use std::sync::LazyLock;
    pub use std::time::Duration;
}
