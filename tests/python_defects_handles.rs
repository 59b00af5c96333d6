//! What goes wrong in Python libraries and does not here: single tasks and their handles, and streams that are dropped. The
//! table is in `python_defects.rs`.

mod python_kit;

use std::future::Future;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futureproof::{TaskErrorKind, TaskHandle, task_pool};
use python_kit::{
    Counter, Log, Oops, block_on, failure, guarded, wait_until, work_until_told_to_stop,
};

/// F1
#[test]
fn one_worker_is_enough_for_submitted_tasks() {
    #[task_pool(workers = 1)]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        let handles: Vec<_> = (0..20).map(double::submit).collect();
        let results = handles.into_iter().map(|handle| handle.join().unwrap());
        assert!(results.eq((0..40).step_by(2)));
    });
}

/// The task that `submit` returns in Python is never updated
#[test]
fn a_handle_carries_its_result_and_arguments() {
    #[task_pool(workers = 2)]
    fn repeat(text: &str, times: usize) -> String {
        text.repeat(times)
    }

    guarded(|| {
        let task = repeat::submit("ab", 2).join_task().unwrap();
        assert_eq!((task.args, &*task.result), (("ab", 2), "abab"));

        let mut handle = repeat::submit("ab", 3);
        wait_until(|| handle.is_finished());
        handle = match handle.try_join() {
            Ok(result) => {
                assert_eq!(result.unwrap(), "ababab");
                return;
            }
            Err(handle) => handle,
        };
        panic!("finished, but without a result: {handle:?}");
    });
}

/// P4
#[test]
fn an_awaited_task_gets_every_argument() {
    #[task_pool(workers = 2)]
    #[expect(clippy::too_many_arguments, reason = "as many as there may be")]
    fn join(a: u8, b: &str, c: char, d: Option<u8>, e: [u8; 2], f: (), g: bool, h: f64) -> String {
        format!("{a} {b} {c} {d:?} {e:?} {f:?} {g} {h}")
    }

    guarded(|| {
        let text = block_on(join::submit(1, "two", '3', Some(4), [5, 5], (), true, 8.5));
        assert_eq!(text.unwrap(), "1 two 3 Some(4) [5, 5] () true 8.5");
    });
}

#[task_pool(workers = 1)]
fn fail(n: usize) -> Result<(), Oops> {
    Err(Oops(n))
}

#[task_pool(workers = 1, error_policy = "log")]
fn fail_logged(n: usize) -> Result<(), Oops> {
    Err(Oops(n))
}

#[task_pool(workers = 1, error_policy = "ignore")]
fn fail_ignored(n: usize) -> Result<(), Oops> {
    Err(Oops(n))
}

/// What is logged when the handle of a failing task is dropped, after its end or before.
fn log_of_dropped<K>(submit: impl Fn(usize) -> TaskHandle<(), Oops, K>) -> Vec<String> {
    let log = Log::new();
    log.during(|| {
        let ended = submit(1);
        wait_until(|| ended.is_finished());
        drop(ended);
        drop(submit(2));
        // The only worker has come past the one before.
        assert_eq!(failure(submit(3).join().unwrap_err()), Oops(3));
    });
    let mut errors = log.errors();
    errors.retain(|line| !line.contains("oops 3"));
    errors
}

/// P3, M6, `concurrent.futures`
#[test]
fn a_failure_that_nobody_reads_is_logged_once() {
    guarded(|| {
        for logged in [
            log_of_dropped(fail::submit),
            log_of_dropped(fail_logged::submit),
        ] {
            assert_eq!(logged.len(), 2, "{logged:#?}");
            for (n, text) in ["oops 1", "oops 2"].iter().enumerate() {
                let found = logged.iter().filter(|line| line.contains(text)).count();
                assert_eq!(found, 1, "{n} {logged:#?}");
            }
        }
        assert_eq!(log_of_dropped(fail_ignored::submit), [""; 0]);

        // Read, it is not logged.
        let log = Log::new();
        let error = log.during(|| fail::submit(3).join().unwrap_err());
        assert_eq!((failure(error), log.errors().len()), (Oops(3), 0));
    });
}

