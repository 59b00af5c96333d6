//! Sums over an integer range.

use std::num::Wrapping;

use futureproof::{ParallelFor, parallel_for};
use futureproof_benches::body::{mix, spin};
use paralight::prelude::RangeStrategy;

use crate::bar::Bar;
use crate::case::Case;
use crate::foreign::{OpenMp, Tbb};
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

pub fn trivial(setup: &Setup) -> Row {
    let items = setup.pick(100_000_000, 50_000_000, 10_000);
    let threads = setup.threads;
    measure(
        setup,
        items,
        4096,
        mix,
        |openmp| openmp.sum_mix(items, threads),
        |tbb| tbb.sum_mix(items, threads),
    )
}

pub fn tenth(setup: &Setup) -> Row {
    let items = setup.pick(1_000_000, 400_000, 1_000);
    let (threads, rounds) = (setup.threads, setup.spins.tenth);
    measure(
        setup,
        items,
        16,
        move |item| spin(rounds, item),
        |openmp| openmp.sum_spin(items, rounds, threads),
        |tbb| tbb.sum_spin(items, rounds, threads),
    )
}

/// `grain` is how many items are worth a join to chili.
fn measure(
    setup: &Setup,
    items: u64,
    grain: u64,
    body: impl Fn(u64) -> u64 + Sync + Send + Copy,
    openmp: impl Fn(OpenMp) -> u64,
    tbb: impl Fn(Tbb) -> u64,
) -> Row {
    let threads = setup.threads;
    let rayon = peers::rayon(threads);
    let mut paralight = peers::paralight(threads, RangeStrategy::Fixed);
    let chili = peers::chili(threads);

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
    case.add("orx-parallel", || peers::orx_sum(0..items, threads, body));
    if let Some(library) = OpenMp::new() {
        let openmp = &openmp;
        case.add("OpenMP", move || openmp(library));
    }
    if let Some(library) = Tbb::new() {
        let tbb = &tbb;
        case.add("oneTBB", move || tbb(library));
    }
    case.add("paralight", || {
        peers::paralight_sum(&mut paralight, 0..items, body)
    });
    case.add("chili", || {
        peers::chili_sum(&mut chili.scope(), 0..items, grain, body)
    });
    #[cfg(feature = "forkunion")]
    case.add_timed("forkunion", || {
        let mut pool = peers::forkunion(threads);
        crate::case::Sample::of(|| peers::forkunion_sum(&mut pool, items, body))
    });
    case.add("thread::scope by hand", || {
        peers::by_hand(items, threads, body)
    });
    case.bar(Bar::against(
        "ours",
        1.0,
        &["rayon", "orx-parallel", "OpenMP"],
    ));
    case.run(setup)
}
