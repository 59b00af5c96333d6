//! The task manager: what `#[task_pool]` expands to.
//!
//! A [`Board`](board::Board) is the state of one manager: a [`Queue`](queue::Queue) of what is still to start, the results
//! nobody has read ([`Kept`](kept::Kept)), and the threads that work on it, with a [`Desk`](desk::Desk) each. A scope lends its board to the pool's threads
//! for the length of a call; [`Results`] shares one with them. Tasks submitted outside any scope go through one
//! [`Submitted`] queue per pool, each with a [`TaskHandle`] of its own.

mod accept;
mod args;
mod board;
mod call;
mod configured;
mod desk;
mod end;
mod error;
mod errors;
mod handle;
mod home;
mod hover;
mod kept;
mod later;
mod left;
mod life;
mod limited;
mod log;
mod manager;
mod options;
mod pace;
mod pull;
mod queue;
mod rate;
mod read;
mod refused;
mod results;
mod retry;
mod scope;
mod scope_error;
mod seats;
mod shelf;
mod show;
mod state;
mod submitted;
mod turn;
mod wait;
mod work;

pub use self::args::IntoArgs;
pub use self::call::{Call, Fallible, sendable};
pub use self::configured::{Configured, ConfiguredTask, configure};
pub use self::error::{Task, TaskError, TaskErrorKind, TaskPanic};
pub use self::errors::TaskErrors;
pub use self::handle::{TaskHandle, submit, try_submit};
pub use self::left::Left;
pub use self::manager::{TaskManager, TaskResults};
pub use self::options::{TaskOptions, TaskOptionsBuilder};
pub use self::rate::{InvalidRateLimit, RateLimit};
pub use self::refused::TrySubmitError;
pub use self::results::{Results, as_completed, map};
pub use self::retry::Retry;
pub use self::scope::{ScopeFailure, ScopeOutput, scope};
pub use self::scope_error::ScopeError;
pub use self::show::{
    KeptArg, RetriedArg, Show, ShowDebug, ShowOpaque, Shown, again, call_text, keep,
};
pub(crate) use self::submitted::Submitted;
pub use self::wait::{AnyTaskHandle, Until, Waited, wait, wait_timeout};
