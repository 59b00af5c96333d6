//! What a board's lock guards.

use super::board::{Cleared, End};
use super::desk::Desk;
use super::kept::{Batch, Ended, Kept, Reading};
use super::later::Later;
use super::pace::Pace;
use super::queue::{Input, Order, Queue};
use super::rate::Limiter;
use super::seats::Seats;
use crate::pool::Tally;
use crate::stop::StopCause;
use crate::sync::{Arc, Instant, cores};

type Desks<A, R> = Vec<Arc<Desk<A, R>>>;

pub(super) struct State<'env, A, K, T, E> {
    pub(super) queue: Queue<'env, A>,
    pub(super) kept: Kept<End<K, T, E>>,
    pub(super) pace: Pace,
    /// The desks of the threads at work, and of threads that have left.
    pub(super) desks: Desks<A, End<K, T, E>>,
    pub(super) spare: Desks<A, End<K, T, E>>,
    /// The tasks that are running and were not taken together with others.
    pub(super) alone: Vec<Place>,
    /// What waits for a moment.
    pub(super) later: Later<A, E>,
    /// What is asked before a task starts.
    pub(super) limiter: Option<Arc<Limiter>>,
    /// Running tasks that have been reported as timed out.
    pub(super) left_behind: usize,
    /// Those of them whose end is about to be told.
    pub(super) ending: Vec<Order>,
    /// How many failures stop everything.
    pub(super) raise_after: usize,
    /// Threads that have taken several tasks and not handed in the last of their results.
    pub(super) batching: usize,
    /// The first of the tasks that were taken out of the queue to be cancelled and have not ended yet.
    pub(super) cancelling: Option<Order>,
    /// Whatever is counted, changed under the lock only.
    pub(super) counts: Arc<Tally>,
    pub(super) seats: Seats,
    /// At most this many tasks run at once.
    pub(super) workers: usize,
    /// Threads asked for that have not come.
    pub(super) requested: usize,
    /// Threads inside [`Board::work`](super::board::Board::work); of those, the ones that pull or run, and the ones that
    /// stay awake for a moment.
    pub(super) inside: usize,
    pub(super) busy: usize,
    pub(super) hovering: usize,
    /// Of the threads inside, those that stand guard, and whether one has been called.
    pub(super) guards: usize,
    pub(super) guard_called: bool,
    /// How often something has been taken to be run.
    pub(super) turns: u64,
    /// It sleeps on while only a few tasks wait.
    pub(super) lazy: bool,
    /// Threads that wait for the board and meanwhile pull or run.
    pub(super) helping: usize,
    /// No thread could be started.
    pub(super) threadless: bool,
    pub(super) stopped: bool,
    /// Why, if it was not a failure; and whether that kept anything from being run.
    pub(super) cause: Option<StopCause>,
    pub(super) cut_short: bool,
    /// A close has dropped inputs that were open.
    pub(super) cut_off: bool,
    /// It was a drain that ran out of time.
    pub(super) drained: bool,
    /// Nothing more is accepted.
    pub(super) closed: bool,
    /// The owner has gone without waiting: nobody will read anything.
    pub(super) deserted: bool,
    /// The owner waits for the threads to leave: nothing more will come.
    pub(super) closing: bool,
    /// While not zero, results are dropped instead of kept.
    pub(super) discarding: usize,
    /// Threads waiting for `news`; of those, the ones that want no results, the ones that
    /// look by themselves in a moment, and the ones that would help.
    pub(super) readers: usize,
    pub(super) joiners: usize,
    pub(super) nappers: usize,
    pub(super) helpers: usize,
    /// All of them have been notified since the last one came.
    pub(super) told: bool,
    /// Threads waiting for `room`, and how many of those have been notified.
    pub(super) submitters: usize,
    pub(super) called: usize,
}

/// Which task it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) order: Order,
    pub(super) index: usize,
}

/// What is to be done after a change, without the lock.
#[must_use]
pub(super) struct After<'env, A, R> {
    /// Readers to notify?
    pub(super) news: bool,
    /// Submitters to notify.
    pub(super) calls: usize,
    /// Threads to ask for.
    pub(super) threads: usize,
    /// When to look again.
    pub(super) alarm: Option<Instant>,
    /// Results to drop.
    pub(super) unwanted: Batch<R>,
    /// Tasks to cancel.
    pub(super) cleared: Option<Box<Cleared<'env, A, R>>>,
}

impl<A, R> Default for After<'_, A, R> {
    fn default() -> Self {
        Self {
            news: false,
            calls: 0,
            threads: 0,
            alarm: None,
            unwanted: Batch::new(),
            cleared: None,
        }
    }
}

impl<A, R> After<'_, A, R> {
    /// Is there nothing to be done?
    pub(super) fn is_empty(&self) -> bool {
        !self.news
            && self.calls + self.threads == 0
            && self.alarm.is_none()
            && self.unwanted.is_empty()
            && self.cleared.is_none()
    }
}

