//! Small programs in which threads meet at every joint of the engine, over data that nothing else orders: what one side
//! wrote the other reads, changes or frees.
//!
//! Here they are quick tests of results. Miri tries many schedules of them; there an access that the engine does not
//! order is an error, and so is whatever is never freed. Hence every pool is the test's own and is dropped by it.

mod kit;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use futureproof_core::__private::{
    Call, DescribeType, VtableError as _, as_completed, configure, map, scope, submit,
};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{ParallelFor, Retry, StopToken, TaskHandle, pull, pull_here};
use kit::{Body, Oops, bodies, double, no_hang, numbers, oops, pool};

const COUNT: usize = 8;

/// Items with memory of their own.
#[allow(clippy::vec_box)]
fn boxes() -> Vec<Box<usize>> {
    (0..COUNT).map(Box::new).collect()
}

/// Runs a loop on two workers of a pool that is dropped afterwards.
fn with_two<R>(run: impl FnOnce(ParallelFor<'_>) -> R) -> R {
    no_hang(|| {
        let pool = pool(2);
        run(ParallelFor::new().pool(&pool).batch(4))
    })
}

#[test]
fn what_bodies_borrowed_is_the_callers_again_after_the_loop() {
    let mut words = vec![String::from("lent"); COUNT];
    let letters = AtomicUsize::new(0);
    with_two(|options| {
        options.for_each(&words, |word| {
            letters.fetch_add(word.len(), Ordering::Relaxed);
        });
        words.iter_mut().for_each(String::clear);
        drop(words);
    });
    assert_eq!(letters.into_inner(), 4 * COUNT);
}

#[test]
fn what_bodies_wrote_into_mutable_items_the_caller_reads() {
    let mut numbers = [0; COUNT];
    with_two(|options| {
        options.for_each(numbers.iter_mut(), |number| *number += 1);
        assert_eq!(numbers, [1; COUNT]);
    });
}

#[test]
fn items_move_to_the_bodies_and_parts_move_back() {
    let push = |all: &mut Vec<Box<usize>>, item| all.push(item);
    let mut all = [const { Vec::new() }; 3];
    let [indexed, shared, fed] = &mut all;
    with_two(|options| options.fold_into(indexed, boxes(), push));
    with_two(|options| options.fold_into(shared, pull(boxes()), push));
    with_two(|options| options.fold_into(fed, pull_here(boxes()), push));
    assert_eq!(all, [boxes(), boxes(), boxes()]);
}

#[test]
fn a_failure_brings_its_error_and_drops_the_items_that_are_left() {
    let body = |item: Box<usize>| if *item == 2 { Err(item) } else { Ok(()) };
    let failures = [
        with_two(|options| options.try_for_each(boxes(), body)),
        with_two(|options| options.try_for_each(pull(boxes()), body)),
        with_two(|options| options.try_for_each(pull_here(boxes()), body)),
    ];
    assert_eq!(failures.map(|failure| *failure.unwrap_err()), [2; 3]);
}

#[test]
fn a_panic_brings_its_payload_and_the_callers_data_back() {
    let body = |item: Box<usize>| {
        if *item == 2 {
            panic_any(item);
        }
    };
    let payload_of = |run: fn(ParallelFor<'_>, &(dyn Fn(Box<usize>) + Sync))| {
        let run = AssertUnwindSafe(|| with_two(|options| run(options, &body)));
        *catch_unwind(run)
            .unwrap_err()
            .downcast::<Box<usize>>()
            .unwrap()
    };
    let payloads = [
        payload_of(|options, body| _ = options.for_each(boxes(), body)),
        payload_of(|options, body| _ = options.for_each(pull(boxes()), body)),
        payload_of(|options, body| _ = options.for_each(pull_here(boxes()), body)),
    ];
    assert_eq!(payloads.map(|payload| *payload), [2; 3]);
}

#[test]
fn loops_in_bodies_and_in_sources_share_the_pool() {
    no_hang(|| {
        let pool = pool(2);
        let options = || ParallelFor::new().pool(&pool);
        let sum = AtomicUsize::new(0);
        let source = (0..3).map(|n| {
            let mut part = vec![n; 2];
            options().for_each(&mut part, |number| *number += 1);
            part
        });
        options().for_each(pull(source), |part| {
            options().for_each(&part, |number| {
                sum.fetch_add(*number, Ordering::Relaxed);
            });
            drop(part);
        });
        assert_eq!(sum.into_inner(), 2 * (1 + 2 + 3));
    });
}

#[test]
fn what_lies_on_a_belt_is_taken_by_others_while_its_filler_waits_for_the_source() {
    let ran = AtomicUsize::new(0);
    // The bodies are cheap, so they are batched by the time that the source waits for all that it has given.
    let all_ran = std::iter::once_with(|| {
        while ran.load(Ordering::Relaxed) < COUNT {
            std::thread::yield_now();
        }
        Box::new(COUNT)
    });
    let source = boxes().into_iter().chain(all_ran);
    with_two(|options| {
        options.for_each(pull(source), |item| {
            drop(item);
            ran.fetch_add(1, Ordering::Relaxed);
        });
    });
    assert_eq!(ran.into_inner(), COUNT + 1);
}

/// A node of a frontier that ends when no node is left.
struct Node(Box<u32>, mpsc::Sender<Node>);

#[test]
fn bodies_feed_the_source() {
    for here in [false, true] {
        let seen = AtomicUsize::new(0);
        let body = |Node(node, found): Node| {
            seen.fetch_add(1, Ordering::Relaxed);
            for child in [2 * *node, 2 * *node + 1] {
                if child < 8 {
                    found.send(Node(Box::new(child), found.clone())).unwrap();
                }
            }
        };
        let (found, frontier) = mpsc::channel();
        found.send(Node(Box::new(1), found.clone())).unwrap();
        drop(found);
        with_two(|options| {
            // A batch would hold senders while it waits for them to go.
            let options = options.batch(1);
            if here {
                options.for_each(pull_here(frontier), body)
            } else {
                options.for_each(pull(frontier), body)
            }
        });
        assert_eq!(seen.into_inner(), 7);
    }
}

#[test]
fn a_stop_from_another_thread_gives_the_callers_data_back() {
    let token = StopToken::new();
    let mut ran = [false; COUNT];
    std::thread::scope(|threads| {
        threads.spawn(|| token.stop());
        with_two(|options| {
            let report = options.stop(&token).for_each(&mut ran, |ran| *ran = true);
            let count = ran.iter().filter(|ran| **ran).count();
            assert_eq!(report.completed(), count as u64);
        });
    });
}

#[test]
fn tasks_borrow_from_outside_the_scope_and_their_results_move_out() {
    no_hang(|| {
        let pool = pool(2);
        let mut texts: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
        let longest = scope(&pool, bodies(Raise), |tasks| {
            for text in &texts {
                tasks.submit(Box::new(|| Ok(Box::new(text.as_str()))));
            }
            let mut longest = "";
            for task in tasks.as_completed() {
                longest = longest.max(*task?.result);
            }
            Ok(longest.to_owned())
        });
        texts.iter_mut().for_each(String::clear);
        assert_eq!(longest.unwrap(), "7");
    });
}

#[test]
fn a_scope_that_is_left_by_a_panic_or_a_failure_lets_go_of_what_its_tasks_borrowed() {
    no_hang(|| {
        let pool = pool(2);
        for fails in [false, true] {
            let mut runs = vec![String::new(); 3];
            let left = catch_unwind(AssertUnwindSafe(|| {
                scope(&pool, bodies(Raise), |tasks| {
                    for run in &mut runs {
                        let body: Body<'_, ()> = Box::new(move || {
                            run.push('x');
                            if fails { oops("no") } else { Ok(()) }
                        });
                        tasks.submit(body);
                    }
                    assert!(fails, "leaves its tasks behind");
                })
                .is_err()
            }));
            assert!(left.unwrap_or(true));
            runs.iter_mut().for_each(|run| run.push('y'));
            assert!(runs.iter().all(|run| run == "xy" || run == "y"));
        }
    });
}

