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

use crossbeam_utils::CachePadded;

use super::call::{Broken, Call};
use super::error::{Inner, Task};
use super::home::Home;
use super::later::Later;
use super::pace::Pace;
use super::queue::{Input, Order, Queued};
use super::seats::Seats;
use super::shelf::Shelf;
use super::state::State;
use crate::context::{Context, Described};
use crate::monitor::{self, Subject, Watch};
use crate::policy::ErrorPolicy;
use crate::pool::{Shared, Tallied, Work};
use crate::stop::{self, Signals};
use crate::sync::{Arc, AtomicBool, Condvar, Instant, Mutex, MutexGuard, Ordering};

/// How a task ended.
pub(super) type End<K, T, E> = Result<Task<K, T>, Box<Inner<E>>>;

/// The board's state, locked.
pub(super) type Guard<'a, 'env, A, K, T, E> = MutexGuard<'a, State<'env, A, K, T, E>>;

/// Where a board's threads come from.
pub(super) trait Crew {
    /// Asks that up to `threads` more threads call [`Board::work`]; if none can, [`Board::nobody_comes`] is called.
    fn request(&self, threads: usize);

    /// No thread will come any more, and nothing is to be started.
    fn is_closed(&self) -> bool;

    /// Asks that [`Board::ring`] be called at the moment `due`; false if nobody can do that.
    fn alarm_at(&self, due: Instant) -> bool;

    /// The board as something that a stop token can call; `None` when it is gone.
    fn as_work(&self) -> Option<Arc<dyn Work>>;
}

pub(super) struct Board<'env, A, K, T, E> {
    pub(super) call: Call<A, K, T, E>,
    /// Has each task limits?
    pub(super) limited: bool,
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
    /// Was there a watch in the beginning?
    pub(super) watched: bool,
    pub(super) watch: Mutex<Option<Watch>>,
    _tallied: Tallied,
}

/// What a stop took out of the queue.
pub(super) struct Cleared<'env, A, R> {
    pub(super) tasks: Vec<Queued<A>>,
    /// Tasks that waited for another attempt, each with its last failure.
    pub(super) retried: Vec<(Queued<A>, R)>,
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
        let limited = !call.limits().is_empty();
        let one_by_one = limited || call.limiter().is_some() || pool.counts_tasks();
        let context = Context::of_tasks(&Described {
            name: &call.name,
            workers,
            policy: call.policy,
        });
        let subject = Subject {
            kind: "pool",
            workers,
            total,
            policy: call.policy,
            interval: call.monitor,
            live: None,
            #[cfg(feature = "progress")]
            bar: &call.bar,
            context: &context,
        };
        let watch = monitor::watch(&subject, || call.name.to_owned());
        let seats = Seats::new(watch.as_ref().map(Watch::progress), workers);
        let pace = Pace::new(workers, call.capacity);
        let signals = Signals::new(call.token().cloned(), call.deadline());
        let tallied = Tallied::new(pool);
        let counts = tallied.tally().clone();
        let mut state = State::new(workers, pace, seats, Later::new(one_by_one), counts);
        state.limiter = call.limiter().cloned();
        if call.policy == ErrorPolicy::Raise {
            state.raise_after = call.raise_after();
        }
        Self {
            call,
            limited,
            pool: pool.clone(),
            context,
            signals: Arc::new(signals.nested().on(pool)),
            home,
            begun: Instant::now(),
            state: Mutex::new(state),
            shelf: Mutex::new(Shelf::new()),
            open: CachePadded::new(AtomicBool::new(false)),
            guarded: AtomicBool::new(false),
            news: Condvar::new(),
            room: Condvar::new(),
            guard: Condvar::new(),
            watched: watch.is_some(),
            watch: Mutex::new(watch),
            _tallied: tallied,
        }
    }

    /// Does a thread of the pool wait while the calling one waits?
    pub(super) fn is_inside(&self) -> bool {
        self.pool.is_current() || stop::works_for(&self.pool)
    }

    /// Lets those know who may run what has become runnable.
    pub(super) fn announce_work(&self, mut state: Guard<'_, 'env, A, K, T, E>, crew: &dyn Crew) {
        state.show_wait();
        let threads = state.summon();
        let guard = state.call_guard(false);
        let timerless = state.later.timerless;
        let news = state.helpers > 0 && state.has_news(false);
        if !self.open.load(Ordering::Relaxed) {
            self.open.store(true, Ordering::Relaxed);
        }
        drop(state);
        if news {
            self.news.notify_all();
        }
        if timerless {
            // Workers that wait for a moment there.
            self.guard.notify_all();
        } else if guard {
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
        if threads == 0 {
            return;
        }
        crew.request(threads);
        if self.pool.broken().is_some() || self.pool.is_closed() {
            self.abandon();
        }
    }

    /// Hears that so many threads will not come: whoever waits has to help.
    #[cold]
    pub(super) fn nobody_comes(&self, threads: usize) {
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(threads);
        state.threadless = true;
        drop(state);
        self.news.notify_all();
        self.room.notify_all();
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
