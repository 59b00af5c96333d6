//! The state that a task manager, its tasks and its readers share, and the way in.
//!
//! A task is *accepted* (by a submit, or when its item is pulled), then *runs* or is cancelled, then has *ended*; its end
//! is kept until somebody reads it. Rules:
//!
//! 1. No user code runs under the lock: not the function, not iterators, nor `Clone`, `Debug` or `Drop` of the user's types.
//! 2. Every change under the lock that a waiting thread may be waiting for is followed by a notification: `news` for
//!    readers (a result, the end of all results, or work for a reader that helps), `room` for blocked submits.
//! 3. A pool thread waits here only for a moment. It leaves when it finds nothing to do, and whoever makes something to do
//!    asks for threads again: another scope on the same pool may need them meanwhile.
//! 4. Who waits on a thread of the pool itself, or in a task that one of those waits for (a task of pool P may open a scope
//!    on Q whose task opens a scope on P), or on a pool without threads, runs what is queued *here* instead of only
//!    waiting. So nesting cannot deadlock.
//! 5. While something can start and a thread can be had, one is on its way or looking for it; who takes the last chance
//!    to look for more asks for the next thread first. So a task that waits for another one does not wait for ever.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::call::{Broken, Call};
use super::error::{Inner, Task};
use super::home::Home;
use super::hover::Hover;
use super::kept::Ended;
use super::pace::Pace;
use super::queue::{Input, Order, Queued};
use super::refused::TrySubmitError;
use super::seats::Seats;
use super::shelf::Shelf;
use super::state::State;
use crate::context::Context;
use crate::monitor::{self, Watch};
use crate::pool::Shared;
use crate::stop::{self, Signals};
use crate::sync::{Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering};

/// When a submit that waits for cheap tasks looks again by itself.
const SOON: Duration = Duration::from_millis(1);

/// How a task ended.
pub(super) type End<K, T, E> = Result<Task<K, T>, Box<Inner<E>>>;

/// The board's state, locked.
pub(super) type Guard<'a, 'env, A, K, T, E> = MutexGuard<'a, State<'env, A, K, T, E>>;

/// Where a board's threads come from.
pub(super) trait Crew {
    /// Asks that up to `threads` more threads call [`Board::work`]; returns how many threads there are to ask.
    fn request(&self, threads: usize) -> usize;

    /// No thread will come any more, and nothing is to be started.
    fn is_closed(&self) -> bool;
}

pub(super) struct Board<'env, A, K, T, E> {
    pub(super) call: Call<A, K, T, E>,
    pub(super) pool: Arc<Shared>,
    pub(super) context: Context,
    pub(super) signals: Arc<Signals>,
    /// Where dropped errors go; only scopes have one.
    pub(super) home: Option<Arc<Home<E>>>,
    pub(super) begun: Instant,
    pub(super) state: Mutex<State<'env, A, K, T, E>>,
    pub(super) shelf: Mutex<Shelf<K, T, E>>,
    /// Is there something that could start? A hint for workers that look without the lock, hence relaxed.
    pub(super) open: CachePadded<AtomicBool>,
    /// Is a thread standing guard? See [`Board::pull_several`].
    pub(super) guarded: AtomicBool,
    pub(super) news: Condvar,
    pub(super) room: Condvar,
    /// Where the thread stands that is on guard.
    pub(super) guard: Condvar,
    _watch: Option<Watch>,
}

