//! How a random program is made, and what it does when it is run sequentially.

use super::*;

impl Program {
    pub(crate) fn random(random: &mut Random, level: usize) -> Self {
        let input = pick(
            random,
            &[
                Input::Range,
                Input::Vec,
                Input::MutSlice,
                Input::Shared,
                Input::Shared,
                Input::Here,
                Input::Here,
                Input::Channel,
                Input::ChannelHere,
            ],
        );
        let counts: &[usize] = if level == 0 {
            &[0, 1, 2, 3, 7, 40, 200, 1000]
        } else {
            &[0, 1, 2, 20]
        };
        let count = pick(random, counts);
        let mut deeds = BTreeMap::new();
        for _ in 0..random.below(5) {
            let deed = pick(
                random,
                &[
                    Deed::Fail,
                    Deed::Fail,
                    Deed::Panic,
                    Deed::Panic,
                    Deed::Break,
                    Deed::Stop,
                    Deed::Nest,
                    Deed::Nest,
                ],
            );
            if count > 0 && (deed != Deed::Nest || level < 2) {
                deeds.insert(random.below(count), deed);
            }
        }
        let lazy = matches!(input, Input::Shared | Input::Here);
        let source_panic = (lazy && random.below(5) == 0).then(|| random.below(count + 1));
        let source_nests =
            (lazy && level < 2 && random.below(6) == 0).then(|| random.below(count + 1));
        let nests = source_nests.is_some() || deeds.values().any(|deed| *deed == Deed::Nest);
        Self {
            level,
            input,
            count,
            hint: random.below(2) == 0,
            workers: pick(random, &WORKERS),
            batch: pick(random, &[None, Some(1), Some(2), Some(7)]),
            policy: pick(
                random,
                &[
                    ErrorPolicy::Raise,
                    ErrorPolicy::Raise,
                    ErrorPolicy::Log,
                    ErrorPolicy::Ignore,
                ],
            ),
            pool: random.below(POOLS.len() + 1),
            sink: pick(random, &[Sink::Nothing, Sink::List, Sink::Sum, Sink::Both]),
            plain: random.below(3) == 0,
            stopped_before: random.below(50) == 0,
            deeds,
            source_panic,
            source_nests,
            inner: nests.then(|| Box::new(Self::random(random, level + 1))),
        }
    }

    pub(crate) fn is_channel(&self) -> bool {
        matches!(self.input, Input::Channel | Input::ChannelHere)
    }

    pub(crate) fn can_stop(&self) -> bool {
        self.stopped_before || self.deeds.values().any(|deed| *deed == Deed::Stop)
    }

    pub(crate) fn code(&self, index: usize) -> usize {
        self.level * LEVEL + index
    }

    /// What the item's body comes to. The end of a loop that may end in several ways has no effect.
    pub(crate) fn effect(&self, index: usize) -> Effect {
        let code = self.code(index);
        match self.deeds.get(&index) {
            None | Some(Deed::Stop) => Effect::Next,
            Some(Deed::Break) => Effect::Break,
            Some(Deed::Fail) => Effect::Fail(code),
            Some(Deed::Panic) => Effect::Panic(code),
            Some(Deed::Nest) => match &self.inner {
                Some(inner) if !inner.can_stop() && !inner.is_channel() => {
                    match inner.sequential().end {
                        End::Exited(code) => Effect::Fail(code),
                        End::Panicked(code) => Effect::Panic(code),
                        _ => Effect::Next,
                    }
                }
                _ => Effect::Next,
            },
        }
    }

    /// How the item ends the loop, if it does.
    pub(crate) fn exit(&self, index: usize) -> Option<End> {
        match self.effect(index) {
            Effect::Break => Some(End::Broke),
            Effect::Fail(code) if self.policy == ErrorPolicy::Raise => Some(End::Exited(code)),
            Effect::Panic(code) if self.policy == ErrorPolicy::Raise => Some(End::Panicked(code)),
            _ => None,
        }
    }

    /// Can no item leave it other than by a panic?
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
            && (self.deeds.keys())
                .all(|&index| matches!(self.exit(index), None | Some(End::Panicked(_))))
    }

    pub(crate) fn sequential(&self) -> Sequential {
        let mut sequential = Sequential {
            end: End::Exhausted,
            starts: 0,
            completed: 0,
            failed: 0,
        };
        for index in 0..=self.count {
            if self.source_panic == Some(index) {
                sequential.end = End::Panicked(self.code(index) + SOURCE);
                break;
            }
            if index == self.count {
                break;
            }
            sequential.starts += 1;
            match self.effect(index) {
                Effect::Next | Effect::Break => sequential.completed += 1,
                Effect::Fail(_) | Effect::Panic(_) => sequential.failed += 1,
            }
            if let Some(end) = self.exit(index) {
                sequential.end = end;
                break;
            }
        }
        sequential
    }
}
