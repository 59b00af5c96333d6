//! Rules 2, 3 and 4: fail fast, bounded, prompt.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};

use common::{KINDS, Kind, WORKERS, everywhere, no_hang, scaled, try_for_each};
use futureproof_core::{ErrorPolicy, ParallelFor, is_stopping, pull, pull_here};

/// Spins until `flag` is set: a body that takes as long as another one wants.
fn wait_for(flag: &AtomicBool) {
    while !flag.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
}

#[test]
fn no_item_starts_once_the_failure_is_known() {
    let (count, fails) = (scaled(100_000, 300), scaled(1000, 50));
    everywhere(|kind, workers| {
        let started_late = AtomicUsize::new(0);
        let outcome = try_for_each(kind, ParallelFor::new().workers(workers), count, |n| {
            // The loop itself says that the failure is known.
            if n > fails && is_stopping() {
                started_late.fetch_add(1, Ordering::Relaxed);
            }
            if n == fails { Err("failed") } else { Ok(()) }
        });
        assert!(outcome.is_err());
        // A worker may have passed its check just before.
        let late = started_late.into_inner();
        assert!(
            late < workers.max(2),
            "{kind:?} {workers}: {late} started late"
        );
    });
}

#[test]
fn a_failure_among_slow_bodies_starts_none_but_those_running() {
    for kind in KINDS {
        for workers in WORKERS {
            no_hang(move || {
                let started = AtomicUsize::new(0);
                let outcome = try_for_each(
                    kind,
                    ParallelFor::new().workers(workers).batch(1),
                    1_000_000_000,
                    |n| {
                        started.fetch_add(1, Ordering::Relaxed);
                        if n == 5 {
                            return Err(n);
                        }
                        while n > 5 && !is_stopping() {
                            std::thread::yield_now();
                        }
                        Ok(())
                    },
                );
                assert_eq!(outcome.unwrap_err(), 5);
                assert!(started.into_inner() <= 6 + workers, "{kind:?} {workers}");
            });
        }
    }
}

#[test]
fn at_most_workers_times_batch_items_are_pulled_and_not_finished() {
    for workers in WORKERS {
        for batch in [1, 2, 8, 1024] {
            for here in [false, true] {
                let pulled = AtomicUsize::new(0);
                let finished = AtomicUsize::new(0);
                let most = AtomicUsize::new(0);
                let source = (0..scaled(20_000, 60)).inspect(|_| {
                    let open =
                        pulled.fetch_add(1, Ordering::SeqCst) + 1 - finished.load(Ordering::SeqCst);
                    most.fetch_max(open, Ordering::SeqCst);
                });
                let options = ParallelFor::new().workers(workers).batch(batch);
                let body = |_| {
                    finished.fetch_add(1, Ordering::SeqCst);
                };
                if here {
                    options.for_each(pull_here(source), body);
                } else {
                    options.for_each(pull(source), body);
                }
                let most = most.into_inner();
                assert!(
                    most <= workers * batch,
                    "{most} of {workers} × {batch}, here: {here}"
                );
            }
        }
    }
}

#[test]
fn slow_bodies_are_not_read_ahead() {
    for here in [false, true] {
        let pulled = AtomicUsize::new(0);
        let finished = AtomicUsize::new(0);
        let source = (0..scaled(40, 10)).inspect(|_| {
            pulled.fetch_add(1, Ordering::SeqCst);
        });
        let body = |_| {
            let until = std::time::Instant::now() + std::time::Duration::from_micros(300);
            while std::time::Instant::now() < until {
                std::hint::spin_loop();
            }
            let open = pulled.load(Ordering::SeqCst) - finished.fetch_add(1, Ordering::SeqCst);
            assert!(open <= 3, "{open} pulled and not finished, with 3 workers");
        };
        let options = ParallelFor::new().workers(3);
        if here {
            options.for_each(pull_here(source), body);
        } else {
            options.for_each(pull(source), body);
        }
    }
}

#[test]
fn a_pulled_item_runs_although_the_next_one_never_comes() {
    for workers in [2, 3, scaled(16, 4)] {
        no_hang(move || {
            for last in [0, 1, 5, scaled(100, 20), scaled(5000, 60)] {
                let ran = AtomicUsize::new(0);
                let all_ran = AtomicBool::new(false);
                // The source blocks until every item it has given has run.
                let source = (0..=last).chain(std::iter::once_with(|| {
                    wait_for(&all_ran);
                    last + 1
                }));
                ParallelFor::new()
                    .workers(workers)
                    .for_each(pull(source), |_| {
                        if ran.fetch_add(1, Ordering::AcqRel) == last {
                            all_ran.store(true, Ordering::Release);
                        }
                    });
                assert_eq!(ran.into_inner(), last + 2);
            }
        });
    }
}

#[test]
fn a_caller_fed_item_runs_although_the_next_one_never_comes() {
    no_hang(|| {
        for last in [0, 1, 5, scaled(100, 20), scaled(5000, 60)] {
            let ran = AtomicUsize::new(0);
            let all_ran = AtomicBool::new(false);
            let source = (0..=last).chain(std::iter::once_with(|| {
                wait_for(&all_ran);
                last + 1
            }));
            ParallelFor::new()
                .workers(3)
                .for_each(pull_here(source), |_| {
                    if ran.fetch_add(1, Ordering::AcqRel) == last {
                        all_ran.store(true, Ordering::Release);
                    }
                });
            assert_eq!(ran.into_inner(), last + 2);
        }
    });
}