impl<'env, A, K, T, E> State<'env, A, K, T, E> {
    pub(super) fn new(
        workers: usize,
        pace: Pace,
        seats: Seats,
        later: Later<A, E>,
        counts: Arc<Tally>,
    ) -> Self {
        let mut queue = Queue::new();
        queue.set_ahead(pace.room(), pace.lead());
        Self {
            queue,
            kept: Kept::new(),
            pace,
            desks: Vec::new(),
            spare: Vec::new(),
            alone: Vec::new(),
            later,
            limiter: None,
            left_behind: 0,
            ending: Vec::new(),
            raise_after: usize::MAX,
            batching: 0,
            cancelling: None,
            counts,
            seats,
            workers,
            requested: 0,
            inside: 0,
            busy: 0,
            hovering: 0,
            guards: 0,
            guard_called: false,
            turns: 0,
            lazy: false,
            helping: 0,
            threadless: false,
            stopped: false,
            cause: None,
            cut_short: false,
            cut_off: false,
            drained: false,
            closed: false,
            deserted: false,
            closing: false,
            discarding: 0,
            readers: 0,
            joiners: 0,
            nappers: 0,
            helpers: 0,
            told: false,
            submitters: 0,
            called: 0,
        }
    }

    /// No task will end any more, unless one is added.
    pub(super) fn is_over(&self) -> bool {
        self.counts.unended() == 0 && !self.queue.has_open_input()
    }

    /// May another task be accepted, with so many places to spare?
    pub(super) fn has_room(&self, spare: usize) -> bool {
        self.counts.unended().saturating_add(spare) < self.pace.room()
    }

    /// Tasks that are running.
    pub(super) fn running(&self) -> usize {
        let in_batches = match self.batching {
            0 => 0,
            _ => (self.desks.iter())
                .filter(|desk| desk.lock().running.is_some())
                .count(),
        };
        self.alone.len() + in_batches
    }

    /// Which tasks are running; of several that a worker has taken together, the one it is at.
    pub(super) fn running_indices(&self) -> Vec<usize> {
        let in_batches = (self.desks.iter()).filter_map(|desk| desk.lock().running);
        let mut indices: Vec<_> = (self.alone.iter().copied())
            .chain(in_batches)
            .map(|place| place.index)
            .collect();
        indices.sort_unstable();
        indices
    }

    /// Submitted tasks that have not started.
    pub(super) fn waiting(&self) -> usize {
        let stashed: usize = match self.batching {
            0 => 0,
            _ => (self.desks.iter())
                .map(|desk| desk.lock().stash.len())
                .sum(),
        };
        self.queue.waiting() + self.later.waiting() + stashed
    }

    /// How many threads find something to do.
    #[inline]
    pub(super) fn demand(&self) -> usize {
        if self.later.awaits_permit() {
            return 0;
        }
        self.later.ready() + self.queue.demand()
    }

    /// Takes a result for a reader.
    pub(super) fn pop(&mut self, reading: Reading) -> Option<Ended<End<K, T, E>>> {
        match reading {
            Reading::AsCompleted => {
                if let Some(ended) = self.kept.pop() {
                    return Some(ended);
                }
                self.settle(false);
                self.kept.pop()
            }
            Reading::InOrder => {
                if let Some(ended) = self.kept.pop_first() {
                    return Some(ended);
                }
                let unended = self.survey();
                self.kept.see(unended);
                self.kept.pop_first()
            }
        }
    }

    /// Takes in what workers have finished and not handed in, and returns whether there was anything; if it is `urgent`,
    /// they hand in at once from now on.
    pub(super) fn settle(&mut self, urgent: bool) -> bool {
        let mut any = false;
        if self.batching == 0 {
            return any;
        }
        for desk in &self.desks {
            let mut papers = desk.lock();
            papers.urgent |= urgent;
            if !papers.ended.is_empty() {
                self.counts.completed.add(papers.ended.len());
                self.kept.append(&mut papers.ended);
                any = true;
            }
        }
        any
    }

    /// Takes in what workers have finished, and returns the first place in call order whose end is still to come.
    fn survey(&mut self) -> Order {
        let mut first = self.queue.first();
        first = (self.alone.iter().map(|place| place.order))
            .chain(self.later.orders())
            .chain(self.ending.iter().copied())
            .chain(self.cancelling)
            .fold(first, Order::min);
        if self.batching == 0 {
            return first;
        }
        for desk in &self.desks {
            // In one look: what ends a moment later is still to come.
            let mut papers = desk.lock();
            self.counts.completed.add(papers.ended.len());
            self.kept.append(&mut papers.ended);
            let unended = (papers.running.map(|place| place.order))
                .or(papers.stash.front().map(|task| task.order));
            first = unended.map_or(first, |order| first.min(order));
        }
        first
    }

