//! Results of tasks that borrow nothing, as an iterator of its own.

use std::fmt;
use std::iter::FusedIterator;

use super::args::IntoArgs;
use super::board::{Board, Crew};
use super::call::Call;
use super::error::{Task, TaskError};
use super::kept::Reading;
use super::log;
use super::queue;
use crate::policy::ErrorPolicy;
use crate::pool::{Shared, TaskPool, Work};
use crate::report::{Ended, Report};
use crate::sync::{Arc, Instant, Weak};

/// An iterator over the results of tasks, one per item of an input: what `map` and `as_completed` return.
///
/// The workers pull the input, lazily and no further than `workers + capacity` items ahead of what has been read (more while
/// tasks are cheap, if no `capacity` was set), and start at once. Under the policy raise the first failure is the last item (with `raise_after = N`, the N-th). If the pool is dropped before the input is
/// used up, the last item is a cancelled task.
///
/// # Cancellation
///
/// Dropping the iterator early drops the rest of the input, cancels what has not started and waits for the tasks that are
/// running (they can ask [`is_stopping`](crate::is_stopping)), though not for an input that is in its `next`. Their
/// results are dropped, failures among them are logged under the policies raise and log, and one event of level INFO says
/// how many tasks were cancelled and how many results nobody has read. [`stop`](Self::stop) does the same and returns a report;
/// [`detach`](Self::detach) does not wait.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// let halves: Result<Vec<u32>, _> = half::map([2, 4, 6]).map(|task| Ok(task?.result)).collect();
/// assert_eq!(halves?, [1, 2, 3]);
/// # Ok::<(), futureproof::TaskError<String>>(())
/// ```
#[must_use = "dropping the results cancels the tasks that have not started"]
pub struct Results<A, K, T, E> {
    stage: Arc<Stage<A, K, T, E>>,
    reading: Reading,
    /// Results that have been read, and failures among them.
    read: u64,
    failures: usize,
    done: bool,
    /// The threads need not be waited for.
    left: bool,
}

/// A board that its threads keep alive.
struct Stage<A, K, T, E> {
    board: Board<'static, A, K, T, E>,
    pool: Arc<Shared>,
    me: Weak<dyn Work>,
}

impl<A: Send, K: Send, T: Send, E: Send> Work for Stage<A, K, T, E> {
    fn work(&self) {
        self.board.work(self);
    }

    fn abandon(&self) {
        self.board.abandon();
    }

    fn nobody_comes(&self, threads: usize) {
        self.board.nobody_comes(threads);
    }

    fn runs_tasks(&self) -> bool {
        true
    }

    fn alarm(&self) {
        self.board.ring(self);
    }

    fn alarm_now(&self) {
        let Some(work) = self.me.upgrade() else {
            return;
        };
        if !self.pool.alarm_at(&work, Instant::now()) {
            self.alarm();
        }
    }
}

impl<A, K, T, E> Crew for Stage<A, K, T, E> {
    fn request(&self, threads: usize) {
        if let Some(work) = self.me.upgrade() {
            self.pool.request(&work, threads);
        }
        // A pool closed or broken before the request does not know of it.
        if self.pool.is_closed() || self.pool.broken().is_some() {
            self.board.abandon();
        }
    }

    fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    fn alarm_at(&self, due: Instant) -> bool {
        let set = (self.me.upgrade()).is_none_or(|work| self.pool.alarm_at(&work, due));
        if self.pool.is_closed() {
            self.board.abandon();
        }
        set
    }

    fn as_work(&self) -> Option<Arc<dyn Work>> {
        self.me.upgrade()
    }
}

/// Runs the function for every item of `inputs` and returns the results in input order.
pub fn map<A, K, T, E, I>(pool: &TaskPool, call: Call<A, K, T, E>, inputs: I) -> Results<A, K, T, E>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
{
    start(pool.shared(), call, inputs, Reading::InOrder)
}

/// Runs the function for every item of `inputs` and returns the results as the tasks end.
pub fn as_completed<A, K, T, E, I>(
    pool: &TaskPool,
    call: Call<A, K, T, E>,
    inputs: I,
) -> Results<A, K, T, E>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
{
    start(pool.shared(), call, inputs, Reading::AsCompleted)
}

