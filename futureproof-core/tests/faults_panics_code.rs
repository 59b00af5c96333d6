//! Faults: panics in code of the user's that loops call around the bodies: the source's methods, reducers, what keys of maps
//! are compared by, the texts of errors, callbacks of tokens. The caller hears of it, or it is counted, and the pool goes on.

mod common;
mod faults_kit;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{KINDS, WORKERS, no_hang, try_for_each};
use faults_kit::things::{Census, Thing, hush, quiet_panic};
use futureproof_core::{ErrorPolicy, Max, ParallelFor, Payload, Reduce, TaskPool, pull, pull_here};

fn pool(workers: usize) -> TaskPool {
    TaskPool::builder().workers(workers).build()
}

/// Calls `test` with a pool of every number of workers, on which a loop is complete afterwards.
fn on_pools(test: impl Fn(&TaskPool, usize) + Send + Sync + Copy + 'static) {
    hush();
    for workers in WORKERS {
        no_hang(move || {
            let pool = pool(workers);
            test(&pool, workers);
            let report = ParallelFor::new().pool(&pool).for_each(0..500, |_| {});
            assert_eq!(report.completed(), 500, "the pool goes on");
        });
    }
}

fn caught<R>(test: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(test))
}

/// What a source does besides giving its items.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Where {
    SizeHint,
    Next(usize),
    /// Its drop, on whichever thread.
    Drop,
}

struct Source {
    census: Census,
    given: usize,
    fails: Where,
}

impl Iterator for Source {
    type Item = Thing;

