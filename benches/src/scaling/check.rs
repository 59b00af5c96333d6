//! The simulation against the real thing, on the cores that are here.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use futureproof::{ParallelFor, pull, pull_here};
use futureproof_benches::body::spin;
use futureproof_benches::stats::Spread;
use futureproof_benches::{cpu, stats};

use crate::grid::{Grid, Unit};
use crate::measure::{Costs, stay_busy};
use crate::predict::{BODIES, KINDS};
use crate::sim::{self, Body, Handout, Kind, Loop, Machine, NANO, Time, Waking};

/// So many workers, on so many cores.
const WORKERS: usize = 2;

/// A body as it is run: so many rounds of `spin`, or a hundred times as many.
#[derive(Clone, Copy)]
struct Real {
    rounds: u64,
    skewed: bool,
}

impl Real {
    fn new(body: Body, round: f64) -> Self {
        let (time, skewed) = match body {
            Body::Even(time) => (time, false),
            Body::Skewed(short) => (short, true),
        };
        let rounds = (time as f64 / NANO as f64 / round).round() as u64;
        Self {
            rounds: rounds.max(1),
            skewed,
        }
    }

    #[inline]
    fn run(self, index: usize) {
        let long = self.skewed && Body::is_long(index);
        let rounds = if long { 100 * self.rounds } else { self.rounds };
        black_box(spin(rounds, index as u64));
    }
}

/// Runs a loop on two workers; returns how long it took, in nanoseconds.
fn parallel(kind: Kind, items: usize, real: Real) -> f64 {
    let options = ParallelFor::new().workers(WORKERS);
    let began = Instant::now();
    match kind {
        Kind::Indexed(_) => options.for_each(0..items, |index| real.run(index)),
        Kind::Shared(_) => options.for_each(pull(0..items), |index| real.run(index)),
        Kind::Fed => options.for_each(pull_here(0..items), |index| real.run(index)),
    };
    began.elapsed().as_nanos() as f64
}

fn sequential(items: usize, real: Real) -> f64 {
    let began = Instant::now();
    (0..items).for_each(|index| real.run(index));
    began.elapsed().as_nanos() as f64
}

/// Runs two sequential loops side by side; returns how long that took, in nanoseconds.
///
/// This is what the machine can do: its two cores may share more than memory, or have other work.
fn side_by_side(items: usize, real: Real) -> f64 {
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| sequential(items, real));
        sequential(items, real);
    });
    began.elapsed().as_nanos() as f64
}

/// Efficiency, predicted and measured, for each source and body. The bodies are simulated as long as they really were.
///
/// Measured is the time of two plain loops side by side ÷ (workers × time), so that what the machine itself takes away is
/// in both.
pub fn efficiencies(costs: &Costs, rounds: usize, length: Time) -> Grid {
    let machine = Machine::measured(costs, WORKERS);
    let mut grid = Grid::new("check", "source, body")
        .column("predicted", Unit::Share)
        .column("measured", Unit::Share)
        .column("difference, points", Unit::Points)
        .column("lower quartile", Unit::Share)
        .column("upper quartile", Unit::Share)
        .column("quiet rounds", Unit::Count);
    for (kind_name, kind) in KINDS {
        for (body_name, body) in BODIES {
            let real = Real::new(body, costs.get("spin"));
            let items = Loop::lasting(length, kind, body, &machine).items;
            let (measured, each, quiet) = measure(rounds, kind, items, real);
            let real_body = match body {
                Body::Even(_) => Body::Even(sim::time(each)),
                Body::Skewed(short) => Body::Skewed(sim::time(each * short as f64 / body.mean())),
            };
            let predicted = Loop::new(kind, items, real_body).run(&machine).efficiency();
            let row = [
                predicted,
                measured.median,
                measured.median - predicted,
                measured.low,
                measured.high,
                quiet as f64,
            ];
            grid.row(format!("{kind_name}, {body_name}"), row.map(Some));
        }
    }
    grid
}

/// Measures a loop's efficiency; returns it with the mean time of a body beside another one, and the number of rounds
/// that count.
///
/// Those count in which two plain loops side by side, before and after, took hardly longer than they ever did: nobody
/// else needed the cores. Where other work leaves too few of them, all count, and their number is given as 0.
fn measure(rounds: usize, kind: Kind, items: usize, real: Real) -> (Spread, f64, usize) {
    const HARDLY_LONGER: f64 = 1.1;
    let mut shortest = f64::INFINITY;
    let mut all: Vec<(f64, f64)> = Vec::new();
    let mut quiet: Vec<f64> = Vec::new();
    while quiet.len() < rounds && all.len() < 4 * rounds {
        cpu::settle();
        let before = side_by_side(items, real);
        let together = parallel(kind, items, real);
        let after = side_by_side(items, real);
        let efficiency = (before + after) / (2.0 * WORKERS as f64 * together);
        all.push((before.max(after), efficiency));
        shortest = shortest.min(before).min(after);
        // Anew each time: what is hardly longer is known better and better.
        quiet = all
            .iter()
            .filter(|(longer, _)| *longer < HARDLY_LONGER * shortest)
            .map(|(_, efficiency)| *efficiency)
            .collect();
    }
    let each = shortest / items as f64;
    if quiet.len() < 3 {
        return (
            Spread::of(all.into_iter().map(|(_, efficiency)| efficiency)),
            each,
            0,
        );
    }
    (Spread::of(quiet.iter().copied()), each, quiet.len())
}

/// How long short loops take, predicted and measured: one after the other, and each after a pause.
pub fn short_loops(costs: &Costs, rounds: usize) -> Grid {
    const TENTH: Body = Body::Even(100 * NANO);
    let machine = Machine::measured(costs, WORKERS);
    let real = Real::new(TENTH, costs.get("spin"));
    let kind = Kind::Indexed(Handout::Counter);
    let mut grid = Grid::new("check_short", "bodies of 0.1 µs, indexed")
        .column("sequential", Unit::Nanos)
        .column("in a row: predicted", Unit::Nanos)
        .column("in a row: measured", Unit::Nanos)
        .column("after 2 ms: predicted", Unit::Nanos)
        .column("after 2 ms: measured", Unit::Nanos);
    for items in [8, 64, 512, 4096] {
        let alone = stats::median((0..10 * rounds).map(|_| sequential(items, real)));
        let body = Body::Even(sim::time(alone / items as f64));
        let predict = |waking| {
            let outcome = Loop {
                waking,
                ..Loop::new(kind, items, body)
            }
            .run(&machine);
            outcome.makespan as f64 / NANO as f64
        };
        // The first ones of a row find the thread asleep.
        let row = (0..30 * rounds)
            .map(|_| parallel(kind, items, real))
            .skip(rounds);
        let row = stats::median(row);
        let paused = stats::median((0..3 * rounds).map(|_| {
            stay_busy(Duration::from_millis(2));
            parallel(kind, items, real)
        }));
        let values = [
            alone,
            predict(Waking::Awake),
            row,
            predict(Waking::ENGINE),
            paused,
        ];
        grid.row(format!("{items} items"), values.map(Some));
    }
    grid
}
