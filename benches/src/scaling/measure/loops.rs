//! What an item costs in a loop of futureproof with a trivial body, from each kind of source.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use futureproof::{IntoSource, ParallelFor, pull, pull_here};
use futureproof_benches::body::{mix, spin};
use futureproof_benches::stats;

use super::{Costs, Effort, each, stay_busy};

pub fn measure(effort: Effort, costs: &mut Costs) {
    let mut time = |key, what, nanos: usize, sample: &dyn Fn(usize) -> f64| {
        let count = effort.count(nanos);
        costs.time(key, what, effort.sample(|| sample(count)));
    };
    time("spin", "a round of what longer bodies do", 10, &|rounds| {
        let body = |number| {
            black_box(spin(1000, number));
        };
        plain(rounds.div_ceil(1000), body) / 1000.0
    });
    time(
        "item",
        "plain loop with a trivial body, per item",
        1,
        &|length| plain(length, trivial),
    );
    let on = |workers| ParallelFor::new().workers(workers);
    time("indexed_1", "indexed, 1 worker, per item", 1, &|length| {
        per_item(on(1), numbers(length), length)
    });
    time(
        "indexed_2",
        "indexed, 2 workers, time between two items",
        1,
        &|length| per_item(on(2), numbers(length), length),
    );
    time("shared_1", "shared, 1 worker, per item", 10, &|length| {
        per_item(on(1), pull(mapped(length)), length)
    });
    time(
        "shared_2",
        "shared, 2 workers, time between two items",
        10,
        &|length| per_item(on(2), pull(mapped(length)), length),
    );
    time("fed_1", "caller-fed, 1 worker, per item", 100, &|length| {
        per_item(on(1), pull_here(mapped(length)), length)
    });
    time(
        "fed_2",
        "caller-fed, 2 workers, time between two items",
        100,
        &|length| per_item(on(2), pull_here(mapped(length)), length),
    );

    let single = |workers| on(workers).batch(1);
    time(
        "indexed_chunk_1",
        "indexed, chunks of 1, 1 worker, per chunk",
        50,
        &|length| per_item(single(1), numbers(length), length),
    );
    let between = "indexed, chunks of 1, 2 workers, time between two chunks";
    time("indexed_chunk_2", between, 50, &|length| {
        per_item(single(2), numbers(length), length)
    });
    let between = "shared, `batch(1)`, 2 workers, time between two items";
    time("shared_chunk_2", between, 200, &|length| {
        per_item(single(2), pull(mapped(length)), length)
    });
    let between = "caller-fed, `batch(1)`, 2 workers, time between two items";
    time("fed_chunk_2", between, 1000, &|length| {
        per_item(single(2), pull_here(mapped(length)), length)
    });

    time("loop_1", "loop of 1 item", 250, &|count| tiny(count, 1));
    let warm = "loop of 2 items on 2 workers, one loop after the other";
    time("loop_2", warm, 2000, &|count| tiny(count, 2));
    time(
        "loop_2_cold",
        "the same after 2 ms without a loop",
        2_000_000,
        &cold,
    );

    let length = effort.count(10);
    let mut halves = |keys: [&'static str; 2], what: [&'static str; 2], (lay, take)| {
        costs.time(keys[0], what[0], lay);
        costs.time(keys[1], what[1], take);
    };
    halves(
        ["shared_lay", "shared_take"],
        [
            "shared: to pull an item and lay it down for others",
            "shared: to take it up",
        ],
        effort.sample(|| split(length, pull)),
    );
    halves(
        ["fed_lay", "fed_take"],
        [
            "caller-fed: to pull an item and lay it down for others",
            "caller-fed: to take it up",
        ],
        effort.sample(|| split(length, pull_here)),
    );
}

fn numbers(length: usize) -> std::ops::Range<u64> {
    0..length as u64
}

/// An iterator that is nothing but an iterator, to be pulled.
fn mapped(length: usize) -> impl Iterator<Item = u64> + Send {
    numbers(length).map(|number| number ^ 0x5555)
}

fn trivial(number: u64) {
    black_box(mix(number));
}

