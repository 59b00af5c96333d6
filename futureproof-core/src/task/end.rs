//! Where the end of a submitted task waits for its handle, and who is told of it.

use std::task::{Poll, Waker};

use super::call::{drop_quietly, drop_task};
use super::error::{Inner, Task, TaskError, TaskErrorKind};
use super::log;
use super::wait::Signal;
use crate::policy::ErrorPolicy;
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard};
use crate::unwind::{self, Payload};

/// What a handle gives.
pub(super) type End<T, E, K> = Result<Task<K, T>, TaskError<E>>;

/// What is to be called with a task's end.
pub(super) type Callback<T, E, K> = Box<dyn FnOnce(&End<T, E, K>) + Send>;

/// Where a task's end waits for its handle.
///
/// An end is *told* before it is *published*: it is logged, if that is the policy, and callbacks are called with it.
/// Whoever tells it has it in its hands meanwhile, as no user code runs under the lock.
pub(super) struct EndCell<T, E, K> {
    policy: ErrorPolicy,
    state: Mutex<State<T, E, K>>,
    news: Condvar,
}

struct State<T, E, K> {
    /// How it ended; only the first end counts.
    how: Option<How>,
    published: bool,
    /// The end, from when it is published until the handle takes it, unless it is being told.
    end: Option<End<T, E, K>>,
    /// Somebody has the end in its hands, and will call the callbacks that come now.
    telling: bool,
    /// The handle is gone.
    detached: bool,
    /// Threads that wait for news, and how often they were nudged.
    sleepers: usize,
    nudges: usize,
    waker: Option<Waker>,
    watchers: Option<Box<Watchers<T, E, K>>>,
}

/// What only few tasks have.
struct Watchers<T, E, K> {
    callbacks: Vec<Callback<T, E, K>>,
    /// Of threads that wait for one of several tasks.
    signals: Vec<Arc<Signal>>,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Completed,
    Failed,
    Cancelled,
}

type Guard<'a, T, E, K> = MutexGuard<'a, State<T, E, K>>;

impl<T, E, K> State<T, E, K> {
    fn watchers(&mut self) -> &mut Watchers<T, E, K> {
        self.watchers.get_or_insert_with(|| {
            Box::new(Watchers {
                callbacks: Vec::new(),
                signals: Vec::new(),
            })
        })
    }
}

impl<T, E, K> EndCell<T, E, K> {
    pub(super) fn new(policy: ErrorPolicy) -> Self {
        Self {
            policy,
            state: Mutex::new(State {
                how: None,
                published: false,
                end: None,
                telling: false,
                detached: false,
                sleepers: 0,
                nudges: 0,
                waker: None,
                watchers: None,
            }),
            news: Condvar::new(),
        }
    }

    /// Ends the task, unless it has ended: then this end comes too late, is dropped, and false returned.
    ///
    /// `decided` is called as soon as this is the end, before others are told.
    pub(super) fn set(
        &self,
        end: Result<Task<K, T>, Box<Inner<E>>>,
        decided: impl FnOnce(),
    ) -> bool {
        let mut state = self.state.lock();
        if state.how.is_some() {
            drop(state);
            drop_end(end);
            return false;
        }
        let how = match &end {
            Ok(_) => How::Completed,
            Err(inner) if inner.is_failure() => How::Failed,
            Err(_) => How::Cancelled,
        };
        state.how = Some(how);
        state.telling = true;
        decided();
        if let (Err(inner), How::Failed, ErrorPolicy::Log) = (&end, how, self.policy)
            // A broken pool has told of itself, once for all its tasks.
            && !matches!(inner.kind, TaskErrorKind::PoolBroken(_))
        {
            drop(state);
            log::failure(inner);
            state = self.state.lock();
        }
        let end = end.map_err(|inner| TaskError::new(inner, None));
        if state.watchers.is_some() {
            state = self.call_back(state, &end);
        }
        state.published = true;
        state.telling = false;
        let unwanted = if state.detached {
            Some(end)
        } else {
            state.end = Some(end);
            None
        };
        let waker = state.waker.take();
        let watchers = state.watchers.take();
        let asleep = state.sleepers > 0;
        drop(state);
        if asleep {
            self.news.notify_all();
        }
        wake(waker);
        for signal in watchers.iter().flat_map(|watchers| &watchers.signals) {
            signal.count(how == How::Failed);
        }
        if let Some(end) = unwanted {
            self.discard(end);
        }
        true
    }

