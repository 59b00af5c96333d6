//! What holds for every way to run a task.

use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futureproof::{
    Retry, TaskError, TaskErrorKind, TaskHandle, TrySubmitError, Until, parallel_for, task_pool,
    wait,
};

use crate::python_kit::{Counter, Oops, guarded, wait_until};

#[task_pool(workers = 3)]
fn double(n: usize) -> usize {
    2 * n
}

#[test]
fn a_thousand_submits_give_their_results_in_order() {
    guarded(|| {
        let doubles = || (0..2000).step_by(2);
        let handles: Vec<_> = (0..1000).map(double::submit).collect();
        assert!(
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap())
                .eq(doubles())
        );
        assert!(
            double::map(0..1000)
                .map(|done| done.unwrap().result)
                .eq(doubles())
        );
        double::scope(|tasks| {
            for n in 0..1000 {
                tasks.submit(n);
            }
            assert!(
                tasks
                    .in_order()
                    .map(|done| done.unwrap().result)
                    .eq(doubles())
            );
        })
        .unwrap();
        let mut results = Vec::new();
        parallel_for!(
            workers = 3,
            reduce(results),
            for n in 0..1000 {
                results.push(double(n));
            }
        );
        assert!(results.into_iter().eq(doubles()));
    });
}

#[test]
fn handles_and_their_results_outlive_a_pool_that_was_closed_and_stopped() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated(n: usize) -> usize {
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let (first, second) = (gated::submit(1), gated::submit(2));
        gated::pool().close();
        GATE.add();
        gated::pool().drain(Duration::MAX).unwrap();
        gated::pool().stop();
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (1, 2));
    });
}

#[test]
fn every_callback_is_called_once_and_in_order_though_others_panic() {
    static GATE: Counter = Counter::new();
    static CALLED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    #[task_pool(workers = 1)]
    fn gated() {
        GATE.wait_for(1);
    }

    guarded(|| {
        let handle = gated::submit();
        for n in 0..10 {
            handle.on_finish(move |end| {
                assert!(end.is_ok());
                CALLED.lock().unwrap().push(n);
                if n % 3 == 0 {
                    panic::resume_unwind(Box::new(n));
                }
            });
        }
        assert!(!handle.is_finished());
        GATE.add();
        handle.join().unwrap();
        assert_eq!(*CALLED.lock().unwrap(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn a_task_is_not_finished_until_its_function_has_returned() {
    static RUNNING: Counter = Counter::new();
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated() {
        RUNNING.add();
        GATE.wait_for(1);
    }

    guarded(|| {
        let handle = gated::submit();
        assert!(!handle.is_finished());
        RUNNING.wait_for(1);
        assert!(!handle.is_finished());
        assert!(format!("{handle:?}").contains("running"), "{handle:?}");
        GATE.add();
        wait_until(|| handle.is_finished());
        assert!(!handle.cancel(), "it has ended");
        handle.join().unwrap();
    });
}

#[test]
fn cancelling_twice_is_cancelling_once_and_a_running_task_completes() {
    static RUNNING: Counter = Counter::new();
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 1)]
    fn gated(n: usize) -> usize {
        RUNNING.add();
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let (running, queued) = (gated::submit(1), gated::submit(2));
        RUNNING.wait_for(1);
        for _ in 0..3 {
            assert!(queued.cancel());
            assert!(queued.is_finished());
            assert!(!running.cancel());
            assert!(!running.is_finished());
        }
        GATE.add();
        assert_eq!(running.join().unwrap(), 1);
        let error = queued.join().unwrap_err();
        assert!(error.is_cancelled() && !error.is_timed_out(), "{error}");
        assert_eq!(RUNNING.get(), 1);
    });
}

#[test]
fn submits_one_after_another_are_waited_for_as_they_end() {
    static GATES: [Counter; 4] = [const { Counter::new() }; 4];

    #[task_pool(workers = 4)]
    fn gated(n: usize) -> usize {
        GATES[n].wait_for(1);
        n
    }

    guarded(|| {
        let mut open: Vec<TaskHandle<_, _, _>> = vec![gated::submit(0), gated::submit(1)];
        let mut ended = Vec::new();
        for n in [1, 2, 0, 3] {
            GATES[n].add();
            let waited = wait(&open, Until::First);
            assert_eq!(waited.finished.len(), 1, "{waited:?}");
            ended.push(open.remove(waited.finished[0]).join().unwrap());
            let next = ended.len() + 1;
            if next < 4 {
                open.push(gated::submit(next));
            }
        }
        assert_eq!(ended, [1, 2, 0, 3]);
        assert!(
            wait(&open, Until::First).finished.is_empty(),
            "nothing to wait for"
        );
    });
}

#[test]
fn a_pool_that_was_closed_or_stopped_twice_refuses_with_the_arguments() {
    #[task_pool(workers = 1)]
    fn length(text: String, at_most: usize) -> usize {
        text.len().min(at_most)
    }

    guarded(|| {
        assert_eq!(
            length::try_submit("text".into(), 9)
                .unwrap()
                .join()
                .unwrap(),
            4
        );
        length::pool().close();
        length::pool().close();
        match length::try_submit("text".into(), 9) {
            Err(TrySubmitError::Closed((text, 9))) => assert_eq!(text, "text"),
            other => panic!("{other:?}"),
        }
        length::pool().stop();
        length::pool().stop();
        let refused = length::try_submit("more".into(), 8).unwrap_err();
        assert!(!refused.is_full());
        assert_eq!(refused.into_args(), ("more".into(), 8));
        let error = length::submit("late".into(), 7).join().unwrap_err();
        assert!(error.is_cancelled(), "{error}");
    });
}

/// A stack of layers: here one task with every option
#[test]
fn all_options_together_lose_no_task() {
    static ATTEMPTS: [AtomicUsize; 100] = [const { AtomicUsize::new(0) }; 100];

    #[task_pool(
        workers = 4,
        capacity = 20,
        name = "everything",
        error_policy = "ignore",
        monitor = "1s",
        retry = Retry::attempts(3).backoff(Duration::from_millis(1)),
        retry_if = |error: &Oops| error.0 % 10 != 9,
        timeout = "1h",
        rate_limit = "100000/s burst 10",
        max_tasks_per_thread = 7,
        on_thread_start = || {},
        on_thread_stop = || {}
    )]
    fn task(n: usize) -> Result<usize, Oops> {
        let before = ATTEMPTS[n].fetch_add(1, Ordering::SeqCst);
        match n % 10 {
            7 => panic::resume_unwind(Box::new(n)),
            8 if before < 2 => Err(Oops(n)),
            9 => Err(Oops(n)),
            _ => Ok(n),
        }
    }

    guarded(|| {
        task::pool().set_task_limit(3);
        let ends: Vec<_> = task::map(0..100).collect();
        assert_eq!(ends.len(), 100);
        for (n, end) in ends.into_iter().enumerate() {
            match end.map_err(TaskError::into_kind) {
                Ok(task) => assert!(task.result == n && !matches!(n % 10, 7 | 9)),
                Err(TaskErrorKind::Failed(error)) => assert!(error == Oops(n) && n % 10 == 9),
                Err(TaskErrorKind::Panicked(_)) => assert_eq!(n % 10, 7),
                Err(other) => panic!("{n}: {other:?}"),
            }
            let attempts = if n % 10 == 8 { 3 } else { 1 };
            assert_eq!(ATTEMPTS[n].load(Ordering::SeqCst), attempts, "{n}");
        }
    });
}