fn plain(length: usize, body: impl Fn(u64)) -> f64 {
    let began = Instant::now();
    numbers(length).for_each(body);
    each(began.elapsed(), length)
}

fn per_item<I: IntoSource<Item = u64>>(options: ParallelFor<'_>, input: I, length: usize) -> f64 {
    let began = Instant::now();
    options.for_each(input, trivial);
    each(began.elapsed(), length)
}

/// An iterator that notes the time of every [`Marked::EVERY`]th call of `next`.
struct Marked {
    next: u64,
    end: u64,
    marks: Sender<Instant>,
}

impl Marked {
    const EVERY: u64 = 256;

    fn new(length: usize) -> (Self, Receiver<Instant>) {
        let (marks, noted) = mpsc::channel();
        (
            Self {
                next: 0,
                end: length as u64,
                marks,
            },
            noted,
        )
    }

    /// The usual time between two calls, including what it takes to note it.
    fn usual(noted: &Receiver<Instant>) -> f64 {
        let noted: Vec<Instant> = noted.try_iter().collect();
        let between = |pair: &[Instant]| each(pair[1] - pair[0], Self::EVERY as usize);
        stats::median(noted.windows(2).map(between))
    }
}

impl Iterator for Marked {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.next == self.end {
            return None;
        }
        if self.next.is_multiple_of(Self::EVERY) {
            // Nobody listens in a loop that is only timed.
            let _ = self.marks.send(Instant::now());
        }
        self.next += 1;
        Some(self.next ^ 0x5555)
    }
}

thread_local! {
    /// How many items this thread has run, if it is the one that called the loop.
    static RUN_BY_CALLER: Cell<Option<usize>> = const { Cell::new(None) };
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Splits the cost of an item from a pulled source: what is done before it can be handed out, and what the worker that
/// runs it does beside running it.
///
/// The caller works as if alone, because the other worker takes one item and keeps it until all others have run. While
/// a batch is pulled, calls of `next` follow each other without a body between them, so the median time between marks
/// is the first part.
fn split<I: IntoSource<Item = u64>>(length: usize, source: fn(Marked) -> I) -> (f64, f64) {
    let other_is_here = AtomicBool::new(false);
    let done = AtomicBool::new(false);
    let body = |number| {
        trivial(number);
        match RUN_BY_CALLER.get() {
            Some(before) => {
                if before == 0 {
                    wait_for(&other_is_here, Duration::from_millis(2));
                    BEGAN.set(Some(Instant::now()));
                } else if before == length - 2 {
                    done.store(true, Ordering::Relaxed);
                }
                RUN_BY_CALLER.set(Some(before + 1));
            }
            None => {
                other_is_here.store(true, Ordering::Relaxed);
                wait_for(&done, Duration::from_millis(100));
            }
        }
    };
    let (mut marked, noted) = Marked::new(length);
    for number in &mut marked {
        black_box(number);
    }
    let noting = Marked::usual(&noted);
    RUN_BY_CALLER.set(Some(1));
    let bodies = plain(length, body);

    done.store(false, Ordering::Relaxed);
    RUN_BY_CALLER.set(Some(0));
    let (marked, noted) = Marked::new(length);
    ParallelFor::new().workers(2).for_each(source(marked), body);
    let all = BEGAN
        .take()
        .map_or(0.0, |began| each(began.elapsed(), length));
    let lay = (Marked::usual(&noted) - noting).max(0.0);
    (lay, (all - bodies - lay).max(0.0))
}

fn wait_for(flag: &AtomicBool, limit: Duration) {
    let began = Instant::now();
    while !flag.load(Ordering::Relaxed) && began.elapsed() < limit {
        std::hint::spin_loop();
    }
}

fn tiny(count: usize, items: u64) -> f64 {
    let began = Instant::now();
    for _ in 0..count {
        ParallelFor::new().workers(2).for_each(0..items, trivial);
    }
    each(began.elapsed(), count)
}

fn cold(count: usize) -> f64 {
    stats::median((0..count).map(|_| {
        stay_busy(Duration::from_millis(2));
        tiny(1, 2)
    }))
}
