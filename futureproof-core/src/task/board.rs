//! The state that a task manager, its tasks and its readers share, and the way in.
//!
//! A task is *accepted* (by a submit, or when its item is pulled), then *runs* or is cancelled, then has *ended*; its end
//! is kept until somebody reads it. Rules:
//!
//! 1. No user code runs under the lock: not the function, not iterators, nor `Clone`, `Debug` or `Drop` of the user's types.
//! 2. Every change under the lock that a waiting thread may be waiting for is followed by a notification: `news` for
//!    readers (a result, the end of all results, or work for a reader that helps), `room` for blocked submits.
//! 3. A pool thread never waits here. It leaves when it finds nothing to do, and whoever makes something to do asks for
//!    threads again: another scope on the same pool may need them meanwhile.
//! 4. Who waits on a thread of the pool itself, or in a task that one of those waits for (a task of pool P may open a scope
//!    on Q whose task opens a scope on P), or on a pool without threads, runs what is queued *here* instead of only
//!    waiting. So nesting cannot deadlock.

use std::time::Instant;

use super::call::{Broken, Call};
use super::error::{Inner, Task, TrySubmitError};
use super::home::Home;
use super::kept::{Ended, Kept};
use super::queue::{Input, Order, Queue, Queued};
use super::seats::Seats;
use crate::context::Context;
use crate::monitor::{self, Watch};
use crate::pool::Shared;
use crate::stop::{self, Signals};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};

/// How a task ended.
pub(super) type End<K, T, E> = Result<Task<K, T>, Box<Inner<E>>>;

/// Where a board's threads come from.
pub(super) trait Crew {
    /// Asks that up to `threads` more threads call [`Board::work`]; returns how many threads there are to ask.
    fn request(&self, threads: usize) -> usize;

    /// No thread will come any more, and nothing is to be started.
    fn is_closed(&self) -> bool;
}

/// Who runs a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A thread that was asked for.
    Crew,
    /// A thread that waits for the board.
    Helper,
}

pub(super) struct Board<'env, A, K, T, E> {
    pub(super) call: Call<A, K, T, E>,
    pub(super) pool: Arc<Shared>,
    /// Accepted tasks that have not ended, from which on a submit blocks.
    saturated: usize,
    pub(super) context: Context,
    pub(super) signals: Arc<Signals>,
    /// Where dropped errors go; only scopes have one.
    pub(super) home: Option<Arc<Home<E>>>,
    pub(super) begun: Instant,
    pub(super) state: Mutex<State<'env, A, K, T, E>>,
    pub(super) news: Condvar,
    pub(super) room: Condvar,
    _watch: Option<Watch>,
}

pub(super) struct State<'env, A, K, T, E> {
    pub(super) queue: Queue<'env, A>,
    pub(super) kept: Kept<End<K, T, E>>,
    /// The tasks that are running.
    pub(super) running: Vec<Running>,
    /// How many threads are pulling an item.
    pub(super) pulling: usize,
    /// The first of the tasks that were taken out of the queue to be cancelled and have not ended yet.
    pub(super) cancelling: Option<Order>,
    pub(super) counts: Counts,
    pub(super) seats: Seats,
    /// At most this many tasks run at once.
    pub(super) workers: usize,
    /// Threads asked for that have not come.
    pub(super) requested: usize,
    /// Threads inside [`Board::work`], and how many of them are pulling or running.
    pub(super) inside: usize,
    pub(super) busy: usize,
    /// No thread could be started.
    pub(super) threadless: bool,
    pub(super) stopped: bool,
    /// The owner has gone without waiting: nobody will read anything.
    pub(super) deserted: bool,
    /// While not zero, results are dropped instead of kept.
    pub(super) discarding: usize,
    /// Threads waiting for `news`; of those, the ones that would help; threads waiting for `room`.
    pub(super) readers: usize,
    pub(super) helpers: usize,
    pub(super) submitters: usize,
}

/// A task that is running.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) order: Order,
    pub(super) seat: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) accepted: usize,
    pub(super) completed: usize,
    pub(super) failed: usize,
    pub(super) cancelled: usize,
}

impl Counts {
    /// Accepted tasks that have not ended.
    pub(super) fn unended(&self) -> usize {
        self.accepted - self.completed - self.failed - self.cancelled
    }
}

/// What a stop took out of the queue.
pub(super) struct Cleared<'env, A> {
    tasks: Vec<Queued<A>>,
    inputs: Vec<Input<'env, A>>,
}

impl<'env, A, K, T, E> State<'env, A, K, T, E> {
    /// No task will end any more, unless one is added.
    pub(super) fn is_over(&self) -> bool {
        self.counts.unended() == 0 && !self.queue.has_open_input()
    }

