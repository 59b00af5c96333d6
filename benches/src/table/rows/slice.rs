//! A cheap update of every element of a large slice, bound by memory.

use std::cell::RefCell;
use std::thread;

use futureproof::{ParallelFor, parallel_for};
use paralight::prelude::RangeStrategy;

use crate::bar::Bar;
use crate::case::{Case, Sample};
use crate::foreign::{OpenMp, Tbb};
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

#[inline(always)]
fn update(value: &mut u64) {
    *value = (*value ^ (*value >> 7)).wrapping_add(1);
}

pub fn update_in_place(setup: &Setup) -> Row {
    let length: usize = setup.pick(32 << 20, 8 << 20, 1 << 10);
    let threads = setup.threads;
    let rayon = peers::rayon(threads);
    let mut paralight = peers::paralight(threads, RangeStrategy::Fixed);
    let values = RefCell::new(vec![0; length]);
    // Filling and summing up is not timed.
    let timed = |work: &mut dyn FnMut(&mut [u64])| {
        let mut values = values.borrow_mut();
        fill(&mut values, threads);
        let nanos = Sample::of(|| {
            work(&mut values);
            0
        })
        .nanos;
        Sample {
            nanos,
            answer: checksum(&values, threads),
        }
    };

    let mut case = Case::new(length as u64);
    case.add_timed("sequential", || {
        timed(&mut |values| values.iter_mut().for_each(update))
    });
    case.add_timed("ours", || {
        timed(&mut |values| {
            parallel_for!(
                workers = threads,
                for value in values {
                    update(value);
                }
            );
        })
    });
    case.add_timed("ours, builder", || {
        timed(&mut |values| {
            ParallelFor::new().workers(threads).for_each(values, update);
        })
    });
    case.add_timed("rayon", || {
        use rayon::prelude::*;

        timed(&mut |values| rayon.install(|| values.par_iter_mut().for_each(update)))
    });
    case.add_timed("orx-parallel", || {
        use orx_parallel::*;

        timed(&mut |values| values.into_par().num_threads(threads).for_each(update))
    });
    if let Some(openmp) = OpenMp::new() {
        case.add_timed("OpenMP", move || {
            timed(&mut |values| openmp.update(values, threads))
        });
    }
    if let Some(tbb) = Tbb::new() {
        case.add_timed("oneTBB", move || {
            timed(&mut |values| tbb.update(values, threads))
        });
    }
    case.add_timed("paralight", || {
        use paralight::prelude::*;

        timed(&mut |values| {
            values
                .par_iter_mut()
                .with_thread_pool(&mut paralight)
                .for_each(update);
        })
    });
    #[cfg(feature = "forkunion")]
    case.add_timed("forkunion", || {
        let mut pool = peers::forkunion(threads);
        timed(&mut |values| pool.for_slices_mut(values, |_, part| part.iter_mut().for_each(update)))
    });
    case.add_timed("thread::scope by hand", || {
        timed(&mut |values| parts(values, threads, |_, part| part.iter_mut().for_each(update)))
    });
    case.bar(Bar::against(
        "ours",
        1.0,
        &["rayon", "orx-parallel", "OpenMP"],
    ));
    case.run(setup)
}

fn fill(values: &mut [u64], threads: usize) {
    parts(values, threads, |start, part| {
        for (index, value) in part.iter_mut().enumerate() {
            *value = (start + index) as u64;
        }
    });
}

/// A sum that depends on the elements' places.
fn checksum(values: &[u64], threads: usize) -> u64 {
    let weighed = |index: u64| values[index as usize].wrapping_mul(2 * index + 1);
    peers::by_hand(values.len() as u64, threads, weighed)
}

/// Runs `work` on one part for each thread, with the index of its first element.
fn parts(values: &mut [u64], threads: usize, work: impl Fn(usize, &mut [u64]) + Sync) {
    let length = values.len().div_ceil(threads);
    thread::scope(|scope| {
        let mut parts = values.chunks_mut(length).enumerate();
        let own = parts.next();
        for (number, part) in parts {
            let work = &work;
            scope.spawn(move || work(number * length, part));
        }
        if let Some((_, part)) = own {
            work(0, part);
        }
    });
}
