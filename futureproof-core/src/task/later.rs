//! What of a board waits for a moment: tasks for their next attempt, running tasks for the end of their time, and all of them
//! for a permit to start.

use std::collections::VecDeque;
use std::time::Duration;

use super::call::Limits;
use super::error::Inner;
use super::queue::{Order, Queued};
use super::state::Place;
use crate::sync::Instant;

pub(super) struct Later<A, E> {
    /// Tasks that wait for their next attempt, sorted by their moments; and those whose moment has come, or which have only
    /// waited for a permit.
    ///
    /// Sorted queues and no trees: a program has this code once for each function, and what comes goes to the end, what goes
    /// comes from the front.
    delayed: VecDeque<Delayed<A>>,
    ready: VecDeque<Queued<A>>,
    /// What is special about tasks that have not started, or wait for their next attempt, by their places.
    special: VecDeque<(Order, Special<A, E>)>,
    /// Running tasks whose time is limited.
    timed: Vec<Timed>,
    /// When to ask for a permit again: until then nothing can start.
    permit_at: Option<Instant>,
    /// When everything stops.
    deadline: Option<Instant>,
    /// The alarm that was asked for.
    armed: Option<Instant>,
    /// There is no timer: whoever waits has to look at the time.
    pub(super) timerless: bool,
    /// Tasks are taken one by one, since something is to be looked at before or after each.
    pub(super) one_by_one: bool,
}

struct Delayed<A> {
    due: Instant,
    task: Queued<A>,
}

/// What is special about a task.
pub(super) struct Special<A, E> {
    /// Limits of its own.
    pub(super) own: Option<Limits<A, E>>,
    /// How its last attempt failed.
    pub(super) last: Option<Box<Inner<E>>>,
}

/// A task that has failed and waits, with its failure.
type Failed<A, E> = (Queued<A>, Box<Inner<E>>);

/// A running task whose time is limited.
pub(super) struct Timed {
    pub(super) place: Place,
    pub(super) attempts: u32,
    pub(super) limit: Duration,
    pub(super) due: Instant,
    pub(super) call: Option<String>,
}

impl<A, E> Later<A, E> {
    pub(super) fn new(one_by_one: bool) -> Self {
        Self {
            delayed: VecDeque::new(),
            ready: VecDeque::new(),
            special: VecDeque::new(),
            timed: Vec::new(),
            permit_at: None,
            deadline: None,
            armed: None,
            timerless: false,
            one_by_one,
        }
    }

    /// Tasks that wait for their next attempt.
    pub(super) fn waiting(&self) -> usize {
        self.delayed.len() + self.ready.len()
    }

    /// Tasks whose next attempt can start now.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Where the tasks stand that wait for their next attempt.
    pub(super) fn orders(&self) -> impl Iterator<Item = Order> {
        let delayed = self.delayed.iter().map(|delayed| delayed.task.order);
        delayed.chain(self.ready.iter().map(|task| task.order))
    }

    /// Gives a queued task limits of its own.
    pub(super) fn limit(&mut self, order: Order, own: Limits<A, E>) {
        self.one_by_one = true;
        let special = Special {
            own: Some(own),
            last: None,
        };
        self.mark(order, special);
    }

    fn mark(&mut self, order: Order, special: Special<A, E>) {
        let at = self.special.partition_point(|(other, _)| *other < order);
        self.special.insert(at, (order, special));
    }

    /// Takes what is special about a task that is about to start.
    pub(super) fn begin(&mut self, order: Order) -> Option<Special<A, E>> {
        let at = (self.special).binary_search_by_key(&order, |(order, _)| *order);
        Some(self.special.remove(at.ok()?)?.1)
    }

    /// Keeps a task until its next attempt.
    pub(super) fn delay(&mut self, due: Instant, task: Queued<A>, special: Special<A, E>) {
        self.mark(task.order, special);
        let at = (self.delayed)
            .partition_point(|other| (other.due, other.task.order) < (due, task.order));
        self.delayed.insert(at, Delayed { due, task });
    }

    /// Keeps a task that starts before all others once there is a permit.
    pub(super) fn park(&mut self, task: Queued<A>) {
        self.ready.push_front(task);
    }

    /// Takes the next task whose moment has come.
    pub(super) fn take_ready(&mut self) -> Option<Queued<A>> {
        self.ready.pop_front()
    }

    /// Takes out all tasks that wait: those that have not started, and those that have failed, each with its last failure.
    pub(super) fn clear(&mut self) -> (Vec<Queued<A>>, Vec<Failed<A, E>>) {
        self.deadline = None;
        let delayed = std::mem::take(&mut self.delayed).into_iter();
        let mut tasks: Vec<_> = delayed.map(|delayed| delayed.task).collect();
        tasks.extend(self.ready.drain(..));
        let (mut unstarted, mut failed) = (Vec::new(), Vec::new());
        for task in tasks {
            match self.begin(task.order).and_then(|special| special.last) {
                Some(last) => failed.push((task, last)),
                None => unstarted.push(task),
            }
        }
        self.special.clear();
        (unstarted, failed)
    }

    pub(super) fn begin_time(&mut self, timed: Timed) {
        self.timed.push(timed);
    }

    /// Ends a running task's time; `None` if it has been reported as timed out.
    pub(super) fn end_time(&mut self, order: Order) -> Option<Timed> {
        let at = (self.timed.iter()).position(|timed| timed.place.order == order)?;
        Some(self.timed.swap_remove(at))
    }

    pub(super) fn set_deadline(&mut self, at: Instant) {
        self.deadline = Some(at);
    }

    /// Must nothing start for now?
    pub(super) fn awaits_permit(&self) -> bool {
        self.permit_at.is_some()
    }

    /// Nothing may start before that.
    pub(super) fn await_permit(&mut self, at: Instant) {
        self.permit_at = Some(at);
    }

    /// Lets those tasks start whose moment has come, and takes out those whose time is over.
    pub(super) fn look(&mut self, now: Instant) -> Vec<Timed> {
        self.permit_at = self.permit_at.filter(|at| *at > now);
        // The pool keeps one alarm for each board, the earliest asked for, and that may just have gone off.
        self.armed = None;
        while (self.delayed.front()).is_some_and(|delayed| delayed.due <= now) {
            self.ready
                .extend(self.delayed.pop_front().map(|delayed| delayed.task));
        }
        self.timed
            .extract_if(.., |timed| timed.due <= now)
            .collect()
    }

    /// The next moment at which something is to be done.
    pub(super) fn next(&self) -> Option<Instant> {
        let delayed = self.delayed.front().map(|delayed| delayed.due);
        let timed = self.timed.iter().map(|timed| timed.due);
        timed
            .chain(delayed)
            .chain(self.permit_at)
            .chain(self.deadline)
            .min()
    }

    /// The alarm to be asked for, if it has not been.
    #[inline]
    pub(super) fn alarm(&mut self) -> Option<Instant> {
        // Most boards never wait for a moment.
        if !self.one_by_one && self.deadline.is_none() {
            return None;
        }
        self.next_alarm()
    }

    fn next_alarm(&mut self) -> Option<Instant> {
        let next = self.next()?;
        if self.timerless || self.armed.is_some_and(|armed| armed <= next) {
            return None;
        }
        self.armed = Some(next);
        Some(next)
    }
}