    /// The first place in call order whose end is still to come.
    pub(super) fn first_unended(&self) -> Option<Order> {
        let running = self.running.iter().map(|task| task.order).min();
        [self.queue.first(), running, self.cancelling]
            .into_iter()
            .flatten()
            .min()
    }

    /// Counts a task in that begins to run.
    pub(super) fn begin(&mut self, index: usize, order: Order) {
        let seat = self.seats.take(index);
        self.running.push(Running { order, seat });
        self.seats.show_waiting(self.queue.waiting());
    }

    /// Counts a task out that ran.
    pub(super) fn end(&mut self, order: Order, failed: bool) {
        let at = self.running.iter().position(|task| task.order == order);
        if let Some(at) = at {
            let task = self.running.swap_remove(at);
            self.seats.leave(task.seat, failed);
        }
        *(if failed {
            &mut self.counts.failed
        } else {
            &mut self.counts.completed
        }) += 1;
    }

    /// Counts in, and returns, the threads that should be asked for.
    #[must_use]
    pub(super) fn summon(&mut self) -> usize {
        let crew = self.requested + self.inside;
        let free = crew - self.busy;
        let threads =
            (self.queue.demand().saturating_sub(free)).min(self.workers.saturating_sub(crew));
        self.requested += threads;
        threads
    }

    /// Stops, if it is the first stop: nothing that is queued will start.
    #[must_use]
    pub(super) fn stop(&mut self) -> Option<Cleared<'env, A>> {
        if self.stopped {
            return None;
        }
        self.stopped = true;
        let (tasks, inputs) = self.queue.clear();
        self.cancelling = tasks.first().map(|task| task.order);
        Some(Cleared { tasks, inputs })
    }
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
        let saturated = workers.saturating_add(call.capacity.unwrap_or(workers));
        Self {
            call,
            pool: pool.clone(),
            saturated,
            context,
            signals: Arc::new(Signals::new(None, None).nested().on(pool)),
            home,
            begun: Instant::now(),
            state: Mutex::new(State {
                queue: Queue::new(saturated),
                kept: Kept::new(),
                running: Vec::new(),
                pulling: 0,
                cancelling: None,
                counts: Counts::default(),
                seats,
                workers,
                requested: 0,
                inside: 0,
                busy: 0,
                threadless: false,
                stopped: false,
                deserted: false,
                discarding: 0,
                readers: 0,
                helpers: 0,
                submitters: 0,
            }),
            news: Condvar::new(),
            room: Condvar::new(),
            _watch: watch,
        }
    }

    /// Does a thread of the pool wait while the calling one waits?
    pub(super) fn is_inside(&self) -> bool {
        self.pool.is_current() || stop::works_for(&self.pool)
    }

    /// Accepts a task, waiting for room first; returns its index.
    pub(super) fn submit(&self, args: A, crew: &dyn Crew) -> usize {
        let mut state = self.state.lock();
        loop {
            if state.stopped {
                drop(state);
                return self.accept_cancelled(args);
            }
            if state.counts.unended() < self.saturated || self.is_inside() {
                return self.accept(state, args, crew);
            }
            if state.threadless {
                let helped;
                (state, helped) = self.help(state, crew);
                if helped {
                    continue;
                }
            }
            state.submitters += 1;
            state = self.room.wait(state);
            state.submitters -= 1;
        }
    }

    /// Accepts a task if there is room.
    pub(super) fn try_submit(&self, args: A, crew: &dyn Crew) -> Result<usize, TrySubmitError<A>> {
        let state = self.state.lock();
        if state.stopped {
            return Err(TrySubmitError::Stopped(args));
        }
        if state.counts.unended() >= self.saturated {
            return Err(TrySubmitError::Full(args));
        }
        Ok(self.accept(state, args, crew))
    }

    fn accept(
        &self,
        mut state: MutexGuard<'_, State<'env, A, K, T, E>>,
        args: A,
        crew: &dyn Crew,
    ) -> usize {
        let index = state.counts.accepted;
        state.counts.accepted += 1;
        state.queue.push_task(index, args);
        state.seats.show_waiting(state.queue.waiting());
        self.announce_work(state, crew);
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
        let waiting = state.readers > 0;
        drop(state);
        if waiting {
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
    pub(super) fn announce_work(
        &self,
        mut state: MutexGuard<'_, State<'env, A, K, T, E>>,
        crew: &dyn Crew,
    ) {
        let threads = state.summon();
        let helpers = state.helpers > 0;
        drop(state);
        if helpers {
            self.news.notify_all();
        }
        self.request(threads, crew);
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
            kind: broken.kind,
            vtable: self.call.error,
        })
    }
}
