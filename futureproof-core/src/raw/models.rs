//! Loom models of the hand-written protocols: each small enough to be explored whole.
//!
//! Run with `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=2 cargo test -p futureproof-core --lib --release models`.

use std::sync::Arc as StdArc;

use loom::cell::UnsafeCell;
use loom::thread;

use crate::gate::Gate;
use crate::raw::belt::Belt;
use crate::raw::clock::Clock;
use crate::source::{Ask, Handout as _, Plan, SendElsePullHere as _, Source as _, Tag};
use crate::stop::Signals;
use crate::sync::{Arc, AtomicUsize, FrameToken, Mutex, Ordering};

/// What a lender's frame holds: workers write to it, the lender reads it after the gate is closed.
struct Frame {
    gate: Gate,
    token: FrameToken,
    cells: [UnsafeCell<usize>; 2],
}

#[test]
fn a_closed_gate_has_seen_every_visitor_leave() {
    loom::model(|| {
        let frame = Arc::new(Frame {
            gate: Gate::new(),
            token: FrameToken::new(),
            cells: [UnsafeCell::new(0), UnsafeCell::new(0)],
        });
        let visitors: Vec<_> = (0..2)
            .map(|n| {
                let frame = frame.clone();
                thread::spawn(move || {
                    if let Some(_visit) = frame.gate.enter() {
                        frame.token.hold(|| {
                            // SAFETY: each visitor has a cell of its own until it leaves the gate.
                            frame.cells[n].with_mut(|cell| unsafe { *cell += 1 });
                        });
                    }
                })
            })
            .collect();
        frame.gate.close();
        frame.token.end();
        for cell in &frame.cells {
            // SAFETY: every visitor that came in has left, and no other comes in. Loom checks that this is so.
            cell.with_mut(|cell| unsafe { *cell += 1 });
        }
        assert!(frame.gate.enter().is_none());
        for visitor in visitors {
            visitor.join().unwrap();
        }
    });
}

#[test]
fn an_item_on_a_belt_is_taken_once() {
    loom::model(|| {
        let belt = Arc::new(Belt::<Box<usize>>::new());
        let got = Arc::new(Mutex::new(Vec::new()));
        let taker = {
            let (belt, got) = (belt.clone(), got.clone());
            thread::spawn(move || {
                while let Some((index, item)) = belt.take() {
                    assert_eq!(*item, index);
                    got.lock().push(index);
                }
            })
        };
        for base in [0, 2] {
            let mut filler = belt.fill(base, 2);
            let mut items = (base..base + 2).map(Box::new);
            filler.lay(2, || items.next());
            let taken = filler.finish();
            let start = taken.start();
            for (index, item) in (start..).zip(taken) {
                assert_eq!(*item, index);
                got.lock().push(index);
            }
        }
        taker.join().unwrap();
        let mut got = got.lock().clone();
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2, 3]);
    });
}

/// Two workers empty a shared source; nobody sleeps through its end.
fn shared_source(wants: [usize; 2], items: usize) {
    loom::model(move || {
        let source = (&Tag::of(&(0..items).map(Box::new))).__kind();
        let (pulled, ()) = source.source((0..items).map(Box::new)).open(Plan {
            workers: 2,
            batch: 2,
        });
        let pulled = StdArc::new(pulled);
        let signals = StdArc::new(Signals::new(None, None));
        let ran = StdArc::new(AtomicUsize::new(0));
        let work = move |seat: usize| {
            pulled.arrive();
            while let Some((start, chunk)) = pulled.take(Ask {
                seat,
                want: wants[seat],
                least: 1,
                each: 1000,
                clock: Clock::new(),
                signals: &signals,
                send_for: &|| (),
            }) {
                for (index, item) in (start..).zip(chunk) {
                    assert_eq!(*item, index);
                    ran.fetch_add(1 << (4 * index), Ordering::Relaxed);
                }
            }
            ran.load(Ordering::Relaxed)
        };
        let other = work.clone();
        let helper = thread::spawn(move || other(1));
        work(0);
        helper.join().unwrap();
        let expected = (0..items).map(|index| 1 << (4 * index)).sum::<usize>();
        assert_eq!(work(0), expected);
    });
}

#[test]
fn a_shared_source_pulled_one_by_one_is_emptied() {
    shared_source([1, 1], 2);
}

#[test]
fn a_shared_source_pulled_in_batches_is_emptied() {
    shared_source([2, 2], 3);
}

#[test]
fn a_shared_source_pulled_both_ways_is_emptied() {
    shared_source([2, 1], 3);
}

#[test]
fn an_exit_wakes_a_worker_that_waits_for_the_source() {
    loom::model(|| {
        let (queue, mut feed) = crate::source::Fed::new(0..2).open(Plan {
            workers: 2,
            batch: 1,
        });
        let queue = StdArc::new(queue);
        let signals = StdArc::new(Signals::new(None, None));
        let helper = {
            let (queue, signals) = (queue.clone(), signals.clone());
            thread::spawn(move || {
                queue.arrive();
                while let Some((_, chunk)) = queue.take(Ask {
                    seat: 1,
                    want: 1,
                    least: 1,
                    each: 1000,
                    clock: Clock::new(),
                    signals: &signals,
                    send_for: &|| (),
                }) {
                    drop(chunk);
                }
            })
        };
        queue.arrive();
        let ask = Ask {
            seat: 0,
            want: 1,
            least: 1,
            each: 1000,
            clock: Clock::new(),
            signals: &signals,
            send_for: &|| (),
        };
        let chunk = crate::source::Fed::<std::ops::Range<i32>>::feed(&queue, &mut feed, ask);
        drop(chunk);
        signals.lower_exit(0);
        queue.wake().unwrap();
        helper.join().unwrap();
    });
}
