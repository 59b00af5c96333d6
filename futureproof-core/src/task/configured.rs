//! A function with options of its own for one call.

use std::fmt;
use std::time::Duration;

use super::args::IntoArgs;
use super::call::{Call, Limits};
use super::kept::Reading;
use super::manager::TaskManager;
use super::options::{assert_raise_after, assert_timeout};
use super::rate::{Limiter, RateLimit};
use super::results::{self, Results};
use super::retry::Retry;
use super::scope::{ScopeOutput, scope_on};
use super::scope_error::ScopeError;
use crate::monitor::MonitorInterval;
#[cfg(feature = "progress")]
use crate::monitor::ProgressBar;
use crate::policy::ErrorPolicy;
use crate::pool::{Shared, TaskPool};
use crate::stop::StopToken;
use crate::sync::Arc;

/// A function with other options than those of its `#[task_pool]`, for one call or several: what `f::configure()` returns.
///
/// Calls through one `Configured`, or a clone of it, share its rate limit.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use std::time::Duration;
///
/// // Up to three attempts of up to 5 s each.
/// let handle = half::configure().retry(3).timeout(Duration::from_secs(5)).submit(8);
/// assert_eq!(handle.join()?, 4);
///
/// // Three failures end the scope, not the first.
/// let outcome = half::configure().raise_after(3).scope(|tasks| {
///     tasks.map(1..=4);
/// });
/// assert_eq!(outcome.unwrap_err().task_errors().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It can be kept, and used more than once:
///
/// ```
#[doc = include_str!("example.md")]
/// use std::time::Duration;
/// use futureproof::{ErrorPolicy, RateLimit, StopToken};
///
/// let token = StopToken::new(); // a ^C handler may have a clone of it
/// let careful = half::configure()
///     .error_policy(ErrorPolicy::Log)
///     .retry(3)
///     .retry_if(|error| error.contains("busy"))
///     .rate_limit("1000/s".parse::<RateLimit>()?)
///     .capacity(8)
///     .monitor(Duration::from_millis(500))
///     .stop(&token)
///     .deadline(Duration::from_secs(60));
/// let mut halves: Vec<u32> = careful.as_completed([2, 4, 6]).flatten().map(|done| done.result).collect();
/// halves.sort();
/// assert_eq!(halves, [1, 2, 3]);
/// assert_eq!(careful.map([8]).flatten().map(|done| done.result).sum::<u32>(), 4);
/// assert!(careful.try_submit(2).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "options do nothing until `scope`, `map`, `as_completed`, `submit` or `try_submit` is called"]
pub struct Configured<A, K, T, E> {
    pub(super) pool: Arc<Shared>,
    pub(super) call: Call<A, K, T, E>,
}

/// Begins a call with options of its own.
pub fn configure<A, K, T, E>(pool: &TaskPool, call: Call<A, K, T, E>) -> Configured<A, K, T, E> {
    Configured {
        pool: pool.shared().clone(),
        call,
    }
}

impl<A, K, T, E> Configured<A, K, T, E> {
    /// Sets what a failure does.
    pub fn error_policy(mut self, policy: impl Into<ErrorPolicy>) -> Self {
        self.call.policy = policy.into();
        self
    }

    /// Sets how many failures end everything under the policy raise; they are all returned.
    ///
    /// # Panics
    ///
    /// Panics when `failures` is zero.
    pub fn raise_after(mut self, failures: usize) -> Self {
        assert_raise_after(failures);
        self.call.more_mut().raise_after = failures;
        self
    }

