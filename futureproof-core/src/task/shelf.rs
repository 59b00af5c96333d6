//! Results on their way to a reader.
//!
//! Where tasks are cheap a reader takes several results off the board at a time, so that it does not contend with the
//! workers for each. The shelf's lock is taken before the board's.

use super::board::End;
use super::kept::{Batch, Ended, Reading};
use super::queue::Order;
use super::state::State;

/// So many results are taken at a time.
const MOST: usize = 128;

pub(super) struct Shelf<K, T, E> {
    results: Batch<End<K, T, E>>,
    /// Are they the first ones in call order?
    sorted: bool,
    /// Those that were read since the board heard of it.
    read: Vec<Order>,
}

impl<K, T, E> Shelf<K, T, E> {
    pub(super) fn new() -> Self {
        Self {
            results: Batch::new(),
            sorted: false,
            read: Vec::new(),
        }
    }

    /// Takes the next result, if there is one.
    pub(super) fn pop(&mut self, reading: Reading) -> Option<End<K, T, E>> {
        if reading == Reading::InOrder && !self.sorted {
            return None;
        }
        let ended = self.results.pop_front()?;
        self.read.push(ended.order);
        Some(ended.end)
    }

    /// Tells the board what was read, and gives back what was not; returns whether an input can go on.
    pub(super) fn settle<A>(&mut self, state: &mut State<'_, A, K, T, E>) -> bool {
        for ended in self.results.drain(..) {
            state.kept.push(ended);
        }
        (self.read.drain(..)).fold(false, |goes_on, order| state.queue.read(order) | goes_on)
    }

    /// Takes the next result off the board, and more for the next times if tasks are cheap.
    pub(super) fn fill<A>(
        &mut self,
        state: &mut State<'_, A, K, T, E>,
        reading: Reading,
    ) -> Option<Ended<End<K, T, E>>> {
        let first = state.pop(reading)?;
        self.sorted = reading == Reading::InOrder;
        let most = MOST.min(state.pace.slack() / 2);
        let more = std::iter::from_fn(|| match reading {
            Reading::AsCompleted => state.kept.pop(),
            Reading::InOrder => state.kept.pop_first(),
        });
        self.results.extend(more.take(most));
        Some(first)
    }
}