/// The stress test of more-executors: every future resolves to what can be predicted of it
#[test]
fn five_hundred_tasks_that_submit_fail_cancel_and_submit_from_callbacks_all_resolve() {
    type Handle = TaskHandle<usize, Oops, (usize,)>;

    static STARTED: AtomicUsize = AtomicUsize::new(0);
    static SECOND: Mutex<Vec<(usize, Handle)>> = Mutex::new(Vec::new());

    #[task_pool(workers = 4, error_policy = "ignore")]
    fn mixed(n: usize) -> Result<usize, Oops> {
        STARTED.fetch_add(1, Ordering::SeqCst);
        match n % 7 {
            0 => Err(Oops(n)),
            1 => panic::resume_unwind(Box::new(n)),
            // From inside of a task, and joined there.
            2 => Ok(mixed::submit(n + 1).join().unwrap() - 1),
            _ => Ok(n),
        }
    }

    fn assert_predicted(n: usize, handle: Handle) -> bool {
        match handle.join().map_err(TaskError::into_kind) {
            Ok(result) => assert!(result == n && n % 7 > 1, "{n}"),
            Err(TaskErrorKind::Failed(error)) => assert_eq!((error, n % 7), (Oops(n), 0)),
            Err(TaskErrorKind::Panicked(_)) => assert_eq!(n % 7, 1),
            Err(TaskErrorKind::Cancelled) => return false,
            Err(other) => panic!("{n}: {other:?}"),
        }
        true
    }

    guarded(|| {
        let handles: Vec<_> = (0..500)
            .map(|n| {
                let handle = mixed::submit(n);
                if n % 11 == 0 {
                    // From a callback, whatever became of the first.
                    handle.on_finish(move |_| {
                        let second = (n + 3, mixed::submit(n + 3));
                        SECOND.lock().unwrap().push(second);
                    });
                }
                let cancelled = n % 5 == 0 && handle.cancel();
                (n, handle, cancelled)
            })
            .collect();
        let mut ran = 0;
        for (n, handle, cancelled) in handles {
            let ended = assert_predicted(n, handle);
            assert_eq!(ended, !cancelled, "{n}");
            ran += usize::from(ended) * if n % 7 == 2 { 2 } else { 1 };
        }
        let second = std::mem::take(&mut *SECOND.lock().unwrap());
        assert_eq!(second.len(), 500_usize.div_ceil(11));
        for (n, handle) in second {
            assert!(assert_predicted(n, handle), "{n}");
            ran += if n % 7 == 2 { 2 } else { 1 };
        }
        assert_eq!(STARTED.load(Ordering::SeqCst), ran);
    });
}
