//! Programs as plain data.

use futureproof_core::ErrorPolicy;

#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) pools: Vec<PoolPlan>,
    /// Does somebody listen to the monitor?
    pub(crate) monitored: bool,
    /// What threads beside each other do, one section after the other.
    pub(crate) owners: Vec<Vec<Section>>,
}

#[derive(Debug, Clone)]
pub(crate) struct PoolPlan {
    pub(crate) workers: usize,
    /// The task limit at the beginning.
    pub(crate) limit: Option<usize>,
    /// How many tasks a thread runs.
    pub(crate) recycle: Option<usize>,
    pub(crate) hook: Hook,
}

/// What threads run when they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    None,
    Works,
    /// Works for so many threads.
    FailsAfter(usize),
    PanicsAfter(usize),
}

/// One scope, stream of results, or bundle of handles.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) pool: usize,
    pub(crate) options: Options,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) policy: ErrorPolicy,
    pub(crate) raise_after: usize,
    pub(crate) capacity: Option<usize>,
    pub(crate) limits: Limits,
    pub(crate) rate_limited: bool,
    pub(crate) token: bool,
    pub(crate) deadline: Option<u64>,
}

/// What a task may have of its own; times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) retry: Option<RetryPlan>,
    pub(crate) timeout: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryPlan {
    pub(crate) attempts: u32,
    pub(crate) backoff: u64,
    /// Not for every error.
    pub(crate) picky: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Scope {
        ops: Vec<Op>,
        end: End,
    },
    Stream {
        ordered: bool,
        input: Input,
        /// How many results are read; `None`: all.
        take: Option<usize>,
        slowly: bool,
        leave_pool: bool,
        end: StreamEnd,
    },
    Handles {
        ops: Vec<HandleOp>,
        leave_pool: bool,
        /// One more, after the pool was left.
        late: Option<Task>,
        drop_rest: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Pause,
    Submit(Task),
    TrySubmit(Task),
    SubmitTimeout(u64, Task),
    SubmitConfigured(Limits, Task),
    TrySubmitConfigured(Limits, Task),
    Map(Input),
    Read {
        ordered: bool,
        most: usize,
    },
    ReadAll {
        ordered: bool,
    },
    Run,
    Look,
    OpenGate,
    Stop,
    StopToken,
    Close,
    Drain(u64),
    SetLimit(Option<usize>),
    /// A thread that stops the scope when one of its tasks asks for it.
    StopWhenAsked,
    /// Another thread that does this beside the rest.
    Aside(Vec<Op>),
    Nest(Box<Section>),
}

/// How the closure of a scope ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Leave,
    ReadAll { ordered: bool },
    Run,
    Stop,
    Drain(u64),
    Fail,
    Panic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    Drop,
    Stop,
    Detach,
}

#[derive(Debug, Clone)]
pub(crate) enum HandleOp {
    Pause,
    Submit(Task),
    TrySubmit(Task),
    Join(usize),
    Cancel(usize),
    Stop(usize),
    Poll(usize),
    JoinTimeout(usize),
    Await(usize),
    /// Polls once, and awaits with another waker later.
    PollFuture(usize),
    OnFinish(usize, Callback),
    Wait(WaitFor, Option<u64>),
    Drop(usize),
    OpenGate,
    StopToken,
    SetLimit(Option<usize>),
    ClosePool,
    StopPool,
    DrainPool(u64),
    Nest(Box<Section>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitFor {
    First,
    FirstFailure,
    All,
}

#[derive(Debug, Clone)]
pub(crate) enum Callback {
    Look,
    Panic,
    PanicTwice,
    Nest(Box<Section>),
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) deed: Deed,
    pub(crate) trap: Trap,
    pub(crate) pauses: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Succeed,
    Fail,
    /// Fails so many times, with an error that is worth another attempt.
    FailFirst(usize),
    Panic,
    /// The panic's payload panics when it is dropped.
    PanicTwice,
    /// Waits until the section's gate is open.
    Wait,
    /// Waits until it is told to stop, or until the gate is open.
    WaitForStop,
    /// Has another thread stop the scope.
    AskForStop,
    StopToken,
    SetLimit(Option<usize>),
    Nest(Box<Section>),
}

/// Where the user's own types panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    None,
    DropArgs,
    DropResult,
    DropError,
    Keep,
    Describe,
    Clone,
    RetryIf,
}

#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// `None`: endless.
    pub(crate) count: Option<usize>,
    /// One after the other, and again.
    pub(crate) tasks: Vec<Task>,
    pub(crate) hint: bool,
    pub(crate) trap: SourceTrap,
}

/// What an input does besides giving items, at one of them.
#[derive(Debug, Clone)]
pub(crate) enum SourceTrap {
    None,
    Wait(usize),
    Panic(usize),
    PanicTwice(usize),
    Nest(usize, Box<Section>),
    Drop,
}
