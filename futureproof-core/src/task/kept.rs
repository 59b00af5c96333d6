//! Results that nobody has read yet, for readers in completion order and in call order.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::queue::Order;

/// Whose result it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<R> {
    pub(super) order: Order,
    pub(super) end: R,
}

/// The order in which a reader wants results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    AsCompleted,
    InOrder,
}

/// The results kept for readers.
pub(super) struct Kept<R> {
    /// In completion order.
    arrived: VecDeque<Ended<R>>,
    /// Those that a reader in call order has looked through, the first in call order on top.
    sorted: BinaryHeap<ByOrder<R>>,
}

struct ByOrder<R>(Ended<R>);

impl<R> Kept<R> {
    pub(super) fn new() -> Self {
        Self {
            arrived: VecDeque::new(),
            sorted: BinaryHeap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.sorted.is_empty()
    }

    pub(super) fn push(&mut self, ended: Ended<R>) {
        self.arrived.push_back(ended);
    }

    /// Takes a result, whichever comes first.
    pub(super) fn pop(&mut self) -> Option<Ended<R>> {
        match self.sorted.pop() {
            Some(ByOrder(ended)) => Some(ended),
            None => self.arrived.pop_front(),
        }
    }

    /// Takes the first result in call order, if nothing that is still to end comes before it.
    pub(super) fn pop_before(&mut self, unended: Option<Order>) -> Option<Ended<R>> {
        self.sorted.extend(self.arrived.drain(..).map(ByOrder));
        let first = self.sorted.peek()?;
        if unended.is_some_and(|unended| unended < first.0.order) {
            return None;
        }
        self.sorted.pop().map(|ByOrder(ended)| ended)
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
