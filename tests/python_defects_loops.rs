//! What goes wrong in Python libraries and does not here: loops. The table is in `python_defects.rs`.

mod python_kit;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futureproof::{Ended, TaskPool, default_workers, parallel_for, pull_here};
use python_kit::{Counter, Gauge, Log, Oops, guarded, work_until_told_to_stop};

/// The numbers of workers that every promise is tested with.
const WORKERS: [usize; 4] = [1, 2, 3, 16];

/// F1
#[test]
fn one_worker_is_enough_for_a_loop() {
    guarded(|| {
        let log = Log::new();
        let mut sum = 0;
        log.during(|| {
            let one = TaskPool::builder().workers(1).build();
            parallel_for!(
                workers = 1,
                reduce(sum),
                for n in 0..10 {
                    sum += n;
                }
            );
            parallel_for!(
                pool = &one,
                reduce(sum),
                for n in (0..10).filter(|n| n % 2 == 0) {
                    sum += n;
                }
            );
        });
        assert_eq!(sum, 65);
    });
}

/// F2
#[test]
fn all_workers_run_bodies_the_monitor_takes_none() {
    guarded(|| {
        let (three, running) = (Barrier::new(3), Gauge::new());
        let log = Log::new();
        log.during(|| {
            let pool = TaskPool::builder().workers(3).build();
            parallel_for!(
                pool = &pool,
                batch = 1,
                monitor = "100ms",
                for _ in 0..300 {
                    let _running = running.enter();
                    three.wait();
                }
            );
            parallel_for!(
                workers = 3,
                batch = 1,
                monitor = "100ms",
                for _ in (0..600).filter(|n| n % 2 == 0) {
                    let _running = running.enter();
                    three.wait();
                }
            );
        });
        assert_eq!(running.peak(), 3);
    });
}

/// The default number of workers
#[test]
fn the_default_number_of_workers_is_the_machines() {
    guarded(|| {
        if std::env::var_os("FUTUREPROOF_WORKERS").is_none() {
            let machine = thread::available_parallelism().map_or(1, usize::from);
            assert_eq!(default_workers(), machine);
        }
        let (all, running) = (Barrier::new(default_workers()), Gauge::new());
        parallel_for!(
            batch = 1,
            for _ in 0..10 * default_workers() {
                let _running = running.enter();
                all.wait();
            }
        );
        assert_eq!(running.peak(), default_workers());
    });
}

/// F3, F4
#[test]
fn a_loop_ends_without_waiting_for_the_monitor() {
    fn even(numbers: [usize; 4]) -> Result<(), Oops> {
        parallel_for!(
            monitor = Duration::from_secs(3600),
            workers = 3,
            for n in numbers {
                if n % 2 == 1 {
                    return Err(Oops(n));
                }
            }
        );
        Ok(())
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            assert_eq!(even([2, 4, 6, 8]), Ok(()));
            assert_eq!(even([2, 4, 5, 7]), Err(Oops(5)));
        });
    });
}

