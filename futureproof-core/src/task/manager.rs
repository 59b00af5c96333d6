//! The task manager of a scope: what its closure works with.

use std::fmt;
use std::time::Duration;

use super::accept::Patience;
use super::args::IntoArgs;
use super::board::{Board, Crew};
use super::call::Limits;
use super::configured::ConfiguredTask;
use super::error::{Task, TaskError};
use super::kept::Reading;
use super::left::Left;
use super::queue;
use super::refused::TrySubmitError;
use crate::pool::Work;
use crate::raw::lend::Lease;
use crate::report::Report;
use crate::sync::{Arc, Instant, OnceLock};

/// Runs tasks of one function for the closure of a scope, which it joins.
///
/// Tasks start in the order of the calls that brought them, except that a slow or far advanced input of
/// [`map`](Self::map) does not hold up tasks submitted behind it. At most as many run at once as the pool has workers.
/// Every accepted task ends exactly once, with a result, a failure or as cancelled, and is yielded once by
/// [`as_completed`](Self::as_completed) or [`in_order`](Self::in_order).
///
/// `A` is the tuple of the function's arguments, `K` what is kept of them, `T` and `E` what the function gives.
///
/// # Nesting
///
/// On one of the pool's own threads (inside a task), a waiting manager runs its own queued tasks on that thread, so that
/// scopes may be nested to any depth, whatever the number of workers. The same holds for a task of one pool inside a task of
/// another one. What can still block is two pools whose threads all wait for scopes on the other one at once, neither inside
/// the other: give such functions one pool, or call them plainly.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// let sum = half::scope(|tasks| {
///     tasks.submit(2);
///     tasks.map((1..=10).map(|n| n * 2));
///     let mut sum = 0;
///     for done in tasks.as_completed() {
///         sum += done?.result;
///     }
///     Ok(sum)
/// })?;
/// assert_eq!(sum, 56);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What else it can be asked and told:
///
/// ```
#[doc = include_str!("example.md")]
/// use std::time::Duration;
///
/// half::scope(|tasks| {
///     assert!(tasks.is_empty() && !tasks.is_closed() && !tasks.is_stopped());
///     tasks.submit(2);
///     assert!(tasks.try_submit(4).is_ok()); // there is room for it
///     if let Err(refused) = tasks.submit_timeout(Duration::from_secs(10), 6) {
///         println!("{:?} has to wait: {refused}", refused.into_args());
///     }
///     println!("{} of {} run, {} wait", tasks.running(), tasks.len(), tasks.waiting());
///
///     // Before the program ends: ten seconds for what is accepted.
///     if let Err(left) = tasks.drain(Duration::from_secs(10)) {
///         println!("{left}");
///     }
///     assert_eq!(tasks.completed() + tasks.failed() + tasks.cancelled(), tasks.len());
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TaskManager<'env, A, K, T, E> {
    board: Board<'env, A, K, T, E>,
    lease: OnceLock<Lease>,
}

impl Crew for Lease {
    fn request(&self, threads: usize) {
        Lease::request(self, threads);
    }

    fn is_closed(&self) -> bool {
        self.is_pool_closed()
    }

    fn alarm_at(&self, due: Instant) -> bool {
        Lease::alarm_at(self, due)
    }

    fn as_work(&self) -> Option<Arc<dyn Work>> {
        Some(Lease::as_work(self))
    }
}

impl<'env, A, K, T, E> TaskManager<'env, A, K, T, E> {
    pub(super) fn new(board: Board<'env, A, K, T, E>) -> Self {
        Self {
            board,
            lease: OnceLock::new(),
        }
    }

