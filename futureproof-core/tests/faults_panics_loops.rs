//! Faults: panics in the `Drop` of whatever a loop has in its hands, wherever that happens. Nothing hangs, everything is dropped
//! exactly once, and the pool goes on.

mod common;
mod faults_kit;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use common::{KINDS, Kind, Random, no_hang};
use faults_kit::things::{Census, Thing, Things, hush, quiet_panic};
use futureproof_core::{ErrorPolicy, ParallelFor, Report, TaskPool, pull, pull_here};

const POLICIES: [ErrorPolicy; 3] = [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore];

/// What the body does with an item.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deed {
    Drop,
    Fail,
    Panic,
    /// Fails with an error of its own, which is a grenade.
    Throw,
}

/// A loop at random: some of its items are grenades, and some bodies fail or panic, with grenades.
struct Program {
    kind: Kind,
    workers: usize,
    policy: ErrorPolicy,
    batch: usize,
    /// How often each item's drop panics, and what its body does with it.
    items: Vec<(u32, Deed)>,
    /// Where the source panics.
    source: Option<usize>,
}

impl Program {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let kind = KINDS[random.below(3)];
        let workers = [1, 2, 3][random.below(3)];
        let policy = POLICIES[random.below(3)];
        let batch = [1, 4, 1000][random.below(3)];
        let length = random.below(60);
        let rare = [3, 10, 40][random.below(3)];
        let items = (0..length).map(|_| {
            let fuse = if random.below(rare) == 0 { 1 } else { 0 };
            let deed = match random.below(rare) {
                0 => [Deed::Fail, Deed::Panic, Deed::Throw][random.below(3)],
                _ => Deed::Drop,
            };
            (fuse, deed)
        });
        let items: Vec<_> = items.collect();
        let source = (random.below(4) == 0 && length > 0).then(|| random.below(length));
        Self {
            kind,
            workers,
            policy,
            batch,
            items,
            source: source.filter(|_| kind != Kind::Indexed),
        }
    }

    /// How it ended: with a report, an error or a panic.
    fn run(&self, pool: &TaskPool, census: &Census) -> Result<Result<Report, Thing>, ()> {
        let things: Vec<_> = (self.items.iter().enumerate())
            .map(|(number, (fuse, _))| match fuse {
                0 => census.thing(number),
                times => census.grenade(number, *times),
            })
            .collect();
        let source = self.source;
        let body = |parts: &mut Things, thing: Thing| {
            parts.0.push(census.thing(thing.number));
            match self.items[thing.number].1 {
                Deed::Drop => Ok(()),
                Deed::Fail => Err(thing),
                Deed::Panic => panic_any(thing),
                Deed::Throw => Err(census.grenade(thing.number, 1)),
            }
        };
        let fragile = move |thing: &Thing| {
            if source == Some(thing.number) {
                quiet_panic();
            }
        };
        let mut total = Things::default();
        let options = ParallelFor::new()
            .pool(pool)
            .workers(self.workers)
            .error_policy(self.policy)
            .batch(self.batch);
        let outcome = catch_unwind(AssertUnwindSafe(|| match self.kind {
            Kind::Indexed => options.try_fold_into(&mut total, things, body),
            Kind::Shared => {
                let source = things.into_iter().inspect(fragile);
                options.try_fold_into(&mut total, pull(source), body)
            }
            Kind::CallerFed => {
                let source = things.into_iter().inspect(fragile);
                options.try_fold_into(&mut total, pull_here(source), body)
            }
        }));
        // In input order, and nothing twice.
        assert!(total.0.is_sorted_by(|one, other| one.number < other.number));
        outcome.map_err(|payload| {
            // The test is the one who drops it, and knows how.
            if let Ok(thing) = payload.downcast::<Thing>() {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(thing))).map_err(std::mem::forget);
            }
        })
    }
}

#[test]
fn whatever_panics_as_it_is_dropped_a_loop_ends_and_drops_everything_once() {
    hush();
    no_hang(|| {
        let pool = TaskPool::builder().workers(3).build();
        for seed in 0..4000 {
            let program = Program::new(seed);
            let census = Census::new();
            let outcome = program.run(&pool, &census);
            let items = program.items.len() as u64;
            let quiet = (program.items.iter()).all(|item| *item == (0, Deed::Drop));
            match outcome {
                Ok(Ok(report)) => {
                    assert!(program.source.is_none(), "seed {seed}: the source's panic");
                    assert_eq!(report.completed() + report.failed(), items, "seed {seed}");
                    assert!(quiet || report.failed() > 0, "seed {seed}");
                    let raise = program.policy == ErrorPolicy::Raise;
                    assert!(quiet || !raise, "seed {seed}: a failure is swallowed");
                }
                Ok(Err(thing)) => {
                    let deed = program.items[thing.number].1;
                    assert!(matches!(deed, Deed::Fail | Deed::Throw), "seed {seed}");
                    let _ =
                        catch_unwind(AssertUnwindSafe(|| drop(thing))).map_err(std::mem::forget);
                }
                Err(()) => assert!(!quiet || program.source.is_some(), "seed {seed}"),
            }
            // Each grenade leaves one payload, which the test forgets; so does the loop where a payload's own drop panics.
            let grenades = program.items.iter();
            let grenades = grenades.filter(|item| item.0 > 0 || item.1 != Deed::Drop);
            census.all_are_gone_but(grenades.count() * 2);
            let report = ParallelFor::new().pool(&pool).for_each(0..64, |_| {});
            assert_eq!(report.completed(), 64, "seed {seed}: the pool goes on");
        }
    });
}

/// Payloads of payloads end somewhere: two levels are dropped, a third is forgotten.
#[test]
fn payloads_whose_drop_panics_again_and_again_are_forgotten_in_the_end() {
    hush();
    for kind in KINDS {
        for workers in [1, 2, 3] {
            for policy in POLICIES {
                no_hang(move || {
                    let pool = TaskPool::builder().workers(workers).build();
                    let census = Census::new();
                    let options = ParallelFor::new().pool(&pool).error_policy(policy);
                    let outcome = catch_unwind(AssertUnwindSafe(|| {
                        common::for_each(kind, options, 50, |n| panic_any(census.grenade(n, 5)))
                    }));
                    match outcome {
                        Ok(report) => assert_eq!(report.failed(), 50),
                        Err(payload) => {
                            assert_eq!(payload.downcast_ref::<Thing>().unwrap().number, 0);
                            std::mem::forget(payload);
                        }
                    }
                    census.all_are_gone_but(50);
                    let report = ParallelFor::new().pool(&pool).for_each(0..64, |_| {});
                    assert_eq!(report.completed(), 64);
                });
            }
        }
    }
}
