//! What `concurrent.futures` of the Python standard library does, up to 3.14, and what its users expect of it.
//!
//! | there | here |
//! |---|---|
//! | `wait(return_when=…)` | `waiting_returns_…` |
//! | `cancel` and then `as_completed` (hangs, cpython 136655) | `cancelled_tasks_…`, `a_cancelled_handle_…` |
//! | `shutdown(cancel_futures=True)`, `shutdown(wait=True)` | `stop_is_…`, `drain_is_…` |
//! | `map` cancels what is queued on an error | `a_failure_ends_a_map_…` |
//! | a failing initializer breaks all pending futures | `a_failing_start_hook_…` |
//! | `result(timeout)`, `map(timeout)` | `join_timeout_…`, `a_deadline_…` |
//! | `add_done_callback` | `callbacks_…` |
//! | `map(buffersize=n)` reads one item more than it says (131466) | `map_reads_…` |
//! | `thread_name_prefix`, `max_workers` | `threads_are_named_…` |
//! | `with` runs the queue though its body raised (130975) | `a_failing_scope_body_…` in `python_defects.rs` |
//! | errors that nobody reads (85544) | `a_failure_that_nobody_reads_…` in `python_defects_handles.rs` |
//! | submits from inside of tasks may deadlock | `tasks_submitted_by_tasks_run` in `python_defects_handles.rs` |
//! | processes, interpreters, `terminate_workers`, pickling | do not apply to threads |

mod python_kit;

use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futureproof::{
    ScopeError, StopCause, TaskError, TaskErrorKind, TaskHandle, Until, task_pool, wait,
    wait_timeout,
};
use python_kit::{Counter, Log, Oops, failure, guarded, wait_until, work_until_told_to_stop};

#[test]
fn waiting_returns_at_the_first_end_at_the_first_failure_or_at_the_last_end() {
    static GATES: [Counter; 3] = [const { Counter::new() }; 3];

    #[task_pool(workers = 3, error_policy = "ignore")]
    fn gated(n: usize) -> Result<(), Oops> {
        GATES[n].wait_for(1);
        if n == 1 { Err(Oops(n)) } else { Ok(()) }
    }

    guarded(|| {
        let handles = [0, 1, 2].map(gated::submit);
        GATES[0].add();
        let waited = wait(&handles, Until::First);
        assert_eq!((waited.finished, waited.pending), (vec![0], vec![1, 2]));
        GATES[1].add();
        let waited = wait(&handles, Until::FirstFailure);
        assert_eq!((waited.finished, waited.pending), (vec![0, 1], vec![2]));
        let waited = wait_timeout(&handles, Until::All, Duration::from_millis(20));
        assert_eq!((waited.finished, waited.pending), (vec![0, 1], vec![2]));
        GATES[2].add();
        // One handle may be there twice.
        let waited = wait(handles.iter().chain(&handles[..1]), Until::All);
        assert_eq!(
            (waited.finished, waited.pending),
            (vec![0, 1, 2, 3], vec![])
        );
    });
}

#[test]
fn cancelled_tasks_are_read_in_the_order_of_completion_like_all_others() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 10)]
    fn work(n: usize) -> usize {
        RUNNING.add();
        work_until_told_to_stop();
        n
    }

    guarded(|| {
        work::scope(|tasks| {
            for n in 0..10 {
                tasks.submit(n);
            }
            RUNNING.wait_for(2);
            tasks.stop();
            let ends: Vec<_> = tasks.as_completed().collect();
            assert_eq!(ends.len(), 10);
            let cancelled = ends
                .iter()
                .filter(|end| end.as_ref().is_err_and(TaskError::is_cancelled));
            assert_eq!(cancelled.count(), 8);
        })
        .unwrap();
    });
}

#[test]
fn a_cancelled_handle_has_finished_and_has_not_failed_for_whoever_waits() {
    static RUNNING: Counter = Counter::new();
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 4)]
    fn gated(n: usize) -> usize {
        RUNNING.add();
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let handles = [0, 1, 2].map(gated::submit);
        RUNNING.wait_for(1);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&handles, Until::First));
            assert!(handles[2].cancel());
            assert_eq!(waiting.join().unwrap().finished, [2]);
        });
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(&handles, Until::FirstFailure));
            GATE.add();
            assert_eq!(
                waiting.join().unwrap().finished,
                [0, 1, 2],
                "none has failed"
            );
        });
        assert!(wait(&handles, Until::All).pending.is_empty());
        let ends = handles.map(TaskHandle::join);
        assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 2);
    });
}

#[test]
fn stop_is_a_shutdown_that_cancels_the_queue_and_lets_what_runs_complete() {
    static RUNNING: Counter = Counter::new();
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 10)]
    fn gated(n: usize) -> usize {
        RUNNING.add();
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let handles: Vec<_> = (0..10).map(gated::submit).collect();
        RUNNING.wait_for(2);
        gated::pool().stop();
        // At once, though two of them run on.
        assert_eq!(
            handles.iter().filter(|handle| handle.is_finished()).count(),
            8
        );
        GATE.add();
        let results: Vec<_> = handles
            .into_iter()
            .filter_map(|handle| handle.join().ok())
            .collect();
        assert_eq!(results, [0, 1]);
    });
}