/// F4, F5, F6, P5
#[test]
fn after_a_failure_only_bodies_that_are_running_complete() {
    /// The item that fails; before it bodies are cheap, so that batches grow.
    const FAILS: usize = 20_000;

    #[derive(Default)]
    struct Counts {
        pulled: AtomicUsize,
        late: Counter,
    }

    fn source(counts: &Counts) -> impl Iterator<Item = usize> + Send + '_ {
        (0..).inspect(|_| {
            counts.pulled.fetch_add(1, Ordering::SeqCst);
        })
    }

    /// Fails when `late` items behind it are running.
    fn body(n: usize, late: usize, counts: &Counts) -> Result<(), Oops> {
        if n == FAILS {
            counts.late.wait_for(late);
            return Err(Oops(n));
        }
        if n > FAILS {
            counts.late.add();
            work_until_told_to_stop();
        }
        Ok(())
    }

    fn indexed(workers: usize, batch: usize, counts: &Counts) -> Result<(), Oops> {
        parallel_for!(
            workers = workers,
            batch = batch,
            for n in 0..1_000_000 {
                body(n, workers - 1, counts)?;
            }
        );
        Ok(())
    }

    fn shared(workers: usize, batch: usize, counts: &Counts) -> Result<(), Oops> {
        // With larger batches bodies must not wait for one another.
        let late = if batch == 1 { workers - 1 } else { 0 };
        parallel_for!(
            workers = workers,
            batch = batch,
            for n in source(counts) {
                body(n, late, counts)?;
            }
        );
        Ok(())
    }

    fn caller_fed(workers: usize, batch: usize, counts: &Counts) -> Result<(), Oops> {
        // While the caller runs a body nobody pulls for the others.
        let caller = thread::current().id();
        parallel_for!(
            workers = workers,
            batch = batch,
            for n in pull_here(source(counts)) {
                let late = batch == 1 && thread::current().id() != caller;
                body(n, usize::from(late), counts)?;
            }
        );
        Ok(())
    }

    guarded(|| {
        for (workers, batch) in WORKERS
            .into_iter()
            .flat_map(|workers| [(workers, 1), (workers, 64)])
        {
            for run in [indexed, shared, caller_fed] {
                let counts = Counts::default();
                assert_eq!(run(workers, batch, &counts), Err(Oops(FAILS)));
                let late = counts.late.get();
                assert!(
                    late < workers,
                    "{workers} × {batch}: {late} items started after the failure"
                );
                let pulled = counts.pulled.into_inner();
                assert!(
                    pulled <= FAILS + workers * batch,
                    "{workers} × {batch}: {pulled} items pulled"
                );
            }
        }
    });
}

/// F7
#[test]
fn items_start_while_the_source_is_slow() {
    guarded(|| {
        for workers in WORKERS {
            for here in [false, true] {
                // Gives an item when the bodies of all items before it have run.
                let ran = Counter::new();
                let source = (0..20).inspect(|&n| ran.wait_for(n));
                if here {
                    parallel_for!(
                        workers = workers,
                        for _ in pull_here(source) {
                            ran.add();
                        }
                    );
                } else {
                    parallel_for!(
                        workers = workers,
                        for _ in source {
                            ran.add();
                        }
                    );
                }
                assert_eq!(ran.get(), 20);
            }
        }
    });
}

/// F2: cheap items first, and then one that takes long
#[test]
fn a_slow_body_does_not_keep_the_source_from_the_other_workers() {
    guarded(|| {
        for slow in [0, 100, 1000, 20_000] {
            let pool = TaskPool::builder().workers(2).build();
            let (later, starved) = (AtomicUsize::new(0), AtomicBool::new(false));
            parallel_for!(
                pool = &pool,
                for n in (0..100_000).filter(|_| true) {
                    if n > slow {
                        later.fetch_add(1, Ordering::Relaxed);
                    }
                    if n == slow {
                        // A long time, but not for ever, as bodies that wait for others need `batch = 1`.
                        let began = Instant::now();
                        while later.load(Ordering::Relaxed) == 0 {
                            if began.elapsed() > Duration::from_secs(20) {
                                starved.store(true, Ordering::Relaxed);
                                break;
                            }
                            thread::yield_now();
                        }
                    }
                }
            );
            assert!(
                !starved.into_inner(),
                "the other worker idled while item {slow} ran"
            );
        }
    });
}

/// F10
#[test]
fn every_item_before_a_break_runs_once_and_the_loop_says_that_it_broke() {
    guarded(|| {
        for workers in WORKERS {
            let ran: Vec<_> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
            let report = parallel_for!(
                workers = workers,
                for (n, ran) in ran.iter().enumerate() {
                    ran.fetch_add(1, Ordering::SeqCst);
                    if n == 700 {
                        break;
                    }
                }
            );
            assert_eq!(report.ended(), Ended::Broke);
            let count = |ran: &AtomicUsize| ran.load(Ordering::SeqCst);
            assert!(ran[..=700].iter().all(|ran| count(ran) == 1));
            assert!(ran[701..].iter().all(|ran| count(ran) <= 1));
        }
    });
}

