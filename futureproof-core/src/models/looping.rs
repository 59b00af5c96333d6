//! Whole loops: what the parts above do together.

use std::panic::{self, AssertUnwindSafe};

use super::{explore, explore_with_failed_starts, pool};
use crate::engine::ParallelFor;
use crate::raw::watched::Watched;
use crate::source::{pull, pull_here};
use crate::stop::StopToken;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// What bodies have touched; each index once.
struct Touched {
    items: Vec<Watched>,
    times: AtomicUsize,
}

impl Touched {
    fn new(items: usize) -> Self {
        Self {
            items: (0..items).map(|_| Watched::new()).collect(),
            times: AtomicUsize::new(0),
        }
    }

    fn touch(&self, index: usize) {
        self.items[index].write();
        self.times.fetch_add(1 << (4 * index), Ordering::Relaxed);
    }

    /// The indices that have been touched, one digit each; asked after the loop.
    fn times(&self) -> usize {
        self.items.iter().for_each(Watched::write);
        self.times.load(Ordering::Relaxed)
    }
}

#[test]
fn a_loop_over_indices_runs_each_item_once_before_it_ends() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(2));
        let report = ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .for_each(0..2_usize, |index| touched.touch(index));
        assert_eq!(touched.times(), 0x11);
        assert_eq!(report.completed(), 2);
    });
}

#[test]
fn a_loop_over_an_iterator_runs_each_item_once_before_it_ends() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(2));
        ParallelFor::new()
            .pool(&pool)
            .for_each(pull(0..2_usize), |index| touched.touch(index));
        assert_eq!(touched.times(), 0x11);
    });
}

#[test]
fn a_loop_that_its_caller_feeds_runs_each_item_once_before_it_ends() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(2));
        ParallelFor::new()
            .pool(&pool)
            .for_each(pull_here(0..2_usize), |index| touched.touch(index));
        assert_eq!(touched.times(), 0x11);
    });
}

#[test]
fn the_lowest_failure_leaves_a_loop_and_every_item_before_it_has_run() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(3));
        let outcome = ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .try_for_each(0..3_usize, |index| {
                touched.touch(index);
                if index == 0 { Ok(()) } else { Err(index) }
            });
        assert_eq!(outcome.unwrap_err(), 1);
        assert!(matches!(touched.times(), 0x11 | 0x111));
    });
}

#[test]
fn the_lowest_panic_leaves_a_loop() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(2));
        let unwound = panic::catch_unwind(AssertUnwindSafe(|| {
            ParallelFor::new()
                .pool(&pool)
                .batch(1)
                .for_each(0..2_usize, |index| {
                    touched.touch(index);
                    panic::resume_unwind(Box::new(index));
                })
        }));
        assert_eq!(*unwound.unwrap_err().downcast::<usize>().unwrap(), 0);
        assert!(matches!(touched.times(), 0x1 | 0x11));
    });
}

#[test]
fn a_stopped_loop_says_so_unless_all_has_been_run() {
    explore(|| {
        // The caller alone: it is the one who stops that comes at any time.
        let (pool, touched) = (pool(1), Touched::new(2));
        let token = StopToken::new();
        let stopper = {
            let token = token.clone();
            loom::thread::spawn(move || token.stop())
        };
        let outcome = ParallelFor::new()
            .pool(&pool)
            .stop(&token)
            .for_each(0..2_usize, |index| touched.touch(index))
            .or_stopped();
        stopper.join().unwrap();
        match (outcome, touched.times()) {
            (Ok(_), times) => assert_eq!(times, 0x11),
            (Err(stopped), times) => {
                assert_eq!(u64::from(times.count_ones()), stopped.report().completed());
            }
        }
    });
}

#[test]
fn a_body_may_stop_its_loop() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(2));
        let token = StopToken::new();
        let outcome = ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .stop(&token)
            .for_each(0..2_usize, |index| {
                token.stop();
                touched.touch(index);
            })
            .or_stopped();
        match (outcome, touched.times()) {
            (Ok(_), times) => assert_eq!(times, 0x11),
            // Perhaps with 2: whether the other item has been taken, and whether the token has been stopped, need not be
            // seen in one order. It says too much then, but is no quiet success.
            (Err(stopped), times) => {
                assert_eq!(u64::from(times.count_ones()), stopped.report().completed());
            }
        }
    });
}

#[test]
fn a_reduced_vector_is_in_order() {
    explore(|| {
        let pool = pool(2);
        let mut items = Vec::new();
        ParallelFor::new().pool(&pool).batch(1).fold_into(
            &mut items,
            0..2_usize,
            |items: &mut Vec<_>, index| {
                let watched = Arc::new(Watched::new());
                watched.write();
                items.push((index, watched));
            },
        );
        for (at, (index, watched)) in items.iter().enumerate() {
            watched.write();
            assert_eq!(at, *index);
        }
        assert_eq!(items.len(), 2);
    });
}

#[test]
fn a_loop_in_a_body_runs_on_the_same_pool() {
    explore(|| {
        let (pool, touched) = (pool(2), Touched::new(4));
        ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .for_each(0..2_usize, |outer| {
                ParallelFor::new()
                    .pool(&pool)
                    .batch(1)
                    .for_each(0..2_usize, |inner| touched.touch(2 * outer + inner));
            });
        assert_eq!(touched.times(), 0x1111);
    });
}

#[test]
fn a_loop_runs_on_the_threads_that_can_be_started() {
    explore_with_failed_starts(2, || {
        let (pool, touched) = (pool(3), Touched::new(2));
        ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .for_each(0..2_usize, |index| touched.touch(index));
        assert_eq!(touched.times(), 0x11);
    });
}