pub(super) fn start<A, K, T, E, I>(
    pool: &Arc<Shared>,
    call: Call<A, K, T, E>,
    inputs: I,
    reading: Reading,
) -> Results<A, K, T, E>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
{
    let inputs = inputs.into_iter();
    let total = match inputs.size_hint() {
        (least, Some(most)) if least == most => Some(least),
        _ => None,
    };
    let stage = Arc::new_cyclic(|me: &Weak<Stage<A, K, T, E>>| Stage {
        board: Board::new(pool, call, None, total),
        pool: pool.clone(),
        me: me.clone(),
    });
    // Whoever drops the results may do so elsewhere.
    stage.board.leave_watch();
    stage.board.add_input(queue::input(inputs), &*stage);
    // After it, so that a stop that has come already is not the end of an empty input.
    stage.board.begin(&*stage);
    Results {
        stage,
        reading,
        read: 0,
        failures: 0,
        done: false,
        left: false,
    }
}

impl<A, K, T, E> Iterator for Results<A, K, T, E> {
    type Item = Result<Task<K, T>, TaskError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let board = &self.stage.board;
        let Some(end) = board.next(self.reading, &*self.stage) else {
            self.done = true;
            return None;
        };
        self.read += 1;
        let raises = board.call.policy == ErrorPolicy::Raise;
        self.failures += usize::from(raises && end.is_err());
        self.done = self.failures >= board.call.raise_after();
        Some(board.hand_out(end))
    }
}

impl<A, K, T, E> Results<A, K, T, E> {
    /// Stops: drops the rest of the input, cancels what has not started, waits for the tasks that are running, and says
    /// what was done.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let mut halves = half::map((0..).step_by(2)); // endless
    /// let first = halves.next().expect("there are always more")?;
    /// assert_eq!(first.result, 0);
    /// let report = halves.stop();
    /// assert!(report.completed() >= 1 && report.failed() == 0);
    /// # Ok::<(), futureproof::TaskError<String>>(())
    /// ```
    pub fn stop(mut self) -> Report {
        self.leave(true);
        let board = &self.stage.board;
        let mut report = board.report();
        if !board.is_cut_short() {
            report.ended = Ended::Exhausted;
        }
        report
    }

    /// Returns what has been done so far, with the time since the start; [`Report::ended`] is [`Ended::Running`] until all tasks
    /// have ended.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let mut halves = half::map([2, 4, 6]);
    /// for half in halves.by_ref() {
    ///     half?;
    /// }
    /// assert_eq!(halves.report().completed(), 3);
    /// # Ok::<(), futureproof::TaskError<String>>(())
    /// ```
    #[must_use]
    pub fn report(&self) -> Report {
        self.stage.board.live_report()
    }

    /// Stops without waiting for the tasks that are running: they finish on their threads, and their results are dropped.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// half::map((0..).step_by(2)).detach();
    /// ```
    pub fn detach(mut self) {
        self.leave(false);
    }

    fn leave(&mut self, wait: bool) {
        self.left = true;
        let board = &self.stage.board;
        board.walk_away();
        board.dismiss();
        if wait {
            board.wait_for_running(&*self.stage);
        }
        board.end(&*self.stage);
        if wait {
            board.end_watch(None);
        } else {
            board.settle_watch(None);
        }
        if let Some(work) = self.stage.me.upgrade() {
            self.stage.pool.withdraw(&work);
        }
    }
}

impl<A, K, T, E> FusedIterator for Results<A, K, T, E> {}

impl<A, K, T, E> Drop for Results<A, K, T, E> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        self.leave(true);
        let board = &self.stage.board;
        let report = board.report();
        let ended = report.completed() + report.failed() + report.cancelled();
        let unread = ended.saturating_sub(self.read);
        // Who has read to the end has missed nothing that could be read.
        if !self.done && (unread > 0 || board.is_cut_short()) {
            log::dropped_early(board.call.name, &report, unread);
        }
    }
}

impl<A, K, T, E> fmt::Debug for Results<A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let look = self.stage.board.look();
        f.debug_struct("Results")
            .field("name", &self.stage.board.call.name)
            .field("reading", &self.reading)
            .field("running", &look.running)
            .field("completed", &look.completed)
            .field("failed", &look.failed)
            .finish()
    }
}
