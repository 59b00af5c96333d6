//! The handle to the end of one submitted task.

mod attempts;
mod submission;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Polling, Poll};
use std::time::Duration;

use self::submission::Ending;
pub use self::submission::{submit, try_submit};
pub(super) use self::submission::{submit_on, try_submit_on};
use super::end::{EndCell, How};
use super::error::{Task, TaskError};
use super::submitted::{Job, Submitted, Terms};
use crate::pool::Shared;
use crate::stop;
use crate::sync::{Arc, Instant};

/// The handle of one submitted task: joins it, joins it with a time limit, polls, cancels, or awaits it.
///
/// It is a [`Future`] for any async runtime. (In async code get it by `try_submit`: `submit` waits while the pool is saturated,
/// and blocks the runtime's thread.) Dropping the handle lets the task run, though not beyond the end of `main`; if it
/// fails then, the failure is logged once under the policies raise and log. If the pool is dropped first, the task ends as cancelled.
///
/// A task can ask [`is_stopping`](crate::is_stopping): it is when its handle, its stop token or its pool
/// [stops](Self::stop), when its time is over, and when the loop or scope in whose body it was submitted stops.
///
/// A task with a time limit that runs longer has ended for its handle, as
/// [timed out](crate::TaskErrorKind::TimedOut); its thread stays busy until the function returns.
///
/// # Nesting
///
/// Joined or polled on one of the pool's own threads while it is still queued, the task runs there and then; so tasks can
/// submit and join tasks, whatever the number of workers.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// let (first, second) = (half::submit(2), half::submit(4));
/// assert_eq!(second.join()? + first.join()?, 3);
///
/// // With its arguments.
/// let task = half::submit(6).join_task()?;
/// assert_eq!((task.args, task.result), ((6,), 3));
///
/// // Without waiting.
/// match half::submit(8).try_join() {
///     Ok(result) => assert_eq!(result?, 4),
///     Err(handle) => println!("not yet: {handle:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a dropped handle lets the task run, but nobody gets its result"]
pub struct TaskHandle<T, E, K> {
    task: Arc<dyn Ending<T, E, K>>,
    queue: Arc<Submitted>,
    pool: Arc<Shared>,
}

impl<T, E, K> TaskHandle<T, E, K> {
    fn new(task: Arc<dyn Ending<T, E, K>>, queue: Arc<Submitted>, pool: Arc<Shared>) -> Self {
        Self { task, queue, pool }
    }

    pub(super) fn end(&self) -> &EndCell<T, E, K> {
        self.task.end()
    }

    fn job(&self) -> Arc<dyn Job> {
        self.task.clone()
    }

    /// Has the task left the queue for good? One that has terms may come back.
    fn is_gone(&self) -> bool {
        self.task.is_claimed() && self.task.terms().is_none()
    }

    /// Does this thread take up a place of the pool?
    fn is_in_pool(&self) -> bool {
        self.pool.is_current() || stop::works_for(&self.pool)
    }

    /// Runs the task here if it is queued and this thread takes up a place of its pool; if it may not start yet, returns
    /// when it may.
    pub(super) fn run_in_place(&self) -> Option<Instant> {
        if self.is_gone() || !self.is_in_pool() {
            return None;
        }
        self.queue.run_in_place(&self.job())
    }

    /// Waits for the task and returns its result.
    ///
    /// # Errors
    ///
    /// The task failed, panicked, or was cancelled.
    pub fn join(self) -> Result<T, TaskError<E>> {
        self.join_task().map(|task| task.result)
    }

    /// Waits for the task and returns its result together with what is kept of its arguments.
    ///
    /// # Errors
    ///
    /// The task failed, panicked, or was cancelled.
    pub fn join_task(self) -> Result<Task<K, T>, TaskError<E>> {
        if !self.is_gone() && self.is_in_pool() {
            self.queue.run_to_end(&self.job());
        } else {
            self.end().wait(None, None);
        }
        self.end().take().expect("only its handle takes an end")
    }