    /// Sets how many tasks may wait for a worker before `submit` blocks.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.call.capacity = Some(capacity);
        self
    }

    /// Sets how often progress is logged.
    pub fn monitor(mut self, interval: impl Into<MonitorInterval>) -> Self {
        self.call.monitor = interval.into();
        self
    }

    /// Shows a progress bar, or none; see [`ProgressBar`].
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let sum: u32 = half::configure().progress("halves").map([2, 4]).flatten().map(|done| done.result).sum();
    /// assert_eq!(sum, 3);
    /// ```
    #[cfg(feature = "progress")]
    pub fn progress(mut self, bar: impl Into<ProgressBar>) -> Self {
        self.call.bar = bar.into();
        self
    }

    /// Sets how often a task is tried that fails, and how long it waits in between.
    pub fn retry(mut self, retry: impl Into<Retry>) -> Self
    where
        A: Clone,
    {
        self.call
            .more_mut()
            .limits
            .set_retry(retry.into(), A::clone);
        self
    }

    /// Sets which errors are worth another attempt; without a [`retry`](Self::retry), none is made.
    pub fn retry_if(mut self, when: fn(&E) -> bool) -> Self {
        self.call.more_mut().limits.set_when(when);
        self
    }

    /// Sets how long one attempt of a task may run.
    ///
    /// A thread cannot be stopped from outside. A task that runs longer ends at once as
    /// [timed out](crate::TaskErrorKind::TimedOut), and is told so through [`is_stopping`](crate::is_stopping); its thread stays
    /// busy until the function returns, and a scope waits for that.
    ///
    /// # Panics
    ///
    /// Panics when `limit` is zero.
    pub fn timeout(mut self, limit: Duration) -> Self {
        assert_timeout(limit);
        self.call.more_mut().limits.timeout = Some(limit);
        self
    }

    /// Sets how many of these tasks may start in a span of time, in the stead of the function's own limit.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.call.more_mut().limiter = Some(Arc::new(Limiter::new(limit)));
        self
    }

    /// Stops when `token` is stopped. A scope then returns [`ScopeError::Stopped`] unless nothing was left to run, and the last
    /// item of an iterator is a cancelled task.
    pub fn stop(mut self, token: &StopToken) -> Self {
        self.call.more_mut().token = Some(token.clone());
        self
    }

    /// Stops when so much time has passed, as [`stop`](Self::stop) does.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.call.more_mut().deadline = Some(limit);
        self
    }

    /// Runs `body` with a task manager, like `f::scope`.
    ///
    /// # Errors
    ///
    /// As for `f::scope`; and [`ScopeError::Stopped`] when the stop token or the deadline has kept something from being run.
    ///
    /// # Panics
    ///
    /// Goes on with the panic of `body`.
    pub fn scope<'env, O>(
        &self,
        body: impl FnOnce(&TaskManager<'env, A, K, T, E>) -> O,
    ) -> Result<O::Value, ScopeError<E>>
    where
        A: Send,
        K: Send,
        T: Send,
        E: Send,
        O: ScopeOutput<E>,
    {
        scope_on(&self.pool, self.call.clone(), body)
    }

    /// Calls the function for each input and gives the results in input order, like `f::map`.
    pub fn map<I>(&self, inputs: I) -> Results<A, K, T, E>
    where
        A: Send + 'static,
        K: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
    {
        results::start(&self.pool, self.call.clone(), inputs, Reading::InOrder)
    }

    /// Calls the function for each input and gives the results in completion order, like `f::as_completed`.
    pub fn as_completed<I>(&self, inputs: I) -> Results<A, K, T, E>
    where
        A: Send + 'static,
        K: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
    {
        results::start(&self.pool, self.call.clone(), inputs, Reading::AsCompleted)
    }
}

impl<A, K, T, E> Clone for Configured<A, K, T, E> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            call: self.call.clone(),
        }
    }
}

impl<A, K, T, E> fmt::Debug for Configured<A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configured")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// One task of a scope with limits of its own: what [`TaskManager::configure`] returns.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use std::time::Duration;
///
/// half::scope(|tasks| {
///     let patient = tasks.configure().retry(5).retry_if(|error| error.contains("busy"));
///     patient.timeout(Duration::from_secs(30)).submit(2);
///     assert!(tasks.configure().retry(2).try_submit(4).is_ok());
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "limits do nothing until `submit` or `try_submit` is called"]
pub struct ConfiguredTask<'a, 'env, A, K, T, E> {
    pub(super) manager: &'a TaskManager<'env, A, K, T, E>,
    pub(super) limits: Limits<A, E>,
}

impl<'a, 'env, A, K, T, E> ConfiguredTask<'a, 'env, A, K, T, E> {
    pub(super) fn new(manager: &'a TaskManager<'env, A, K, T, E>, limits: Limits<A, E>) -> Self {
        Self { manager, limits }
    }

    /// Sets how often the task is tried, and how long it waits in between.
    pub fn retry(mut self, retry: impl Into<Retry>) -> Self
    where
        A: Clone,
    {
        self.limits.set_retry(retry.into(), A::clone);
        self
    }

    /// Sets which errors are worth another attempt; without a [`retry`](Self::retry), none is made.
    pub fn retry_if(mut self, when: fn(&E) -> bool) -> Self {
        self.limits.set_when(when);
        self
    }

    /// Sets how long one attempt may run; see [`Configured::timeout`].
    ///
    /// # Panics
    ///
    /// Panics when `limit` is zero.
    pub fn timeout(mut self, limit: Duration) -> Self {
        assert_timeout(limit);
        self.limits.timeout = Some(limit);
        self
    }
}

impl<A, K, T, E> fmt::Debug for ConfiguredTask<'_, '_, A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredTask").finish_non_exhaustive()
    }
}
