//! Draws a program from choices; the simplest one where they are all zero.

use futureproof_core::ErrorPolicy;

use crate::choices::{Choices, Part};
use crate::program::{Deed, Hint, Input, Program, Pull, Sink, Stop};

/// So deep loops are nested.
const DEEPEST: usize = 2;

impl Program {
    pub(crate) fn draw(choices: &mut Choices) -> Self {
        let mut pools = Vec::new();
        let mut length = choices.length(3);
        while let Some(start) = choices.another(&mut length) {
            pools.push(choices.pick(&[1, 2, 3, 16]));
            choices.made_part(Part::Element, start);
        }
        let mut program = Self::draw_loop(choices, 0);
        program.beside = choices.maybe(8, |choices| Box::new(Self::draw_loop(choices, 0)));
        let is_alone = program.beside.is_none();
        program.keep_what_ends(&pools, is_alone);
        if let Some(beside) = &mut program.beside {
            beside.keep_what_ends(&pools, false);
        }
        program.pools = pools;
        program
    }

    fn draw_loop(choices: &mut Choices, level: usize) -> Self {
        let start = choices.here();
        let input = choices.pick(&[
            Input::Range,
            Input::Vec,
            Input::MutSlice,
            Input::Shared,
            Input::Shared,
            Input::Here,
            Input::Here,
            Input::Channel,
            Input::ChannelHere,
        ]);
        // Miri takes a second for what takes a millisecond without.
        let counts: &[usize] = if level == 0 && !cfg!(miri) {
            &[2, 0, 1, 3, 4, 7, 12, 40, 40, 200, 1000]
        } else {
            &[2, 0, 1, 3, 20]
        };
        let count = choices.pick(counts);
        let raise = ErrorPolicy::Raise;
        let mut program = Self {
            level,
            pools: Vec::new(),
            input,
            count,
            hint: choices
                .maybe(2, |choices| {
                    choices.pick(&[
                        Hint::Nothing,
                        Hint::None,
                        Hint::One,
                        Hint::Half,
                        Hint::TooMany,
                        Hint::Endless,
                        Hint::UpsideDown,
                        Hint::Panics,
                    ])
                })
                .unwrap_or(Hint::Exact),
            workers: choices.pick(&[Some(2), Some(1), Some(3), None, Some(4), Some(5), Some(16)]),
            batch: choices.maybe(2, |choices| choices.pick(&[1, 1, 2, 3, 7, 64, 1000])),
            policy: choices.pick(&[raise, raise, raise, ErrorPolicy::Ignore, ErrorPolicy::Log]),
            pool: choices.up_to(3),
            sink: choices.pick(&[Sink::Nothing, Sink::All, Sink::All, Sink::Sum, Sink::Local]),
            plain: choices.one_in(3),
            local: choices.one_in(3),
            local_drop: choices.one_in(8),
            local_panic: choices.maybe(25, |choices| choices.up_to(3)),
            reducer_panic: choices.maybe(25, |choices| choices.up_to(12)),
            asks: choices.one_in(2),
            stop: choices
                .maybe(10, |choices| {
                    let after = choices.pick(&[0, 20, 100, 500]);
                    choices.pick(&[Stop::FarDeadline, Stop::Before, Stop::Deadline(after)])
                })
                .unwrap_or(Stop::Never),
            deeds: Default::default(),
            pulls: Default::default(),
            source_drop: choices.one_in(12),
            inner: None,
            beside: None,
        };
        let mut length = choices.length(5);
        while let Some(start) = choices.another(&mut length) {
            program.draw_deed(choices);
            choices.made_part(Part::Element, start);
        }
        let mut length = choices.length(2);
        while let Some(start) = choices.another(&mut length) {
            program.draw_pull(choices);
            choices.made_part(Part::Element, start);
        }
        let nests = program.has_deed(|deed| *deed == Deed::Nest)
            || program.pulls.values().any(|pull| *pull == Pull::Nest);
        program.inner = nests.then(|| Box::new(Self::draw_loop(choices, level + 1)));
        choices.made_part(Part::Section, start);
        program
    }

