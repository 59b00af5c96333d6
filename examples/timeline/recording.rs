//! What a picture of a run is drawn from.

use std::time::Duration;

/// Everything that was seen. Times count from when the recording began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) groups: Vec<Group>,
    /// The names of the threads that ran something.
    pub(crate) workers: Vec<String>,
    pub(crate) runs: Vec<Run>,
}

/// One loop, or one use of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Not known where single tasks were submitted.
    pub(crate) workers: Option<u64>,
    pub(crate) policy: String,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Loop,
    Pool,
}

/// One item of a loop, or one attempt of a task, on one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its place in [`Recording::workers`].
    pub(crate) worker: usize,
    /// Its place in [`Recording::groups`].
    pub(crate) group: usize,
    pub(crate) index: u64,
    /// Counts from one; items of loops have one attempt.
    pub(crate) attempt: u64,
    pub(crate) outcome: Outcome,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

/// How a run ended, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Completed,
    /// By `break`, `return` or `?`: the loop ends here.
    Left,
    Failed,
    Panicked,
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::Completed, Self::Left, Self::Failed, Self::Panicked];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Left => "left",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
        }
    }
}
