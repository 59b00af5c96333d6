//! One submitted task and the handle to its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Polling, Poll, Waker};
use std::time::{Duration, Instant};

use super::call::{Call, drop_quietly};
use super::error::{Inner, Task, TaskError};
use super::log;
use super::queue::Order;
use super::submitted::{Job, Submitted};
use crate::context::Context;
use crate::policy::ErrorPolicy;
use crate::pool::{Shared, TaskPool};
use crate::stop::{self, Signals};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering};
use crate::unwind;

/// The handle of one submitted task: joins it, joins it with a time limit, polls, cancels, or awaits it.
///
/// It is a [`Future`] for any async runtime. Dropping the handle lets the task run; if it fails then, the failure is logged
/// once under the policies raise and log. If the pool is dropped first, the task ends as cancelled.
///
/// A task can ask [`is_stopping`](crate::is_stopping): it is when its pool is being dropped, or when the loop or scope in
/// whose body it was submitted stops.
///
/// # Nesting
///
/// Joined or polled on one of the pool's own threads while it is still queued, the task runs there and then; so tasks can
/// submit and join tasks, whatever the number of workers.
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

/// Where a task's end waits for its handle.
struct EndCell<T, E, K> {
    policy: ErrorPolicy,
    state: Mutex<EndState<T, E, K>>,
    ended: Condvar,
}

enum EndState<T, E, K> {
    /// Not ended; whom to wake.
    Pending(Option<Waker>),
    /// Not ended, and the handle is gone.
    Detached,
    Ended(Result<Task<K, T>, Box<Inner<E>>>),
    /// The handle has it, or nobody wanted it.
    Gone,
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
    let pool = pool.shared();
    let queue = Submitted::of(pool);
    let beyond = pool.is_current() || stop::works_for(pool);
    let capacity = call.capacity.unwrap_or(pool.config.workers);
    let task = Arc::new(Submission {
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
        end: EndCell {
            policy: call.policy,
            state: Mutex::new(EndState::Pending(None)),
            ended: Condvar::new(),
        },
    });
    let job: Arc<dyn Job> = task.clone();
    queue.submit(pool, capacity, beyond, job);
    TaskHandle {
        task: Some(task),
        queue,
        pool: pool.clone(),
    }
}

impl<A, K, T, E> Submission<A, K, T, E> {
    fn index(&self) -> usize {
        self.index.load(Ordering::Relaxed)
    }

    fn inner(&self, broken: super::call::Broken<E>) -> Box<Inner<E>> {
        Box::new(Inner {
            index: self.index(),
            order: Order {
                segment: 0,
                position: self.index() as u64,
            },
            name: self.call.name,
            call: broken.call,
            kind: broken.kind,
            vtable: self.call.error,
        })
    }

    fn perform(&self, args: A) {
        let end = match self.call.perform(args) {
            Ok((args, result)) => Ok(Task {
                index: self.index(),
                args,
                result,
            }),
            Err(broken) => Err(self.inner(broken)),
        };
        if let (Err(failure), ErrorPolicy::Log) = (&end, self.call.policy) {
            log::failure(failure);
        }
        self.end.set(end);
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

    fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::AcqRel)
    }

    fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Acquire)
    }

    fn run(&self) {
        let mut args = self.args.lock().take();
        let _signals = stop::Entered::new(&self.signals);
        let entered = unwind::catch(|| {
            self.context.enter(|| {
                if let Some(args) = args.take() {
                    self.perform(args);
                }
            });
        });
        // A subscriber that panics must not cost the task: nothing else in there can panic.
        if let Err(payload) = entered {
            unwind::discard(payload);
            if let Some(args) = args.take() {
                self.perform(args);
            }
        }
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

impl<T, E, K> EndCell<T, E, K> {
    fn set(&self, end: Result<Task<K, T>, Box<Inner<E>>>) {
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut *state, EndState::Gone);
        if let EndState::Pending(waker) = before {
            *state = EndState::Ended(end);
            drop(state);
            self.ended.notify_all();
            if let Some(waker) = waker {
                // A waker is somebody else's code.
                if let Err(payload) = unwind::catch(|| waker.wake()) {
                    unwind::discard(payload);
                }
            }
        } else {
            drop(state);
            self.discard(end);
        }
    }

    /// Drops an end that nobody will read; under the policy raise a failure is told.
    fn discard(&self, end: Result<Task<K, T>, Box<Inner<E>>>) {
        if let Err(inner) = &end
            && self.policy == ErrorPolicy::Raise
            && inner.is_failure()
        {
            log::unread(inner);
        }
        drop_quietly(end);
    }

    fn take(&self) -> Option<Result<Task<K, T>, TaskError<E>>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, EndState::Gone) {
            EndState::Ended(end) => Some(end.map_err(|inner| TaskError::new(inner, None))),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Waits for the end, at most until `limit`.
    fn wait(&self, limit: Option<Instant>) {
        let mut state = self.state.lock();
        while matches!(*state, EndState::Pending(_)) {
            state = match limit {
                None => self.ended.wait(state),
                Some(limit) => {
                    let left = limit.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.ended.wait_timeout(state, left).0
                }
            };
        }
    }

    fn is_pending(&self) -> bool {
        matches!(*self.state.lock(), EndState::Pending(_))
    }

    fn poll(&self, waker: &Waker) -> Poll<Result<Task<K, T>, TaskError<E>>> {
        if let Some(end) = self.take() {
            return Poll::Ready(end);
        }
        let waker = waker.clone();
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut *state, EndState::Gone);
        match before {
            EndState::Pending(spare) => {
                *state = EndState::Pending(Some(waker));
                drop(state);
                drop(spare);
                Poll::Pending
            }
            EndState::Ended(end) => {
                drop(state);
                Poll::Ready(end.map_err(|inner| TaskError::new(inner, None)))
            }
            EndState::Detached | EndState::Gone => {
                drop(state);
                panic!("a task handle was polled after it was ready")
            }
        }
    }

    fn detach(&self) {
        let mut state = self.state.lock();
        let before = match &*state {
            EndState::Pending(_) => std::mem::replace(&mut *state, EndState::Detached),
            _ => std::mem::replace(&mut *state, EndState::Gone),
        };
        drop(state);
        if let EndState::Ended(end) = before {
            self.discard(end);
        }
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
        if self.queue.claim_to_run(&**task) {
            self.queue.run_claimed(&**task);
        }
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
    pub fn cancel(&self) -> bool {
        let task = self.task();
        if self.queue.claim_to_cancel(&**task) {
            task.cancel();
            return true;
        }
        match &*task.end().state.lock() {
            EndState::Ended(Err(inner)) => !inner.is_failure(),
            _ => false,
        }
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