/// What a stop took out of the queue.
pub(super) struct Cleared<'env, A> {
    pub(super) tasks: Vec<Queued<A>>,
    pub(super) inputs: Vec<Input<'env, A>>,
}

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    pub(super) fn new(
        pool: &Arc<Shared>,
        call: Call<A, K, T, E>,
        home: Option<Arc<Home<E>>>,
        total: Option<usize>,
    ) -> Self {
        let workers = pool.config.workers;
        let context = Context::capture();
        let watch = monitor::watch(
            call.monitor,
            || call.name.to_owned(),
            workers,
            total,
            &context,
        );
        let seats = Seats::new(watch.as_ref().map(Watch::progress), workers);
        let pace = Pace::new(workers, call.capacity);
        Self {
            call,
            pool: pool.clone(),
            context,
            signals: Arc::new(Signals::new(None, None).nested().on(pool)),
            home,
            begun: Instant::now(),
            state: Mutex::new(State::new(workers, pace, seats)),
            shelf: Mutex::new(Shelf::new()),
            open: CachePadded::new(AtomicBool::new(false)),
            guarded: AtomicBool::new(false),
            news: Condvar::new(),
            room: Condvar::new(),
            guard: Condvar::new(),
            _watch: watch,
        }
    }

    /// Does a thread of the pool wait while the calling one waits?
    pub(super) fn is_inside(&self) -> bool {
        self.pool.is_current() || stop::works_for(&self.pool)
    }

    /// Accepts a task, waiting for room first; returns its index.
    pub(super) fn submit(&self, args: A, crew: &dyn Crew) -> usize {
        let state = self.state.lock();
        if state.stopped {
            drop(state);
            return self.accept_cancelled(args);
        }
        if state.has_room(0) {
            return self.accept(state, args, crew);
        }
        match self.wait_for_room(state, crew) {
            Some(state) => self.accept(state, args, crew),
            None => self.accept_cancelled(args),
        }
    }

    /// Waits until a task can be accepted; `None` if it cannot, as the board was stopped.
    fn wait_for_room<'a>(
        &'a self,
        mut state: Guard<'a, 'env, A, K, T, E>,
        crew: &dyn Crew,
    ) -> Option<Guard<'a, 'env, A, K, T, E>> {
        let inside = self.is_inside();
        let mut hover = Hover::default();
        let mut urgent = false;
        loop {
            state.settle(urgent);
            if state.stopped {
                return None;
            }
            if inside || state.has_room(state.pace.slack()) {
                return Some(state);
            }
            if state.threadless {
                let helped;
                (state, helped) = self.help(state, crew);
                if helped {
                    continue;
                }
            } else if state.pace.slack() == 0
                && state.pace.is_trivial()
                && state.has_core(false)
                && hover.goes_on()
            {
                drop(state);
                hover.pause();
                state = self.state.lock();
                continue;
            }
            // Once more, now that workers are told to make room at once.
            if !urgent && state.pace.slack() == 0 {
                urgent = true;
                continue;
            }
            state.submitters += 1;
            if state.call_guard(true) {
                self.guard.notify_one();
            }
            state = if state.pace.slack() > 0 {
                // Cheap tasks may turn out slow, with room on the desks that nobody has told of.
                self.room.wait_timeout(state, SOON).0
            } else {
                self.room.wait(state)
            };
            state.submitters -= 1;
            state.called = state.called.saturating_sub(1);
        }
    }

    /// Accepts a task if there is room.
    pub(super) fn try_submit(&self, args: A, crew: &dyn Crew) -> Result<usize, TrySubmitError<A>> {
        let mut state = self.state.lock();
        if state.stopped {
            return Err(TrySubmitError::Stopped(args));
        }
        if !state.has_room(0) {
            state.settle(false);
            if !state.has_room(0) {
                return Err(TrySubmitError::Full(args));
            }
        }
        Ok(self.accept(state, args, crew))
    }

    fn accept(&self, mut state: Guard<'_, 'env, A, K, T, E>, args: A, crew: &dyn Crew) -> usize {
        let index = state.counts.accepted;
        state.counts.accepted += 1;
        state.queue.push_task(index, args);
        state.seats.show_waiting(state.queue.waiting());
        // The next one in the line, if there is room for it too.
        let calls = state.call();
        self.announce_work(state, crew);
        self.let_in(calls);
        index
    }

    /// Accepts a task after the stop: it ends at once.
    fn accept_cancelled(&self, args: A) -> usize {
        let broken = self.call.cancelled(args);
        let mut state = self.state.lock();
        let index = state.counts.accepted;
        state.counts.accepted += 1;
        state.counts.cancelled += 1;
        let order = state.queue.next_order();
        let end = Err(self.inner(index, order, broken));
        state.kept.push(Ended { order, end });
        let news = state.has_news(false);
        drop(state);
        if news {
            self.news.notify_all();
        }
        index
    }

    /// Adds an input; after a stop it is dropped unread.
    pub(super) fn add_input(&self, input: Input<'env, A>, crew: &dyn Crew) {
        let mut state = self.state.lock();
        if state.stopped {
            drop(state);
            return;
        }
        state.queue.push_input(input);
        self.announce_work(state, crew);
    }

    /// Lets those know who may run what has become runnable.
    pub(super) fn announce_work(&self, mut state: Guard<'_, 'env, A, K, T, E>, crew: &dyn Crew) {
        let threads = state.summon();
        let guard = state.call_guard(false);
        let news = state.helpers > 0 && state.has_news(false);
        if !self.open.load(Ordering::Relaxed) {
            self.open.store(true, Ordering::Relaxed);
        }
        drop(state);
        if news {
            self.news.notify_all();
        }
        if guard {
            self.guard.notify_one();
        }
        self.request(threads, crew);
    }

    /// Notifies so many of those who wait for room.
    pub(super) fn let_in(&self, calls: usize) {
        for _ in 0..calls {
            self.room.notify_one();
        }
    }

    /// Asks for threads that [`State::summon`] has counted in.
    pub(super) fn request(&self, threads: usize, crew: &dyn Crew) {
        if threads > 0 && crew.request(threads) == 0 {
            self.go_threadless(threads);
        }
    }

    /// Nobody will come: whoever waits has to help.
    #[cold]
    fn go_threadless(&self, threads: usize) {
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(threads);
        state.threadless = true;
        drop(state);
        self.news.notify_all();
        self.room.notify_all();
    }

    /// Stops: what has not started is cancelled.
    pub(super) fn stop(&self) {
        let cleared = self.state.lock().stop();
        if let Some(cleared) = cleared {
            self.cancel(cleared);
        }
    }

    /// Ends the tasks that a stop took out of the queue.
    pub(super) fn cancel(&self, cleared: Cleared<'env, A>) {
        self.signals.lower_exit(0);
        self.room.notify_all();
        self.guard.notify_one();
        super::call::drop_quietly(cleared.inputs);
        let ends: Vec<_> = (cleared.tasks.into_iter())
            .map(|task| Ended {
                order: task.order,
                end: Err(self.inner(task.index, task.order, self.call.cancelled(task.args))),
            })
            .collect();
        let mut state = self.state.lock();
        state.cancelling = None;
        state.counts.cancelled += ends.len();
        for ended in ends {
            state.kept.push(ended);
        }
        drop(state);
        self.news.notify_all();
    }

    pub(super) fn inner(&self, index: usize, order: Order, broken: Broken<E>) -> Box<Inner<E>> {
        Box::new(Inner {
            index,
            order,
            name: self.call.name,
            call: broken.call,
            attempts: broken.attempts,
            kind: broken.kind,
            vtable: self.call.error,
        })
    }
}
