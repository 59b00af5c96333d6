//! Sums over an iterator that nobody can split: it has to be pulled, item by item.

use std::num::Wrapping;
use std::sync::{Mutex, PoisonError};
use std::thread;

use futureproof::{ParallelFor, parallel_for, pull};
use futureproof_benches::body::{mix, spin};
use orx_parallel::*;
use pariter::IteratorExt as _;
use rayon::iter::{ParallelBridge as _, ParallelIterator as _};

use crate::bar::Bar;
use crate::case::Case;
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

/// How many items a channel written by hand holds.
const CHANNEL: usize = 1024;

/// An eighth of the items is filtered away; figures are per item of the range.
fn source(items: u64) -> impl Iterator<Item = u64> + Send + 'static {
    (0..items).map(mix).filter(|item| item & 7 != 0)
}

pub fn trivial(setup: &Setup) -> Row {
    let items = setup.pick(20_000_000, 2_000_000, 10_000);
    let mut case = contenders(setup, items, items / 20, mix);
    case.bar(Bar::against("ours", 0.25, &["rayon par_bridge"]));
    case.bar(Bar::against("ours", 1.0, &["orx-parallel"]));
    case.bar(Bar::against("ours", 1.1, &["sequential"]));
    case.run(setup)
}

pub fn one(setup: &Setup) -> Row {
    let items = setup.pick(200_000, 100_000, 1_000);
    let (threads, rounds) = (setup.threads, setup.spins.one);
    let mut case = contenders(setup, items, items, move |item| spin(rounds, item));
    case.bar(Bar::computed(
        "ours",
        1.03,
        format!("(sequential ÷ {threads})"),
        move |round| round.of("sequential") / threads as f64,
    ));
    case.run(setup)
}

/// `fewer` is how many items those peers get that hand over every single one.
pub fn contenders<'a>(
    setup: &Setup,
    items: u64,
    fewer: u64,
    body: impl Fn(u64) -> u64 + Sync + Send + Copy + 'static,
) -> Case<'a> {
    let threads = setup.threads;
    let rayon = peers::rayon(threads);
    let expected = sequential(fewer, body);

    let mut case = Case::new(items);
    case.add("sequential", move || sequential(items, body));
    case.add("ours", move || {
        let mut sum = Wrapping(0);
        parallel_for!(
            workers = threads,
            reduce(sum),
            for item in source(items) {
                sum += body(item);
            }
        );
        sum.0
    });
    case.add("ours, builder", move || {
        let mut sum = Wrapping(0);
        let each = |sum: &mut Wrapping<u64>, item| *sum += body(item);
        ParallelFor::new()
            .workers(threads)
            .fold_into(&mut sum, pull(source(items)), each);
        sum.0
    });
    case.add("orx-parallel", move || {
        source(items)
            .iter_into_par()
            .num_threads(threads)
            .map(body)
            .reduce(u64::wrapping_add)
            .expect("there are items")
    });
    case.add("rayon par_bridge", move || {
        let sum: Wrapping<u64> = rayon.install(|| {
            source(items)
                .par_bridge()
                .map(|item| Wrapping(body(item)))
                .sum()
        });
        sum.0
    });
    case.add_slow("mutex by hand", fewer, expected, move || {
        mutex(fewer, threads, body)
    });
    case.add_slow("crossbeam-channel by hand", fewer, expected, move || {
        channel(fewer, threads, body)
    });
    case.add_slow("pariter", fewer, expected, move || {
        source(fewer)
            .parallel_map_custom(|options| options.threads(threads), body)
            .fold(0, u64::wrapping_add)
    });
    case.note("The channel's and pariter's workers have the calling thread beside them, which pulls the items.");
    case
}

fn sequential(items: u64, body: impl Fn(u64) -> u64) -> u64 {
    let mut sum = 0_u64;
    for item in source(items) {
        sum = sum.wrapping_add(body(item));
    }
    sum
}

/// Each thread locks the iterator for its next item.
fn mutex(items: u64, threads: usize, body: impl Fn(u64) -> u64 + Sync) -> u64 {
    let source = Mutex::new(source(items));
    let work = || {
        let mut sum = 0_u64;
        loop {
            let next = source.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(item) = next else { break sum };
            sum = sum.wrapping_add(body(item));
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        others
            .into_iter()
            .map(|other| other.join().expect("bodies do not panic"))
            .fold(own, u64::wrapping_add)
    })
}

/// The calling thread sends the items to the others.
fn channel(items: u64, threads: usize, body: impl Fn(u64) -> u64 + Sync) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(CHANNEL);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (receiver, body) = (receiver.clone(), &body);
                scope.spawn(move || receiver.into_iter().map(body).fold(0, u64::wrapping_add))
            })
            .collect();
        for item in source(items) {
            sender.send(item).expect("the workers outlive the channel");
        }
        drop(sender);
        workers
            .into_iter()
            .map(|worker| worker.join().expect("bodies do not panic"))
            .fold(0, u64::wrapping_add)
    })
}
