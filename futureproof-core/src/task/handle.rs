//! One submitted task and the handle to its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Polling, Poll};
use std::time::{Duration, Instant};

use super::call::{Broken, Call};
use super::end::EndCell;
use super::error::{Inner, Task, TaskError};
use super::log;
use super::queue::Order;
use super::submitted::{Job, Monitored, Submitted};
use crate::context::Context;
use crate::policy::ErrorPolicy;
use crate::pool::{Shared, TaskPool};
use crate::stop::{self, Signals};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Mutex, Ordering};
use crate::unwind;

/// The handle of one submitted task: joins it, joins it with a time limit, polls, cancels, or awaits it.
///
/// It is a [`Future`] for any async runtime. Dropping the handle lets the task run, though not beyond the end of `main`; if it
/// fails then, the failure is logged once under the policies raise and log. If the pool is dropped first, the task ends as cancelled.
///
/// A task can ask [`is_stopping`](crate::is_stopping): it is when its pool is being dropped, or when the loop or scope in
/// whose body it was submitted stops.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a dropped handle lets the task run, but nobody gets its result"]
pub struct TaskHandle<T, E, K> {
    /// `None` only while it is being taken apart.
    task: Option<Arc<dyn Ending<T, E, K>>>,
    queue: Arc<Submitted>,
    pool: Arc<Shared>,
}

/// A job that ends with known types.
trait Ending<T, E, K>: Job {
    fn end(&self) -> &EndCell<T, E, K>;
}

struct Submission<A, K, T, E> {
    call: Call<A, K, T, E>,
    index: AtomicUsize,
    claimed: AtomicBool,
    args: Mutex<Option<A>>,
    context: Context,
    signals: Arc<Signals>,
    end: EndCell<T, E, K>,
}

/// Submits one task to `pool`; waits while the pool is saturated.
///
/// On one of the pool's own threads it never waits. If the pool can start no thread at all, the task runs here.
pub fn submit<A, K, T, E>(pool: &TaskPool, call: Call<A, K, T, E>, args: A) -> TaskHandle<T, E, K>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    submit_on(pool.shared(), call, args)
}

pub(super) fn try_submit_on<A, K, T, E>(
    pool: &Arc<Shared>,
    call: Call<A, K, T, E>,
    args: A,
) -> Result<TaskHandle<T, E, K>, super::refused::TrySubmitError<A>>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    Ok(submit_on(pool, call, args))
}

pub(super) fn submit_on<A, K, T, E>(
    pool: &Arc<Shared>,
    call: Call<A, K, T, E>,
    args: A,
) -> TaskHandle<T, E, K>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let queue = Submitted::of(pool);
    let beyond = pool.is_current() || stop::works_for(pool);
    let capacity = call.capacity.unwrap_or(pool.config.workers);
    let (interval, name) = (call.monitor, call.name);
    let task = Arc::new(Submission {
        end: EndCell::new(call.policy),
        call,
        index: AtomicUsize::new(0),
        claimed: AtomicBool::new(false),
        args: Mutex::new(Some(args)),
        context: Context::capture(),
        signals: Arc::new(
            Signals::new(Some(queue.closing().clone()), None)
                .nested()
                .on(pool),
        ),
    });
    let job: Arc<dyn Job> = task.clone();
    let monitored = Monitored {
        interval,
        name,
        context: &task.context,
    };
    queue.submit(pool, capacity, beyond, job, &monitored);
    TaskHandle {
        task: Some(task),
        queue,
        pool: pool.clone(),
    }
}

impl<A, K, T, E> Submission<A, K, T, E> {
    fn inner(&self, broken: Broken<E>) -> Box<Inner<E>> {
        let index = self.index.load(Ordering::Relaxed);
        Box::new(Inner {
            index,
            order: Order {
                segment: 0,
                position: index as u64,
            },
            name: self.call.name,
            call: broken.call,
            attempts: broken.attempts,
            kind: broken.kind,
            vtable: self.call.error,
        })
    }