#[test]
fn drain_is_a_shutdown_that_waits_for_the_queue() {
    #[task_pool(workers = 2, capacity = 10)]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        let handles: Vec<_> = (0..10).map(double::submit).collect();
        double::pool().drain(Duration::MAX).unwrap();
        assert!(handles.iter().all(TaskHandle::is_finished));
        let sum: usize = handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .sum();
        assert_eq!(sum, 90);
    });
}

#[test]
fn a_failure_ends_a_map_at_its_position_and_cancels_what_is_queued() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, capacity = 100)]
    fn tenth_fails(n: usize) -> Result<usize, Oops> {
        STARTED.fetch_add(1, Ordering::SeqCst);
        if n > 10 {
            work_until_told_to_stop();
        }
        if n == 10 { Err(Oops(n)) } else { Ok(n) }
    }

    guarded(|| {
        let mut results = tenth_fails::map(0..500);
        for n in 0..10 {
            assert_eq!(results.next().unwrap().unwrap().result, n);
        }
        assert_eq!(failure(results.next().unwrap().unwrap_err()), Oops(10));
        assert!(results.next().is_none());
        let report = results.stop();
        assert_eq!(report.failed(), 1);
        let started = STARTED.load(Ordering::SeqCst);
        assert!(started <= 11 + 2, "{started} of 500 started");
    });
}

#[test]
fn a_failing_start_hook_fails_all_pending_tasks_and_all_later_ones() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 10, on_thread_start = || { GATE.wait_for(1); Err::<(), _>("no driver") })]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        let mut handles: Vec<_> = (0..5).map(double::submit).collect();
        GATE.add();
        wait_until(|| handles[0].is_finished());
        handles.push(double::submit(5));
        for handle in handles {
            let error = handle.join().unwrap_err();
            assert!(error.to_string().contains("no driver"), "{error}");
            assert!(matches!(error.into_kind(), TaskErrorKind::PoolBroken(_)));
        }
        // A plain call needs no thread.
        assert_eq!(double(4), 8);
    });
}

#[test]
fn join_timeout_gives_the_handle_back_when_the_time_is_over() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated(n: usize) -> usize {
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let handle = gated::submit(3);
        let handle = handle.join_timeout(Duration::from_millis(10)).unwrap_err();
        let handle = handle.try_join().unwrap_err();
        GATE.add();
        assert_eq!(handle.join_timeout(Duration::MAX).unwrap().unwrap(), 3);
    });
}

/// `map(timeout)` and `as_completed(timeout)` count from the call
#[test]
fn a_deadline_ends_a_stream_and_a_scope_that_never_would() {
    #[task_pool(workers = 2)]
    fn pass(n: usize) -> usize {
        n
    }

    guarded(|| {
        let limit = Duration::from_millis(30);
        // Without an end, and read without one.
        for end in pass::configure().deadline(limit).as_completed(0..) {
            match end {
                Ok(task) => assert_eq!(task.result, task.args.0),
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }

        let outcome = pass::configure().deadline(limit).scope(|tasks| {
            tasks.map(0..);
            for _ in tasks.as_completed() {}
        });
        match outcome {
            Err(ScopeError::Stopped(stopped)) => {
                assert_eq!(stopped.cause(), StopCause::Deadline(limit));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn callbacks_are_called_in_their_order_at_once_if_the_task_has_ended_and_may_panic() {
    static CALLED: Mutex<Vec<(usize, bool)>> = Mutex::new(Vec::new());
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated() -> thread::ThreadId {
        GATE.wait_for(1);
        thread::current().id()
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            let here = thread::current().id();
            let note = move |n| {
                let is_here = thread::current().id() == here;
                CALLED.lock().unwrap().push((n, is_here));
            };
            let handle = gated::submit();
            handle.on_finish(move |_| note(0));
            handle.on_finish(|_| panic::resume_unwind(Box::new("a bad callback")));
            handle.on_finish(move |_| note(1));
            GATE.add();
            wait_until(|| handle.is_finished() && CALLED.lock().unwrap().len() == 2);
            handle.on_finish(move |_| note(2));
            assert_eq!(*CALLED.lock().unwrap(), [(0, false), (1, false), (2, true)]);
            handle.join().unwrap();
        });
        assert_eq!(log.errors().len(), 1, "{:#?}", log.errors());
    });
}

#[test]
fn map_reads_its_input_no_further_than_its_window() {
    static PULLED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, capacity = 3)]
    fn pass(n: usize) -> usize {
        n
    }

    guarded(|| {
        let inputs = (0..).inspect(|n| {
            PULLED.store(n + 1, Ordering::SeqCst);
        });
        let mut results = pass::map(inputs);
        for read in 1..=200 {
            results.next().unwrap().unwrap();
            let pulled = PULLED.load(Ordering::SeqCst);
            assert!(pulled <= read + 1 + 3, "{pulled} pulled, {read} read");
        }
    });
}

#[test]
fn threads_are_named_and_counted_as_asked_for() {
    #[task_pool(workers = 2, name = "downloads")]
    fn name(_n: usize) -> String {
        thread::current().name().unwrap().to_owned()
    }

    guarded(|| {
        assert_eq!(name::pool().workers(), 2);
        let mut names: Vec<_> = name::map(0..100).map(|done| done.unwrap().result).collect();
        names.sort();
        names.dedup();
        assert!(
            names.iter().all(|name| name.starts_with("downloads-")),
            "{names:?}"
        );
        assert!(names.len() <= 2 && name::pool().threads() <= 2, "{names:?}");
    });
}
