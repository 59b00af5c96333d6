//! Many short loops, one after another: what it costs to begin and end one.

use std::num::Wrapping;

use futureproof::{ParallelFor, parallel_for};
use futureproof_benches::body::spin;
use paralight::prelude::RangeStrategy;

use crate::bar::Bar;
use crate::case::Case;
use crate::foreign::{OpenMp, Tbb};
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

/// Items of a loop.
const LENGTH: u64 = 64;

pub fn loops(setup: &Setup) -> Row {
    let loops = setup.pick(10_000, 2_000, 10);
    let (threads, rounds) = (setup.threads, setup.spins.tenth);
    let body = move |item| spin(rounds, item);
    let rayon = peers::rayon(threads);
    let mut paralight = peers::paralight(threads, RangeStrategy::Fixed);
    let chili = peers::chili(threads);
    let rayon_loop = |start| peers::rayon_sum(start..start + LENGTH, body);

    let mut case = Case::new(loops * LENGTH);
    case.add("sequential", || {
        each(loops, |start| peers::sum(start..start + LENGTH, body))
    });
    case.add("ours", || {
        each(loops, |start| {
            let mut sum = Wrapping(0);
            parallel_for!(
                workers = threads,
                reduce(sum),
                for item in start..start + LENGTH {
                    sum += body(item);
                }
            );
            sum.0
        })
    });
    case.add("ours, builder", || {
        each(loops, |start| {
            let mut sum = Wrapping(0);
            let add = |sum: &mut Wrapping<u64>, item| *sum += body(item);
            ParallelFor::new()
                .workers(threads)
                .fold_into(&mut sum, start..start + LENGTH, add);
            sum.0
        })
    });
    case.add("rayon", || {
        each(loops, |start| rayon.install(|| rayon_loop(start)))
    });
    case.add("rayon, inside its pool", || {
        rayon.install(|| each(loops, rayon_loop))
    });
    case.add("orx-parallel", || {
        each(loops, |start| {
            peers::orx_sum(start..start + LENGTH, threads, body)
        })
    });
    if let Some(openmp) = OpenMp::new() {
        case.add("OpenMP", move || {
            openmp.small_loops(loops, LENGTH, rounds, threads)
        });
    }
    if let Some(tbb) = Tbb::new() {
        case.add("oneTBB", move || {
            tbb.small_loops(loops, LENGTH, rounds, threads)
        });
    }
    case.add("paralight", || {
        each(loops, |start| {
            peers::paralight_sum(&mut paralight, start..start + LENGTH, body)
        })
    });
    case.add("chili", || {
        let mut scope = chili.scope();
        each(loops, |start| {
            peers::chili_sum(&mut scope, start..start + LENGTH, 4, body)
        })
    });
    #[cfg(feature = "forkunion")]
    case.add_timed("forkunion", || {
        let mut pool = peers::forkunion(threads);
        crate::case::Sample::of(|| {
            each(loops, |start| {
                peers::forkunion_sum(&mut pool, LENGTH, |item| body(start + item))
            })
        })
    });
    case.bar(Bar::against("ours", 0.7, &["rayon"]));
    case.bar(Bar::against("ours", 0.7, &["rayon, inside its pool"]));
    case.bar(Bar::against("ours", 1.1, &["sequential"]));
    case.note(
        "Ours and rayon's loops begin on an ordinary thread, as in a program that does nothing special; \"inside its \
         pool\" all of rayon's loops are in one `install`, which saves it handing every loop over.",
    );
    case.run(setup)
}

/// Runs the loops and sums their sums.
fn each(loops: u64, mut run: impl FnMut(u64) -> u64) -> u64 {
    (0..loops)
        .map(|index| run(index * LENGTH))
        .fold(0, u64::wrapping_add)
}