/// M6
#[test]
fn a_failure_of_results_that_were_left_is_logged() {
    static RUNNING: Counter = Counter::new();
    static DROPPED: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn fail_late(n: usize) -> Result<(), Oops> {
        RUNNING.add();
        DROPPED.wait_for(1);
        Err(Oops(n))
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            let results = fail_late::map([7]);
            RUNNING.wait_for(1);
            results.detach();
            DROPPED.add();
        });
        log.wait_for(1, "oops 7");
        assert_eq!(log.errors().len(), 1, "{:#?}", log.errors());
    });
}

/// F10: what a dropped stream had not started never starts, and its pool is free
#[test]
fn breaking_out_of_a_stream_cancels_what_has_not_started() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2)]
    fn first_is_short(n: usize) -> usize {
        STARTED.fetch_add(1, Ordering::SeqCst);
        if (1..1_000_000).contains(&n) {
            work_until_told_to_stop();
        }
        n
    }

    guarded(|| {
        for in_order in [true, false] {
            STARTED.store(0, Ordering::SeqCst);
            let inputs = 0..1_000_000;
            let results = if in_order {
                first_is_short::map(inputs)
            } else {
                first_is_short::as_completed(inputs)
            };
            for done in results {
                if done.unwrap().result == 0 {
                    break;
                }
            }
            // The pool is free: what was dropped has left it.
            first_is_short::scope(|tasks| {
                tasks.map(1_000_000..1_000_100);
                assert_eq!(tasks.as_completed().flatten().count(), 100);
            })
            .unwrap();
            let started = STARTED.load(Ordering::SeqCst) - 100;
            assert!(started <= 1 + 2, "{started}");
        }
    });
}

/// A waker that counts.
#[derive(Default)]
struct Alarm(Counter);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.add();
    }
}

/// M1, P1
#[test]
fn a_cancelled_task_wakes_whoever_awaits_it() {
    static GATE: Counter = Counter::new();
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, capacity = 10)]
    fn gated(_n: usize) {
        STARTED.fetch_add(1, Ordering::SeqCst);
        GATE.wait_for(1);
    }

    guarded(|| {
        let running = gated::submit(0);
        wait_until(|| STARTED.load(Ordering::SeqCst) == 1);
        assert!(!running.cancel(), "it runs");

        // A layer above: it only passes the end on.
        let queued = Arc::new(std::sync::Mutex::new(gated::submit(1)));
        let below = queued.clone();
        let mut above = pin!(std::future::poll_fn(move |polling| {
            std::pin::Pin::new(&mut *below.lock().unwrap()).poll(polling)
        }));
        let alarm = Arc::new(Alarm::default());
        let waker = Waker::from(alarm.clone());
        assert!(
            above
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        assert!(queued.lock().unwrap().cancel());
        alarm.0.wait_for(1);
        let Poll::Ready(end) = above.as_mut().poll(&mut Context::from_waker(&waker)) else {
            panic!("cancelled, but still pending")
        };
        assert!(end.unwrap_err().is_cancelled());

        GATE.add();
        running.join().unwrap();
        assert_eq!(
            STARTED.load(Ordering::SeqCst),
            1,
            "a cancelled task never starts"
        );
    });
}

/// A limit of 0.2 s on a running task
#[test]
fn a_limited_wait_returns_the_handle_and_loses_nothing() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated(n: usize) -> usize {
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let handle = gated::submit(5);
        let handle = handle.join_timeout(Duration::from_millis(20)).unwrap_err();
        GATE.add();
        assert_eq!(handle.join().unwrap(), 5);
    });
}

