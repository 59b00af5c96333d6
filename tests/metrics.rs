//! What the recorder of the crate `metrics` has been told when a loop, scope, stream or submitted task is over.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use futureproof::{ErrorPolicy, ParallelFor, StopToken, parallel_for, task_pool};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};

#[path = "../futureproof-core/tests/kit/recorder.rs"]
mod recorder;

use recorder::Ledger;

/// Ends the process if `test` takes as long as only a deadlock does.
fn no_hang<R>(test: impl FnOnce() -> R) -> R {
    let (done, watch) = mpsc::channel::<()>();
    thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the test hangs");
            std::process::abort();
        }
    });
    let result = test();
    drop(done);
    result
}

/// Runs `test` with a recorder of its own, and returns that.
fn recorded(test: impl FnOnce()) -> Ledger {
    let ledger = Ledger::new();
    no_hang(|| with_local_recorder(&ledger, test));
    ledger
}

/// Everything that is not 0 must be there, so gauges are back at zero.
#[track_caller]
fn assert_totals(ledger: &Ledger, kind: &str, name: &str, expected: &[(&str, u32)]) {
    let mut expected: Vec<_> = (expected.iter())
        .map(|(name, value)| (format!("{name}_total"), f64::from(*value)))
        .collect();
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(ledger.totals(kind, name), expected);
}

/// For what no caller waits for the end of: waits until the last worker is done with it, which is soon after the last result.
#[track_caller]
fn assert_totals_soon(ledger: &Ledger, name: &str, expected: &[(&str, u32)]) {
    let ended = || {
        let totals = ledger.totals("pool", name);
        let sum = |names: &[&str]| -> f64 {
            (totals.iter())
                .filter(|(name, _)| names.contains(&name.as_str()))
                .map(|(_, value)| value)
                .sum()
        };
        let wanted: u32 = (expected.iter())
            .filter(|(name, _)| !["started", "retried"].contains(name))
            .map(|(_, value)| value)
            .sum();
        sum(&[
            "completed_total",
            "failed_total",
            "panicked_total",
            "cancelled_total",
        ]) >= f64::from(wanted)
            && sum(&["in_flight", "waiting"]) == 0.0
    };
    no_hang(|| {
        while !ended() {
            thread::yield_now();
        }
    });
    assert_totals(ledger, "pool", name, expected);
}

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Odd(u32),
    Busy,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Error for Failure {}

#[test]
fn after_a_loop_every_item_has_been_counted() {
    for workers in [1, 2, 16] {
        for items in [0, 1, 100_000] {
            let ledger = recorded(|| {
                parallel_for!(
                    workers = workers,
                    name = "cheap",
                    for n in 0..items {
                        std::hint::black_box(n);
                    }
                );
            });
            let expected = [("completed", items), ("started", items)];
            let expected = if items == 0 { &[] } else { &expected[..] };
            assert_totals(&ledger, "loop", "cheap", expected);
        }
    }
}

#[test]
fn a_loop_over_an_iterator_is_counted_too() {
    let ledger = recorded(|| {
        let lines = (0..1_000).map(|n| n.to_string());
        parallel_for!(
            workers = 2,
            name = "lines",
            for line in lines {
                std::hint::black_box(line);
            }
        );
    });
    assert_totals(
        &ledger,
        "loop",
        "lines",
        &[("completed", 1_000), ("started", 1_000)],
    );
}

#[test]
fn failures_and_panics_are_counted_apart() {
    fn run(workers: usize) -> Result<(), Failure> {
        parallel_for!(
            workers = workers,
            name = "mixed",
            error_policy = ErrorPolicy::Ignore,
            for n in 0..1_000_u32 {
                if n % 100 == 7 {
                    panic!("{n} is not my number");
                }
                if n % 10 == 1 {
                    Err(Failure::Odd(n))?;
                }
            }
        );
        Ok(())
    }
    for workers in [1, 2, 16] {
        let ledger = recorded(|| run(workers).unwrap());
        let expected = [
            ("completed", 890),
            ("failed", 100),
            ("panicked", 10),
            ("started", 1_000),
        ];
        assert_totals(&ledger, "loop", "mixed", &expected);
    }
}

#[test]
fn an_item_that_leaves_the_loop_has_started_and_is_neither_completed_nor_failed() {
    fn find() -> Option<u32> {
        parallel_for!(
            workers = 1,
            name = "find",
            for n in 0..1_000 {
                if n == 500 {
                    return Some(n);
                }
            }
        );
        None
    }
    let ledger = recorded(|| assert_eq!(find(), Some(500)));
    assert_totals(
        &ledger,
        "loop",
        "find",
        &[("completed", 500), ("started", 501)],
    );
}

