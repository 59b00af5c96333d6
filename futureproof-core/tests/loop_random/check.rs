//! Compares what happened with what may happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use futureproof_core::{ErrorPolicy, Report};

use crate::program::{Deed, ITEM_DROP, SPECIAL, Sink, Stop};
use crate::sequence::{End, Sequential};
use crate::values::{FIRST, Totals};
use crate::world::World;

/// How the end of a loop came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As the sequential loop's.
    Sequential,
    /// A stop came first, or a panic out of what the stop has left.
    Stopped,
    /// After a panic whose place depends on the schedule.
    Special,
}

/// What happened to the items.
struct Seen {
    started: BTreeSet<usize>,
    /// The ways out of the loop that those have taken that were started.
    exits: Vec<End>,
}

impl World<'_> {
    fn seen(&self) -> Seen {
        let has_started = |index: &usize| self.started[*index].load(Ordering::Relaxed) > 0;
        let started: BTreeSet<usize> = (0..self.program.count).filter(has_started).collect();
        let exits = started.iter().filter_map(|&index| self.program.exit(index));
        let exits = exits.collect();
        Seen { started, exits }
    }

    fn fired(&self) -> bool {
        self.calls.fired.load(Ordering::SeqCst)
    }

    pub(crate) fn check(&self, end: End, report: Option<&Report>, totals: &Totals) {
        let program = self.program;
        let sequential = program.sequential();
        let seen = self.seen();
        let Some(way) = self.way(end, &sequential, &seen) else {
            let (expected, stopped) = (sequential.end, self.token.is_stopped());
            self.fault(format!(
                "it ended with {end:?} instead of {expected:?}; stopped: {stopped}"
            ));
            return;
        };
        let not_begun = matches!(program.stop, Stop::Before | Stop::Deadline(0));
        if not_begun && !seen.started.is_empty() {
            self.fault("it was stopped before its start, and items were started");
        }
        if way == Way::Sequential
            && !program.is_channel()
            && let Some(missing) =
                (0..sequential.starts).find(|index| !seen.started.contains(index))
        {
            self.fault(format!("item {missing} was not started"));
        }
        self.check_workers();
        if let Some(report) = report {
            self.check_report(end, way, report, &sequential, &seen);
        }
        match program.sink {
            Sink::All => {
                self.check_list(end, way, &sequential, &seen, totals);
                if way != Way::Special {
                    self.check_totals(totals);
                }
            }
            Sink::Sum => self.check_sum(end, way, &sequential, totals.sum - FIRST),
            Sink::Nothing | Sink::Local => {}
        }
    }

    /// How the loop came to this end, if it may.
    fn way(&self, end: End, sequential: &Sequential, seen: &Seen) -> Option<Way> {
        let program = self.program;
        let stopped = self.token.is_stopped() || matches!(program.stop, Stop::Deadline(_));
        let from_item = seen.exits.contains(&end);
        let from_source = Some(end) == program.source_end();
        // What was read and not run is dropped, and may panic.
        let from_drop = program.deeds.iter().any(|(&index, deed)| {
            *deed == Deed::DropPanic
                && end == End::Panicked(program.code(index) + ITEM_DROP)
                && !seen.started.contains(&index)
        });
        if self.fired() {
            let special = end == End::Panicked(program.code(SPECIAL));
            let exhausted = end == End::Exhausted && program.policy != ErrorPolicy::Raise;
            let may = special || from_item || from_source || from_drop || exhausted;
            return (may || stopped && end == End::Stopped).then_some(Way::Special);
        }
        if program.is_channel() {
            let may = match end {
                // A stop ends the frontier too.
                End::Exhausted => {
                    seen.exits.is_empty() && (stopped || seen.started.len() == program.count)
                }
                End::Stopped => stopped,
                _ => from_item,
            };
            let way = if stopped {
                Way::Stopped
            } else {
                Way::Sequential
            };
            return may.then_some(way);
        }
        // A panic is never swallowed, so after a stop it may leave the loop from behind items that were not run. Nothing
        // else does.
        let is_panic = matches!(end, End::Panicked(_)) && (from_item || from_source || from_drop);
        if stopped && (end == End::Stopped || is_panic) {
            return Some(Way::Stopped);
        }
        if end == sequential.end {
            return Some(Way::Sequential);
        }
        // Nothing hides the panic that has left the loop.
        let drops = program.source_drop || program.local_drop;
        let hidden = matches!(sequential.end, End::Panicked(_)) && !drops;
        (from_drop && !hidden).then_some(Way::Sequential)
    }

    fn check_workers(&self) {
        let (made, late) = (
            self.made.load(Ordering::Relaxed),
            self.late.load(Ordering::Relaxed),
        );
        if !self.fired() && made > self.workers {
            self.fault(format!(
                "{made} locals were made for {} workers",
                self.workers
            ));
        }
        // Where nothing can leave, indexed items are looked at block by block. Else every other worker may be between its
        // look and its body when a body hears of the end.
        let program = self.program;
        // A frontier's items are numbered otherwise than in their order.
        let by_item = !program.is_channel() && (!program.is_plain() || program.is_pulled());
        if by_item && !self.fired() && late >= self.workers {
            self.fault(format!("{late} items were started after the end was known"));
        }
    }

    fn check_report(
        &self,
        end: End,
        way: Way,
        report: &Report,
        sequential: &Sequential,
        seen: &Seen,
    ) {
        let counts = (report.completed(), report.failed());
        let exactly = counts == (sequential.completed, sequential.failed);
        let is_whole = end == End::Exhausted && way == Way::Sequential;
        if is_whole && !self.program.is_channel() && !exactly {
            self.fault(format!("it says {report}"));
        }
        // Those that have left with a value are not counted.
        let left = seen
            .exits
            .iter()
            .filter(|exit| matches!(exit, End::Exited(_)))
            .count();
        let ended = report.completed() + report.failed();
        let started = seen.started.len();
        if way != Way::Special && ended != (started - left) as u64 {
            self.fault(format!(
                "it says {report}, but {started} items were started"
            ));
        }
    }

    fn check_list(
        &self,
        end: End,
        way: Way,
        sequential: &Sequential,
        seen: &Seen,
        totals: &Totals,
    ) {
        let (first, list) = totals.list.split_first().expect("it was not empty before");
        let started = &seen.started;
        let counts_all = matches!(end, End::Exhausted | End::Stopped) && seen.exits.is_empty();
        let is_ascending = list.is_sorted_by(|a, b| a < b);
        let is_part = list.iter().all(|index| started.contains(index));
        let right = *first == FIRST
            && is_part
            && if self.program.is_channel() {
                let unique: BTreeSet<usize> = list.iter().copied().collect();
                unique.len() == list.len() && (!counts_all || unique == *started)
            } else {
                match way {
                    Way::Sequential => list.iter().copied().eq(0..sequential.starts),
                    // In order; all that was run, unless an item that does not count has left the loop too.
                    Way::Stopped => is_ascending && (!counts_all || list.len() == started.len()),
                    Way::Special => is_ascending,
                }
            };
        if !right {
            self.fault(format!(
                "the list is {list:?}, started were {started:?}, it ended with {end:?}"
            ));
        }
    }

    /// All reduced variables have seen the same items, in the same order.
    fn check_totals(&self, totals: &Totals) {
        let list = &totals.list;
        let mut by_digit = BTreeMap::from([(FIRST, vec![FIRST])]);
        for &index in &list[1..] {
            by_digit.entry(index % 10).or_default().push(index);
        }
        let right = totals.sum == list.iter().sum::<usize>()
            && Some(&totals.largest) == list.iter().max()
            && Some(&totals.smallest) == list.iter().min()
            && totals.by_digit == by_digit
            && totals.order.numbers == list[1..];
        if !right {
            let Totals {
                sum,
                largest,
                smallest,
                ..
            } = totals;
            self.fault(format!(
                "the reduced variables differ: {list:?}, {sum}, {largest}, {smallest}, {:?}, {:?}",
                totals.by_digit, totals.order.numbers
            ));
        }
    }

    fn check_sum(&self, end: End, way: Way, sequential: &Sequential, sum: usize) {
        // Without order, the sum of a loop that a panic leaves may have what other workers did.
        let ordered = !self.program.is_plain() || end == End::Exhausted;
        let expected: usize = (0..sequential.starts).sum();
        if ordered && way == Way::Sequential && !self.program.is_channel() && sum != expected {
            self.fault(format!("the sum is {sum} instead of {expected}"));
        }
    }

    /// Is anything alive after the loop?
    pub(crate) fn check_leaks(&self) {
        let kinds = [
            ("items", &self.items),
            ("errors and payloads", &self.codes),
            ("locals", &self.locals),
            ("sources", &self.sources),
            ("parts", &self.calls.alive),
        ];
        for (kind, alive) in kinds {
            let alive = alive.load(Ordering::Relaxed);
            if alive != 0 {
                self.fault(format!("{alive} {kind} are alive after the loop"));
            }
        }
    }
}