    /// Does somebody wait for the next result, or for the room of the next task that ends?
    pub(super) fn is_urgent(&self) -> bool {
        (self.readers > self.joiners + self.nappers && !self.told)
            || (self.submitters > self.called && self.pace.slack() == 0)
    }

    /// Is there something that readers wait for and have not been told of? An `idle` worker tells of every result.
    pub(super) fn has_news(&mut self, idle: bool) -> bool {
        if self.readers == 0 || self.told {
            return false;
        }
        let results = self.kept.len();
        let enough = idle || self.readers > self.nappers || results > self.pace.room() / 2;
        self.told = self.helpers > 0 || self.deserted || (results > 0 && enough) || self.is_over();
        self.told
    }

    /// Counts, and returns, the submitters to be notified of room.
    pub(super) fn call(&mut self) -> usize {
        if self.submitters <= self.called || !self.has_room(self.pace.slack()) {
            return 0;
        }
        let room = self.pace.room() - self.counts.unended();
        let calls = room.min(self.submitters - self.called);
        self.called += calls;
        calls
    }

    /// Counts in, and returns, the threads that should be asked for.
    ///
    /// While tasks are cheap, one thread that is on its way or looks for work is enough: when it finds some, it asks for
    /// the next one.
    #[must_use]
    pub(super) fn summon(&mut self) -> usize {
        let crew = self.requested + self.inside;
        let free = crew - self.busy;
        let cheap = self.pace.is_cheap();
        if crew >= self.workers || (cheap && free > 0) {
            return 0;
        }
        let demand = self.demand() + self.batching;
        let wanted = if cheap { demand.min(1) } else { demand };
        let threads = (wanted.saturating_sub(free)).min(self.workers - crew);
        self.requested += threads;
        threads
    }

    /// Is a worker to wait for the next moment, as there is no timer?
    pub(super) fn awaits_moment(&self) -> bool {
        let goes_on = !self.closing && !self.stopped && !self.is_over();
        self.later.timerless && goes_on && self.later.next().is_some()
    }

    /// Counts a thread out that leaves though there may be more to do; returns how many are to be asked for in its stead.
    pub(super) fn make_place(&mut self) -> usize {
        self.inside -= 1;
        let threads = usize::from(self.demand() + self.batching > 0);
        self.requested += threads;
        threads
    }

    /// Is one more thread to stay within call? One is, while others are awake whose tasks it may have to take over; among
    /// trivial tasks also the one that has just run out of them.
    pub(super) fn wants_guard(&self) -> bool {
        if self.pace.is_trivial() {
            self.guards < 2
        } else {
            self.guards == 0 && self.busy + self.hovering > 0
        }
    }

    /// Is there a core for one more thread, beside those that are awake and, where the owner is, too, the owner's?
    pub(super) fn has_core(&self, owner: bool) -> bool {
        self.busy + self.helping + self.hovering + self.requested + usize::from(owner) < cores()
    }

    /// Is a thread that stands guard to be called, by an owner that goes on or by one that waits?
    pub(super) fn call_guard(&mut self, waits: bool) -> bool {
        if self.guards == 0 || self.guard_called {
            return false;
        }
        let awake = self.busy + self.hovering + self.requested;
        let call = if awake == 0 {
            waits || !self.lazy
        } else {
            !self.pace.is_trivial()
                && self.has_core(!waits)
                && self.pace.is_much(self.queue.waiting())
        };
        self.guard_called = call;
        call
    }

    /// Stops, if it is the first stop: nothing that is queued will start.
    #[must_use]
    pub(super) fn stop(&mut self) -> Option<Cleared<'env, A, End<K, T, E>>> {
        if self.stopped {
            return None;
        }
        self.stopped = true;
        self.closed = true;
        self.seats.show_ending();
        self.cut_short |= self.queue.has_open_input();
        let (queued, inputs) = self.queue.clear();
        let mut tasks = Vec::new();
        for desk in &self.desks {
            tasks.extend(desk.lock().stash.drain(..));
        }
        tasks.extend(queued);
        let (unstarted, failed) = self.later.clear();
        tasks.extend(unstarted);
        tasks.sort_unstable_by_key(|task| task.order);
        let retried: Vec<_> = (failed.into_iter())
            .map(|(task, last)| (task, Err(last)))
            .collect();
        self.cut_short |= !tasks.is_empty() || !retried.is_empty();
        self.cancelling = (retried.iter().map(|(task, _)| task.order))
            .chain(tasks.first().map(|task| task.order))
            .min();
        Some(Cleared {
            tasks,
            retried,
            inputs,
        })
    }

    /// Accepts nothing more; returns the inputs, which are not pulled any further.
    #[must_use]
    pub(super) fn close(&mut self) -> Vec<Input<'env, A>> {
        self.closed = true;
        self.cut_off |= self.queue.has_open_input();
        self.queue.drop_inputs()
    }
}
