//! What the progress log says, with a clock that stands still until a test moves it.
//!
//! Bodies move the clock themselves where that is possible, and else threads wait for each other: nothing here depends on how
//! long anything takes.

mod lines;
mod long;
mod review;
mod stalls;
mod stalls_of_tasks;
mod tasks;
mod thread;

#[path = "../../tests/kit/ear.rs"]
mod ear;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use self::ear::{Ear, Said};
use super::clock::fake::advance;
use crate::ParallelFor;
use crate::describe::{DescribeType, VtableDisplay as _};
use crate::pool::TaskPool;
use crate::task::{Call, map};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// Of everything that says nothing else.
const INTERVAL: Duration = Duration::from_secs(2);

/// Runs `test` with an ear as the subscriber, while no other test moves the clock; returns what the progress log said.
fn hear(test: impl FnOnce(&Ear)) -> Vec<Said> {
    let ear = Ear::new();
    alone(|| ear.during(|| test(&ear)));
    ear.monitor()
}

/// Runs `test` while no other test moves the clock, and ends the process if it hangs.
fn alone(test: impl FnOnce()) {
    static TURN: Mutex<()> = Mutex::new(());

    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (_done, watch) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if watch.recv_timeout(300 * SECOND) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the test hangs");
            std::process::abort();
        }
    });
    test();
}

/// Moves the clock on by so many default intervals, one after the other.
fn pass(intervals: usize) {
    for _ in 0..intervals {
        advance(INTERVAL);
    }
}

/// A loop on the calling thread alone, which can say exactly what it has done.
fn loop_here() -> ParallelFor<'static> {
    ParallelFor::new().workers(1).batch(1).name("here")
}

/// The warnings among these lines.
fn warnings(said: &[Said]) -> Vec<&Said> {
    (said.iter())
        .filter(|said| said.level == tracing::Level::WARN)
        .collect()
}

/// What of it is told of single fields, in their order.
fn values<'a>(said: &'a [Said], field: &str) -> Vec<&'a str> {
    said.iter().filter_map(|said| said.get(field)).collect()
}

fn last(said: &[Said]) -> &Said {
    said.last().expect("something was said")
}

fn pool(workers: usize) -> TaskPool {
    TaskPool::builder().workers(workers).name("test").build()
}

/// What a task does.
type Body<'a> = Box<dyn FnOnce() -> Result<u64, String> + Send + 'a>;
type Bodies<'a> = Call<(Body<'a>,), (), u64, String>;

/// A function `body` that runs the closure it is given.
fn bodies<'a>() -> Bodies<'a> {
    let error = (&&&DescribeType::<String>::new()).vtable();
    Call::of(
        "body",
        |(body,): (Body<'a>,)| body(),
        |_| (),
        |()| None,
        error,
    )
}

/// A function `number` of a number that fails for odd ones.
fn numbers() -> Call<(u64,), (), u64, String> {
    let error = (&&&DescribeType::<String>::new()).vtable();
    let run = |(n,): (u64,)| match n % 2 {
        0 => Ok(n),
        _ => Err(format!("{n} is odd")),
    };
    Call::of("number", run, |_| (), |()| None, error)
}

/// A task that says that it runs, and runs until it is let go.
struct Gate {
    runs: mpsc::Receiver<()>,
    opens: mpsc::Sender<()>,
}

impl Gate {
    fn new<'a>() -> (Self, Body<'a>) {
        let (run, runs) = mpsc::channel();
        let (opens, open) = mpsc::channel();
        let body = move || {
            run.send(()).unwrap();
            // Also when the gate is gone.
            _ = open.recv();
            Ok(0)
        };
        (Self { runs, opens }, Box::new(body))
    }

    /// Waits until it runs.
    fn is_reached(&self) {
        self.runs.recv().unwrap();
    }

    fn open(&self) {
        self.opens.send(()).unwrap();
    }
}

/// Waits until the only thread of the pool has left everything else.
fn has_left(pool: &TaskPool) {
    assert_eq!(pool.workers(), 1);
    let (gate, body) = Gate::new();
    let mut call = bodies();
    call.monitor = false.into();
    let results = map(pool, call, [body]);
    gate.is_reached();
    drop(gate);
    results.for_each(|task| _ = task.unwrap());
}
