//! The options of one annotated function.

use std::borrow::Cow;
use std::time::Duration;

use super::rate::{Limiter, RateLimit};
use super::retry::Retry;
use crate::monitor::MonitorInterval;
#[cfg(feature = "progress")]
use crate::monitor::ProgressBar;
use crate::policy::ErrorPolicy;
use crate::pool::{StartOutcome, TaskPool, TaskPoolBuilder};
use crate::sync::Arc;

/// The evaluated options of one annotated function, with its pool.
#[derive(Debug)]
pub struct TaskOptions {
    /// The function's pool.
    pub pool: TaskPool,
    /// The name of the function or of its pool.
    pub name: Cow<'static, str>,
    /// What a failure does.
    pub policy: ErrorPolicy,
    /// How many failures end everything, under the policy raise.
    pub raise_after: usize,
    /// How many tasks may wait for a worker.
    pub capacity: Option<usize>,
    /// How often progress is logged.
    pub monitor: MonitorInterval,
    /// Is there a progress bar?
    #[cfg(feature = "progress")]
    pub bar: ProgressBar,
    /// How often a task is tried that fails.
    pub retry: Option<Retry>,
    /// How long one attempt may run.
    pub timeout: Option<Duration>,
    /// What all tasks of the function ask before they start.
    pub(super) limiter: Option<Arc<Limiter>>,
}

impl TaskOptions {
    /// Is there anything that most functions have not?
    pub(super) fn has_more(&self) -> bool {
        self.raise_after > 1
            || self.retry.is_some()
            || self.timeout.is_some()
            || self.limiter.is_some()
    }

    /// Begins the options of the function called `function`.
    // The macro calls this by path; the value of the chain is `TaskOptions`.
    #[allow(clippy::new_ret_no_self)]
    pub fn new(function: &'static str) -> TaskOptionsBuilder {
        TaskOptionsBuilder {
            pool: TaskPool::builder(),
            name: Cow::Borrowed(function),
            policy: ErrorPolicy::default(),
            raise_after: 1,
            capacity: None,
            monitor: MonitorInterval::default(),
            #[cfg(feature = "progress")]
            bar: ProgressBar::OFF,
            retry: None,
            timeout: None,
            rate_limit: None,
        }
    }
}

/// Collects the options of one annotated function.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TaskOptionsBuilder {
    pool: TaskPoolBuilder,
    name: Cow<'static, str>,
    policy: ErrorPolicy,
    raise_after: usize,
    capacity: Option<usize>,
    monitor: MonitorInterval,
    #[cfg(feature = "progress")]
    bar: ProgressBar,
    retry: Option<Retry>,
    timeout: Option<Duration>,
    rate_limit: Option<RateLimit>,
}

impl TaskOptionsBuilder {
    /// Sets how many tasks run at once.
    ///
    /// # Panics
    ///
    /// Panics when `workers` is zero.
    pub fn workers(mut self, workers: usize) -> Self {
        self.pool = self.pool.workers(workers);
        self
    }

    /// Sets what a failure does.
    pub fn error_policy(mut self, policy: impl Into<ErrorPolicy>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Sets how many failures end everything under the policy raise; default: 1.
    ///
    /// # Panics
    ///
    /// Panics when `failures` is zero.
    pub fn raise_after(mut self, failures: usize) -> Self {
        assert_raise_after(failures);
        self.raise_after = failures;
        self
    }

    /// Sets the name of the pool, its threads and its log lines; default: the function's.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets how many tasks may wait for a worker before `submit` blocks; 0: a task is accepted when a worker is free.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// Sets how often progress is logged.
    pub fn monitor(mut self, interval: impl Into<MonitorInterval>) -> Self {
        self.monitor = interval.into();
        self
    }

    /// Shows a progress bar for each scope and stream, and for tasks that are submitted.
    #[cfg(feature = "progress")]
    pub fn progress(mut self, bar: impl Into<ProgressBar>) -> Self {
        self.bar = bar.into();
        self
    }

    /// Sets how often a task is tried that fails; the call has to say how arguments are cloned.
    pub fn retry(mut self, retry: impl Into<Retry>) -> Self {
        self.retry = Some(retry.into());
        self
    }

    /// Sets how long one attempt of a task may run.
    ///
    /// # Panics
    ///
    /// Panics when `limit` is zero.
    pub fn timeout(mut self, limit: Duration) -> Self {
        assert_timeout(limit);
        self.timeout = Some(limit);
        self
    }

    /// Sets how many tasks may start in a span of time.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// Sets how many tasks a thread runs before another one takes its place.
    ///
    /// # Panics
    ///
    /// Panics when `tasks` is zero.
    pub fn max_tasks_per_thread(mut self, tasks: usize) -> Self {
        self.pool = self.pool.max_tasks_per_thread(tasks);
        self
    }

    /// Sets what every thread runs when it starts.
    pub fn on_thread_start<R: StartOutcome>(
        mut self,
        hook: impl Fn() -> R + Send + Sync + 'static,
    ) -> Self {
        self.pool = self.pool.on_thread_start(hook);
        self
    }

    /// Sets what every thread runs before it ends.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.pool = self.pool.on_thread_stop(hook);
        self
    }

    /// Builds the pool and keeps the rest.
    ///
    /// # Panics
    ///
    /// Panics when the name contains a NUL byte.
    #[must_use]
    pub fn build(self) -> TaskOptions {
        TaskOptions {
            pool: self.pool.name(self.name.clone()).build(),
            name: self.name,
            policy: self.policy,
            raise_after: self.raise_after,
            capacity: self.capacity,
            monitor: self.monitor,
            #[cfg(feature = "progress")]
            bar: self.bar,
            retry: self.retry,
            timeout: self.timeout,
            limiter: self.rate_limit.map(|limit| Arc::new(Limiter::new(limit))),
        }
    }
}

/// The one wording for a number of failures that cannot be.
#[track_caller]
pub(super) fn assert_raise_after(failures: usize) {
    assert!(
        failures > 0,
        "`raise_after` must be at least 1, but it is 0; for no end at a failure use the policy log or ignore"
    );
}

/// The one wording for a time limit that cannot be.
#[track_caller]
pub(super) fn assert_timeout(limit: Duration) {
    assert!(
        !limit.is_zero(),
        "`timeout` must be longer than zero, but it is 0 s; leave it out for no limit"
    );
}
