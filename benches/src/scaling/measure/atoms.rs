//! The clock, and one cache line that one or two cores write to.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futureproof_benches::body::spin;
use futureproof_benches::stats;

use super::{Costs, Effort, both, each};

/// A number with a cache line, and the one the processor fetches with it, to itself.
#[repr(align(128))]
#[derive(Default)]
struct Padded(AtomicUsize);

/// What a core does between two claims, in rounds of `spin`: some 100 ns, so that the other core has the line meanwhile.
const BETWEEN: u64 = 25;

pub fn measure(effort: Effort, costs: &mut Costs) {
    let count = effort.count(20);
    costs.time("clock", "`Instant::now()`", effort.sample(|| clock(count)));
    costs.time(
        "claim",
        "claim of an indexed chunk (compare-exchange), line in the own cache",
        effort.sample(|| claims(count, 0, Threads::One).0),
    );

    let effort = effort.short();
    let count = effort.count(200);
    let between: f64 =
        stats::median(effort.sample::<_, Vec<_>>(|| claims(count, BETWEEN, Threads::One).0))
            - costs.get("claim");
    let (times, failures): (Vec<_>, Vec<_>) =
        effort.sample(|| claims(count, BETWEEN, Threads::Two));
    costs.time(
        "claim_remote",
        "the same where two cores claim in turns, with 0.1 µs of work between",
        times
            .iter()
            .map(|time| (2.0 * time - between).max(0.0))
            .collect(),
    );
    costs.number(
        "claim_failures",
        "failed compare-exchanges per claim then",
        failures,
    );
    costs.time(
        "claim_contended",
        "two cores that do nothing but claim, time between two claims",
        effort.sample(|| claims(count, 0, Threads::Two).0),
    );
    costs.time(
        "add_contended",
        "the same with `fetch_add`",
        effort.sample(|| adds_contended(count)),
    );
    costs.time(
        "transfer",
        "transfer of a cache line to the other core (half a round trip)",
        effort.sample(|| transfer(count)),
    );
}

fn clock(count: usize) -> f64 {
    let began = Instant::now();
    for _ in 0..count {
        black_box(Instant::now());
    }
    each(began.elapsed(), count)
}

#[derive(Clone, Copy)]
enum Threads {
    One,
    Two,
}

/// Lets one or two threads claim `count` indices one by one, with some work after each claim; returns the time between
/// two claims and how many exchanges failed for each.
fn claims(count: usize, between: u64, threads: Threads) -> (f64, f64) {
    let next = Padded::default();
    let claim = || {
        let mut failures = 0;
        while claim_one(&next.0, black_box(count), black_box(1), &mut failures) {
            black_box(spin(black_box(between), 1));
        }
        failures
    };
    let (elapsed, failures) = match threads {
        Threads::One => {
            let began = Instant::now();
            let failures = claim();
            (began.elapsed(), failures)
        }
        Threads::Two => {
            let (elapsed, mine, others) = both(claim, claim);
            (elapsed, mine + others)
        }
    };
    (each(elapsed, count), failures as f64 / count as f64)
}

/// Claims as `futureproof-core/src/raw/cursor.rs` does.
#[inline]
fn claim_one(next: &AtomicUsize, len: usize, want: usize, failures: &mut usize) -> bool {
    const SHARE: usize = 4;
    let mut start = next.load(Ordering::Relaxed);
    loop {
        let left = len - start;
        if left == 0 {
            return false;
        }
        let end = start + want.min(left / black_box(SHARE)).clamp(1, left);
        match next.compare_exchange_weak(start, end, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(now) => {
                start = now;
                *failures += 1;
            }
        }
    }
}

fn adds_contended(count: usize) -> f64 {
    let next = Padded::default();
    let add = || while next.0.fetch_add(1, Ordering::Relaxed) < count {};
    let (elapsed, (), ()) = both(add, add);
    each(elapsed, count)
}

/// Two threads, one of which makes the number odd and the other even.
fn transfer(count: usize) -> f64 {
    let number = Padded::default();
    let turn = |parity: usize| {
        for step in (parity..count).step_by(2) {
            while number
                .0
                .compare_exchange(step, step + 1, Ordering::AcqRel, Ordering::Relaxed)
                .is_err()
            {
                std::hint::spin_loop();
            }
        }
    };
    let (elapsed, (), ()) = both(|| turn(0), || turn(1));
    each(elapsed, count)
}
