//! What a program does when it is run sequentially.

use futureproof_core::ErrorPolicy;

use crate::program::{Deed, ITEM_DROP, LOCAL_DROP, Program, SOURCE, SOURCE_DROP};

/// How a loop ended; errors and payloads by their code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exhausted,
    Broke,
    Stopped,
    Exited(usize),
    Panicked(usize),
}

/// What the body of an item comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Next,
    Break,
    Fail(usize),
    Panic(usize),
}

/// What the sequential loop does.
pub(crate) struct Sequential {
    pub(crate) end: End,
    /// How many items it starts.
    pub(crate) starts: usize,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
}

impl Program {
    /// Can it end in one way only?
    fn has_one_end(&self) -> bool {
        !self.can_stop()
            && !self.is_channel()
            && !self.is_special()
            && !self.has_deed(|deed| *deed == Deed::DropPanic)
    }

    /// What the item's body comes to. The end of a loop that may end in several ways has no effect.
    pub(crate) fn effect(&self, index: usize) -> Effect {
        let code = self.code(index);
        match self.deeds.get(&index) {
            Some(Deed::Break) => Effect::Break,
            Some(Deed::Fail) => Effect::Fail(code),
            Some(Deed::Panic | Deed::PanicTwice) => Effect::Panic(code),
            Some(Deed::DropPanic) => Effect::Panic(code + ITEM_DROP),
            Some(Deed::Nest) => match &self.inner {
                Some(inner) if inner.has_one_end() => match inner.sequential().end {
                    End::Exited(code) => Effect::Fail(code),
                    End::Panicked(code) => Effect::Panic(code),
                    _ => Effect::Next,
                },
                _ => Effect::Next,
            },
            _ => Effect::Next,
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

    /// How the loop ends where `next()` panics.
    pub(crate) fn source_end(&self) -> Option<End> {
        (self.source_panic()).map(|index| End::Panicked(self.code(index) + SOURCE))
    }

    pub(crate) fn sequential(&self) -> Sequential {
        let mut sequential = Sequential {
            end: End::Exhausted,
            starts: 0,
            completed: 0,
            failed: 0,
        };
        for index in 0..=self.count {
            if self.source_panic() == Some(index) {
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
        if !matches!(sequential.end, End::Panicked(_)) {
            if self.source_drop {
                sequential.end = End::Panicked(self.code(0) + SOURCE_DROP);
            }
            if self.local_drop && sequential.starts > 0 {
                sequential.end = End::Panicked(self.code(0) + LOCAL_DROP);
            }
        }
        sequential
    }
}
