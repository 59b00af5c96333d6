//! What a thread at work has before it.
//!
//! Where tasks are cheap a worker takes several at a time and hands their results in together. Until then they lie on its
//! desk, where others can reach them: a task that turns out slow withholds neither the tasks behind it nor the results
//! before it. A desk's lock may be taken under the board's, never the other way round.

use std::collections::VecDeque;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::kept::{Batch, Ended};
use super::queue::{Order, Queued};
use super::seats::Seat;
use super::state::Place;
use crate::sync::{Arc, Instant, Mutex};

/// One in so many trivial tasks is measured.
const MEASURED: usize = 4;

pub(super) type Desk<A, R> = CachePadded<Mutex<Papers<A, R>>>;

/// What lies on a desk.
pub(super) struct Papers<A, R> {
    /// The task that is running, if it was taken together with others.
    pub(super) running: Option<Place>,
    /// Tasks to be run next, in call order.
    pub(super) stash: VecDeque<Queued<A>>,
    /// Items of an input that are still to be accepted, and which input.
    pub(super) pulled: VecDeque<A>,
    pub(super) source: u64,
    /// Others have accepted some of those items: the stash was begun before its owner has come back.
    pub(super) begun: bool,
    /// Results to be handed in; no failures.
    pub(super) ended: Batch<R>,
    /// Somebody waits: each result is to be handed in at once.
    pub(super) urgent: bool,
}

/// Who runs a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A thread that was asked for.
    Crew,
    /// A thread that waits for the board.
    Helper,
}

/// A thread at work.
pub(super) struct Worker<A, R> {
    pub(super) desk: Arc<Desk<A, R>>,
    pub(super) role: Role,
    pub(super) seat: Option<Seat>,
    /// The task it runs, if it has not taken others with that.
    pub(super) alone: Option<Order>,
    /// It has taken several tasks and not handed in the last of their results.
    pub(super) in_batch: bool,
    /// Tasks it has run since it last handed results in, and, if that is to be known, when it began and how long they took.
    pub(super) ran: usize,
    pub(super) measured: bool,
    pub(super) began: Option<Instant>,
    pub(super) took: Option<Duration>,
    /// Tasks it has taken, to measure one in several.
    pub(super) turns: usize,
}

impl<A, R> Papers<A, R> {
    pub(super) fn new() -> Self {
        Self {
            running: None,
            stash: VecDeque::new(),
            pulled: VecDeque::new(),
            source: 0,
            begun: false,
            ended: Batch::new(),
            urgent: false,
        }
    }

    /// Takes the next task from the stash to run it.
    pub(super) fn next(&mut self) -> Option<Queued<A>> {
        let task = self.stash.pop_front();
        self.running = task.as_ref().map(Queued::place);
        task
    }
}

impl<A, R> Worker<A, R> {
    pub(super) fn new(desk: Arc<Desk<A, R>>, role: Role) -> Self {
        Self {
            desk,
            role,
            seat: None,
            alone: None,
            in_batch: false,
            ran: 0,
            measured: false,
            began: None,
            took: None,
            turns: 0,
        }
    }

    /// Gets ready to run. Of trivial tasks taken one by one only some are measured: looking at a clock costs more.
    pub(super) fn prepare(&mut self, trivial: bool) {
        self.turns = self.turns.wrapping_add(1);
        self.measured = self.in_batch
            || !trivial
            || self.turns.is_multiple_of(MEASURED)
            || self.seat.as_ref().is_some_and(|seat| seat.wants_time(1));
    }

    /// Begins to run what it has taken.
    pub(super) fn begin(&mut self) {
        self.began = self.measured.then(Instant::now);
    }

    /// Ends to run; the lock that it waits for next is no part of the tasks' cost.
    pub(super) fn finish(&mut self) {
        self.took = self.began.take().map(|began| began.elapsed());
        if let Some(seat) = &mut self.seat {
            seat.ran(self.ran, self.took);
        }
    }

    /// Counts the task that just ended.
    pub(super) fn count(&mut self, failed: bool) {
        self.ran += 1;
        if let Some(seat) = &mut self.seat {
            seat.count(failed);
        }
    }

    /// Says that the task that was counted as failed has panicked.
    pub(super) fn count_panic(&mut self) {
        if let Some(seat) = &mut self.seat {
            seat.count_panic();
        }
    }

    /// Puts a result of the batch on the desk; returns the next task, unless what is there has to be handed in first.
    pub(super) fn go_on(
        &mut self,
        ended: Ended<R>,
        closed: impl Fn() -> bool,
    ) -> Option<Queued<A>> {
        // Before anybody can read the result, and think that all is over.
        if let Some(seat) = &mut self.seat {
            seat.publish_completed();
        }
        let mut papers = self.desk.lock();
        papers.ended.push_back(ended);
        papers.running = None;
        if papers.urgent || closed() {
            return None;
        }
        let next = papers.next()?;
        drop(papers);
        if let Some(seat) = &mut self.seat {
            seat.publish_next(next.index);
        }
        Some(next)
    }
}
