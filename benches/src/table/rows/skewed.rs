//! Bodies of unequal length: one item in a hundred takes a hundred times as long as the others.

use std::num::Wrapping;

use futureproof::{ParallelFor, parallel_for};
use futureproof_benches::body::{Rounds, mix, spin};
use paralight::prelude::RangeStrategy;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use super::lazy;
use crate::bar::Bar;
use crate::case::Case;
use crate::foreign::{OpenMp, Tbb};
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

/// The longest body.
const LONGEST_NANOS: f64 = 100_000.0;

fn body(Rounds { one, hundred, .. }: Rounds) -> impl Fn(u64) -> u64 + Sync + Send + Copy {
    move |item| {
        spin(
            if mix(item).is_multiple_of(100) {
                hundred
            } else {
                one
            },
            item,
        )
    }
}

pub fn range(setup: &Setup) -> Row {
    let items = setup.pick(100_000, 40_000, 500);
    let (threads, Rounds { one, hundred, .. }) = (setup.threads, setup.spins);
    let body = body(setup.spins);
    let rayon = peers::rayon(threads);
    let mut paralight = peers::paralight(threads, RangeStrategy::WorkStealing);

    let mut case = Case::new(items);
    case.add("sequential", || peers::sum(0..items, body));
    case.add("ours", || {
        let mut sum = Wrapping(0);
        parallel_for!(
            workers = threads,
            reduce(sum),
            for item in 0..items {
                sum += body(item);
            }
        );
        sum.0
    });
    case.add("ours, builder", || {
        let mut sum = Wrapping(0);
        let each = |sum: &mut Wrapping<u64>, item| *sum += body(item);
        ParallelFor::new()
            .workers(threads)
            .fold_into(&mut sum, 0..items, each);
        sum.0
    });
    case.add("rayon", || {
        rayon.install(|| peers::rayon_sum(0..items, body))
    });
    case.add("rayon, with_max_len(1)", || {
        let sum: Wrapping<u64> = rayon.install(|| {
            let items = (0..items as usize).into_par_iter().with_max_len(1);
            items.map(|item| Wrapping(body(item as u64))).sum()
        });
        sum.0
    });
    case.add("orx-parallel", || peers::orx_sum(0..items, threads, body));
    if let Some(openmp) = OpenMp::new() {
        case.add("OpenMP dynamic", move || {
            openmp.skewed_dynamic(items, one, hundred, threads)
        });
        case.add("OpenMP guided", move || {
            openmp.skewed_guided(items, one, hundred, threads)
        });
    }
    if let Some(tbb) = Tbb::new() {
        case.add("oneTBB", move || tbb.skewed(items, one, hundred, threads));
    }
    case.add("paralight", || {
        peers::paralight_sum(&mut paralight, 0..items, body)
    });
    case.bar(ideal(setup, items));
    case.run(setup)
}

pub fn lazy(setup: &Setup) -> Row {
    let items = setup.pick(100_000, 40_000, 500);
    let mut case = lazy::contenders(setup, items, items, body(setup.spins));
    case.bar(ideal(setup, items));
    case.run(setup)
}

/// No schedule is shorter than the work divided among the threads, or than its longest item.
fn ideal<'a>(setup: &Setup, items: u64) -> Bar<'a> {
    let threads = setup.threads as f64;
    let name = format!("ideal makespan, the longer of sequential ÷ {threads} and the longest item");
    Bar::computed("ours", 1.05, name, move |round| {
        (round.of("sequential") / threads).max(LONGEST_NANOS / items as f64)
    })
}