    pub(super) fn board(&self) -> &Board<'env, A, K, T, E> {
        &self.board
    }

    /// Lets the manager ask for threads.
    pub(super) fn hire(&self, lease: &Lease) {
        self.lease.get_or_init(|| lease.clone());
    }

    pub(super) fn crew(&self) -> &Lease {
        self.lease.get().expect("set before the closure runs")
    }

    pub(super) fn submit_args(&self, args: A, own: Option<Limits<A, E>>) -> usize {
        self.board.submit(args, own, self.crew())
    }

    pub(super) fn try_submit_args(
        &self,
        args: A,
        own: Option<Limits<A, E>>,
        patience: Patience,
    ) -> Result<usize, TrySubmitError<A>> {
        self.board.try_submit(args, own, patience, self.crew())
    }

    /// Begins a submit whose task has limits of its own.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// use std::time::Duration;
    ///
    /// half::scope(|tasks| {
    ///     tasks.submit(2);
    ///     tasks.configure().retry(3).timeout(Duration::from_secs(5)).submit(4);
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn configure(&self) -> ConfiguredTask<'_, 'env, A, K, T, E> {
        ConfiguredTask::new(self, self.board.call.limits())
    }

    /// Makes a task of every item of `inputs`: an item is the function's argument, or a tuple of several.
    ///
    /// The workers pull the items, so a slow iterator delays nobody else. It is pulled lazily and no further than
    /// `workers + capacity` items ahead of what has been read (more while tasks are cheap, if no `capacity` was set); so an endless one is fine, as long as the closure ends with
    /// [`stop`](Self::stop): a scope runs what it has accepted to its end. If the iterator panics, the panic
    /// takes the place of its next item, as that task's failure. After a stop the rest of it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// half::scope(|tasks| {
    ///     tasks.map((0..).step_by(2)); // endless
    ///     let first: u32 = tasks.in_order().take(4).flatten().map(|task| task.result).sum();
    ///     assert_eq!(first, 6);
    ///     tasks.stop();
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<I>(&self, inputs: I)
    where
        I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'env>,
    {
        self.board.add_input(queue::input(inputs), self.crew());
    }

    /// Returns an iterator over the results in the order in which tasks end.
    ///
    /// It waits for the next result, and ends when everything accepted so far has been yielded and no input is open. It
    /// can be called again after more tasks were submitted.
    pub fn as_completed(&self) -> TaskResults<'_, 'env, A, K, T, E> {
        TaskResults {
            manager: self,
            reading: Reading::AsCompleted,
        }
    }

    /// Returns an iterator over the results in call order: of `submit`s as they were called, of `map` in input order.
    ///
    /// It ends like [`as_completed`](Self::as_completed).
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// half::scope(|tasks| {
    ///     tasks.submit(8);
    ///     tasks.map([6, 4]);
    ///     tasks.submit(2);
    ///     let halves: Vec<u32> = tasks.in_order().flatten().map(|task| task.result).collect();
    ///     assert_eq!(halves, [4, 3, 2, 1]);
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_order(&self) -> TaskResults<'_, 'env, A, K, T, E> {
        TaskResults {
            manager: self,
            reading: Reading::InOrder,
        }
    }

    /// Runs everything accepted so far to its end, inputs included, and drops the results that were not read.
    ///
    /// # Errors
    ///
    /// Under the policy raise, the failure that ended everything: the first one in call order.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// half::scope(|tasks| {
    ///     tasks.map([2, 4, 6]);
    ///     assert_eq!(tasks.run()?.completed(), 3);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(&self) -> Result<Report, TaskError<E>> {
        self.board.join(self.crew());
        if let Some(inner) = self.board.first_failure() {
            return Err(TaskError::new(inner, self.board.home.clone()));
        }
        Ok(self.board.report())
    }

    /// Closes: what has been accepted is finished, and nothing more is accepted.
    ///
    /// The inputs of [`map`](Self::map) are dropped where they are, with an item that is being pulled at that moment, and the
    /// [report](Self::run) then says stopped instead of exhausted. What is
    /// submitted later ends as cancelled, while `try_submit` and `submit_timeout` give the arguments back.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// half::scope(|tasks| {
    ///     tasks.submit(2);
    ///     tasks.close();
    ///     assert_eq!(tasks.try_submit(4).unwrap_err().into_args(), (4,));
    ///     assert_eq!(tasks.run()?.completed(), 1);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) {
        self.board.close();
    }

    /// Returns whether the manager was [closed](Self::close) or stopped.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.board.is_closed()
    }

    /// [Closes](Self::close), and waits until everything that has been accepted has ended, but at most for `limit`.
    ///
    /// Results stay, to be read afterwards. The inputs of [`map`](Self::map) are dropped at once, as by `close`: give it
    /// `inputs.by_ref()` of an iterator outside of the scope to keep what has not been pulled. Under the policy raise a failure cancels the
    /// rest, which then ends as cancelled and is not left.
    ///
    /// # Errors
    ///
    /// [`Left`] when the time is over: with the arguments of the tasks that never started, which no iterator will yield, and the
    /// indices of those that are running. The manager is stopped then; the scope waits for the running tasks when it ends.
    pub fn drain(&self, limit: Duration) -> Result<Report, Left<A>> {
        self.board.drain(limit, self.crew())
    }

    /// Stops: what is running finishes, what has not started is cancelled, and what comes later too.
    ///
    /// A running task can ask [`is_stopping`](crate::is_stopping) and return early. A task that waits for another attempt ends
    /// with its last error.
    pub fn stop(&self) {
        self.board.stop();
    }

    /// Returns whether the manager was stopped, by [`stop`](Self::stop) or by a failure under the policy raise.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.board.is_stopped()
    }

    /// Returns what has been done so far, with the time since the scope began; [`Report::ended`] is [`Ended::Running`] until
    /// everything that was accepted has ended.
    ///
    /// [`Ended::Running`]: crate::Ended::Running
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// half::scope(|tasks| {
    ///     tasks.map([2, 4, 6]);
    ///     while let Some(done) = tasks.as_completed().next() {
    ///         println!("{:?}; so far {}", done?.result, tasks.report());
    ///     }
    ///     assert_eq!(tasks.report().completed(), 3);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn report(&self) -> Report {
        self.board.live_report()
    }

    /// Returns how many tasks have been accepted so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.board.accepted()
    }

    /// Returns whether no task has been accepted yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many tasks are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.board.look().running
    }

    /// Returns how many submitted tasks wait for a worker, or for another attempt. Those that a worker is about to take are
    /// among them.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.board.look().waiting
    }

    /// Returns how many tasks have succeeded.
    #[must_use]
    pub fn completed(&self) -> usize {
        self.board.look().completed
    }

    /// Returns how many tasks have failed, by an error or a panic.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.board.look().failed
    }

    /// Returns how many tasks were cancelled before they started.
    #[must_use]
    pub fn cancelled(&self) -> usize {
        self.board.look().cancelled
    }
}

