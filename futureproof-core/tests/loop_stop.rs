//! Stop tokens and deadlines: a stopped loop is never a quiet success.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use common::{Kind, everywhere, for_each, scaled, try_fold_into, try_for_each};
use futureproof_core::{Ended, ParallelFor, StopCause, StopToken, is_stopping, pull, pull_here};

#[test]
fn a_stopped_loop_is_an_error_with_the_report_of_what_was_done() {
    everywhere(|kind, workers| {
        let token = StopToken::new();
        let ran = AtomicUsize::new(0);
        let report = for_each(
            kind,
            ParallelFor::new().workers(workers).stop(&token),
            1_000_000_000,
            |n| {
                ran.fetch_add(1, Ordering::Relaxed);
                if n == scaled(100, 20) {
                    token.stop();
                }
            },
        );
        assert_eq!(report.ended(), Ended::Stopped(StopCause::Token));
        let stopped = report.or_stopped().unwrap_err();
        assert_eq!(stopped.cause(), StopCause::Token);
        assert_eq!(
            stopped.report().completed(),
            ran.into_inner() as u64,
            "{kind:?} {workers}"
        );
    });
}

#[test]
fn a_token_stopped_before_the_start_runs_nothing() {
    everywhere(|kind, workers| {
        let token = StopToken::new();
        token.stop();
        let report = for_each(
            kind,
            ParallelFor::new().workers(workers).stop(&token),
            10,
            |_| {
                panic!("should not run");
            },
        );
        assert!(report.or_stopped().is_err());
    });
}

#[test]
fn a_loop_that_was_done_before_the_stop_is_a_success() {
    everywhere(|kind, workers| {
        let token = StopToken::new();
        let report = for_each(
            kind,
            ParallelFor::new().workers(workers).stop(&token),
            10,
            |_| {},
        );
        token.stop();
        assert!(report.or_stopped().is_ok());
    });
}

#[test]
fn a_deadline_stops_an_endless_loop() {
    everywhere(|kind, workers| {
        let limit = Duration::from_millis(5);
        let report = for_each(
            kind,
            ParallelFor::new().workers(workers).deadline(limit),
            usize::MAX,
            |_| {},
        );
        assert_eq!(report.ended(), Ended::Stopped(StopCause::Deadline(limit)));
        assert!(report.elapsed() >= limit);
    });
}

#[test]
fn a_running_body_can_ask_whether_to_stop() {
    everywhere(|kind, workers| {
        let token = StopToken::new();
        let report = for_each(
            kind,
            ParallelFor::new().workers(workers).stop(&token),
            1000,
            |_| {
                token.stop();
                while !is_stopping() {
                    std::hint::spin_loop();
                }
            },
        );
        assert!(report.completed() <= workers as u64);
        assert!(!is_stopping());
    });
}

#[test]
fn a_failure_among_the_items_before_the_stop_is_not_hidden_by_it() {
    everywhere(|kind, workers| {
        let token = StopToken::new();
        let outcome = try_for_each(
            kind,
            ParallelFor::new().workers(workers).batch(1).stop(&token),
            1000,
            |n| {
                if n == 0 {
                    token.stop();
                    return Err("the failure");
                }
                Ok(())
            },
        );
        assert_eq!(outcome.unwrap_err(), "the failure", "{kind:?} {workers}");
    });
}

#[test]
fn what_was_reduced_before_a_stop_is_kept_in_order() {
    everywhere(|kind, workers| {
        let token = StopToken::new();
        let mut all = Vec::new();
        let report = try_fold_into(
            kind,
            ParallelFor::new().workers(workers).stop(&token),
            &mut all,
            1_000_000_000,
            |all, n| {
                all.push(n);
                if n == scaled(500, 40) {
                    token.stop();
                }
                Ok::<(), String>(())
            },
        )
        .unwrap();
        assert_eq!(all.len() as u64, report.completed());
        assert!(
            all.is_sorted() && all.contains(&scaled(500, 40)),
            "{kind:?} {workers}"
        );
    });
}

#[test]
fn few_bodies_start_after_a_stop_however_cheap_they_were() {
    for workers in common::WORKERS {
        let token = StopToken::new();
        let late = AtomicUsize::new(0);
        let report =
            ParallelFor::new()
                .workers(workers)
                .stop(&token)
                .for_each(0..usize::MAX, |n| {
                    if token.is_stopped() {
                        late.fetch_add(1, Ordering::Relaxed);
                    } else if n == scaled(300_000, 500) {
                        token.stop();
                    }
                });
        assert_eq!(report.ended(), Ended::Stopped(StopCause::Token));
        let late = late.into_inner();
        assert!(late <= workers * 256, "{late} of {workers} workers");
    }
}

#[test]
fn callbacks_are_called_in_their_order_when_the_token_is_stopped_and_only_then() {
    let token = StopToken::new();
    let (sender, called) = channel();
    for n in 0..3 {
        let sender = sender.clone();
        token.clone().on_stop(move || sender.send(n).unwrap());
    }
    assert!(called.try_recv().is_err());
    token.stop();
    token.stop();
    assert_eq!(called.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_callback_that_comes_after_the_stop_is_called_at_once() {
    let token = StopToken::new();
    token.stop();
    let (sender, called) = channel();
    token.on_stop(move || sender.send(()).unwrap());
    assert_eq!(called.try_recv(), Ok(()));
}

#[test]
fn a_callback_that_panics_or_uses_the_token_harms_nothing() {
    let token = StopToken::new();
    let (sender, called) = channel();
    let again = token.clone();
    token.on_stop(|| panic!("meant"));
    token.on_stop(move || {
        again.stop();
        let token = again.clone();
        again.on_stop(move || sender.send(token.is_stopped()).unwrap());
    });
    token.stop();
    assert_eq!(called.try_recv(), Ok(true));
}

#[test]
fn callbacks_of_a_token_that_is_never_stopped_are_dropped_with_it() {
    let (sender, called) = channel::<()>();
    let token = StopToken::new();
    token.on_stop(move || sender.send(()).unwrap());
    drop(token);
    assert!(called.recv().is_err(), "dropped and not called");
}

#[test]
fn a_source_that_asks_and_ends_has_not_come_to_the_end_of_its_input() {
    everywhere(|kind, workers| {
        if kind == Kind::Indexed {
            return;
        }
        let token = StopToken::new();
        let (sender, waits) = channel();
        let options = ParallelFor::new().workers(workers).stop(&token);
        let stopper = {
            let token = token.clone();
            std::thread::spawn(move || {
                waits.recv().unwrap();
                token.stop();
            })
        };
        let source = std::iter::from_fn(move || {
            _ = sender.send(()); // it waits for something that does not come
            while !is_stopping() {
                std::thread::yield_now();
            }
            None::<u8>
        });
        let report = match kind {
            Kind::CallerFed => options.for_each(pull_here(source), |_| ()),
            _ => options.for_each(pull(source), |_| ()),
        };
        stopper.join().unwrap();
        assert_eq!(
            report.ended(),
            Ended::Stopped(StopCause::Token),
            "{kind:?} {workers}"
        );
    });
}
