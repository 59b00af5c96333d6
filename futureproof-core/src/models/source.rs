//! Handing a source from worker to worker, and waiting for it.

use super::{explore, explore_with_timeouts};
use crate::raw::clock::Clock;
use crate::raw::watched::Watched;
use crate::source::{
    Ask, Chunk as _, Fed, Handout as _, Plan, SendElsePullHere as _, Source as _, Tag,
};
use crate::stop::Signals;
use crate::sync::{Arc, AtomicUsize, Ordering};

const PLAN: Plan = Plan {
    workers: 2,
    batch: 2,
};

fn ask(seat: usize, want: usize, signals: &Signals) -> Ask<'_> {
    Ask {
        seat,
        want,
        least: 1,
        each: 1000,
        clock: Clock::new(),
        signals,
        send_for: &|| (),
    }
}

/// As many workers as there are `wants` empty a shared source; nobody sleeps through its end.
fn empty<const WORKERS: usize>(wants: [usize; WORKERS], items: usize) {
    let watched: Arc<[_]> = (0..items).map(|_| Watched::new()).collect();
    let input = {
        let watched = watched.clone();
        // Each pull sees what the pull before did.
        let iterator = Arc::new(Watched::new());
        (0..items).map(move |index| {
            iterator.write();
            watched[index].write();
            Box::new(index)
        })
    };
    let plan = Plan {
        workers: WORKERS,
        batch: 2,
    };
    let (pulled, ()) = (&Tag::of(&input)).__kind().source(input).open(plan);
    let pulled = Arc::new(pulled);
    let signals = Arc::new(Signals::new(None, None));
    let ran = Arc::new(AtomicUsize::new(0));
    let work = {
        let (watched, ran) = (watched.clone(), ran.clone());
        move |seat: usize| {
            pulled.arrive();
            while let Some((start, chunk)) = pulled.take(ask(seat, wants[seat], &signals)) {
                for (index, item) in (start..).zip(chunk) {
                    assert_eq!(*item, index);
                    watched[index].write();
                    ran.fetch_add(1 << (4 * index), Ordering::Relaxed);
                }
            }
        }
    };
    let helpers: Vec<_> = (1..WORKERS)
        .map(|seat| {
            let work = work.clone();
            loom::thread::spawn(move || work(seat))
        })
        .collect();
    work(0);
    for helper in helpers {
        helper.join().unwrap();
    }
    let expected = (0..items).map(|index| 1 << (4 * index)).sum::<usize>();
    assert_eq!(ran.load(Ordering::Relaxed), expected);
}

#[test]
fn a_shared_source_pulled_one_by_one_is_emptied() {
    explore(|| empty([1, 1], 2));
}

#[test]
fn a_shared_source_pulled_in_batches_is_emptied() {
    explore(|| empty([2, 2], 3));
}

#[test]
fn a_shared_source_pulled_both_ways_is_emptied() {
    explore(|| empty([2, 1], 3));
}

#[test]
fn a_shared_source_is_emptied_whenever_its_watcher_looks_again() {
    explore_with_timeouts(2, || empty([2, 2], 2));
}

#[test]
fn the_end_of_a_shared_source_wakes_all_who_wait_for_it() {
    explore(|| empty([1, 1, 1], 1));
}

#[test]
fn an_exit_wakes_a_worker_that_waits_for_a_shared_source() {
    explore(|| {
        let input = 0..2;
        let (pulled, ()) = (&Tag::of(&input)).__kind().source(input).open(PLAN);
        let pulled = Arc::new(pulled);
        let signals = Arc::new(Signals::new(None, None));
        let helper = {
            let (pulled, signals) = (pulled.clone(), signals.clone());
            loom::thread::spawn(move || {
                pulled.arrive();
                while let Some((_, chunk)) = pulled.take(ask(1, 1, &signals)) {
                    drop(chunk);
                }
            })
        };
        pulled.arrive();
        drop(pulled.take(ask(0, 2, &signals)));
        signals.lower_exit(0);
        pulled.wake().unwrap();
        helper.join().unwrap();
    });
}

#[test]
fn a_fed_source_is_emptied_by_its_caller_and_a_helper() {
    explore_with_timeouts(1, || {
        let (queue, mut feed) = Fed::new((0..3).map(Box::new)).open(PLAN);
        let queue = Arc::new(queue);
        let signals = Arc::new(Signals::new(None, None));
        let ran = Arc::new(AtomicUsize::new(0));
        let run = |ran: &AtomicUsize, start: usize, items: &mut dyn Iterator<Item = Box<usize>>| {
            for (index, item) in (start..).zip(items) {
                assert_eq!(*item, index);
                ran.fetch_add(1 << (4 * index), Ordering::Relaxed);
            }
        };
        let helper = {
            let (queue, signals, ran) = (queue.clone(), signals.clone(), ran.clone());
            loom::thread::spawn(move || {
                queue.arrive();
                while let Some((start, mut chunk)) = queue.take(ask(1, 1, &signals)) {
                    run(&ran, start, &mut chunk);
                }
            })
        };
        queue.arrive();
        while let Some((start, mut chunk)) = Fed::feed(&queue, &mut feed, ask(0, 1, &signals)) {
            run(&ran, start, &mut chunk);
            assert!(chunk.source_panic().is_none());
        }
        queue.wake().unwrap();
        helper.join().unwrap();
        assert_eq!(ran.load(Ordering::Relaxed), 0x111);
    });
}

#[test]
fn an_exit_wakes_a_worker_that_waits_for_a_fed_source() {
    explore(|| {
        let (queue, mut feed) = Fed::new(0..2).open(PLAN);
        let queue = Arc::new(queue);
        let signals = Arc::new(Signals::new(None, None));
        let helper = {
            let (queue, signals) = (queue.clone(), signals.clone());
            loom::thread::spawn(move || {
                queue.arrive();
                while let Some((_, chunk)) = queue.take(ask(1, 1, &signals)) {
                    drop(chunk);
                }
            })
        };
        queue.arrive();
        drop(Fed::feed(&queue, &mut feed, ask(0, 1, &signals)));
        signals.lower_exit(0);
        queue.wake().unwrap();
        helper.join().unwrap();
    });
}
