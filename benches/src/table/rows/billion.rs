//! Very many trivial items: neither the time for each nor the memory grows with their number.

use std::num::Wrapping;
use std::time::Instant;

use futureproof::parallel_for;
use futureproof_benches::body::mix;
use futureproof_benches::markdown::nanos;
use futureproof_benches::stats::Spread;

use super::pulled;
use crate::bar::{Bar, Decides, Verdict};
use crate::case::Case;
use crate::child;
use crate::foreign::OpenMp;
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

/// The short input that memory is compared with.
const FEW: u64 = 1_000;

pub fn billion(setup: &Setup) -> Row {
    let items = setup.pick(1_000_000_000, 200_000_000, 100_000);
    let threads = setup.threads;
    let rayon = peers::rayon(threads);

    let mut case = Case::new(items);
    case.add("sequential", || peers::sum(0..items, mix));
    case.add("ours", || range(items, threads));
    case.add("rayon", || {
        rayon.install(|| peers::rayon_sum(0..items, mix))
    });
    if let Some(openmp) = OpenMp::new() {
        case.add("OpenMP", move || openmp.sum_mix(items, threads));
    }
    case.bar(Bar::computed(
        "ours",
        1.1,
        format!("(sequential ÷ {threads})"),
        |round| round.of("sequential") / threads as f64,
    ));
    let mut row = case.run(setup);
    memory(setup, items, "range", &mut row);
    memory(setup, items, "pulled", &mut row);
    row
}

/// Compares the memory of two processes, one with few and one with many items.
fn memory(setup: &Setup, many: u64, source: &str, row: &mut Row) {
    let measure = |items: u64| {
        let arguments = [source, &items.to_string(), &setup.threads.to_string()];
        let [peak, time] = child::run("memory", &arguments)[..] else {
            panic!("a child of this program prints two figures");
        };
        (peak, time)
    };
    let rounds: Vec<_> = (0..3).map(|_| (measure(FEW), measure(many))).collect();
    let growth = rounds
        .iter()
        .map(|((few, _), (many, _))| (many - few) / 1024.0);
    row.verdicts.push(Verdict {
        what: format!("{source}: peak memory above that of {FEW} items"),
        limit: 1.0,
        unit: "MiB",
        spread: Spread::of(growth),
        decides: Decides::Median,
    });
    let peaks = |spread: Spread| format!("{:.0} KiB", spread.median);
    let time = Spread::of(rounds.iter().map(|(_, (_, time))| *time)).median;
    row.notes.push(format!(
        "{source}, a process of its own: peak memory {} with {FEW} items, {} with {many}, which take {} ({} per item).",
        peaks(Spread::of(rounds.iter().map(|((peak, _), _)| *peak))),
        peaks(Spread::of(rounds.iter().map(|(_, (peak, _))| *peak))),
        nanos(time),
        nanos(time / many as f64),
    ));
}

fn range(items: u64, threads: usize) -> u64 {
    let mut sum = Wrapping(0);
    parallel_for!(
        workers = threads,
        reduce(sum),
        for item in 0..items {
            sum += mix(item);
        }
    );
    sum.0
}

/// What the child process does: it prints its peak memory in KiB, and the time in nanoseconds.
pub fn child(source: &str, items: u64, threads: usize) {
    let start = Instant::now();
    let sum = match source {
        "range" => range(items, threads),
        _ => {
            let mut sum = Wrapping(0);
            parallel_for!(
                workers = threads,
                reduce(sum),
                for item in pulled(items) {
                    sum += mix(item);
                }
            );
            sum.0
        }
    };
    let time = start.elapsed().as_nanos();
    std::hint::black_box(sum);
    println!("{} {time}", child::peak_memory());
}