    /// Calls the callbacks, also those that come meanwhile.
    fn call_back<'a>(
        &'a self,
        mut state: Guard<'a, T, E, K>,
        end: &End<T, E, K>,
    ) -> Guard<'a, T, E, K> {
        loop {
            let callbacks = match &mut state.watchers {
                Some(watchers) => std::mem::take(&mut watchers.callbacks),
                None => Vec::new(),
            };
            if callbacks.is_empty() {
                return state;
            }
            drop(state);
            for callback in callbacks {
                if let Err(payload) = unwind::catch(|| callback(end)) {
                    log_callback(end, payload);
                }
            }
            state = self.state.lock();
        }
    }

    /// Tells those who wait that something has changed: perhaps the task can be run in place now.
    pub(super) fn nudge(&self) {
        let mut state = self.state.lock();
        state.nudges += 1;
        let waker = state.waker.take();
        let signals = (state.watchers.as_ref()).map(|watchers| watchers.signals.clone());
        let asleep = state.sleepers > 0;
        drop(state);
        if asleep {
            self.news.notify_all();
        }
        wake(waker);
        for signal in signals.iter().flatten() {
            signal.nudge();
        }
    }

    /// Drops an end that nobody will read; under the policy raise a failure is told.
    fn discard(&self, end: End<T, E, K>) {
        let end = end.map_err(TaskError::into_inner);
        if let Err(inner) = &end
            && self.policy == ErrorPolicy::Raise
            && inner.is_failure()
        {
            log::unread(inner);
        }
        drop_end(end);
    }

    /// Takes the end out, if there is one.
    pub(super) fn take(&self) -> Option<End<T, E, K>> {
        self.state.lock().end.take()
    }

    /// How often those who wait have been told of something but the end.
    pub(super) fn nudges(&self) -> usize {
        self.state.lock().nudges
    }

    /// Waits until the end is published, which returns true, at most until `limit`; if `since` so many nudges, until there is
    /// another.
    pub(super) fn wait(&self, limit: Option<Instant>, since: Option<usize>) -> bool {
        let mut state = self.state.lock();
        state.sleepers += 1;
        while !state.published && since.is_none_or(|nudges| nudges == state.nudges) {
            state = match limit {
                None => self.news.wait(state),
                Some(limit) => {
                    let left = limit.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    self.news.wait_timeout(state, left).0
                }
            };
        }
        state.sleepers -= 1;
        state.published
    }

    pub(super) fn is_published(&self) -> bool {
        self.state.lock().published
    }

    pub(super) fn how(&self) -> Option<How> {
        self.state.lock().how
    }

    pub(super) fn poll(&self, waker: &Waker) -> Poll<End<T, E, K>> {
        if let Some(end) = self.take() {
            return Poll::Ready(end);
        }
        let waker = waker.clone();
        let mut state = self.state.lock();
        if let Some(end) = state.end.take() {
            drop(state);
            return Poll::Ready(end);
        }
        let gone = state.published;
        let spare = state.waker.replace(waker);
        drop(state);
        drop(spare);
        assert!(!gone, "a task handle was polled after it was ready");
        Poll::Pending
    }

    /// Calls `callback` with the end: once there is one, or now.
    pub(super) fn on_finish(&self, callback: Callback<T, E, K>) {
        let mut state = self.state.lock();
        if state.telling || !state.published {
            state.watchers().callbacks.push(callback);
            return;
        }
        let Some(end) = state.end.take() else {
            drop(state);
            panic!("`on_finish` was called after the task's end had been awaited");
        };
        state.telling = true;
        state.watchers().callbacks.push(callback);
        let mut state = self.call_back(state, &end);
        state.telling = false;
        state.end = Some(end);
    }

    /// Has `signal` told of the end, now or once there is one.
    pub(super) fn watch(&self, signal: &Arc<Signal>) {
        let mut state = self.state.lock();
        if !state.published {
            state.watchers().signals.push(signal.clone());
            return;
        }
        let failed = state.how == Some(How::Failed);
        drop(state);
        signal.count(failed);
    }

    pub(super) fn unwatch(&self, signal: &Arc<Signal>) {
        if let Some(watchers) = &mut self.state.lock().watchers {
            (watchers.signals).retain(|watching| !Arc::ptr_eq(watching, signal));
        }
    }

    /// The handle is gone.
    pub(super) fn detach(&self) {
        let mut state = self.state.lock();
        state.detached = true;
        let waker = state.waker.take();
        let end = state.end.take();
        drop(state);
        drop(waker);
        if let Some(end) = end {
            self.discard(end);
        }
    }
}

/// Drops an end that is not wanted, whatever the `Drop` of the user's types does.
fn drop_end<T, E, K>(end: Result<Task<K, T>, Box<Inner<E>>>) {
    match end {
        Ok(task) => drop_task(task.args, task.result),
        Err(inner) => drop_quietly(inner),
    }
}

/// Wakes whoever polled last. A waker is somebody else's code.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker
        && let Err(payload) = unwind::catch(|| waker.wake())
    {
        unwind::discard(payload);
    }
}

#[cold]
fn log_callback<T, E, K>(end: &End<T, E, K>, payload: Payload) {
    let index = match end {
        Ok(task) => task.index,
        Err(error) => error.index(),
    };
    // A subscriber may panic, too.
    let event = unwind::catch(|| {
        tracing::error!(
            target: "futureproof",
            index,
            panic = unwind::message(&payload),
            "a callback on the end of task {index} panicked"
        );
    });
    unwind::discard(payload);
    if let Err(payload) = event {
        unwind::discard(payload);
    }
}