#[test]
fn result_iterators_can_be_dropped_half_way() {
    no_hang(|| {
        let pool = pool(2);
        let inputs = || boxes().into_iter().map(|n| *n as u64);
        assert!(
            map(&pool, numbers(Raise, double), inputs())
                .next()
                .is_some()
        );
        assert!(
            as_completed(&pool, numbers(Raise, double), inputs())
                .next()
                .is_some()
        );
        let rest = map(&pool, numbers(Raise, double), inputs());
        assert_eq!(rest.map(|task| task.unwrap().result).sum::<u64>(), 56);
    });
}

/// A task whose result is on the heap.
fn task(pool: &futureproof_core::TaskPool, n: usize) -> TaskHandle<Box<usize>, Oops, ()> {
    let input = Box::new(n);
    submit(pool, bodies(Ignore), (Box::new(move || Ok(input)),))
}

#[test]
fn handles_are_joined_cancelled_and_dropped_by_any_thread() {
    no_hang(|| {
        let pool = pool(2);
        std::thread::scope(|threads| {
            let joined = task(&pool, 1);
            threads.spawn(move || assert_eq!(*joined.join().unwrap(), 1));
            let cancelled = task(&pool, 2);
            threads.spawn(move || match (cancelled.cancel(), cancelled.join()) {
                (true, end) => assert!(end.unwrap_err().is_cancelled()),
                (false, end) => assert_eq!(*end.unwrap(), 2),
            });
            drop(task(&pool, 3));
            let limited = task(&pool, 4).join_timeout(Duration::from_micros(20));
            if let Err(handle) = limited {
                assert_eq!(*handle.join().unwrap(), 4);
            }
        });
    });
}

