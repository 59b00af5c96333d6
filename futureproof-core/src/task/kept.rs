//! Results that nobody has read yet, for readers in completion order and in call order.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::queue::Order;

/// Batches that are smaller are added one by one.
const SMALL: usize = 8;
/// Room of a batch that results are added to one by one.
const CHUNK: usize = 64;

/// Whose result it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<R> {
    pub(super) order: Order,
    pub(super) end: R,
}

/// Results in completion order.
pub(super) type Batch<R> = VecDeque<Ended<R>>;

/// The order in which a reader wants results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    AsCompleted,
    InOrder,
}

/// The results kept for readers.
pub(super) struct Kept<R> {
    /// In completion order, in the batches they came in: a store that has to grow would keep everybody waiting.
    arrived: VecDeque<Batch<R>>,
    /// Those that a reader in call order has looked through, the first in call order in front.
    sorted: Batch<R>,
    /// Of those, the ones that came late, the first in call order on top.
    late: BinaryHeap<ByOrder<R>>,
    /// Results in all of these.
    len: usize,
    /// Everything before this place in call order has ended and is kept, or has been read.
    horizon: Order,
}

struct ByOrder<R>(Ended<R>);

impl<R> Kept<R> {
    pub(super) fn new() -> Self {
        Self {
            arrived: VecDeque::new(),
            sorted: VecDeque::new(),
            late: BinaryHeap::new(),
            len: 0,
            horizon: Order {
                segment: 0,
                position: 0,
            },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, ended: Ended<R>) {
        self.len += 1;
        match self.arrived.back_mut() {
            Some(last) if last.len() < CHUNK => last.push_back(ended),
            _ => {
                let mut batch = Batch::with_capacity(CHUNK);
                batch.push_back(ended);
                self.arrived.push_back(batch);
            }
        }
    }

    /// Takes all of a batch, which is left empty.
    pub(super) fn append(&mut self, batch: &mut Batch<R>) {
        if batch.len() < SMALL {
            batch.drain(..).for_each(|ended| self.push(ended));
        } else {
            self.len += batch.len();
            self.arrived.push_back(std::mem::take(batch));
        }
    }

    /// Takes a result, whichever comes first.
    pub(super) fn pop(&mut self) -> Option<Ended<R>> {
        let popped = self.pop_sorted().or_else(|| self.pop_arrived());
        self.len -= usize::from(popped.is_some());
        popped
    }

    /// Takes the first result in call order, if it is known that nothing that is still to end comes before it.
    pub(super) fn pop_first(&mut self) -> Option<Ended<R>> {
        self.sort();
        let first = match (self.sorted.front(), self.late.peek()) {
            (Some(front), None) => front.order,
            (Some(front), Some(ByOrder(late))) => front.order.min(late.order),
            (None, late) => late?.0.order,
        };
        if first >= self.horizon {
            return None;
        }
        self.len -= 1;
        self.pop_sorted()
    }

    /// Hears up to which place in call order everything has ended.
    pub(super) fn see(&mut self, horizon: Order) {
        self.horizon = horizon;
    }

    /// Takes everything.
    pub(super) fn take_all(&mut self) -> Vec<Batch<R>> {
        self.len = 0;
        let late = std::mem::take(&mut self.late).into_iter();
        let mut all = Vec::from([
            std::mem::take(&mut self.sorted),
            late.map(|ByOrder(ended)| ended).collect(),
        ]);
        all.extend(self.arrived.drain(..));
        all
    }

    fn sort(&mut self) {
        for batch in &mut self.arrived {
            for ended in batch.drain(..) {
                match self.sorted.back() {
                    Some(last) if ended.order < last.order => self.late.push(ByOrder(ended)),
                    _ => self.sorted.push_back(ended),
                }
            }
        }
        self.arrived.truncate(1);
    }

    fn pop_arrived(&mut self) -> Option<Ended<R>> {
        loop {
            let batch = self.arrived.front_mut()?;
            if let Some(ended) = batch.pop_front() {
                return Some(ended);
            }
            // The last one stays, so that results read one by one do not rebuild it.
            if self.arrived.len() == 1 {
                return None;
            }
            self.arrived.pop_front();
        }
    }

    fn pop_sorted(&mut self) -> Option<Ended<R>> {
        match (self.sorted.front(), self.late.peek()) {
            (Some(front), Some(ByOrder(late))) if late.order < front.order => {}
            (Some(_), _) => return self.sorted.pop_front(),
            (None, _) => {}
        }
        self.late.pop().map(|ByOrder(ended)| ended)
    }
}

impl<R> Ord for ByOrder<R> {
    /// The heap's greatest is the first in call order.
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.order.cmp(&self.0.order)
    }
}

impl<R> PartialOrd for ByOrder<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> PartialEq for ByOrder<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0.order == other.0.order
    }
}

impl<R> Eq for ByOrder<R> {}
