//! One submitted task, from its submit to its end.

use super::super::call::{Broken, Call};
use super::super::end::EndCell;
use super::super::error::{Inner, Task};
use super::super::queue::Order;
use super::super::refused::TrySubmitError;
use super::super::submitted::{Job, Monitored, Ran, Refusal, Submitted, Terms, Why};
use super::TaskHandle;
use super::attempts::Extras;
use crate::context::{Context, ItemSpan};
use crate::pool::{Shared, TaskPool};
use crate::stop::{self, Entered, Signals};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Instant, Mutex, Ordering};
use crate::unwind;

/// A job that ends with known types.
pub(super) trait Ending<T, E, K>: Job {
    fn end(&self) -> &EndCell<T, E, K>;

    /// Tells the task to stop, if it runs.
    fn tell_to_stop(&self);
}

pub(super) struct Submission<A, K, T, E> {
    pub(super) call: Call<A, K, T, E>,
    index: AtomicUsize,
    /// Relaxed: changed under the queue's lock, which hands the task over. Who looks without it looks again under it.
    claimed: AtomicBool,
    pub(super) args: Mutex<Option<A>>,
    context: Context,
    signals: Arc<Signals>,
    /// What most tasks have not.
    pub(super) extras: Option<Box<Extras<E>>>,
    pub(super) end: EndCell<T, E, K>,
}

/// Submits one task to `pool`; waits while the pool is saturated.
///
/// On one of the pool's own threads it never waits. If the pool can start no thread at all, the task runs here. If the
/// pool is [closed](TaskPool::close), the task ends as cancelled.
pub fn submit<A, K, T, E>(pool: &TaskPool, call: Call<A, K, T, E>, args: A) -> TaskHandle<T, E, K>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    submit_on(pool.shared(), call, args)
}

/// Submits one task to `pool`, if that takes no waiting.
///
/// # Errors
///
/// The arguments, where [`submit`] would wait, where the pool is [closed](TaskPool::close), and where the call's stop token
/// is stopped.
pub fn try_submit<A, K, T, E>(
    pool: &TaskPool,
    call: Call<A, K, T, E>,
    args: A,
) -> Result<TaskHandle<T, E, K>, TrySubmitError<A>>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    try_submit_on(pool.shared(), call, args)
}

pub(in super::super) fn submit_on<A, K, T, E>(
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
    let task = Arc::new(Submission::new(pool, &queue, call, args));
    let job: Arc<dyn Job> = task.clone();
    // Who waits is not refused.
    let _ = task.hand_in(pool, &queue, &job, true);
    TaskHandle::new(task, queue, pool.clone())
}

pub(in super::super) fn try_submit_on<A, K, T, E>(
    pool: &Arc<Shared>,
    call: Call<A, K, T, E>,
    args: A,
) -> Result<TaskHandle<T, E, K>, TrySubmitError<A>>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let queue = Submitted::of(pool);
    let task = Arc::new(Submission::new(pool, &queue, call, args));
    let job: Arc<dyn Job> = task.clone();
    let Err(refusal) = task.hand_in(pool, &queue, &job, false) else {
        return Ok(TaskHandle::new(task, queue, pool.clone()));
    };
    let args = task.take_args();
    let args = args.expect("nobody knows of a task that was refused");
    Err(match refusal {
        Refusal::Full => TrySubmitError::Full(args),
        Refusal::Stopped => TrySubmitError::Stopped(args),
        Refusal::Closed => TrySubmitError::Closed(args),
    })
}

impl<A, K, T, E> Submission<A, K, T, E> {
    #[inline]
    fn new(pool: &Arc<Shared>, queue: &Submitted, call: Call<A, K, T, E>, args: A) -> Self {
        let extras = Extras::of(&call);
        let signals = || {
            Arc::new(
                Signals::new(Some(queue.closing().clone()), None)
                    .nested_task()
                    .on(pool),
            )
        };
        let signals = match &extras {
            None => signals(),
            Some(extras) => {
                let _outer = Entered::new(&extras.signals);
                signals()
            }
        };
        Self {
            end: EndCell::new(call.policy),
            call,
            index: AtomicUsize::new(0),
            claimed: AtomicBool::new(false),
            args: Mutex::new(Some(args)),
            context: Context::capture(),
            signals,
            extras,
        }
    }