#[test]
fn a_pool_that_is_dropped_while_it_is_busy_ends_every_task() {
    no_hang(|| {
        let pool = pool(2);
        let handles: Vec<_> = (0..4).map(|n| task(&pool, n)).collect();
        drop(pool);
        for (n, handle) in handles.into_iter().enumerate() {
            match handle.join() {
                Ok(result) => assert_eq!(*result, n),
                Err(error) => assert!(error.is_cancelled()),
            }
        }
    });
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match Pin::new(&mut future).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn a_handle_that_is_awaited_or_left_a_callback_hands_its_result_over() {
    no_hang(|| {
        let pool = pool(2);
        assert_eq!(*block_on(task(&pool, 1)).unwrap(), 1);
        let (finished, ends) = mpsc::channel();
        task(&pool, 2).on_finish(move |end| finished.send(end.is_ok()).unwrap());
        assert!(ends.recv().unwrap());
    });
}

#[test]
fn an_attempt_sees_what_the_one_before_did_on_another_thread() {
    /// What a task does each time it is started.
    type Again = Arc<dyn Fn() -> Result<usize, Oops> + Send + Sync>;

    no_hang(|| {
        let pool = pool(2);
        let error = (&&&&&DescribeType::<Oops>::new()).vtable();
        let run: fn((Again,)) -> Result<usize, Oops> = |(body,)| body();
        let call = Call::of("again", run, |_| (), |()| None, error);
        let retry = Retry::attempts(3).backoff(Duration::from_micros(50));
        let starts = AtomicUsize::new(0);
        let body = move || match starts.fetch_add(1, Ordering::Relaxed) {
            2 => Ok(2_usize),
            n => oops(n.to_string()),
        };
        let handle = configure(&pool, call)
            .retry(retry)
            .submit(Arc::new(body) as Again);
        assert_eq!(handle.join().unwrap(), 2);
    });
}