#[test]
fn a_loop_that_is_stopped_or_left_by_a_panic_has_counted_what_has_run() {
    let mut completed = 0;
    let ledger = recorded(|| {
        let stop = StopToken::new();
        let report = ParallelFor::new()
            .workers(1)
            .name("stopped")
            .stop(&stop)
            .for_each(0..1_000, |n| {
                if n == 9 {
                    stop.stop();
                }
            });
        completed = report.completed() as u32;
    });
    let expected = [("completed", completed), ("started", completed)];
    assert_totals(&ledger, "loop", "stopped", &expected);

    let ledger = recorded(|| {
        std::panic::catch_unwind(|| {
            parallel_for!(
                workers = 1,
                name = "panic",
                for n in 0..1_000 {
                    assert_ne!(n, 9);
                }
            );
        })
        .unwrap_err();
    });
    let expected = [("completed", 9), ("panicked", 1), ("started", 10)];
    assert_totals(&ledger, "loop", "panic", &expected);
}

#[test]
fn loops_of_one_name_that_run_at_once_add_up() {
    let ledger = Ledger::new();
    no_hang(|| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    with_local_recorder(&ledger, || {
                        for _ in 0..10 {
                            parallel_for!(
                                workers = 2,
                                name = "one of many",
                                for n in 0..1_000 {
                                    std::hint::black_box(n);
                                }
                            );
                        }
                    });
                });
            }
        });
    });
    let expected = [("completed", 40_000), ("started", 40_000)];
    assert_totals(&ledger, "loop", "one of many", &expected);
}

#[test]
fn a_scope_counts_what_completed_failed_panicked_and_was_tried_again() {
    #[task_pool(
        workers = 2,
        error_policy = "ignore",
        retry = 2,
        retry_if = |error| matches!(error, Failure::Busy),
    )]
    fn scoped(n: u32, busy: &AtomicBool) -> Result<u32, Failure> {
        match n {
            3 if busy.swap(false, Relaxed) => Err(Failure::Busy),
            5 | 7 => Err(Failure::Odd(n)),
            9 => panic!("nine"),
            _ => Ok(n),
        }
    }
    let ledger = recorded(|| {
        let busy = AtomicBool::new(true);
        let results = scoped::scope(|tasks| {
            for n in 0..20 {
                tasks.submit(n, &busy);
            }
            Ok(tasks.as_completed().count())
        });
        assert_eq!(results.unwrap(), 20);
    });
    let expected = [
        ("completed", 17),
        ("failed", 2),
        ("panicked", 1),
        ("retried", 1),
        ("started", 20),
    ];
    assert_totals(&ledger, "pool", "scoped", &expected);
}

#[test]
fn a_scope_that_fails_fast_counts_what_was_cancelled() {
    #[task_pool(workers = 1, capacity = 10)]
    fn first_fails(
        n: u32,
        begin: &(mpsc::Sender<()>, std::sync::Mutex<mpsc::Receiver<()>>),
    ) -> Result<u32, Failure> {
        begin.1.lock().unwrap().recv().unwrap();
        Err(Failure::Odd(n))
    }
    let ledger = recorded(|| {
        let (send, receive) = mpsc::channel();
        let begin = (send, std::sync::Mutex::new(receive));
        let error = first_fails::scope(|tasks| {
            for n in 0..6 {
                tasks.submit(n, &begin);
            }
            begin.0.send(()).unwrap();
            Ok(())
        });
        error.unwrap_err();
    });
    let expected = [("cancelled", 5), ("failed", 1), ("started", 1)];
    assert_totals(&ledger, "pool", "first_fails", &expected);
}

#[test]
fn a_stream_counts_every_input() {
    #[task_pool(workers = 2)]
    fn streamed(n: u32) -> u32 {
        n + 1
    }
    let ledger = recorded(|| {
        let results = streamed::as_completed(0..5_000);
        assert_eq!(results.filter(Result::is_ok).count(), 5_000);
    });
    assert_totals_soon(
        &ledger,
        "streamed",
        &[("completed", 5_000), ("started", 5_000)],
    );
}

#[test]
fn submitted_tasks_are_counted_and_so_are_those_that_come_later() {
    #[task_pool(workers = 2)]
    fn submitted(n: u32) -> Result<u32, Failure> {
        if n % 2 == 1 {
            Err(Failure::Odd(n))
        } else {
            Ok(n)
        }
    }
    let ledger = recorded(|| {
        for _ in 0..3 {
            let handles: Vec<_> = (0..100).map(submitted::submit).collect();
            let completed = handles.into_iter().filter_map(|handle| handle.join().ok());
            assert_eq!(completed.count(), 50);
        }
    });
    let expected = [("completed", 150), ("failed", 150), ("started", 300)];
    assert_totals_soon(&ledger, "submitted", &expected);
}

#[test]
fn scopes_and_submitted_tasks_of_one_name_add_up() {
    #[task_pool(workers = 2)]
    fn shared(n: u32) -> u32 {
        n
    }
    let ledger = Ledger::new();
    no_hang(|| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    with_local_recorder(&ledger, || {
                        shared::scope(|tasks| {
                            tasks.map(0..500);
                            Ok(())
                        })
                        .unwrap();
                    });
                });
            }
        });
        with_local_recorder(&ledger, || assert_eq!(shared::submit(7).join().unwrap(), 7));
    });
    assert_totals_soon(
        &ledger,
        "shared",
        &[("completed", 1_501), ("started", 1_501)],
    );
}

