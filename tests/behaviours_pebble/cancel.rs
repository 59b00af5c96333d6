//! Cancelling tasks: Pebble 27 to 32.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use futureproof::{TaskError, TaskErrorKind, TaskHandle, is_stopping, task_pool};

use crate::python_kit::{Counter, guarded, wait_until, work_until_told_to_stop};
use crate::seen_by_callback;

/// Pebble 27, in another way: nothing can be taken from under a running task, but it can be told
#[test]
fn a_running_task_is_told_to_stop_and_its_own_result_counts() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn work(n: usize) -> usize {
        RUNNING.add();
        work_until_told_to_stop();
        n
    }

    guarded(|| {
        let handle = work::submit(5);
        RUNNING.wait_for(1);
        assert!(!handle.cancel(), "it runs");
        assert!(!handle.is_finished());
        handle.stop();
        assert_eq!(handle.join().unwrap(), 5);
    });
}

/// A pool of one worker that is held up.
struct Queued {
    gate: Counter,
    started: AtomicUsize,
}

impl Queued {
    const fn new() -> Self {
        Self {
            gate: Counter::new(),
            started: AtomicUsize::new(0),
        }
    }

    fn task(&self) -> ThreadId {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.gate.wait_for(1);
        thread::current().id()
    }

    fn wait_for_the_first(&self) {
        wait_until(|| self.started.load(Ordering::SeqCst) == 1);
    }
}

/// Pebble 28, 30
#[test]
fn a_callback_sees_that_its_queued_task_was_cancelled() {
    static QUEUED: Queued = Queued::new();

    #[task_pool(workers = 1, capacity = 10)]
    fn gated(_n: usize) -> ThreadId {
        QUEUED.task()
    }

    guarded(|| {
        let first = gated::submit(0);
        QUEUED.wait_for_the_first();
        let queued = gated::submit(1);
        let seen = seen_by_callback(&queued);
        assert!(queued.cancel());
        let text = seen.try_recv().unwrap().unwrap_err();
        assert!(text.contains("cancelled before it started"), "{text}");
        let error = queued.join().unwrap_err();
        assert!(matches!(error.kind(), TaskErrorKind::Cancelled));
        assert_eq!(error.attempts(), 0);
        QUEUED.gate.add();
        first.join().unwrap();
        gated::submit(2).join().unwrap();
        assert_eq!(QUEUED.started.load(Ordering::SeqCst), 2, "it never ran");
    });
}

/// Pebble 29, in another way
#[test]
fn the_thread_of_a_task_that_was_stopped_runs_the_next_one() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 1)]
    fn work(wait: bool) -> ThreadId {
        if wait {
            RUNNING.add();
            work_until_told_to_stop();
        }
        assert_eq!(wait, is_stopping(), "the next one was not told");
        thread::current().id()
    }

    guarded(|| {
        let first = work::submit(true);
        let second = work::submit(false);
        RUNNING.wait_for(1);
        first.stop();
        assert_eq!(first.join().unwrap(), second.join().unwrap());
    });
}

/// Pebble 31
#[test]
fn stopping_a_map_after_its_first_item_cancels_the_rest() {
    #[task_pool(workers = 1, capacity = 10)]
    fn first_is_short(n: usize) -> usize {
        if n > 0 {
            work_until_told_to_stop();
        }
        n
    }

    guarded(|| {
        first_is_short::scope(|tasks| {
            for n in 0..8 {
                tasks.submit(n);
            }
            let mut ends = tasks.in_order();
            assert_eq!(ends.next().unwrap().unwrap().result, 0);
            wait_until(|| tasks.running() == 1);
            tasks.stop();
            assert_eq!(ends.next().unwrap().unwrap().result, 1, "it was running");
            let cancelled = ends.filter(|end| end.as_ref().is_err_and(TaskError::is_cancelled));
            assert_eq!(cancelled.count(), 6);
        })
        .unwrap();

        let mut results = first_is_short::map(0..8);
        assert_eq!(results.next().unwrap().unwrap().result, 0);
        let report = results.stop();
        // As many as had been pulled; nobody was called beyond the one that ran.
        assert!(report.completed() <= 2, "{report:?}");
        assert!(report.cancelled() <= 7, "{report:?}");
        assert_eq!(report.failed(), 0, "{report:?}");
    });
}

/// Pebble 32
#[test]
fn stopping_a_pool_with_hundreds_of_megabytes_in_its_queue_returns() {
    static QUEUED: Queued = Queued::new();

    #[task_pool(workers = 1, capacity = 8, keep_args = false)]
    fn hold(bytes: Vec<u8>) -> Vec<u8> {
        QUEUED.task();
        bytes
    }

    guarded(|| {
        let first = hold::submit(vec![0; 100 << 20]);
        QUEUED.wait_for_the_first();
        let queued: Vec<_> = (0..8).map(|_| hold::submit(vec![0; 100 << 20])).collect();
        assert!(queued.iter().take(4).all(TaskHandle::cancel));
        hold::pool().stop();
        for handle in queued {
            assert!(handle.join().unwrap_err().is_cancelled());
        }
        QUEUED.gate.add();
        assert_eq!(first.join().unwrap().len(), 100 << 20);
        assert_eq!(QUEUED.started.load(Ordering::SeqCst), 1);
    });
}