#[test]
fn a_frontier_that_the_bodies_feed_is_emptied_with_any_number_of_workers() {
    for workers in WORKERS {
        for here in [false, true] {
            no_hang(move || {
                let nodes = scaled(2048, 32) as u32;
                let (found, frontier) = mpsc::channel::<Option<u32>>();
                let open = AtomicUsize::new(1);
                let seen = Mutex::new(Vec::new());
                found.send(Some(1)).unwrap();
                // A complete binary tree; whoever finishes the last one ends the frontier.
                let source = frontier.into_iter().map_while(|node| node);
                let body = |node: u32| {
                    seen.lock().unwrap().push(node);
                    for child in [2 * node, 2 * node + 1] {
                        if child < nodes {
                            open.fetch_add(1, Ordering::SeqCst);
                            found.send(Some(child)).unwrap();
                        }
                    }
                    if open.fetch_sub(1, Ordering::SeqCst) == 1 {
                        found.send(None).unwrap();
                    }
                };
                let options = ParallelFor::new().workers(workers);
                if here {
                    options.for_each(pull_here(source), body);
                } else {
                    options.for_each(pull(source), body);
                }
                let mut seen = seen.into_inner().unwrap();
                seen.sort_unstable();
                assert_eq!(seen, (1..nodes).collect::<Vec<_>>(), "{workers} {here}");
            });
        }
    }
}

#[test]
fn with_one_worker_nothing_is_read_ahead() {
    for here in [false, true] {
        let pulled = AtomicUsize::new(0);
        let source = (1..=scaled(5000, 60)).inspect(|_| {
            pulled.fetch_add(1, Ordering::Relaxed);
        });
        let body = |n: usize| assert_eq!(pulled.load(Ordering::Relaxed), n);
        let options = ParallelFor::new().workers(1);
        if here {
            options.for_each(pull_here(source), body);
        } else {
            options.for_each(pull(source), body);
        }
    }
}

#[test]
fn as_many_bodies_run_at_once_as_there_are_workers_and_no_more() {
    for kind in [Kind::Indexed, Kind::Shared] {
        for workers in [2, 3, scaled(16, 4)] {
            no_hang(move || {
                let running = AtomicUsize::new(0);
                let together = Barrier::new(workers);
                common::for_each(
                    kind,
                    ParallelFor::new().workers(workers).batch(1),
                    4 * workers,
                    |_| {
                        assert!(running.fetch_add(1, Ordering::SeqCst) < workers);
                        together.wait();
                        running.fetch_sub(1, Ordering::SeqCst);
                        together.wait();
                    },
                );
            });
        }
    }
}

#[test]
fn a_slow_body_does_not_keep_the_source_from_the_other_workers() {
    // Cheap items first, so that bodies are batched, or pulled one by one by a worker that is still alone.
    for slow in [
        0,
        10,
        scaled(100, 40),
        scaled(1000, 100),
        scaled(20_000, 200),
    ] {
        no_hang(move || {
            let others = AtomicUsize::new(0);
            let source = (0..scaled(1_000_000, 1000)).filter(|_| true);
            ParallelFor::new().workers(2).for_each(pull(source), |n| {
                if n == slow {
                    // As slow as it takes the other worker to run a thousand items meanwhile.
                    while others.load(Ordering::Acquire) < scaled(1000, 20) {
                        std::thread::yield_now();
                    }
                } else if n > slow {
                    others.fetch_add(1, Ordering::AcqRel);
                }
            });
        });
    }
}

#[test]
fn with_a_local_too_the_first_failure_in_input_order_counts() {
    for workers in WORKERS {
        let ran = AtomicUsize::new(0);
        let outcome = ParallelFor::new().workers(workers).try_for_each_with(
            || Ok(String::new()),
            0..1000,
            |text, n| {
                ran.fetch_add(1, Ordering::Relaxed);
                text.push('x');
                if n % 100 == 70 { Err(n) } else { Ok(()) }
            },
        );
        assert_eq!(outcome.unwrap_err(), 70, "{workers}");
        assert!(ran.into_inner() > 70, "{workers}");
    }
}

#[test]
fn a_local_that_cannot_be_made_is_the_failure_of_its_item() {
    for workers in WORKERS {
        let outcome = ParallelFor::new().workers(workers).try_for_each_with(
            || Err::<(), _>("no connection"),
            0..10,
            |(), _| Ok(()),
        );
        assert_eq!(outcome.unwrap_err(), "no connection", "{workers}");

        // Under the other policies it is tried again for the next item.
        let made = AtomicUsize::new(0);
        let connect = || match made.fetch_add(1, Ordering::Relaxed) {
            0..3 => Err("no connection"),
            _ => Ok(()),
        };
        let report = ParallelFor::new()
            .workers(workers)
            .error_policy(ErrorPolicy::Ignore)
            .try_for_each_with(connect, 0..10, |(), _| Ok(()))
            .unwrap();
        assert_eq!((report.completed(), report.failed()), (7, 3), "{workers}");
    }
}