    /// Runs the task; returns whether it failed.
    fn perform(&self, args: A) -> bool {
        let end = match self.call.perform(args) {
            Ok((args, result)) => Ok(Task {
                index: self.index.load(Ordering::Relaxed),
                args,
                result,
            }),
            Err(broken) => Err(self.inner(broken)),
        };
        if let (Err(failure), ErrorPolicy::Log) = (&end, self.call.policy) {
            log::failure(failure);
        }
        let failed = end.is_err();
        self.end.set(end);
        failed
    }
}

impl<A, K, T, E> Job for Submission<A, K, T, E>
where
    A: Send,
    K: Send,
    T: Send,
    E: Send,
{
    fn number(&self, index: usize) {
        // Relaxed: written before the queue's lock hands the task to the thread that reads it.
        self.index.store(index, Ordering::Relaxed);
    }

    fn index(&self) -> usize {
        self.index.load(Ordering::Relaxed)
    }

    fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::AcqRel)
    }

    fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Acquire)
    }

    fn run(&self) -> bool {
        let mut args = self.args.lock().take();
        let mut failed = false;
        let mut perform = || {
            if let Some(args) = args.take() {
                failed = self.perform(args);
            }
        };
        let _signals = stop::Entered::new(&self.signals);
        // A subscriber that panics must not cost the task: nothing else in there can panic.
        if let Err(payload) = unwind::catch(|| self.context.enter(&mut perform)) {
            unwind::discard(payload);
            perform();
        }
        failed
    }

    fn cancel(&self) {
        let args = self.args.lock().take();
        if let Some(args) = args {
            let broken = self.call.cancelled(args);
            self.end.set(Err(self.inner(broken)));
        }
    }
}

impl<A, K, T, E> Ending<T, E, K> for Submission<A, K, T, E>
where
    A: Send,
    K: Send,
    T: Send,
    E: Send,
{
    fn end(&self) -> &EndCell<T, E, K> {
        &self.end
    }
}

impl<T, E, K> TaskHandle<T, E, K> {
    fn task(&self) -> &Arc<dyn Ending<T, E, K>> {
        self.task.as_ref().expect("only taken by `self`")
    }

    /// Runs the task here if it is queued and this thread takes up a place of its pool.
    fn run_in_place(&self) {
        let task = self.task();
        if task.is_claimed() || !(self.pool.is_current() || stop::works_for(&self.pool)) {
            return;
        }
        self.queue.run_in_place(&**task);
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
        self.run_in_place();
        let end = self.task().end();
        end.wait(None);
        end.take().expect("only its handle takes an end")
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
        self.task().end().wait(Instant::now().checked_add(limit));
        self.try_join()
    }

    /// Returns the result if there is one.
    ///
    /// # Errors
    ///
    /// The handle itself, when the task has not ended.
    pub fn try_join(self) -> Result<Result<T, TaskError<E>>, Self> {
        match self.task().end().take() {
            Some(end) => Ok(end.map(|task| task.result)),
            None => Err(self),
        }
    }

    /// Returns whether the task has ended, in whatever way.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !self.task().end().is_pending()
    }

    /// Cancels the task if it is still queued; then it never starts, and joining it gives a cancelled error.
    ///
    /// Returns whether the task was cancelled, now or before. A running task is not touched.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = include_str!("example.md")]
    /// let handle = half::submit(2);
    /// if handle.cancel() {
    ///     assert!(handle.join().unwrap_err().is_cancelled());
    /// }
    /// ```
    pub fn cancel(&self) -> bool {
        let task = self.task();
        if self.queue.claim_to_cancel(&**task) {
            task.cancel();
            return true;
        }
        task.end().is_cancelled()
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
        self.run_in_place();
        let end = self.task().end().poll(polling.waker());
        end.map(|end| end.map(|task| task.result))
    }
}

impl<T, E, K> Drop for TaskHandle<T, E, K> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.end().detach();
        }
    }
}

impl<T, E, K> fmt::Debug for TaskHandle<T, E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.is_finished(), self.task().is_claimed()) {
            (true, _) => "finished",
            (false, true) => "running",
            (false, false) => "queued",
        };
        f.debug_struct("TaskHandle").field("state", &state).finish()
    }
}