    fn hand_in(
        &self,
        pool: &Arc<Shared>,
        queue: &Submitted,
        job: &Arc<dyn Job>,
        waits: bool,
    ) -> Result<(), Refusal> {
        let capacity = if pool.is_current() || stop::works_for(pool) {
            usize::MAX
        } else {
            self.call.capacity.unwrap_or(pool.config.workers)
        };
        let monitored = Monitored {
            interval: self.call.monitor,
            name: self.call.name,
            policy: self.call.policy,
            #[cfg(feature = "progress")]
            bar: &self.call.bar,
            context: &self.context,
        };
        queue.submit(pool, capacity, waits, job, &monitored)
    }

    fn take_args(&self) -> Option<A> {
        self.args.lock().take()
    }

    pub(super) fn inner(&self, broken: Broken<E>) -> Box<Inner<E>> {
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

    /// Ends the task with what its function gave in this attempt.
    pub(super) fn conclude(&self, attempts: u32, outcome: Result<(K, T), Broken<E>>) -> Ran {
        let end = match outcome {
            Ok((args, result)) => Ok(Task {
                index: self.index.load(Ordering::Relaxed),
                args,
                result,
                attempts,
            }),
            Err(broken) => Err(self.inner(broken)),
        };
        let ran = match &end {
            Ok(_) => Ran::Completed,
            Err(inner) if inner.is_panic() => Ran::Panicked,
            Err(_) => Ran::Failed,
        };
        let in_time = self.end.set(end, || ());
        if in_time { ran } else { Ran::Failed }
    }

    /// The span of one attempt.
    pub(super) fn span(&self, attempt: u32) -> ItemSpan {
        let index = self.index.load(Ordering::Relaxed);
        ItemSpan::enter(&self.context, &self.call.name, index, attempt)
    }

    /// Tells the function to stop.
    pub(super) fn signal_stop(&self) {
        self.signals.lower_exit(0);
    }

    /// Runs `f` in the context in which the task was submitted. A subscriber that panics must not cost the task.
    fn in_context(&self, f: impl FnOnce()) {
        let mut f = Some(f);
        let mut run = || {
            if let Some(f) = f.take() {
                f();
            }
        };
        if let Err(payload) = unwind::catch(|| self.context.enter(&mut run)) {
            unwind::discard(payload);
            run();
        }
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
        !self.claimed.swap(true, Ordering::Relaxed)
    }

    fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }

    fn release(&self) {
        self.claimed.store(false, Ordering::Relaxed);
    }

    fn terms(&self) -> Option<&Terms> {
        self.extras.as_ref().map(|extras| &extras.terms)
    }

    fn begin(&self) {
        if let Some(extras) = &self.extras {
            extras.begin();
        }
    }

    fn has_begun(&self) -> bool {
        (self.extras.as_ref()).is_some_and(|extras| extras.attempts() > 0)
    }

    fn is_stopped(&self) -> bool {
        self.signals.has_exit() || (self.extras.as_ref()).is_some_and(|extras| extras.is_stopped())
    }

    fn run(&self) -> Ran {
        let Some(args) = self.take_args() else {
            return Ran::Cancelled;
        };
        let _entered = Entered::new(&self.signals);
        self.signals.set_at_work(true);
        let mut ran = Ran::Failed;
        self.in_context(|| {
            ran = match &self.extras {
                None => {
                    let span = self.span(1);
                    let outcome = self.call.perform(args);
                    span.end(|| Broken::word(&outcome));
                    self.conclude(1, outcome)
                }
                Some(extras) => self.attempt(extras, args),
            };
        });
        self.signals.set_at_work(false);
        ran
    }

    fn finish(&self, why: &Why) {
        if let Some(args) = self.take_args() {
            self.in_context(|| self.give_up(args, why));
        }
    }

    fn time_out(&self) {
        self.in_context(|| self.end_as_timed_out());
    }

    fn nudge(&self) {
        self.end.nudge();
    }

    fn nudges(&self) -> usize {
        self.end.nudges()
    }

    fn wait(&self, limit: Option<Instant>, since: usize) -> bool {
        self.end.wait(limit, Some(since))
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

    fn tell_to_stop(&self) {
        self.signal_stop();
    }
}
