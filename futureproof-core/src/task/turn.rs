//! What a worker does under a board's lock: it takes something, and hands in what came of it.

use std::collections::VecDeque;

use super::board::{Cleared, End};
use super::desk::{Desk, Papers, Role, Worker};
use super::kept::{Batch, Ended};
use super::queue::{Input, Next, Order, Queued};
use super::state::{After, Place, State};
use crate::monitor::{At, Wait};
use crate::sync::{Arc, Instant, Mutex};

/// What a stop took out of the queue, boxed: it is rare.
type BoxedCleared<'env, A, K, T, E> = Box<Cleared<'env, A, End<K, T, E>>>;

/// An input that comes back after a stop, and the items that were pulled from it.
pub(super) type Refused<'env, A> = (Input<'env, A>, VecDeque<A>);

impl<'env, A, K, T, E> State<'env, A, K, T, E> {
    /// Gives a desk to a thread that comes to work.
    pub(super) fn sit_down(&mut self, role: Role) -> Worker<A, End<K, T, E>> {
        let desk =
            (self.spare.pop()).unwrap_or_else(|| Arc::new(Desk::new(Mutex::new(Papers::new()))));
        self.desks.push(desk.clone());
        Worker::new(desk, role)
    }

    /// Takes the desk, which is empty, from a thread that leaves.
    pub(super) fn get_up(&mut self, worker: Worker<A, End<K, T, E>>) {
        self.seats.leave(worker.seat);
        let at = (self.desks.iter()).position(|desk| Arc::ptr_eq(desk, &worker.desk));
        if let Some(at) = at {
            self.desks.swap_remove(at);
            self.spare.push(worker.desk);
        }
    }

