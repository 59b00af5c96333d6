//! What is counted.

use std::hint::black_box;
use std::io;
use std::sync::{Barrier, Mutex, PoisonError, mpsc};

use futureproof::{parallel_for, task_pool};

use crate::measured::measured;
use crate::sources::{fed, lazy, range, slice, vec};

/// One thing that is counted.
pub struct Scenario {
    pub name: &'static str,
    pub run: fn(length: u64),
    pub per: Per,
    pub counted: Counted,
}

/// What a count is given for.
pub enum Per {
    /// A call with so many items.
    Call(u64),
    /// One more item, by the difference of two lengths, so that what a call costs drops out.
    Item(u64, u64),
}

/// Which instructions count.
#[derive(PartialEq)]
pub enum Counted {
    /// Those of the marked part, on its thread.
    Marked,
    /// Those of the process, where other threads do the work.
    All,
}

const fn call(name: &'static str, length: u64, run: fn(u64)) -> Scenario {
    let per = Per::Call(length);
    Scenario {
        name,
        run,
        per,
        counted: Counted::Marked,
    }
}

const fn item(name: &'static str, run: fn(u64)) -> Scenario {
    let per = Per::Item(20_000, 40_000);
    Scenario {
        name,
        run,
        per,
        counted: Counted::Marked,
    }
}

/// A call that is repeated. Where another thread allocates and frees as well, one call alone may have a dear allocation.
const fn repeated(name: &'static str, run: fn(u64)) -> Scenario {
    let per = Per::Item(100, 300);
    Scenario {
        name,
        run,
        per,
        counted: Counted::Marked,
    }
}

const fn task(name: &'static str, counted: Counted, run: fn(u64)) -> Scenario {
    let per = Per::Item(1_000, 3_000);
    Scenario {
        name,
        run,
        per,
        counted,
    }
}

pub const SCENARIOS: &[Scenario] = &[
    call("loop/range/0", 0, range::each),
    call("loop/range/0/monitor-off", 0, unmonitored),
    call("loop/range/1", 1, range::each),
    call("loop/range/1/try", 1, range::each_try),
    call("loop/range/64", 64, range::each),
    repeated("loop/range/64/helper-busy", two_workers),
    call("loop/range/64/reduce", 64, range::reduce),
    call("loop/range/64/plain-for", 64, range::plain_for),
    call("loop/lazy/0", 0, lazy::each),
    call("loop/lazy/64", 64, lazy::each),
    call("loop/fed/64", 64, fed::each),
    call("loop/vec/64", 64, vec::each),
    item("range/plain-for", range::plain_for),
    item("range/plain-for/try", range::plain_for_try),
    item("range/each", range::each),
    item("range/each/try", range::each_try),
    item("range/reduce", range::reduce),
    item("range/reduce/try", range::reduce_try),
    item("range/local", range::local),
    item("range/one-by-one", range::one_by_one),
    item("range/one-by-one/logged", one_by_one_logged),
    item("slice/plain-for", slice::plain_for),
    item("slice/plain-for/try", slice::plain_for_try),
    item("slice/each", slice::each),
    item("slice/each/try", slice::each_try),
    item("slice/reduce", slice::reduce),
    item("slice/reduce/try", slice::reduce_try),
    item("slice/local", slice::local),
    item("slice/one-by-one", slice::one_by_one),
    item("vec/plain-for", vec::plain_for),
    item("vec/plain-for/try", vec::plain_for_try),
    item("vec/each", vec::each),
    item("vec/each/try", vec::each_try),
    item("vec/reduce", vec::reduce),
    item("vec/reduce/try", vec::reduce_try),
    item("vec/local", vec::local),
    item("vec/one-by-one", vec::one_by_one),
    item("lazy/plain-for", lazy::plain_for),
    item("lazy/plain-for/try", lazy::plain_for_try),
    item("lazy/each", lazy::each),
    item("lazy/each/try", lazy::each_try),
    item("lazy/reduce", lazy::reduce),
    item("lazy/reduce/try", lazy::reduce_try),
    item("lazy/local", lazy::local),
    item("lazy/one-by-one", lazy::one_by_one),
    item("fed/plain-for", fed::plain_for),
    item("fed/plain-for/try", fed::plain_for_try),
    item("fed/each", fed::each),
    item("fed/each/try", fed::each_try),
    item("fed/reduce", fed::reduce),
    item("fed/reduce/try", fed::reduce_try),
    item("fed/local", fed::local),
    item("fed/one-by-one", fed::one_by_one),
    repeated("loop/scope/0", empty_scope),
    repeated("loop/scope/0/monitor-off", unmonitored_scope),
    repeated("loop/stream/0", empty_stream),
    task("task/scope-submit", Counted::Marked, scope_submit),
    task("task/submit", Counted::Marked, submit),
    task("task/map", Counted::All, scope_map),
    task("task/map/logged", Counted::All, scope_map_logged),
    task("task/map/read", Counted::Marked, scope_map),
];

