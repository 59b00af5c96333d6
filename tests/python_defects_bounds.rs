//! What goes wrong in Python libraries and does not here: what scopes and streams of results keep and accept, and how they
//! are stopped. The table is in `python_defects.rs`.

mod python_kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futureproof::{Ended, StopCause, TrySubmitError, task_pool};
use python_kit::{Counter, Gauge, Present, guarded, wait_until, work_until_told_to_stop};

/// Pebble's and `concurrent.futures`' eager map, P5, M7
#[test]
fn map_pulls_no_further_than_its_bound() {
    #[task_pool(workers = 2, capacity = 3)]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        for in_order in [true, false] {
            let pulled = Arc::new(AtomicUsize::new(0));
            let counted = pulled.clone();
            let endless = (0..).inspect(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let mut results = if in_order {
                double::map(endless)
            } else {
                double::as_completed(endless)
            };
            for read in 0..100 {
                let bound = read + 2 + 3;
                assert!(pulled.load(Ordering::SeqCst) <= bound);
                results.next().unwrap().unwrap();
            }
            drop(results);
            let pulled = AtomicUsize::new(0);
            double::scope(|tasks| {
                tasks.map((0..1000).inspect(|_| {
                    pulled.fetch_add(1, Ordering::SeqCst);
                }));
                for read in 0..100 {
                    assert!(pulled.load(Ordering::SeqCst) <= read + 5);
                    tasks.as_completed().next().unwrap().unwrap();
                }
            })
            .unwrap();
            // The end of the scope runs the rest.
            assert_eq!(pulled.load(Ordering::SeqCst), 1000);
        }
    });
}

/// Memory for 10⁶ tasks
#[test]
fn memory_holds_a_bounded_number_of_arguments_and_results() {
    static ARGS: Gauge = Gauge::new();
    static RESULTS: Gauge = Gauge::new();

    #[task_pool(workers = 2, capacity = 2)]
    fn consume(_arg: Present<'static>) -> Present<'static> {
        RESULTS.enter()
    }

    fn inputs() -> impl Iterator<Item = Present<'static>> + Send + 'static {
        (0..20_000).map(|_| ARGS.enter())
    }

    guarded(|| {
        assert_eq!(consume::map(inputs()).flatten().count(), 20_000);
        assert_eq!(consume::as_completed(inputs()).flatten().count(), 20_000);
        consume::scope(|tasks| tasks.map(inputs())).unwrap();
        consume::scope(|tasks| {
            tasks.map(inputs());
            assert_eq!(tasks.run().unwrap().completed(), 20_000);
        })
        .unwrap();
        consume::scope(|tasks| {
            tasks.map(inputs());
            assert_eq!(tasks.as_completed().flatten().count(), 20_000);
        })
        .unwrap();
        // Four tasks, an argument each and a copy to keep; and what the reader and the source hold.
        assert!(ARGS.peak() <= 10, "{ARGS:?}");
        assert!(RESULTS.peak() <= 5, "{RESULTS:?}");
        wait_until(|| ARGS.now() == 0 && RESULTS.now() == 0);
    });
}

/// P1
#[test]
fn stopping_ends_everything_that_was_accepted() {
    #[task_pool(workers = 2, capacity = 50)]
    fn long(_n: usize) {
        work_until_told_to_stop();
    }

    guarded(|| {
        long::scope(|tasks| {
            for n in 0..50 {
                tasks.submit(n);
            }
            tasks.map(0..);
            wait_until(|| tasks.running() == 2);
            tasks.stop();
            tasks.submit(50);
            let mut indices = Vec::new();
            for done in tasks.as_completed() {
                match done {
                    Ok(done) => indices.push(done.index),
                    Err(error) => {
                        assert!(error.is_cancelled());
                        indices.push(error.index());
                    }
                }
            }
            indices.sort_unstable();
            assert!(indices.into_iter().eq(0..51));
            assert_eq!((tasks.completed(), tasks.cancelled()), (2, 49));
            assert_eq!(
                tasks.run().unwrap().ended(),
                Ended::Stopped(StopCause::Asked)
            );
        })
        .unwrap();
    });
}

/// M1
#[test]
fn a_reader_wakes_when_another_thread_stops_the_scope() {
    #[task_pool(workers = 2)]
    fn long(_n: usize) {
        work_until_told_to_stop();
    }

    guarded(|| {
        long::scope(|tasks| {
            tasks.map(0..10);
            thread::scope(|scope| {
                let readers = [true, false].map(|in_order| {
                    scope.spawn(move || {
                        if in_order {
                            tasks.in_order().count()
                        } else {
                            tasks.as_completed().count()
                        }
                    })
                });
                wait_until(|| tasks.running() == 2);
                tasks.stop();
                let read: usize = readers
                    .into_iter()
                    .map(|reader| reader.join().unwrap())
                    .sum();
                assert_eq!(read, tasks.len());
            });
        })
        .unwrap();
    });
}

/// M4
#[test]
fn an_unlimited_capacity_never_blocks_a_submit() {
    #[task_pool(workers = 1, capacity = usize::MAX)]
    fn gated(_n: usize, gate: &Counter) {
        gate.wait_for(1);
    }

    guarded(|| {
        let gate = Counter::new();
        gated::scope(|tasks| {
            for n in 0..10_000 {
                tasks.submit(n, &gate);
            }
            assert_eq!(tasks.completed(), 0);
            gate.add();
            assert_eq!(tasks.run().unwrap().completed(), 10_000);
        })
        .unwrap();
    });
}

/// M5
#[test]
fn stop_wakes_a_blocked_submit() {
    #[task_pool(workers = 1, capacity = 1)]
    fn gated(_n: usize, gate: &Counter) {
        gate.wait_for(1);
    }

    guarded(|| {
        let gate = Counter::new();
        gated::scope(|tasks| {
            thread::scope(|scope| {
                let submitter =
                    scope.spawn(|| (0..10).for_each(|n| assert_eq!(tasks.submit(n, &gate), n)));
                wait_until(|| (tasks.running(), tasks.waiting()) == (1, 1));
                // Most likely the third is blocked by now; in any case it cannot be accepted.
                tasks.stop();
                submitter.join().unwrap();
                assert_eq!(tasks.running(), 1);
                gate.add();
            });
            assert_eq!((tasks.len(), tasks.as_completed().count()), (10, 10));
            assert_eq!((tasks.completed(), tasks.cancelled()), (1, 9));
        })
        .unwrap();
    });
}

/// P5
#[test]
fn try_submit_refuses_when_the_workers_are_busy_and_the_queue_is_full() {
    #[task_pool(workers = 2, capacity = 3)]
    fn gated(_n: usize, gate: &Counter) {
        gate.wait_for(1);
    }

    guarded(|| {
        let gate = Counter::new();
        gated::scope(|tasks| {
            let accepted = (0..)
                .take_while(|&n| tasks.try_submit(n, &gate).is_ok())
                .count();
            assert_eq!(accepted, 2 + 3);
            let refused = tasks.try_submit(5, &gate).unwrap_err();
            assert!(matches!(refused, TrySubmitError::Full((5, _))));
            gate.add();
            assert_eq!(tasks.run().unwrap().completed(), 5);
        })
        .unwrap();
    });
}