/// F11
#[test]
fn the_first_of_two_failures_in_input_order_is_raised_although_it_is_the_later() {
    fn both_fail() -> Result<(), Oops> {
        let (all, told) = (Barrier::new(3), Barrier::new(2));
        parallel_for!(
            workers = 3,
            batch = 1,
            for n in 0..3 {
                all.wait();
                match n {
                    0 => _ = told.wait(),
                    1 => {}
                    _ => {
                        work_until_told_to_stop(); // the second one has failed
                        told.wait();
                    }
                }
                Err(Oops(n))?;
            }
        );
        Ok(())
    }

    guarded(|| assert_eq!(both_fail(), Err(Oops(0))));
}

/// F17
#[test]
fn loops_share_a_pool_one_after_another_and_at_once() {
    fn sum(pool: &TaskPool, end: usize) -> Result<usize, Oops> {
        let mut sum = 0;
        parallel_for!(
            pool = pool,
            reduce(sum),
            for n in (0..end).filter(|_| true) {
                if n == 7 {
                    return Err(Oops(n));
                }
                sum += n;
            }
        );
        Ok(sum)
    }

    guarded(|| {
        let pool = TaskPool::builder().workers(2).build();
        assert_eq!(sum(&pool, 7), Ok(21));
        assert_eq!(sum(&pool, 8), Err(Oops(7)));
        let all = Barrier::new(4);
        thread::scope(|scope| {
            for end in [7, 7, 7, 8] {
                let (pool, all) = (&pool, &all);
                scope.spawn(move || {
                    all.wait();
                    for _ in 0..50 {
                        assert_eq!(sum(pool, end), if end == 7 { Ok(21) } else { Err(Oops(7)) });
                    }
                });
            }
        });
    });
}

/// F19
#[test]
fn a_loop_may_feed_its_own_source() {
    struct Page {
        depth: usize,
        frontier: mpsc::Sender<Page>,
    }

    guarded(|| {
        for workers in WORKERS {
            let ran = Counter::new();
            let (sender, receiver) = mpsc::channel();
            sender
                .send(Page {
                    depth: 6,
                    frontier: sender.clone(),
                })
                .unwrap();
            drop(sender);
            // It ends when the last body has dropped the last sender.
            parallel_for!(
                workers = workers,
                for Page { depth, frontier } in receiver.into_iter() {
                    for _ in 0..2 * usize::from(depth > 0) {
                        frontier
                            .send(Page {
                                depth: depth - 1,
                                frontier: frontier.clone(),
                            })
                            .unwrap();
                    }
                    ran.add();
                }
            );
            assert_eq!(ran.get(), 127);
        }
    });
}

/// Memory for 10⁶ tasks
#[test]
fn pulled_items_are_bounded() {
    guarded(|| {
        for workers in WORKERS {
            for (batch, here) in [(1, false), (1, true), (64, false), (64, true)] {
                let items = Gauge::new();
                let source = (0..20_000).map(|_| items.enter());
                if here {
                    parallel_for!(
                        workers = workers,
                        batch = batch,
                        for item in pull_here(source) {
                            drop(item);
                        }
                    );
                } else {
                    parallel_for!(
                        workers = workers,
                        batch = batch,
                        for item in source {
                            drop(item);
                        }
                    );
                }
                assert!(
                    items.peak() <= workers * batch,
                    "{workers} × {batch}: {items:?}"
                );
                assert_eq!(items.now(), 0);
            }
            // With the batch that the loop chooses itself the number does not depend on the input's length either.
            let items = Gauge::new();
            let report = parallel_for!(
                workers = workers,
                for (n, item) in (0..).map(|n| (n, items.enter())) {
                    drop(item);
                    if n == 300_000 {
                        break;
                    }
                }
            );
            assert_eq!(report.ended(), Ended::Broke);
            assert!(items.peak() < 100_000, "{workers}: {items:?}");
        }
    });
}
