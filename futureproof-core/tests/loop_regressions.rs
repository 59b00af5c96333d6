//! Faults that a review of the engine found, each once.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use common::{no_hang, scaled};
use futureproof_core::{
    Ended, ErrorPolicy, ParallelFor, Reduce, StopCause, StopToken, is_stopping, pull, pull_here,
};

/// The text of the panic of `body`.
fn panic_of<R>(body: impl FnOnce() -> R) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(body)).err()?;
    Some(match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).into(),
    })
}

#[test]
fn a_source_that_panics_as_the_loop_is_stopped_is_still_heard() {
    for workers in common::WORKERS {
        for here in [false, true] {
            for _ in 0..scaled(20, 2) {
                let token = StopToken::new();
                let source = (0..100).inspect(|&n| {
                    if n == 5 {
                        token.stop();
                        panic!("the source");
                    }
                });
                let options = ParallelFor::new().workers(workers).stop(&token);
                let heard = panic_of(|| {
                    if here {
                        options.for_each(pull_here(source), |_| {})
                    } else {
                        options.for_each(pull(source), |_| {})
                    }
                });
                // The stop may have been seen before `next()` was called again.
                assert_eq!(heard.as_deref(), Some("the source"), "{workers} {here}");
            }
        }
    }
}

#[test]
fn an_exit_drops_what_was_pulled_so_that_a_source_which_waits_for_that_ends() {
    for here in [false, true] {
        no_hang(move || {
            for _ in 0..scaled(200, 2) {
                // Every item holds a sender: the source ends when all of them are gone.
                let (found, frontier) = mpsc::channel::<Item>();
                found.send(Item(1, found.clone())).unwrap();
                drop(found);
                let body = |Item(node, found): Item| {
                    for child in [2 * node, 2 * node + 1] {
                        if child < scaled(256, 32) as u32 {
                            let _ = found.send(Item(child, found.clone()));
                        }
                    }
                    if node == 9 { Err("node 9") } else { Ok(()) }
                };
                let options = ParallelFor::new().workers(2);
                let outcome = if here {
                    options.try_for_each(pull_here(frontier), body)
                } else {
                    options.try_for_each(pull(frontier), body)
                };
                assert_eq!(outcome.unwrap_err(), "node 9");
            }
        });
    }
}

/// A node of a frontier that ends when no item is left.
struct Item(u32, mpsc::Sender<Item>);

/// Merges until it should not.
struct Brittle(u64);

impl Reduce for Brittle {
    fn identity(&self) -> Self {
        Self(0)
    }

    fn merge(&mut self, later: Self) {
        assert!(later.0 < 1000, "too much to merge");
        self.0 += later.0;
    }
}

#[test]
fn a_merge_that_panics_behind_a_failure_is_heard() {
    let mut total = Brittle(0);
    let heard = panic_of(|| {
        ParallelFor::new()
            .workers(4)
            .batch(1)
            .error_policy(ErrorPolicy::Ignore)
            .try_fold_into(&mut total, 0..100_u64, |part, n| {
                part.0 += if n == 70 { 5000 } else { 1 };
                if n % 3 == 0 {
                    Err("every third")
                } else {
                    Ok(())
                }
            })
    });
    assert_eq!(heard.as_deref(), Some("too much to merge"));
}

/// An error whose drop panics.
#[derive(Debug)]
struct Bomb(usize);

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic!("dropped {}", self.0);
        }
    }
}

#[test]
fn an_error_that_does_not_count_does_not_decide_how_the_loop_ends() {
    no_hang(|| {
        for _ in 0..scaled(50, 3) {
            let other_failed = AtomicBool::new(false);
            let outcome = ParallelFor::new()
                .workers(2)
                .batch(1)
                .try_for_each(0..2, |n| {
                    if n == 0 {
                        while !other_failed.load(Ordering::Acquire) {
                            std::thread::yield_now();
                        }
                    } else {
                        other_failed.store(true, Ordering::Release);
                    }
                    Err(Bomb(n))
                });
            assert_eq!(outcome.unwrap_err().0, 0);
        }
    });
}

/// A worker's own value whose drop panics.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic_any("a local's drop");
    }
}

#[test]
fn a_panic_in_the_drop_of_a_local_reaches_the_caller() {
    for workers in common::WORKERS {
        let heard = panic_of(|| {
            ParallelFor::new()
                .workers(workers)
                .for_each_with(|| Fragile, 0..100, |_, _| {})
        });
        assert_eq!(heard.as_deref(), Some("a local's drop"));
    }
}

#[test]
fn one_element_whose_drop_panics_does_not_leak_the_others() {
    const PANICS: usize = scaled(500, 30);
    struct Element<'a>(usize, &'a AtomicUsize);
    impl Drop for Element<'_> {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::Relaxed);
            assert!(self.0 != PANICS, "its drop");
        }
    }
    for workers in common::WORKERS {
        let dropped = AtomicUsize::new(0);
        let count = scaled(1000, 60);
        let elements: Vec<_> = (0..count).map(|n| Element(n, &dropped)).collect();
        let heard = panic_of(|| {
            ParallelFor::new()
                .workers(workers)
                .try_for_each(
                    elements,
                    |element| {
                        if element.0 == 3 { Err("third") } else { Ok(()) }
                    },
                )
        });
        // With several workers its body may have started before the failure was known; then its panic does not count.
        match heard.as_deref() {
            Some(text) => assert_eq!(text, "its drop"),
            None => assert!(workers > 1),
        }
        assert_eq!(dropped.into_inner(), count, "{workers}");
    }
}

#[test]
fn a_loop_that_told_its_last_body_to_stop_is_a_stopped_loop() {
    for workers in common::WORKERS {
        let token = StopToken::new();
        let report = ParallelFor::new()
            .workers(workers)
            .stop(&token)
            .for_each(0..1, |_| {
                token.stop();
                assert!(is_stopping(), "the body gives up here");
            });
        assert_eq!(report.ended(), Ended::Stopped(StopCause::Token));
    }
}
