//! Limits on how long a task may run: Pebble 20 to 26.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futureproof::{TaskErrorKind, is_stopping, task_pool};

use crate::python_kit::{Counter, guarded, wait_until, work_until_told_to_stop};
use crate::seen_by_callback;

const LIMIT: Duration = Duration::from_millis(20);

/// Pebble 20
#[test]
fn a_task_that_runs_too_long_is_reported_as_timed_out() {
    #[task_pool(workers = 1, timeout = "20ms")]
    fn hang(_n: usize) {
        work_until_told_to_stop();
    }

    guarded(|| {
        let error = hang::submit(1).join().unwrap_err();
        assert!(error.is_timed_out());
        assert!(matches!(error.kind(), TaskErrorKind::TimedOut(limit) if *limit == LIMIT));
        assert_eq!(error.attempts(), 1);
        let text = error.to_string();
        assert!(text.ends_with("hang(1) timed out after 20ms"), "{text}");
    });
}

/// Pebble 21
#[test]
fn a_callback_sees_that_the_task_timed_out() {
    #[task_pool(workers = 1, timeout = LIMIT)]
    fn hang() {
        work_until_told_to_stop();
    }

    guarded(|| {
        let handle = hang::submit();
        let seen = seen_by_callback(&handle);
        assert!(handle.join().unwrap_err().is_timed_out());
        let text = seen.try_recv().unwrap().unwrap_err();
        assert!(text.contains("timed out after 20ms"), "{text}");
    });
}

/// Pebble 22, in another way: a thread cannot be replaced while it runs
#[test]
fn a_timed_out_task_keeps_its_thread_until_it_returns_and_then_the_thread_goes_on() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated(_n: usize) -> thread::ThreadId {
        STARTED.fetch_add(1, Ordering::SeqCst);
        GATE.wait_for(1);
        thread::current().id()
    }

    guarded(|| {
        let first = gated::configure().timeout(LIMIT).submit(1);
        assert!(first.join().unwrap_err().is_timed_out(), "at once");
        let second = gated::submit(2);
        assert_eq!(STARTED.load(Ordering::SeqCst), 1, "the first still runs");
        GATE.add();
        second.join().unwrap();
    });
}

/// Pebble 23, in another way
#[test]
fn a_task_that_never_asks_whether_to_stop_is_reported_all_the_same_and_joined_by_its_scope() {
    static GATE: Counter = Counter::new();
    static RETURNED: AtomicBool = AtomicBool::new(false);

    #[task_pool(workers = 1, timeout = "20ms", error_policy = "ignore")]
    fn deaf() {
        GATE.wait_for(1);
        assert!(is_stopping(), "it was told");
        RETURNED.store(true, Ordering::SeqCst);
    }

    guarded(|| {
        deaf::scope(|tasks| {
            tasks.submit();
            let error = tasks.as_completed().next().unwrap().unwrap_err();
            assert!(error.is_timed_out());
            assert!(!RETURNED.load(Ordering::SeqCst));
            GATE.add();
        })
        .unwrap();
        assert!(RETURNED.load(Ordering::SeqCst), "the scope has joined it");
    });
}

/// Pebble 25
#[test]
fn results_go_on_after_a_task_of_a_map_that_timed_out() {
    // Long enough for the others, however busy the machine is.
    #[task_pool(workers = 2, timeout = "3s", error_policy = "ignore")]
    fn odd_hang(n: usize) -> usize {
        if n % 2 == 1 {
            work_until_told_to_stop();
        }
        n
    }

    guarded(|| {
        let ends: Vec<_> = odd_hang::map(0..4)
            .map(|end| {
                end.map(|task| task.result)
                    .map_err(|error| error.is_timed_out())
            })
            .collect();
        assert_eq!(ends, [Ok(0), Err(true), Ok(2), Err(true)]);
    });
}

/// Pebble 26, in another way: the limit is of each task, and of its running alone
#[test]
fn the_time_in_the_queue_does_not_count() {
    const BUSY: Duration = Duration::from_millis(3200);

    #[task_pool(workers = 1, capacity = 10)]
    fn sleep(time: Duration) {
        thread::sleep(time);
    }

    guarded(|| {
        let first = sleep::submit(BUSY);
        let limited = || sleep::configure().timeout(Duration::from_secs(3));
        let queued: Vec<_> = (0..10).map(|_| limited().submit(Duration::ZERO)).collect();
        first.join().unwrap();
        for handle in queued {
            handle.join().unwrap();
        }
    });
}

/// The timer of one pool serves many tasks
#[test]
fn each_of_many_tasks_has_a_limit_of_its_own() {
    #[task_pool(workers = 4, capacity = 100, error_policy = "ignore")]
    fn hang(_n: u64) {
        work_until_told_to_stop();
    }

    guarded(|| {
        let handles: Vec<_> = (1..=40)
            .map(|n| {
                let limit = Duration::from_millis(41 - n);
                (limit, hang::configure().timeout(limit).submit(n))
            })
            .collect();
        for (limit, handle) in handles {
            wait_until(|| handle.is_finished());
            let error = handle.join().unwrap_err();
            assert!(
                matches!(error.kind(), TaskErrorKind::TimedOut(its) if *its == limit),
                "{error}"
            );
        }
    });
}
