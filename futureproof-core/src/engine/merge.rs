//! Merges the parts of reduced variables in input order.

use std::collections::BTreeMap;

use crate::reduce::Accumulators;

/// The items that a part was made of: `start..end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Did the last of them leave the loop? Then nothing after it counts.
    pub(super) last: bool,
}

/// The reduced variables and the parts that wait for an earlier one.
///
/// Items are handed out in order, so at most one part a worker, and the one being merged, wait: neighbours that have
/// both come are merged at once.
pub(super) struct Merge<A: Accumulators> {
    accumulators: A,
    /// All items before this one are merged.
    upto: usize,
    closed: bool,
    waiting: BTreeMap<usize, Waiting<A::Parts>>,
}

struct Waiting<P> {
    end: usize,
    last: bool,
    parts: Option<P>,
}

impl<A: Accumulators> Merge<A> {
    pub(super) fn new(accumulators: A) -> Self {
        Self {
            accumulators,
            upto: 0,
            closed: false,
            waiting: BTreeMap::new(),
        }
    }

    pub(super) fn fresh(&self) -> A::Parts {
        self.accumulators.parts()
    }

    /// Merges parts whose order does not matter.
    pub(super) fn add(&mut self, parts: A::Parts) {
        self.accumulators.merge(parts);
    }

    /// Takes the parts of a segment; `None` for items that made none.
    pub(super) fn put(&mut self, segment: Segment, parts: Option<A::Parts>) {
        if self.closed {
            return;
        }
        if segment.start != self.upto {
            self.wait(segment, parts);
            return;
        }
        // Should a merge panic, nothing is merged twice and nothing after it is merged.
        self.closed = true;
        let mut last = segment.last;
        let mut end = segment.end;
        if let Some(parts) = parts {
            self.accumulators.merge(parts);
        }
        while !last && let Some(next) = self.waiting.remove(&end) {
            (end, last) = (next.end, next.last);
            if let Some(parts) = next.parts {
                self.accumulators.merge(parts);
            }
        }
        self.upto = end;
        self.closed = last;
        if last {
            self.waiting.clear();
        }
    }

    fn wait(&mut self, segment: Segment, parts: Option<A::Parts>) {
        let mut start = segment.start;
        let mut entry = Waiting {
            end: segment.end,
            last: segment.last,
            parts,
        };
        if !entry.last
            && let Some(after) = self.waiting.remove(&entry.end)
        {
            entry.append::<A>(after);
        }
        let before = self.waiting.range(..start).next_back();
        if let Some((&at, before)) = before
            && before.end == start
        {
            if before.last {
                return;
            }
            if let Some(mut before) = self.waiting.remove(&at) {
                before.append::<A>(entry);
                (start, entry) = (at, before);
            }
        }
        self.waiting.insert(start, entry);
    }

    /// Merges what is left after a stop, which leaves gaps.
    pub(super) fn finish(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        for (_, entry) in std::mem::take(&mut self.waiting) {
            if let Some(parts) = entry.parts {
                self.accumulators.merge(parts);
            }
            if entry.last {
                break;
            }
        }
    }
}

impl<P> Waiting<P> {
    fn append<A: Accumulators<Parts = P>>(&mut self, later: Self) {
        self.end = later.end;
        self.last = later.last;
        match (&mut self.parts, later.parts) {
            (Some(parts), Some(later)) => A::join(parts, later),
            (mine @ None, later) => *mine = later,
            (Some(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reduce::Added;

    fn segment(start: usize, end: usize, last: bool) -> Segment {
        Segment { start, end, last }
    }

    #[test]
    fn parts_are_merged_in_order_whatever_the_order_they_come_in() {
        let mut all = vec![100];
        let mut merge = Merge::new((Added(&mut all),));
        for start in [3, 1, 4, 2, 0] {
            merge.put(segment(start, start + 1, false), Some((vec![start],)));
        }
        assert_eq!(all, [100, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn neighbours_that_wait_are_one_part() {
        let mut all = Vec::new();
        let mut merge = Merge::new((Added(&mut all),));
        for start in [5, 3, 4, 7, 6] {
            merge.put(segment(start, start + 1, false), Some((vec![start],)));
        }
        assert_eq!(merge.waiting.len(), 1);
    }

    #[test]
    fn nothing_after_an_exit_counts() {
        let mut all = Vec::new();
        let mut merge = Merge::new((Added(&mut all),));
        merge.put(segment(5, 6, false), Some((vec![5],)));
        merge.put(segment(3, 5, true), Some((vec![3, 4],)));
        merge.put(segment(0, 2, false), Some((vec![0, 1],)));
        merge.put(segment(2, 3, false), None);
        merge.put(segment(6, 7, false), Some((vec![6],)));
        merge.finish();
        assert_eq!(all, [0, 1, 3, 4]);
    }
}