/// Locked while the pool's only thread is to do nothing.
static GATE: Mutex<()> = Mutex::new(());
static AT_GATE: Barrier = Barrier::new(2);
/// The argument of a task that waits at the gate.
const WAIT: u64 = u64::MAX;

#[task_pool(workers = 1, capacity = 1_000_000)]
fn work(item: u64) -> u64 {
    if item == WAIT {
        AT_GATE.wait();
        drop(GATE.lock());
    }
    black_box(item)
}

/// Keeps the pool's thread busy meanwhile, so that the calling thread alone executes what is counted.
fn while_busy<T>(run: impl FnOnce() -> T) -> T {
    let gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = work::submit(WAIT);
    AT_GATE.wait();
    let result = run();
    drop(gate);
    waiting.join().expect("it does not fail");
    result
}

fn two_workers(times: u64) {
    while_busy(|| {
        measured(|| {
            for _ in 0..times {
                parallel_for!(
                    workers = 2,
                    pool = work::pool(),
                    for item in 0..64_u64 {
                        black_box(item);
                    }
                );
            }
        });
    });
}

/// Runs a scenario with a subscriber that listens to the progress log; it ends before there is a line.
fn logged(run: impl FnOnce()) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(io::sink)
        .finish();
    tracing::subscriber::with_default(subscriber, run);
}

fn one_by_one_logged(length: u64) {
    logged(|| range::one_by_one(length));
}

fn scope_map_logged(length: u64) {
    logged(|| scope_map(length));
}

/// What nobody listens to costs no more than what nobody may listen to.
fn unmonitored(length: u64) {
    measured(|| {
        parallel_for!(
            workers = 1,
            monitor = false,
            for item in 0..length {
                black_box(item);
            }
        );
    });
}

fn empty_scope(times: u64) {
    while_busy(|| {
        measured(|| {
            for _ in 0..times {
                work::scope(|_| ()).expect("it has no tasks");
            }
        });
    });
}

fn unmonitored_scope(times: u64) {
    let work = work::configure().monitor(false);
    while_busy(|| {
        measured(|| {
            for _ in 0..times {
                work.scope(|_| ()).expect("it has no tasks");
            }
        });
    });
}

/// An iterator of results that is not read.
fn empty_stream(times: u64) {
    while_busy(|| {
        measured(|| {
            for _ in 0..times {
                drop(work::map(0..0_u64));
            }
        });
    });
}

fn scope_submit(length: u64) {
    let done = work::scope(|tasks| {
        while_busy(|| {
            measured(|| {
                for item in 0..length {
                    tasks.submit(item);
                }
            });
        });
    });
    done.expect("no task fails");
}

fn submit(length: u64) {
    let mut handles = Vec::with_capacity(usize::try_from(length).expect("it is small"));
    while_busy(|| {
        measured(|| handles.extend((0..length).map(work::submit)));
    });
    for handle in handles {
        handle.join().expect("no task fails");
    }
}

/// The pool's thread pulls and runs while this one waits; then this one reads.
fn scope_map(length: u64) {
    let done = work::scope(|tasks| {
        // The input is dropped, and with it the sender, when it is used up and its last item has run.
        let (open, used_up) = mpsc::channel::<()>();
        tasks.map((0..length).map(move |item| (item, &open).0));
        used_up.recv().expect_err("nothing is sent");
        let results = tasks.as_completed();
        measured(|| {
            for done in results {
                done?;
            }
            Ok(())
        })
    });
    done.expect("no task fails");
}
