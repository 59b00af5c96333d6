//! Results of tasks over an iterator, in input order and in the order of completion.

use std::ops::Range;
use std::thread;

use futureproof::task_pool;
use futureproof_benches::body::{mix, spin};
use futures_util::StreamExt as _;
use pariter::IteratorExt as _;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::bar::Bar;
use crate::case::Case;
use crate::peers;
use crate::row::Row;
use crate::setup::{self, Setup};

/// How many items are under way in what is written by hand, and in tokio's streams.
const WINDOW: usize = 256;

#[task_pool(workers = setup::get().threads)]
fn mixed(item: u64) -> u64 {
    mix(item)
}

#[task_pool(workers = setup::get().threads)]
fn spun(item: u64) -> u64 {
    spin(setup::get().spins.one, item)
}

/// How results become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    /// Exchanging two results changes the answer.
    Input,
    /// It does not.
    Completion,
}

impl Order {
    fn add(self, answer: u64, result: u64) -> u64 {
        match self {
            Self::Input => answer.rotate_left(1).wrapping_add(result),
            Self::Completion => answer.wrapping_add(result),
        }
    }

    fn all(self, results: impl IntoIterator<Item = u64>) -> u64 {
        results
            .into_iter()
            .fold(0, |answer, result| self.add(answer, result))
    }
}

/// All contenders of a row. A macro, since a function and its companion have no more in common than their name.
macro_rules! case {
    ($function:ident, $setup:expr, $order:expr) => {{
        let (setup, order): (&Setup, Order) = ($setup, $order);
        let items = setup.pick(200_000, 30_000, 500);
        let mut case = peers_of(setup, items, order, $function);
        let in_order = move || {
            order.all($function::map(0..items).map(|done| done.expect("no task fails").result))
        };
        match order {
            Order::Input => case.add("ours", in_order),
            Order::Completion => {
                case.add("ours", move || {
                    let results = $function::as_completed(0..items);
                    order.all(results.map(|done| done.expect("no task fails").result))
                });
                case.add("ours, in order", in_order);
            }
        }
        case.add("ours, scope", move || {
            let answer = $function::scope(|tasks| {
                tasks.map(0..items);
                let results = match order {
                    Order::Input => tasks.in_order(),
                    Order::Completion => tasks.as_completed(),
                };
                Ok(order.all(results.map(|done| done.expect("no task fails").result)))
            });
            answer.expect("no task fails")
        });
        case
    }};
}
pub fn in_order(setup: &Setup) -> Row {
    let mut case = case!(mixed, setup, Order::Input);
    case.bar(Bar::against("ours", 0.25, &["pariter"]));
    case.run(setup)
}

pub fn completed(setup: &Setup) -> Row {
    let mut case = case!(mixed, setup, Order::Completion);
    case.bar(Bar::against("ours", 1.0, &["ours, in order"]));
    case.run(setup)
}

pub fn in_order_one(setup: &Setup) -> Row {
    case!(spun, setup, Order::Input).run(setup)
}

pub fn completed_one(setup: &Setup) -> Row {
    let mut case = case!(spun, setup, Order::Completion);
    case.bar(Bar::against("ours", 1.0, &["ours, in order"]));
    case.run(setup)
}

fn peers_of<'a>(
    setup: &Setup,
    items: u64,
    order: Order,
    body: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static,
) -> Case<'a> {
    let threads = setup.threads;
    let rayon = peers::rayon(threads);
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .build()
        .expect("threads can be started");

    let mut case = Case::new(items);
    case.add("sequential", move || order.all((0..items).map(body)));
    case.add("pariter", move || {
        order.all((0..items).parallel_map_custom(|options| options.threads(threads), body))
    });
    case.add("pariter, larger buffer", move || {
        let results = (0..items)
            .parallel_map_custom(|options| options.threads(threads).buffer_size(WINDOW), body);
        order.all(results)
    });
    case.add("crossbeam-channel by hand", move || {
        channel(0..items, threads, order, body)
    });
    case.add("tokio stream", move || {
        tokio.block_on(async {
            let tasks = futures_util::stream::iter(0..items)
                .map(|item| tokio::spawn(async move { body(item) }));
            let add = async |answer, result: Result<u64, _>| {
                order.add(answer, result.expect("no task fails"))
            };
            match order {
                Order::Input => tasks.buffered(WINDOW).fold(0, add).await,
                Order::Completion => tasks.buffer_unordered(WINDOW).fold(0, add).await,
            }
        })
    });
    case.add("rayon collect (for reference)", move || {
        let results: Vec<u64> = rayon.install(|| {
            let items = (0..items as usize).into_par_iter();
            items.map(|item| body(item as u64)).collect()
        });
        order.all(results)
    });
    case.note(format!(
        "Items under way: {WINDOW} in the channel by hand, in tokio's streams and in pariter's second row; \
         2 × threads in its first and in ours, by default. rayon's result is complete before its first item is read."
    ));
    case
}

/// The calling thread sends items to the workers, receives results, and puts them in order if need be.
fn channel(
    items: Range<u64>,
    threads: usize,
    order: Order,
    body: impl Fn(u64) -> u64 + Sync,
) -> u64 {
    let (item_sender, item_receiver) = crossbeam_channel::bounded::<u64>(WINDOW);
    let (sender, receiver) = crossbeam_channel::bounded::<(u64, u64)>(WINDOW);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (items, results, body) = (item_receiver.clone(), sender.clone(), &body);
            scope.spawn(move || {
                for item in items {
                    results
                        .send((item, body(item)))
                        .expect("the caller reads every result");
                }
            });
        }
        drop((item_receiver, sender));
        let mut early = [None; WINDOW];
        let (mut next, mut answer) = (items.start, 0);
        let mut receive = |receiver: &crossbeam_channel::Receiver<(u64, u64)>| {
            let (item, result) = receiver.recv().expect("there is a result for every item");
            if order == Order::Completion {
                answer = order.add(answer, result);
                return 1;
            }
            early[item as usize % WINDOW] = Some(result);
            let before = next;
            while let Some(result) = early[next as usize % WINDOW].take() {
                answer = order.add(answer, result);
                next += 1;
            }
            next - before
        };
        let mut under_way = 0;
        for item in items {
            while under_way == WINDOW as u64 {
                under_way -= receive(&receiver);
            }
            item_sender
                .send(item)
                .expect("the workers outlive the channel");
            under_way += 1;
        }
        drop(item_sender);
        while under_way > 0 {
            under_way -= receive(&receiver);
        }
        answer
    })
}
