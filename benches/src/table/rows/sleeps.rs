//! Bodies that wait: many sleeps on many more threads than there are cores.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futureproof::{ParallelFor, parallel_for, task_pool};
use futureproof_benches::stats::median;
use futures_util::StreamExt as _;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::bar::Bar;
use crate::case::Case;
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

const SLEEP: Duration = Duration::from_millis(1);
const WORKERS: usize = 64;

/// How many sleeps a contender has slept.
static SLEPT: AtomicU64 = AtomicU64::new(0);

#[task_pool(workers = WORKERS)]
fn nap(_item: u64) {
    thread::sleep(SLEEP);
    SLEPT.fetch_add(1, Ordering::Relaxed);
}

pub fn sleeps(setup: &Setup) -> Row {
    let items: u64 = setup.pick(1000, 1000, 100);
    let turns = items.div_ceil(WORKERS as u64);
    let rayon = peers::rayon(WORKERS);
    let threadpool = threadpool::ThreadPool::new(WORKERS);
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(setup.threads)
        .enable_time()
        .build()
        .expect("threads can be started");
    // How long a sleep really takes when so many threads sleep at once: one figure for each run by hand.
    let medians = RefCell::new(Vec::new());

    let mut case = Case::new(items);
    case.add("thread::scope by hand", || {
        counted(|| medians.borrow_mut().push(median_of_sleeps(items)))
    });
    case.add("ours", || {
        counted(|| {
            parallel_for!(
                workers = WORKERS,
                for item in 0..items {
                    nap(item);
                }
            );
        })
    });
    case.add("ours, pulled", || {
        counted(|| {
            parallel_for!(
                workers = WORKERS,
                for item in (0..items).filter(|_| true) {
                    nap(item);
                }
            );
        })
    });
    case.add("ours, builder", || {
        counted(|| {
            ParallelFor::new().workers(WORKERS).for_each(0..items, nap);
        })
    });
    case.add("ours, tasks", || {
        counted(|| {
            let outcome = nap::scope(|tasks| {
                for item in 0..items {
                    tasks.submit(item);
                }
            });
            outcome.expect("no task fails");
        })
    });
    case.add("rayon", || {
        counted(|| {
            rayon.install(|| {
                (0..items as usize)
                    .into_par_iter()
                    .for_each(|item| nap(item as u64));
            });
        })
    });
    case.add("rayon, with_max_len(1)", || {
        counted(|| {
            rayon.install(|| {
                let items = (0..items as usize).into_par_iter().with_max_len(1);
                items.for_each(|item| nap(item as u64));
            });
        })
    });
    case.add("threadpool", || {
        counted(|| {
            for item in 0..items {
                threadpool.execute(move || nap(item));
            }
            threadpool.join();
        })
    });
    case.add("tokio sleep", || {
        counted(|| {
            tokio.block_on(async {
                let sleep = async |_| {
                    tokio::time::sleep(SLEEP).await;
                    SLEPT.fetch_add(1, Ordering::Relaxed);
                };
                futures_util::stream::iter(0..items)
                    .map(sleep)
                    .buffer_unordered(WORKERS)
                    .count()
                    .await
            });
        })
    });
    let name =
        format!("ideal, {turns} × the median sleep of {WORKERS} threads at once in the same round");
    case.bar(Bar::computed("ours", 1.05, name, |round| {
        // The first run was to warm up.
        medians.borrow()[round.index() + 1] * turns as f64 / items as f64
    }));
    let mut row = case.run(setup);
    let sleep = median(medians.borrow().iter().copied());
    row.notes.push(format!(
        "A sleep of 1 ms takes {:.3} ms (median) when {WORKERS} threads sleep at once, so the ideal is {:.2} ms; \
         nominally it is {turns} ms.",
        sleep / 1e6,
        sleep / 1e6 * turns as f64
    ));
    row
}

/// Returns how many sleeps `run` has slept.
fn counted(run: impl FnOnce()) -> u64 {
    SLEPT.store(0, Ordering::Relaxed);
    run();
    SLEPT.load(Ordering::Relaxed)
}

/// Gives every thread its share of the sleeps, and returns how long one took.
fn median_of_sleeps(items: u64) -> f64 {
    let share = |worker: usize| (worker as u64..items).step_by(WORKERS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || {
                    let timed = |item| {
                        let start = Instant::now();
                        nap(item);
                        start.elapsed().as_nanos() as f64
                    };
                    share(worker).map(timed).collect::<Vec<f64>>()
                })
            })
            .collect();
        let sleeps = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("sleeping does not panic"));
        median(sleeps.collect::<Vec<f64>>())
    })
}
