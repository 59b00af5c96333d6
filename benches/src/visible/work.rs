//! What is watched: loops and scopes with equal bodies.

use std::hint::black_box;
use std::num::Wrapping;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futureproof::{LiveReport, MonitorInterval, ParallelFor, pull, task_pool};
use futureproof_benches::body::{Rounds, spin};

#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub threads: usize,
    /// What the numbers of items are divided by.
    pub shrink: u64,
    pub spins: Rounds,
}

static SETUP: OnceLock<Setup> = OnceLock::new();

/// Fixes the set-up, also for the annotated functions, whose options are no arguments.
pub fn set(setup: Setup) {
    SETUP.get_or_init(|| setup);
}

pub fn setup() -> &'static Setup {
    SETUP.get().expect("set at the start")
}

/// The options that have to do with being watched.
#[derive(Debug, Clone)]
pub struct Watched {
    pub monitor: MonitorInterval,
    pub progress: bool,
    pub live: Option<LiveReport>,
}

impl Watched {
    /// What a loop has that says nothing of it.
    pub fn by_default() -> Self {
        Self {
            monitor: MonitorInterval::default(),
            progress: false,
            live: None,
        }
    }

    /// The monitor is off.
    pub fn not() -> Self {
        Self {
            monitor: false.into(),
            ..Self::by_default()
        }
    }

    fn options(&self) -> ParallelFor<'_> {
        let options = ParallelFor::new()
            .workers(setup().threads)
            .monitor(self.monitor)
            .progress(self.progress);
        match &self.live {
            Some(live) => options.live(live),
            None => options,
        }
    }
}

/// Where the bodies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Range,
    Pulled,
    /// Tasks over an iterator.
    Scope,
}

impl Work {
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Pulled => "pulled iterator",
            Self::Scope => "scope",
        }
    }

    /// Runs bodies of 0.1 µs.
    pub fn run(self, items: u64, watched: &Watched) {
        let rounds = setup().spins.tenth;
        let add = move |sum: &mut Wrapping<u64>, item| *sum += spin(rounds, item);
        let mut sum = Wrapping(0);
        match self {
            Self::Range => _ = watched.options().fold_into(&mut sum, 0..items, add),
            Self::Pulled => {
                let pulled = pull((0..items).filter(|_| true));
                _ = watched.options().fold_into(&mut sum, pulled, add);
            }
            Self::Scope => {
                let done = (cheap::configure().monitor(watched.monitor))
                    .progress(watched.progress)
                    .scope(|tasks| tasks.map(0..items));
                done.expect("no task fails");
            }
        }
        black_box(sum);
    }

    /// Runs bodies of 20 µs; returns how many nanoseconds passed between the end of the last one and the return.
    pub fn end(self, items: u64, watched: &Watched) -> f64 {
        LAST.store(0, Ordering::Relaxed);
        match self {
            Self::Range => _ = watched.options().for_each(0..items, noted),
            Self::Pulled => _ = watched.options().for_each(pull(0..items), noted),
            Self::Scope => {
                let done = (noted::configure().monitor(watched.monitor))
                    .progress(watched.progress)
                    .scope(|tasks| tasks.map(0..items));
                done.expect("no task fails");
            }
        }
        (now() - LAST.load(Ordering::Relaxed)) as f64
    }
}

#[task_pool(workers = setup().threads)]
fn cheap(item: u64) {
    black_box(spin(setup().spins.tenth, item));
}

/// When the body ended that ended last.
static LAST: AtomicU64 = AtomicU64::new(0);

#[task_pool(workers = setup().threads)]
fn noted(item: u64) {
    black_box(spin(setup().spins.twenty, item));
    LAST.fetch_max(now(), Ordering::Relaxed);
}

/// Nanoseconds since the first call.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