#[test]
fn gauges_show_what_is_going_on_while_it_does() {
    #[task_pool(workers = 1, capacity = 10)]
    fn slow(n: u32, ledger: &Ledger) {
        let value =
            |name| ledger.value(&format!("futureproof_tasks_{name}{{kind=pool,name=slow}}"));
        while n == 0 && (value("in_flight"), value("waiting")) != (Some(1.0), Some(3.0)) {
            thread::yield_now();
        }
    }
    let ledger = Ledger::new();
    no_hang(|| {
        with_local_recorder(&ledger, || {
            slow::scope(|tasks| {
                for n in 0..4 {
                    tasks.submit(n, &ledger);
                }
                Ok(())
            })
            .unwrap();
        });
    });
    assert_totals(&ledger, "pool", "slow", &[("completed", 4), ("started", 4)]);
}

#[test]
fn every_slow_task_is_in_the_histogram() {
    let slow = || thread::sleep(Duration::from_millis(2));
    let ledger = recorded(|| {
        parallel_for!(
            workers = 2,
            name = "slow",
            batch = 1,
            for _ in 0..20 {
                slow();
            }
        );
    });
    let samples = ledger.samples("futureproof_task_duration_seconds{kind=loop,name=slow}");
    assert_eq!(samples.len(), 20);
    assert!(
        samples.iter().all(|seconds| *seconds >= 0.0015),
        "{samples:?}"
    );

    #[task_pool(workers = 2)]
    fn slow_task(_n: u32) {
        thread::sleep(Duration::from_millis(2));
    }
    let ledger = recorded(|| {
        slow_task::scope(|tasks| {
            tasks.map(0..20);
            Ok(())
        })
        .unwrap();
        let handles: Vec<_> = (0..5).map(slow_task::submit).collect();
        handles
            .into_iter()
            .for_each(|handle| handle.join().unwrap());
    });
    assert_totals_soon(&ledger, "slow_task", &[("completed", 25), ("started", 25)]);
    let samples = ledger.samples("futureproof_task_duration_seconds{kind=pool,name=slow_task}");
    assert_eq!(samples.len(), 25);
    assert!(
        samples.iter().all(|seconds| *seconds >= 0.0015),
        "{samples:?}"
    );
}

#[test]
fn few_of_many_cheap_items_are_in_the_histogram() {
    let ledger = recorded(|| {
        parallel_for!(
            workers = 2,
            name = "many",
            for n in 0..2_000_000_u64 {
                std::hint::black_box(n.wrapping_mul(n));
            }
        );
    });
    let samples = ledger.samples("futureproof_task_duration_seconds{kind=loop,name=many}");
    assert!((1..100_000).contains(&samples.len()), "{}", samples.len());
}

#[test]
fn a_recorder_is_told_by_loops_that_were_started_on_its_thread_alone() {
    let ledger = recorded(|| {
        thread::scope(|scope| {
            scope.spawn(|| parallel_for!(name = "elsewhere", for _ in 0..10 {}));
        });
        parallel_for!(workers = 2, name = "here", for _ in 0..10 {});
    });
    parallel_for!(name = "later", for _ in 0..10 {});
    let names: Vec<_> = (ledger.keys().iter())
        .filter_map(|key| Some(key.split_once("name=")?.1.to_owned()))
        .collect();
    assert!(names.iter().all(|name| name == "here}"), "{names:?}");
    assert_totals(
        &ledger,
        "loop",
        "here",
        &[("completed", 10), ("started", 10)],
    );
}

#[test]
fn a_recorder_of_the_process_hears_of_what_starts_after_it_was_installed() {
    let run = |name: &'static str| {
        let run = move || {
            parallel_for!(workers = 2, name = name, for _ in 0..10 {});
        };
        thread::spawn(run).join().unwrap();
    };
    let ledger = Ledger::new();
    no_hang(|| run("before"));
    assert!(metrics::set_global_recorder(ledger.clone()).is_ok());
    no_hang(|| run("after"));
    assert_totals(&ledger, "loop", "before", &[]);
    assert_totals(
        &ledger,
        "loop",
        "after",
        &[("completed", 10), ("started", 10)],
    );
}

/// Panics at whatever it is asked, and gives counters that panic.
struct Panics;

impl CounterFn for Panics {
    fn increment(&self, _: u64) {
        panic!("increment");
    }

    fn absolute(&self, _: u64) {
        panic!("absolute");
    }
}

impl Recorder for Panics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe");
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe");
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe");
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(std::sync::Arc::new(Self))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("register");
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("register");
    }
}

#[test]
fn a_recorder_that_panics_hurts_no_loop() {
    #[task_pool(workers = 2)]
    fn unhurt(n: u32) -> u32 {
        n
    }
    let panics: Box<dyn Recorder> = Box::new(Panics);
    no_hang(|| {
        with_local_recorder(&panics, || {
            let report = ParallelFor::new().workers(2).for_each(0..1_000, |_| ());
            assert_eq!(report.completed(), 1_000);
            let sum: u32 = unhurt::map(0..10).map(|done| done.unwrap().result).sum();
            assert_eq!(sum, 45);
            assert_eq!(unhurt::submit(3).join().unwrap(), 3);
        });
    });
}
