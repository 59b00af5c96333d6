//! What all rows are measured with.

use std::sync::OnceLock;

use futureproof_benches::body::Rounds;

/// How large the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// The table for publication.
    Full,
    /// All rows in under two minutes.
    Quick,
    /// As little as shows whether the answers agree; no verdicts.
    Check,
}

#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub size: Size,
    /// How many threads work on a loop, the calling one included.
    pub threads: usize,
    /// How often everything is measured.
    pub rounds: usize,
    /// How long the bodies are.
    pub spins: Rounds,
}

impl Setup {
    /// Chooses by size.
    pub fn pick<T>(&self, full: T, quick: T, check: T) -> T {
        match self.size {
            Size::Full => full,
            Size::Quick => quick,
            Size::Check => check,
        }
    }
}

static SETUP: OnceLock<Setup> = OnceLock::new();

/// Fixes the set-up for annotated functions, whose options are no arguments.
pub fn set(setup: Setup) -> &'static Setup {
    SETUP.get_or_init(|| setup)
}

/// Returns the set-up.
pub fn get() -> &'static Setup {
    SETUP.get().expect("set at the start")
}