    /// Waits for the task, at most for `limit`.
    ///
    /// It never runs the task in place, as that could take longer.
    ///
    /// # Errors
    ///
    /// The handle itself, when the time is over; the task goes on.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// use std::time::Duration;
    ///
    /// match half::submit(2).join_timeout(Duration::from_secs(10)) {
    ///     Ok(result) => assert_eq!(result?, 1),
    ///     Err(handle) => println!("still running: {handle:?}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(self, limit: Duration) -> Result<Result<T, TaskError<E>>, Self> {
        // A limit too far away to be written down is none.
        self.end().wait(Instant::now().checked_add(limit), None);
        self.try_join()
    }

    /// Returns the result if there is one.
    ///
    /// # Errors
    ///
    /// The handle itself, when the task has not ended.
    pub fn try_join(self) -> Result<Result<T, TaskError<E>>, Self> {
        match self.end().take() {
            Some(end) => Ok(end.map(|task| task.result)),
            None => Err(self),
        }
    }

    /// Returns whether the task has ended, in whatever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.end().is_published()
    }

    /// Cancels the task if it is still queued; then it never starts, and joining it gives a cancelled error.
    ///
    /// Returns whether the task was cancelled, now or before; if by another thread just now, that thread may still have to tell
    /// those who wait. A task that has started is not touched, also if it waits for another attempt: see [`stop`](Self::stop).
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let handle = half::submit(2);
    /// if handle.cancel() {
    ///     assert!(handle.is_finished());
    ///     assert!(handle.join().unwrap_err().is_cancelled());
    /// }
    /// ```
    pub fn cancel(&self) -> bool {
        self.queue.cancel(&self.job(), true) || self.end().how() == Some(How::Cancelled)
    }

    /// Stops the task: cancelled if it is queued, told through [`is_stopping`](crate::is_stopping) if it runs.
    ///
    /// It is not tried again; one that waits for its next attempt ends with its last error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// # use futureproof::__private::{self as private, VtableDisplay as _};
    /// # #[allow(non_camel_case_types)]
    /// # enum steps {}
    /// # impl steps {
    /// #     fn submit() -> futureproof::TaskHandle<u32, String, ()> {
    /// #         let error = (&&private::DescribeType::<String>::new()).vtable();
    /// #         let call = private::Call::of("steps", |()| Ok(steps()), |()| (), |()| None, error);
    /// #         private::submit(futureproof::TaskPool::global(), call, ())
    /// #     }
    /// # }
    /// // #[task_pool]
    /// fn steps() -> u32 {
    ///     (0..).take_while(|_| !futureproof::is_stopping()).count() as u32
    /// }
    ///
    /// let handle = steps::submit();
    /// handle.stop();
    /// match handle.join() {
    ///     Ok(steps) => println!("stopped after {steps} steps"),
    ///     Err(error) => assert!(error.is_cancelled()),
    /// }
    /// ```
    pub fn stop(&self) {
        self.task.tell_to_stop();
        self.queue.cancel(&self.job(), false);
    }

    /// Has `callback` called once with the task's end, in whatever way the task ends; at once if it has ended.
    ///
    /// Several are called in the order in which they came, on the thread that ends the task, before the end can be joined.
    /// So they should be short. That thread is usually the one that ran the task; it is the one that cancelled it where that
    /// happened, the pool's timer where the task timed out, and the calling one where it had ended. If a callback panics,
    /// that is logged as an `ERROR` event and harms nothing. Callbacks of a handle that is dropped are called all the same, but do not
    /// count as reading: under the policies raise and log its failure is logged, too.
    ///
    /// # Panics
    ///
    /// Panics when the handle was awaited by reference before, and has given its end away.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let (sender, results) = std::sync::mpsc::channel();
    /// for n in 1..=3 {
    ///     let sender = sender.clone();
    ///     half::submit(n).on_finish(move |end| {
    ///         _ = sender.send(end.as_ref().map_or(0, |task| task.result));
    ///     });
    /// }
    /// drop(sender);
    /// assert_eq!(results.iter().sum::<u32>(), 1);
    /// ```
    pub fn on_finish(
        &self,
        callback: impl FnOnce(&Result<Task<K, T>, TaskError<E>>) + Send + 'static,
    ) {
        self.end().on_finish(Box::new(callback));
    }
}

impl<T, E, K> Future for TaskHandle<T, E, K> {
    type Output = Result<T, TaskError<E>>;

    /// Polls the task.
    ///
    /// # Panics
    ///
    /// Panics when polled again after it was ready.
    fn poll(self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Self::Output> {
        loop {
            let nudges = self.task.nudges();
            let look_again = self.run_in_place();
            if let Poll::Ready(end) = self.end().poll(polling.waker()) {
                return Poll::Ready(end.map(|task| task.result));
            }
            match look_again {
                Some(at) => {
                    self.queue.nudge_at(at, &self.job());
                    if self.queue.is_timerless() {
                        // Nobody else would look at the clock.
                        self.task.wait(Some(at), nudges);
                        continue;
                    }
                }
                // Something may have changed before there was a waker to tell.
                None if nudges != self.task.nudges() && self.is_in_pool() => continue,
                None => {}
            }
            return Poll::Pending;
        }
    }
}

impl<T, E, K> Drop for TaskHandle<T, E, K> {
    fn drop(&mut self) {
        self.end().detach();
    }
}

impl<T, E, K> fmt::Debug for TaskHandle<T, E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.task.terms().is_some_and(Terms::is_waiting);
        let state = match (self.is_finished(), self.task.is_claimed()) {
            (true, _) => "finished",
            (false, true) if waits => "waiting for its next attempt",
            (false, true) => "running",
            (false, false) => "queued",
        };
        f.debug_struct("TaskHandle").field("state", &state).finish()
    }
}