    fn next(&mut self) -> Option<Thing> {
        if self.fails == Where::Next(self.given) {
            quiet_panic();
        }
        self.given += 1;
        (self.given <= 100).then(|| self.census.thing(self.given - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.fails == Where::SizeHint {
            quiet_panic();
        }
        (100 - self.given.min(100), Some(100 - self.given.min(100)))
    }
}

// Its `len` asks its `size_hint`.
impl ExactSizeIterator for Source {}

impl Drop for Source {
    fn drop(&mut self) {
        if self.fails == Where::Drop && !std::thread::panicking() {
            quiet_panic();
        }
    }
}

#[test]
fn whichever_method_of_a_source_panics_all_it_has_given_is_run_and_dropped_once() {
    on_pools(|pool, workers| {
        for fails in [
            Where::SizeHint,
            Where::Next(0),
            Where::Next(1),
            Where::Next(60),
            Where::Drop,
        ] {
            for here in [false, true] {
                for policy in [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore] {
                    let census = Census::new();
                    let ran = std::sync::atomic::AtomicUsize::new(0);
                    let source = Source {
                        census: census.clone(),
                        given: 0,
                        fails,
                    };
                    let body = |thing: Thing| {
                        drop(thing);
                        ran.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    };
                    let options = ParallelFor::new().pool(pool).error_policy(policy);
                    let ended = caught(|| {
                        if here {
                            options.for_each(pull_here(source), body)
                        } else {
                            options.for_each(pull(source), body)
                        }
                    });
                    let ran = ran.into_inner();
                    match (fails, ended) {
                        // A hint is not worth a loop: `for` would not have asked for it.
                        (Where::SizeHint, Ok(report)) => assert_eq!(report.completed(), 100),
                        (Where::Next(given), Err(_)) => assert_eq!(ran, given),
                        (Where::Drop, Err(_)) => assert_eq!(ran, 100),
                        (_, ended) => panic!("{fails:?} {workers} {here} {policy}: {ended:?}"),
                    }
                    census.all_are_gone();
                }
            }
        }
    });
}

/// A part of a reduced variable which panics at some number of things.
struct Part {
    things: Vec<Thing>,
    /// Panics when the identity is asked for, or when so many things are to be merged.
    identity: bool,
    most: usize,
}

impl Reduce for Part {
    fn identity(&self) -> Self {
        if self.identity {
            quiet_panic();
        }
        Self {
            things: Vec::new(),
            ..*self
        }
    }

    fn merge(&mut self, later: Self) {
        self.things.extend(later.things);
        if self.things.len() > self.most {
            quiet_panic();
        }
    }
}

#[test]
fn reducers_that_panic_are_heard_of_and_their_parts_are_dropped_once() {
    on_pools(|pool, workers| {
        for (identity, most) in [(true, 1000), (false, 0), (false, 50), (false, 1000)] {
            for policy in [ErrorPolicy::Raise, ErrorPolicy::Ignore] {
                for fallible in [false, true] {
                    let census = Census::new();
                    let mut total = Part {
                        things: Vec::new(),
                        identity,
                        most,
                    };
                    let options = ParallelFor::new().pool(pool).batch(3).error_policy(policy);
                    let ended = caught(|| {
                        if fallible {
                            let outcome =
                                options.try_fold_into(&mut total, pull(0..200), |part, n| {
                                    part.things.push(census.thing(n));
                                    if n == 190 { Err("no") } else { Ok(()) }
                                });
                            outcome.map_or(0, |report| report.completed())
                        } else {
                            let report = options.fold_into(&mut total, 0..200, |part, n| {
                                part.things.push(census.thing(n));
                            });
                            report.completed()
                        }
                    });
                    let what = format!("{workers} {identity} {most} {policy} {fallible}");
                    match ended {
                        // Without a part of its own no worker gets as far as the body: each item fails.
                        Ok(completed) if identity => {
                            assert_eq!((completed, policy), (0, ErrorPolicy::Ignore), "{what}");
                        }
                        ended => assert_eq!(ended.is_err(), identity || most < 1000, "{what}"),
                    }
                    assert!(total.things.is_sorted_by_key(|thing| thing.number));
                    drop(total);
                    census.all_are_gone();
                }
            }
        }
    });
}

/// A key that panics when it is compared or hashed once it is in a map of several.
#[derive(Debug, Clone, Copy)]
struct Key(u32);

impl Key {
    fn look(self, other: Self) {
        if self.0 == 77 || other.0 == 77 {
            quiet_panic();
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.look(*other);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.look(*other);
        self.0.cmp(&other.0)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.look(*self);
        self.0.hash(state);
    }
}

#[test]
fn keys_that_panic_as_they_are_hashed_and_compared_are_heard_of() {
    on_pools(|pool, _| {
        let options = || ParallelFor::new().pool(pool).batch(4);
        let mut hashed = HashMap::<Key, u64>::new();
        let ended = caught(|| {
            options().fold_into(&mut hashed, 0..200_u32, |part, n| {
                *part.entry(Key(n % 100)).or_default() += 1;
            })
        });
        assert!(ended.is_err());
        let mut ordered = BTreeMap::<Key, u64>::new();
        let ended = caught(|| {
            options().fold_into(&mut ordered, 0..200_u32, |part, n| {
                *part.entry(Key(n % 100)).or_default() += 1;
            })
        });
        assert!(ended.is_err());
        let mut set = BTreeSet::new();
        // The first one is not compared in the part, only as it is merged.
        let ended = caught(|| {
            let options = options().batch(1);
            options.fold_into(&mut set, 0..200_u32, |part, n| _ = part.insert(Key(n)))
        });
        assert!(ended.is_err());
        let mut largest = Max(None);
        let ended = caught(|| {
            options().fold_into(&mut largest, 0..200_u32, |part, n| {
                part.merge(Max(Some(Key(n))));
            })
        });
        assert!(ended.is_err());
        // Under a policy that goes on, what panics in the body is counted.
        let mut counts = HashMap::<Key, u64>::new();
        let options = options().error_policy(ErrorPolicy::Ignore);
        let report = options.fold_into(&mut counts, 0..200_u32, |part, n| {
            *part.entry(Key(n % 100)).or_default() += 1;
        });
        assert_eq!((report.completed(), report.failed()), (198, 2));
        assert_eq!(counts.values().sum::<u64>(), 198);
    });
}

/// An error whose text panics.
struct Rude;

impl fmt::Display for Rude {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        quiet_panic()
    }
}

#[test]
fn errors_that_panic_when_they_are_shown_fail_their_item_alone() {
    on_pools(|pool, workers| {
        for kind in KINDS {
            for policy in [ErrorPolicy::Log, ErrorPolicy::Ignore] {
                let options = ParallelFor::new().pool(pool).error_policy(policy);
                let outcome = try_for_each(kind, options, 100, |n| {
                    if n % 4 == 0 { Err(Rude) } else { Ok(()) }
                });
                let Ok(report) = outcome else {
                    panic!("left by an error under {policy}")
                };
                let counts = (report.completed(), report.failed());
                assert_eq!(counts, (75, 25), "{kind:?} {workers} {policy}");
            }
            let options = ParallelFor::new().pool(pool);
            let outcome =
                try_for_each(
                    kind,
                    options,
                    100,
                    |n| {
                        if n == 50 { Err(Rude) } else { Ok(()) }
                    },
                );
            assert!(outcome.is_err());
        }
    });
}