/// F19
#[test]
fn tasks_submitted_by_tasks_run() {
    #[task_pool(workers = 1)]
    fn fibonacci(n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let (a, b) = (fibonacci::submit(n - 1), fibonacci::submit(n - 2));
        a.join().unwrap() + b.join().unwrap()
    }

    static RAN: Counter = Counter::new();

    #[task_pool(workers = 2)]
    fn spread(n: usize) {
        if n > 0 {
            drop(spread::submit(n - 1));
            drop(spread::submit(n - 1));
        }
        RAN.add();
    }

    guarded(|| {
        assert_eq!(fibonacci::submit(12).join().unwrap(), 144);
        // Nobody joins these, and all of them run.
        drop(spread::submit(6));
        RAN.wait_for(127);
    });
}

/// F15
#[test]
fn panics_of_submitted_tasks_cost_no_worker() {
    #[task_pool(workers = 2, capacity = 50)]
    fn bad(n: usize) -> usize {
        if n < 40 {
            panic::resume_unwind(Box::new(n));
        }
        n
    }

    guarded(|| {
        let handles: Vec<_> = (0..42).map(bad::submit).collect();
        for (n, handle) in handles.into_iter().enumerate() {
            match handle.join() {
                Ok(result) => assert!(n >= 40 && result == n, "{n}"),
                Err(error) => {
                    let TaskErrorKind::Panicked(panic) = error.into_kind() else {
                        panic!("{n} did not panic")
                    };
                    assert_eq!(panic.into_payload().downcast_ref(), Some(&n));
                }
            }
        }
    });
}

/// M2, M3, P1: the 500 futures of more-executors' own stress test
#[test]
fn every_handle_resolves() {
    static STARTED: [AtomicUsize; 500] = [const { AtomicUsize::new(0) }; 500];

    #[task_pool(workers = 3, error_policy = "ignore")]
    fn mixed(n: usize) -> Result<usize, Oops> {
        STARTED[n].fetch_add(1, Ordering::SeqCst);
        match n % 5 {
            0 => Err(Oops(n)),
            1 => panic::resume_unwind(Box::new(n)),
            _ => Ok(n),
        }
    }

    guarded(|| {
        thread::scope(|scope| {
            for thread in 0..5 {
                scope.spawn(move || {
                    let ours = STARTED.iter().enumerate().skip(thread * 100).take(100);
                    for (n, started) in ours {
                        let handle = mixed::submit(n);
                        let cancelled = n % 3 == 0 && handle.cancel();
                        let end = if n % 2 == 0 {
                            handle.join()
                        } else {
                            block_on(handle)
                        };
                        let started = started.load(Ordering::SeqCst);
                        assert_eq!(started, usize::from(!cancelled), "{n}");
                        match end.map_err(futureproof::TaskError::into_kind) {
                            Err(TaskErrorKind::Cancelled) => assert!(cancelled),
                            _ if cancelled => panic!("{n} was cancelled"),
                            Ok(result) => assert!(result == n && n % 5 > 1, "{n}"),
                            Err(TaskErrorKind::Failed(error)) => {
                                assert_eq!((error, n % 5), (Oops(n), 0));
                            }
                            Err(TaskErrorKind::Panicked(_)) => assert_eq!(n % 5, 1),
                            Err(other) => panic!("{n} {other:?}"),
                        }
                    }
                });
            }
        });
    });
}

/// P5
#[test]
fn submit_keeps_the_queue_bounded() {
    static FINISHED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, capacity = 3)]
    fn slow(n: usize) {
        if n.is_multiple_of(100) {
            thread::sleep(Duration::from_millis(1));
        }
        FINISHED.fetch_add(1, Ordering::SeqCst);
    }

    guarded(|| {
        for n in 0..2000 {
            drop(slow::submit(n));
            let open = n + 1 - FINISHED.load(Ordering::SeqCst);
            assert!(open <= 2 + 3, "{open} tasks accepted and not finished");
        }
        wait_until(|| FINISHED.load(Ordering::SeqCst) == 2000);
    });
}
