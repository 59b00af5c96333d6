//! Tasks that are submitted one by one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use futureproof::task_pool;
use futureproof_benches::body::mix;

use crate::bar::Bar;
use crate::case::Case;
use crate::peers;
use crate::row::Row;
use crate::setup::{self, Setup};

/// How many tasks a queue written by hand holds.
const QUEUE: usize = 1024;

/// How many handles are kept before the oldest is joined.
const WINDOW: usize = 1024;

/// Everybody's tasks mix a number and add it up here.
static SUM: AtomicU64 = AtomicU64::new(0);

#[task_pool(workers = setup::get().threads)]
fn add(item: u64) {
    SUM.fetch_add(mix(item), Ordering::Relaxed);
}

#[task_pool(workers = setup::get().threads)]
fn mixed(item: u64) -> u64 {
    mix(item)
}

/// The work is the same for all: each task is created by the calling thread, goes through a queue to one of as many
/// threads, mixes its number and adds it to one shared sum; the contender returns when all have run. Those that use
/// handles return the number instead, and the calling thread joins them and adds up.
pub fn scope(setup: &Setup) -> Row {
    let tasks = setup.pick(200_000, 100_000, 1_000);
    let threads = setup.threads;
    let rayon = peers::rayon(threads);
    let threadpool = threadpool::ThreadPool::new(threads);
    let crossbeam = ByHand::crossbeam(threads);
    let mpsc = ByHand::mpsc(threads);
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .build()
        .expect("threads can be started");

    let mut case = Case::new(tasks);
    case.add("sequential", || summed(|| (0..tasks).for_each(add)));
    case.add("ours", || {
        summed(|| {
            let done = add::scope(|manager| {
                for item in 0..tasks {
                    manager.submit(item);
                }
            });
            done.expect("no task fails");
        })
    });
    case.add("ours, handles", || {
        let mut window = Window::default();
        for item in 0..tasks {
            window.push(mixed::submit(item), |handle| {
                handle.join().expect("no task fails")
            });
        }
        window.finish(|handle| handle.join().expect("no task fails"))
    });
    case.add("threadpool", || {
        summed(|| {
            for item in 0..tasks {
                threadpool.execute(move || add(item));
            }
            threadpool.join();
        })
    });
    case.add("rayon scope and spawn", || {
        summed(|| {
            rayon.scope(|scope| {
                for item in 0..tasks {
                    scope.spawn(move |_| add(item));
                }
            });
        })
    });
    case.add("crossbeam-channel by hand", || {
        summed(|| crossbeam.run(tasks))
    });
    case.add("std mpsc by hand", || summed(|| mpsc.run(tasks)));
    case.add("tokio JoinSet", || {
        summed(|| {
            tokio.block_on(async {
                let mut set = tokio::task::JoinSet::new();
                for item in 0..tasks {
                    set.spawn(async move { add(item) });
                }
                set.join_all().await;
            });
        })
    });
    case.add("tokio, handles", || {
        let mut window = Window::default();
        let join =
            |handle: tokio::task::JoinHandle<u64>| tokio.block_on(handle).expect("no task fails");
        for item in 0..tasks {
            window.push(tokio.spawn(async move { mix(item) }), join);
        }
        window.finish(join)
    });
    case.bar(Bar::against("ours", 0.5, &["threadpool"]));
    case.bar(Bar::against("ours", 1.0, &["rayon scope and spawn"]));
    case.bar(Bar::against("ours", 0.5, &["crossbeam-channel by hand"]));
    case.note(format!(
        "Tasks submitted and not begun: ours at most {threads} (its default, for backpressure), in the channels by \
         hand {QUEUE}, in the others without limit."
    ));
    let row = case.run(setup);
    for pool in [crossbeam, mpsc] {
        pool.join();
    }
    row
}

/// Returns what the tasks of `run` add to the sum.
fn summed(run: impl FnOnce()) -> u64 {
    SUM.store(0, Ordering::Relaxed);
    run();
    SUM.load(Ordering::Relaxed)
}

/// Handles of which the oldest is joined when there are too many.
struct Window<H> {
    handles: VecDeque<H>,
    sum: u64,
}

impl<H> Default for Window<H> {
    fn default() -> Self {
        Self {
            handles: VecDeque::with_capacity(WINDOW + 1),
            sum: 0,
        }
    }
}

impl<H> Window<H> {
    fn push(&mut self, handle: H, join: impl FnOnce(H) -> u64) {
        self.handles.push_back(handle);
        if self.handles.len() > WINDOW
            && let Some(oldest) = self.handles.pop_front()
        {
            self.sum = self.sum.wrapping_add(join(oldest));
        }
    }

    fn finish(self, mut join: impl FnMut(H) -> u64) -> u64 {
        self.handles
            .into_iter()
            .fold(self.sum, |sum, handle| sum.wrapping_add(join(handle)))
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A pool as people write it: boxed closures in a channel, threads that call them.
struct ByHand {
    send: Box<dyn Fn(Job)>,
    threads: Vec<JoinHandle<()>>,
}

impl ByHand {
    fn crossbeam(threads: usize) -> Self {
        let (sender, receiver) = crossbeam_channel::bounded::<Job>(QUEUE);
        Self {
            send: Box::new(move |job| sender.send(job).expect("the workers outlive the channel")),
            threads: (0..threads)
                .map(|_| {
                    let receiver = receiver.clone();
                    thread::spawn(move || receiver.into_iter().for_each(|job| job()))
                })
                .collect(),
        }
    }

    fn mpsc(threads: usize) -> Self {
        let (sender, receiver) = mpsc::sync_channel::<Job>(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        let work = move || {
            loop {
                let next = receiver
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv();
                let Ok(job) = next else { break };
                job();
            }
        };
        Self {
            send: Box::new(move |job| sender.send(job).expect("the workers outlive the channel")),
            threads: (0..threads).map(|_| thread::spawn(work.clone())).collect(),
        }
    }

    /// Runs the tasks and waits for the last one.
    fn run(&self, tasks: u64) {
        let left = Arc::new(AtomicU64::new(tasks));
        let caller = thread::current();
        for item in 0..tasks {
            let (left, caller) = (Arc::clone(&left), caller.clone());
            (self.send)(Box::new(move || {
                add(item);
                if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    caller.unpark();
                }
            }));
        }
        while left.load(Ordering::Acquire) != 0 {
            thread::park();
        }
    }

    fn join(self) {
        drop(self.send);
        for thread in self.threads {
            thread.join().expect("tasks do not panic");
        }
    }
}