impl<A, K, T, E> fmt::Debug for TaskManager<'_, A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not under the lock: the formatter writes to somebody else's code.
        let look = self.board.look();
        f.debug_struct("TaskManager")
            .field("name", &self.board.call.name)
            .field("waiting", &look.waiting)
            .field("running", &look.running)
            .field("completed", &look.completed)
            .field("failed", &look.failed)
            .field("cancelled", &look.cancelled)
            .field("stopped", &look.stopped)
            .finish()
    }
}

/// The results of a scope's tasks: see [`TaskManager::as_completed`] and [`TaskManager::in_order`].
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// half::scope(|tasks| {
///     tasks.map([2, 4, 6]);
///     for done in tasks.in_order() {
///         let done = done?;
///         println!("half of {} is {}", done.args.0, done.result);
///     }
///     Ok(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "iterators do nothing unless consumed; to run the tasks without reading results, use `run`"]
pub struct TaskResults<'a, 'env, A, K, T, E> {
    manager: &'a TaskManager<'env, A, K, T, E>,
    reading: Reading,
}

impl<A, K, T, E> Iterator for TaskResults<'_, '_, A, K, T, E> {
    type Item = Result<Task<K, T>, TaskError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        let board = &self.manager.board;
        let end = board.next(self.reading, self.manager.crew())?;
        Some(board.hand_out(end))
    }
}

impl<A, K, T, E> fmt::Debug for TaskResults<'_, '_, A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskResults")
            .field("reading", &self.reading)
            .field("manager", &self.manager)
            .finish()
    }
}
