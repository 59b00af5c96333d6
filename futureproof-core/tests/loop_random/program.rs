//! What a random program of loops is.

use std::collections::BTreeMap;

use futureproof_core::{ErrorPolicy, default_workers};

/// Added to the index of an item for what is not its own error or payload.
pub(crate) const SOURCE: usize = 1_000_000;
pub(crate) const SOURCE_DROP: usize = 2_000_000;
pub(crate) const ITEM_DROP: usize = 3_000_000;
pub(crate) const LOCAL_DROP: usize = 5_000_000;
/// A panic whose place depends on the schedule: of a local's expression, or of a reducer.
pub(crate) const SPECIAL: usize = 4_000_000;
/// Added once more for each level of nesting.
pub(crate) const LEVEL: usize = 10_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Range,
    Vec,
    MutSlice,
    Shared,
    Here,
    /// Fed by the bodies: item `n` gives the items `2n + 1` and `2n + 2`, so the order is any.
    Channel,
    ChannelHere,
}

/// What an iterator says of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hint {
    Exact,
    Nothing,
    None,
    One,
    Half,
    TooMany,
    Endless,
    UpsideDown,
    Panics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    Nothing,
    /// Of no order, where no item leaves the loop.
    Sum,
    /// Every kind of reduced variable.
    All,
    /// No reduced variable, but a value for each worker.
    Local,
}

/// What an item's body does besides being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Fail,
    Panic,
    /// With a payload that panics when it is dropped.
    PanicTwice,
    /// The item panics when it is dropped.
    DropPanic,
    Break,
    Stop,
    /// Has another thread stop the loop, soon.
    StopElsewhere,
    Nest,
    /// Waits until the other item has finished, or the loop is ending.
    WaitForEarlier(usize),
    /// Waits until the other item has started, or the loop is ending.
    WaitForLater(usize),
}

/// What `next()` does before it gives an item, or the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pull {
    Panic,
    Nest,
    Stop,
    /// Blocks until the item, which is one that it has given, has finished, or the loop is ending.
    WaitFor(usize),
    /// Blocks until the loop is known to be ending: the item that it then gives must not be run.
    WaitForEnd,
}

/// How a loop may be stopped, beside what its bodies do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Never,
    Before,
    /// So many microseconds after its start.
    Deadline(u64),
    FarDeadline,
}

#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) level: usize,
    /// The limits of the pools that it makes for itself and all inside it.
    pub(crate) pools: Vec<usize>,
    pub(crate) input: Input,
    pub(crate) count: usize,
    pub(crate) hint: Hint,
    pub(crate) workers: Option<usize>,
    pub(crate) batch: Option<usize>,
    pub(crate) policy: ErrorPolicy,
    /// Which pool; a number past the last is the global one.
    pub(crate) pool: usize,
    pub(crate) sink: Sink,
    /// Run it through the entry for loops that no item leaves, where that is so.
    pub(crate) plain: bool,
    /// Is there a value for each worker, beside the reduced variables?
    pub(crate) local: bool,
    /// The locals panic when they are dropped.
    pub(crate) local_drop: bool,
    /// The local's expression panics when it is evaluated for the so-manieth time.
    pub(crate) local_panic: Option<usize>,
    /// A reducer's `identity` or `merge` panics when one of them is called for the so-manieth time.
    pub(crate) reducer_panic: Option<usize>,
    /// Do the bodies ask whether the loop is ending?
    pub(crate) asks: bool,
    pub(crate) stop: Stop,
    pub(crate) deeds: BTreeMap<usize, Deed>,
    pub(crate) pulls: BTreeMap<usize, Pull>,
    /// The iterator panics when it is dropped.
    pub(crate) source_drop: bool,
    pub(crate) inner: Option<Box<Program>>,
    /// Runs at the same time, on the same pools.
    pub(crate) beside: Option<Box<Program>>,
}

impl Program {
    pub(crate) fn is_channel(&self) -> bool {
        matches!(self.input, Input::Channel | Input::ChannelHere)
    }

    /// Is the input an iterator whose `next()` may do something?
    pub(crate) fn is_pulled(&self) -> bool {
        matches!(self.input, Input::Shared | Input::Here)
    }

    pub(crate) fn has_deed(&self, is: impl Fn(&Deed) -> bool) -> bool {
        self.deeds.values().any(is)
    }

    /// Does something stop the token?
    pub(crate) fn uses_token(&self) -> bool {
        self.stop == Stop::Before
            || self.has_deed(|deed| matches!(deed, Deed::Stop | Deed::StopElsewhere))
            || self.pulls.values().any(|pull| *pull == Pull::Stop)
    }

    pub(crate) fn can_stop(&self) -> bool {
        self.uses_token() || matches!(self.stop, Stop::Deadline(_))
    }

    /// May a panic come from a place that depends on the schedule?
    pub(crate) fn is_special(&self) -> bool {
        self.local_panic.is_some() || self.reducer_panic.is_some()
    }

    pub(crate) fn has_locals(&self) -> bool {
        self.sink == Sink::Local || self.sink == Sink::All && self.local
    }

    pub(crate) fn waits(&self) -> bool {
        self.has_deed(|deed| matches!(deed, Deed::WaitForEarlier(_) | Deed::WaitForLater(_)))
            || self.source_waits()
    }

    pub(crate) fn source_waits(&self) -> bool {
        let mut pulls = self.pulls.values();
        pulls.any(|pull| matches!(pull, Pull::WaitFor(_) | Pull::WaitForEnd))
    }

    pub(crate) fn code(&self, index: usize) -> usize {
        self.level * LEVEL + index
    }

    /// Where `next()` panics.
    pub(crate) fn source_panic(&self) -> Option<usize> {
        let mut pulls = self.pulls.iter();
        pulls.find_map(|(&at, pull)| (*pull == Pull::Panic).then_some(at))
    }

    /// The iterator's size hint; `None` panics.
    pub(crate) fn size_hint(&self) -> Option<(usize, Option<usize>)> {
        let count = self.count;
        if self.is_channel() {
            return Some((0, None));
        }
        Some(match self.hint {
            Hint::Exact => (count, Some(count)),
            Hint::Nothing => (0, None),
            Hint::None => (0, Some(0)),
            Hint::One => (1, Some(1)),
            Hint::Half => (0, Some(count / 2)),
            Hint::TooMany => (count + 1, Some(count * 2 + 5)),
            Hint::Endless => (usize::MAX, Some(usize::MAX)),
            Hint::UpsideDown => (count + 1, Some(count / 2)),
            Hint::Panics => return None,
        })
    }

    /// How many workers the loop has at most where the pools have these limits.
    pub(crate) fn most_workers(&self, pools: &[usize]) -> usize {
        let pool = pools.get(self.pool).copied();
        let limit = pool.unwrap_or(usize::MAX);
        let most = match self.input {
            Input::Range | Input::Vec | Input::MutSlice => self.count,
            _ => self
                .size_hint()
                .map_or(usize::MAX, |(_, upper)| upper.unwrap_or(usize::MAX)),
        };
        let asked = self.workers.or(pool).unwrap_or_else(default_workers);
        asked.min(limit).min(most).max(1)
    }
}