    /// Takes what `worker` can do next, if one more task may run.
    pub(super) fn take(&mut self, worker: &mut Worker<A, End<K, T, E>>) -> Next<'env, A> {
        if self.busy + self.helping >= self.workers {
            return Next::Nothing;
        }
        if worker.in_batch {
            let task = worker.desk.lock().next();
            if let Some(task) = task {
                self.started(worker, task.index);
                return Next::Task(task);
            }
            // A stop has taken what was there.
            worker.in_batch = false;
            self.batching -= 1;
        }
        if self.later.awaits_permit() || (self.later.ready() > 0 && !self.has_permit()) {
            return Next::Nothing;
        }
        if let Some(task) = self.later.take_ready() {
            self.run_alone(worker, task.place());
            self.started(worker, task.index);
            return Next::Task(task);
        }
        let next = self.queue.take();
        // An item is pulled without a permit: there may be none, or not for a while.
        let next = match next {
            Next::Task(task) if !self.has_permit() => {
                self.later.park(task);
                return Next::Nothing;
            }
            next => next,
        };
        match &next {
            Next::Task(task) => {
                self.take_more(worker, task.place());
                if !worker.in_batch {
                    self.run_alone(worker, task.place());
                }
                self.started(worker, task.index);
            }
            Next::Pull(..) => {
                self.seats.begin(&mut worker.seat, At::Source);
                self.count_in(worker);
            }
            Next::Busy | Next::Nothing => {}
        }
        next
    }

    /// Takes a permit for a start, if starts are limited; without one, nothing starts for a while.
    pub(super) fn has_permit(&mut self) -> bool {
        let Some(limiter) = &self.limiter else {
            return true;
        };
        match limiter.permit(Instant::now()) {
            Ok(()) => true,
            Err(at) => {
                self.later.await_permit(at);
                false
            }
        }
    }

    /// Takes what comes right after the task that `worker` has just taken, while tasks are cheap.
    fn take_more(&mut self, worker: &mut Worker<A, End<K, T, E>>, first: Place) {
        if worker.role == Role::Helper || worker.in_batch || self.later.one_by_one {
            return;
        }
        // The others get their part.
        let share = (self.queue.waiting() + 1).div_ceil(self.inside.max(1));
        let most = self.pace.batch().min(share) - 1;
        if most == 0 {
            return;
        }
        let urgent = self.is_urgent();
        let mut papers = worker.desk.lock();
        self.queue.take_more(first.order, most, &mut papers.stash);
        if !papers.stash.is_empty() {
            papers.running = Some(first);
            papers.urgent = urgent;
            let batch = papers.stash.len() + 1;
            papers.ended.reserve(batch);
            worker.in_batch = true;
            self.batching += 1;
        }
    }

    fn run_alone(&mut self, worker: &mut Worker<A, End<K, T, E>>, place: Place) {
        worker.alone = Some(place.order);
        self.alone.push(place);
    }

    fn started(&mut self, worker: &mut Worker<A, End<K, T, E>>, index: usize) {
        self.seats.begin(&mut worker.seat, At::Item(index));
        self.seats
            .show_waiting(self.queue.waiting() + self.later.waiting());
        self.count_running();
        self.count_in(worker);
    }

    /// Shows how many tasks run: of those that a worker has taken together, one does.
    fn count_running(&self) {
        self.counts.running.set(self.alone.len() + self.batching);
    }

    /// Counts `worker` in that has got something to do.
    fn count_in(&mut self, worker: &Worker<A, End<K, T, E>>) {
        self.turns += 1;
        match worker.role {
            Role::Crew => self.busy += 1,
            Role::Helper => self.helping += 1,
        }
    }

    /// Moves part of what another worker has taken and not started to `worker`'s own desk.
    pub(super) fn steal(&mut self, worker: &mut Worker<A, End<K, T, E>>) -> bool {
        if self.busy + self.helping >= self.workers {
            return false;
        }
        self.accept_for_others();
        if self.batching == 0 {
            return false;
        }
        let stolen = (self.desks.iter()).find_map(|desk| {
            let mut papers = desk.lock();
            let part = match worker.role {
                Role::Crew => papers.stash.len().div_ceil(2),
                Role::Helper => papers.stash.len().min(1),
            };
            (part > 0).then(|| {
                let rest = papers.stash.split_off(part);
                std::mem::replace(&mut papers.stash, rest)
            })
        });
        let Some(stolen) = stolen else { return false };
        let mut papers = worker.desk.lock();
        papers.stash = stolen;
        papers.urgent = self.is_urgent();
        drop(papers);
        worker.in_batch = true;
        self.batching += 1;
        true
    }

    /// Lets others run what `worker`, who leaves, has taken and not started.
    pub(super) fn put_back(&mut self, worker: &mut Worker<A, End<K, T, E>>) {
        if !std::mem::take(&mut worker.in_batch) {
            return;
        }
        self.batching -= 1;
        let stash = std::mem::take(&mut worker.desk.lock().stash);
        for task in stash.into_iter().rev() {
            self.later.park(task);
        }
    }

    /// How many items may be pulled at a time from an input that was taken: several, while they are trivial and a thread
    /// stands guard.
    pub(super) fn pull_ahead(&mut self, number: u64) -> usize {
        if self.guards == 0 || !self.pace.is_trivial() || self.later.one_by_one {
            return 1;
        }
        let ahead = self.queue.ahead_of(number).min(self.pace.batch() - 1);
        1 + ahead
    }

    /// Accepts what `worker` has pulled, and brings the input back; returns the first task to run it. After a stop it
    /// gives everything back.
    pub(super) fn accept_pulled(
        &mut self,
        worker: &mut Worker<A, End<K, T, E>>,
        number: u64,
        input: Input<'env, A>,
    ) -> Result<Option<Queued<A>>, Refused<'env, A>> {
        let desk = worker.desk.clone();
        let mut papers = desk.lock();
        let mut pulled = std::mem::take(&mut papers.pulled);
        let begun = std::mem::take(&mut papers.begun);
        self.batching -= usize::from(begun);
        let Some(first) = self.queue.pulled(number, pulled.len()) else {
            // What others have accepted of it is still to be run.
            if !papers.stash.is_empty() {
                worker.in_batch = true;
                self.batching += 1;
            }
            return Err((input, pulled));
        };
        self.queue.return_input(number, input);
        self.number(first, &mut pulled, &mut papers.stash);
        // Its room is used again.
        papers.pulled = pulled;
        papers.urgent = self.is_urgent();
        let Some(task) = papers.next() else {
            return Ok(None);
        };
        let rest = papers.stash.len();
        papers.ended.reserve(rest + 1);
        worker.in_batch = true;
        self.batching += 1;
        self.seats.begin(&mut worker.seat, At::Item(task.index));
        Ok(Some(task))
    }

    /// Makes tasks of pulled items.
    fn number(&mut self, first: Order, pulled: &mut VecDeque<A>, tasks: &mut VecDeque<Queued<A>>) {
        let index = self.counts.accepted.get();
        self.counts.accepted.add(pulled.len());
        tasks.extend(pulled.drain(..).enumerate().map(|(n, args)| Queued {
            index: index + n,
            order: Order {
                segment: first.segment,
                position: first.position + n as u64,
            },
            args,
        }));
    }

    /// Accepts what others have pulled and not accepted yet, so that it can be stolen.
    fn accept_for_others(&mut self) {
        for desk in self.desks.clone() {
            let mut papers = desk.lock();
            let items = papers.pulled.len();
            if items == 0 {
                continue;
            }
            let Some(first) = self.queue.pulled(papers.source, items) else {
                continue;
            };
            let papers = &mut *papers;
            self.number(first, &mut papers.pulled, &mut papers.stash);
            if !std::mem::replace(&mut papers.begun, true) {
                self.batching += 1;
            }
        }
    }

    /// Counts `worker` out of what it was at.
    pub(super) fn pause(&mut self, worker: &mut Worker<A, End<K, T, E>>) {
        match worker.role {
            Role::Crew => self.busy -= 1,
            Role::Helper => self.helping -= 1,
        }
        if let Some(seat) = &mut worker.seat {
            seat.publish(At::Nothing);
        }
    }

    /// Counts a task that ended without a worker; one that has `begun` had been tried before.
    pub(super) fn count_unrun(&self, failed: bool, begun: bool) {
        (if failed {
            &self.counts.failed
        } else {
            &self.counts.cancelled
        })
        .add(1);
        self.seats.count_unrun(failed, begun);
    }

    /// Shows the monitor what keeps everything from going on, if anybody watches.
    #[inline]
    pub(super) fn show_wait(&self) {
        if self.seats.are_seen() {
            self.show_wait_to_somebody();
        }
    }

    #[cold]
    fn show_wait_to_somebody(&self) {
        let waiting = self.queue.waiting() + self.later.waiting();
        self.seats.show_waiting(waiting);
        // While anything runs, that is what is waited for.
        if self.busy + self.helping == 0 {
            self.seats.show_wait(self.wait());
        }
    }

    /// What keeps everything from going on.
    fn wait(&self) -> Wait {
        let is_ready = self.queue.waiting() + self.later.ready() > 0;
        if self.is_over() {
            // Though results may wait to be read: that holds up nothing.
            Wait::Nothing
        } else if self.later.awaits_permit() {
            Wait::Permit
        } else if is_ready || self.queue.demand() > 0 {
            Wait::Pool
        } else if self.later.waiting() > 0 {
            Wait::Retry
        } else if self.queue.is_pulled() {
            Wait::Source
        } else if self.queue.has_open_input() {
            // An input that nobody pulls is too far ahead of its reader.
            Wait::Consumer
        } else {
            Wait::Source
        }
    }

    /// Begins to run an item that `worker` has pulled.
    pub(super) fn begin(&mut self, worker: &mut Worker<A, End<K, T, E>>, order: Order) -> usize {
        let index = self.counts.accepted.get();
        self.counts.accepted.add(1);
        self.run_alone(worker, Place { order, index });
        self.count_running();
        self.seats.begin(&mut worker.seat, At::Item(index));
        index
    }

    /// Takes in what `worker` has finished: what lies on its desk, and then `last`.
    pub(super) fn hand_in(
        &mut self,
        worker: &mut Worker<A, End<K, T, E>>,
        last: Option<Ended<End<K, T, E>>>,
    ) -> After<'env, A, End<K, T, E>> {
        self.pause(worker);
        if let Some(took) = worker.took.take() {
            self.pace.learn(worker.ran, took);
            self.queue.set_ahead(self.pace.room(), self.pace.lead());
        }
        worker.ran = 0;
        if let Some(order) = worker.alone.take()
            && !self.leave_alone(order)
        {
            self.left_behind -= 1;
        }
        let mut unwanted = Batch::new();
        if worker.in_batch {
            let mut papers = worker.desk.lock();
            papers.running = None;
            self.counts.completed.add(papers.ended.len());
            if self.deserted || self.discarding > 0 {
                unwanted = std::mem::take(&mut papers.ended);
                for ended in &unwanted {
                    self.queue.read(ended.order);
                }
            } else {
                self.kept.append(&mut papers.ended);
            }
            if papers.stash.is_empty() {
                worker.in_batch = false;
                self.batching -= 1;
            }
        }
        let cleared = last.and_then(|ended| self.take_end(ended, &mut unwanted));
        self.count_running();
        let news = self.has_news(false);
        if worker.in_batch {
            worker.desk.lock().urgent = self.is_urgent();
        }
        After {
            news,
            calls: self.call(),
            threads: 0,
            alarm: self.later.alarm(),
            unwanted,
            cleared,
        }
    }

    /// Takes in the end of one task; stops everything if it is one failure too many.
    pub(super) fn take_end(
        &mut self,
        ended: Ended<End<K, T, E>>,
        unwanted: &mut Batch<End<K, T, E>>,
    ) -> Option<BoxedCleared<'env, A, K, T, E>> {
        let failed = ended.end.is_err();
        match &ended.end {
            Ok(_) => self.counts.completed.add(1),
            Err(failure) => {
                self.counts.failed.add(1);
                (self.counts.panicked).add(usize::from(failure.is_panic()));
            }
        }
        // Failures are kept even while results are discarded: what becomes of them is for the reader to say.
        if self.deserted || (self.discarding > 0 && !failed) {
            self.queue.read(ended.order);
            unwanted.push_back(ended);
        } else {
            self.kept.push(ended);
        }
        if failed && self.counts.failed.get() >= self.raise_after {
            self.stop().map(Box::new)
        } else {
            None
        }
    }

    /// Hears that a task that was run alone does not count as running any more; false if that was known.
    pub(super) fn leave_alone(&mut self, order: Order) -> bool {
        let at = self.alone.iter().position(|place| place.order == order);
        at.map(|at| self.alone.swap_remove(at)).is_some()
    }
}
