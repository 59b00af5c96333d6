//! Random programs of loops against a sequential interpretation of them: every kind of source, exits of every kind,
//! panicking sources, stops, reduced variables, and loops in bodies and in `next()`.
//!
//! `FUTUREPROOF_TRIALS` sets how many programs run, `FUTUREPROOF_SEED` the first one's seed; a failure names its seed.

#[path = "../common/mod.rs"]
mod common;
mod program;
mod world;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{Random, WORKERS};
use futureproof_core::{ErrorPolicy, TaskPool};

const TRIALS: usize = 6000;
/// Added to the index of an item that the source panics at, and once more for each level of nesting.
const SOURCE: usize = 1_000_000;
const LEVEL: usize = 10_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Range,
    Vec,
    MutSlice,
    Shared,
    Here,
    /// Fed by the bodies: item `n` gives the items `2n + 1` and `2n + 2`, so the order is any.
    Channel,
    ChannelHere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sink {
    Nothing,
    List,
    Sum,
    Both,
}

/// What an item's body does besides being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Fail,
    Panic,
    Break,
    Stop,
    Nest,
}

#[derive(Debug)]
struct Program {
    level: usize,
    input: Input,
    count: usize,
    /// Does the iterator say how long it is?
    hint: bool,
    workers: usize,
    batch: Option<usize>,
    policy: ErrorPolicy,
    pool: usize,
    sink: Sink,
    /// Run it through the entry for loops that no item leaves, where that is so.
    plain: bool,
    stopped_before: bool,
    deeds: BTreeMap<usize, Deed>,
    source_panic: Option<usize>,
    source_nests: Option<usize>,
    inner: Option<Box<Program>>,
}

/// How a loop ended; errors and payloads by their code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Exhausted,
    Broke,
    Stopped,
    Exited(usize),
    Panicked(usize),
}

/// What the body of an item comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Next,
    Break,
    Fail(usize),
    Panic(usize),
}

/// What the sequential loop does.
struct Sequential {
    end: End,
    /// How many items it starts.
    starts: usize,
    completed: u64,
    failed: u64,
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[random.below(from.len())]
}

/// The limits of the pools beside the global one.
const POOLS: [usize; 3] = [2, 3, 16];

/// What all loops of one trial share.
struct Trial {
    pools: Vec<TaskPool>,
    faults: Mutex<Vec<String>>,
}

/// Says on the real standard error what hangs, and ends the test, when `body` does not end.
fn named_if_it_hangs(seed: u64, program: Arc<Program>, body: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let _done = done;
        body();
    });
    if wait.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
        // Past the test harness, which would keep it to itself when the process aborts.
        let _ = writeln!(
            std::io::stderr(),
            "FUTUREPROOF_SEED={seed} hangs: {program:#?}"
        );
        std::process::abort();
    }
    thread
        .join()
        .unwrap_or_else(|payload| resume_unwind(payload));
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, but it is {value:?}")),
    )
}

#[test]
fn random_programs_do_what_the_sequential_loops_do() {
    let first = number("FUTUREPROOF_SEED").unwrap_or(1);
    let trials = number("FUTUREPROOF_TRIALS").unwrap_or(TRIALS as u64);
    let trial = Arc::new(Trial {
        pools: POOLS
            .iter()
            .map(|&limit| TaskPool::builder().workers(limit).name("random").build())
            .collect(),
        faults: Mutex::default(),
    });
    for seed in first..first + trials {
        let program = Arc::new(Program::random(&mut Random(seed), 0));
        let (here, shown) = (trial.clone(), program.clone());
        let ended = catch_unwind(AssertUnwindSafe(|| {
            named_if_it_hangs(seed, shown, move || world::run(&here, &program));
        }));
        let faults = std::mem::take(&mut *trial.faults.lock().unwrap());
        assert!(
            ended.is_ok() && faults.is_empty(),
            "FUTUREPROOF_SEED={seed} FUTUREPROOF_TRIALS=1: {}",
            faults.join("\n")
        );
    }
}