    fn draw_deed(&mut self, choices: &mut Choices) {
        let (at, other) = (choices.below(10_000), choices.below(10_000));
        let (at, other) = (at as usize % self.count.max(1), other as usize);
        let deed = choices.pick(&[
            Deed::Fail,
            Deed::Fail,
            Deed::Panic,
            Deed::PanicTwice,
            Deed::DropPanic,
            Deed::Break,
            Deed::Break,
            Deed::Stop,
            Deed::StopElsewhere,
            Deed::Nest,
            Deed::Nest,
            Deed::WaitForEarlier(other % at.max(1)),
            Deed::WaitForEarlier(at.saturating_sub(1)),
            Deed::WaitForLater(at + 1 + other % 4),
            Deed::WaitForLater(at + 1),
        ]);
        let fits = match deed {
            Deed::Nest => self.level < DEEPEST,
            Deed::WaitForEarlier(_) => at > 0,
            Deed::WaitForLater(later) => later < self.count,
            // A frontier keeps account of its items by their drops.
            Deed::DropPanic => self.input == Input::Vec || self.is_pulled(),
            _ => true,
        };
        if fits && self.count > 0 {
            self.deeds.insert(at, deed);
            if matches!(deed, Deed::WaitForLater(_)) {
                // Else it would be left out nearly always.
                self.batch = Some(1);
            }
        }
    }

    fn draw_pull(&mut self, choices: &mut Choices) {
        let (at, other) = (choices.below(10_000), choices.below(10_000));
        let mut at = at as usize % (self.count + 1);
        let pull = choices.pick(&[
            Pull::WaitForEnd,
            Pull::Panic,
            Pull::Panic,
            Pull::Nest,
            Pull::Stop,
            Pull::WaitFor(other as usize % at.max(1)),
            Pull::WaitFor(at.saturating_sub(1)),
        ]);
        let exit = (self.deeds.keys()).find(|&&index| self.exit(index).is_some());
        if let (Pull::WaitForEnd, Some(exit)) = (pull, exit) {
            at = (exit + 1 + other as usize % 3).min(self.count);
        }
        let fits = match pull {
            Pull::Nest => self.level < DEEPEST,
            Pull::WaitFor(_) => at > 0,
            _ => true,
        };
        if fits && self.is_pulled() {
            self.pulls.insert(at, pull);
        }
    }

    /// Leaves out what would hang in a sequential loop too, or where nothing promises that it does not.
    fn keep_what_ends(&mut self, pools: &[usize], is_alone: bool) {
        if let Some(inner) = &mut self.inner {
            inner.keep_what_ends(pools, is_alone);
        }
        if self.is_channel() {
            (self.local_panic, self.reducer_panic) = (None, None);
            if matches!(self.stop, Stop::Deadline(_)) {
                // A source that blocks in `next()` hears of no deadline.
                self.stop = Stop::Never;
            }
        }
        if !self.has_locals() {
            (self.local_drop, self.local_panic) = (false, None);
        }
        if self.sink != Sink::All {
            self.reducer_panic = None;
        }
        let is_plain_enough = !self.can_stop() && !self.is_special();
        self.source_drop &= self.is_pulled() && is_plain_enough;
        self.local_drop &= !self.is_channel() && !self.source_drop && is_plain_enough;
        // What is waited for is told of exits, but not of these.
        if self.is_channel() || self.is_special() || matches!(self.stop, Stop::Deadline(_)) {
            self.deeds
                .retain(|_, deed| !matches!(deed, Deed::WaitForEarlier(_) | Deed::WaitForLater(_)));
            self.pulls
                .retain(|_, pull| !matches!(pull, Pull::WaitFor(_) | Pull::WaitForEnd));
        }
        // In an inner loop the end of one around it would be heard too.
        let exit = (0..self.count).find(|&index| self.exit(index).is_some());
        let has_end = |at| self.level == 0 && exit.is_some_and(|exit| exit < at);
        let mut pulls = std::mem::take(&mut self.pulls);
        pulls.retain(|&at, pull| *pull != Pull::WaitForEnd || has_end(at));
        self.pulls = pulls;
        self.keep_later_waits(pools, is_alone);
    }

    /// To wait for a later item takes another worker, which the loop is sure of only if no other loop has taken it.
    fn keep_later_waits(&mut self, pools: &[usize], is_alone: bool) {
        let waits = |deed: &Deed| matches!(deed, Deed::WaitForEarlier(_) | Deed::WaitForLater(_));
        let all = self.deeds.values().filter(|deed| waits(deed)).count();
        let promised = is_alone
            && self.level == 0
            && self.batch == Some(1)
            && self.input != Input::Here
            && all < self.most_workers(pools)
            && !self.source_waits();
        if !promised {
            self.deeds
                .retain(|_, deed| !matches!(deed, Deed::WaitForLater(_)));
        }
    }
}
