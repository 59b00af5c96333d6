//! Loom models of the hand-written protocols: each runs the code itself, on so few threads and items that loom gets through
//! all that can happen.
//!
//! `.ci/checks/loom` runs them, and `.ci/checks/orderings` shows that they notice a memory ordering that is too weak.

mod belt;
mod cursor;
mod gate;
mod handle;
mod lend;
mod looping;
mod pool;
mod scope;
mod source;
mod stop;
mod terms;
mod timer;

use std::cell::Cell;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pool::TaskPool;
use crate::sync::{Arc, Condvar, Instant, Mutex, let_starts_fail, let_waits_time_out};

std::thread_local! {
    /// Panics that were raised in this model. All its threads are coroutines of the thread that runs it.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Runs `model` in all the ways its threads can interleave, and says how many there were.
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    explore_with(std::iter::once((0, 0)), model);
}

/// The same for each way in which the first `waits` waits that have a time limit may end: by their limit or not.
fn explore_with_timeouts(waits: u32, model: impl Fn() + Send + Sync + 'static) {
    explore_with((0..1 << waits).map(|timeouts| (timeouts, 0)), model);
}

/// The same for each way in which the first `starts` of pool threads may end: in a thread or not.
fn explore_with_failed_starts(starts: u32, model: impl Fn() + Send + Sync + 'static) {
    explore_with((0..1 << starts).map(|failures| (0, failures)), model);
}

fn explore_with(
    chances: impl Iterator<Item = (u32, u32)>,
    model: impl Fn() + Send + Sync + 'static,
) {
    count_panics();
    let executions = Arc::new(AtomicUsize::new(0));
    let model = Arc::new(model);
    for (timeouts, failures) in chances {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound.get_or_insert(2);
        builder.max_branches = 10_000;
        let (executions, model) = (executions.clone(), model.clone());
        builder.check(move || {
            PANICS.set(0);
            let_waits_time_out(timeouts);
            let_starts_fail(failures);
            Instant::reset();
            model();
            // The code under test catches what its bodies raise, and with it what loom does.
            assert_eq!(PANICS.get(), 0, "something has panicked");
            executions.fetch_add(1, Ordering::Relaxed);
        });
    }
    let name = std::thread::current()
        .name()
        .unwrap_or("a model")
        .to_owned();
    println!("{name}: {} executions", executions.load(Ordering::Relaxed));
}

/// Has panics counted, but for those that are resumed: these are how a model panics on purpose.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            tell(info);
        }));
    });
}

/// A pool whose drop ends its threads; no model may leave one behind.
fn pool(workers: usize) -> TaskPool {
    TaskPool::builder().workers(workers).name("model").build()
}

/// Counts up, and lets others wait for a number.
#[derive(Default)]
struct Tally {
    count: Mutex<usize>,
    more: Condvar,
}

impl Tally {
    fn add(&self) {
        *self.count.lock() += 1;
        self.more.notify_all();
    }

    fn wait_for(&self, count: usize) {
        let mut now = self.count.lock();
        while *now < count {
            now = self.more.wait(now);
        }
    }

    fn get(&self) -> usize {
        *self.count.lock()
    }
}
