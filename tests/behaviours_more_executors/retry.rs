//! Tasks that are tried again.

use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use futureproof::{Retry, TaskErrorKind, task_pool};

use crate::python_kit::{Counter, Log, Oops, failure, guarded, of_task, wait_until};

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_hundred_tasks_succeed_at_the_fourth_attempt_with_the_same_arguments_and_one_callback_each() {
    static CALLS: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());
    static CALLBACKS: Counter = Counter::new();

    #[task_pool(workers = 4, capacity = 100, retry = Retry::attempts(4).backoff(MILLISECOND))]
    fn fourth_time(n: usize, text: String) -> Result<usize, Oops> {
        let mut calls = CALLS.lock().unwrap();
        calls.push((n, text));
        match calls.iter().filter(|(its, _)| *its == n).count() {
            4 => Ok(n),
            attempt => Err(Oops(attempt)),
        }
    }

    guarded(|| {
        let handles: Vec<_> = (0..100)
            .map(|n| {
                let handle = fourth_time::submit(n, format!("text {n}"));
                handle.on_finish(|end| {
                    assert!(end.is_ok());
                    CALLBACKS.add();
                });
                handle
            })
            .collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        assert_eq!(CALLBACKS.get(), 100);
        let calls = CALLS.lock().unwrap();
        assert_eq!(calls.len(), 400);
        assert!(calls.iter().all(|(n, text)| *text == format!("text {n}")));
    });
}

#[test]
fn the_last_of_ten_attempts_gives_the_error() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, retry = Retry::attempts(10).backoff(MILLISECOND).factor(1.0))]
    fn never(_n: usize) -> Result<(), Oops> {
        Err(Oops(1 + ATTEMPTS.fetch_add(1, Ordering::SeqCst)))
    }

    guarded(|| {
        let error = never::submit(5).join().unwrap_err();
        assert_eq!(error.attempts(), 10);
        let text = error.to_string();
        assert!(
            text.ends_with("never(5) failed after 10 attempts: oops 10"),
            "{text}"
        );
        assert_eq!(failure(error), Oops(10));
        assert_eq!(ATTEMPTS.load(Ordering::SeqCst), 10);
    });
}

/// The waits are far enough apart for the order to be that, however busy the machine is
#[test]
fn tasks_come_back_in_the_order_in_which_their_waits_end() {
    static ORDER: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    #[task_pool(workers = 1, capacity = 3)]
    fn second_time(wait: u64) -> Result<(), Oops> {
        let mut order = ORDER.lock().unwrap();
        order.push(wait);
        if order.iter().filter(|its| **its == wait).count() == 2 {
            Ok(())
        } else {
            Err(Oops(0))
        }
    }

    guarded(|| {
        let handles = [2500, 1300, 100].map(|wait| {
            let retry = Retry::attempts(2)
                .backoff(Duration::from_millis(wait))
                .jitter(false);
            second_time::configure().retry(retry).submit(wait)
        });
        for handle in handles {
            handle.join().unwrap();
        }
        let order = [2500, 1300, 100, 100, 1300, 2500];
        assert_eq!(*ORDER.lock().unwrap(), order);
    });
}

#[test]
fn only_the_errors_that_are_worth_it_are_tried_again() {
    static ATTEMPTS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

    #[task_pool(
        workers = 1,
        retry = Retry::attempts(3).backoff(MILLISECOND),
        retry_if = |error: &Oops| error.0 == 1
    )]
    fn fail(n: usize) -> Result<(), Oops> {
        ATTEMPTS[n].fetch_add(1, Ordering::SeqCst);
        Err(Oops(n))
    }

    guarded(|| {
        let attempts = [0, 1].map(|n| fail::submit(n).join().unwrap_err().attempts());
        assert_eq!(attempts, [1, 3]);
        assert_eq!(
            ATTEMPTS
                .each_ref()
                .map(|count| count.load(Ordering::SeqCst)),
            [1, 3]
        );
    });
}

#[test]
fn a_panic_is_not_tried_again() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, retry = 3)]
    fn bad() -> Result<(), Oops> {
        ATTEMPTS.fetch_add(1, Ordering::SeqCst);
        panic::resume_unwind(Box::new("bad"))
    }

    guarded(|| {
        let error = bad::submit().join().unwrap_err();
        assert!(
            matches!(error.kind(), TaskErrorKind::Panicked(_)),
            "{error}"
        );
        assert_eq!(error.attempts(), 1);
        assert_eq!(ATTEMPTS.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_call_may_have_a_policy_of_its_own() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, error_policy = "ignore")]
    fn fail() -> Result<(), Oops> {
        Err(Oops(ATTEMPTS.fetch_add(1, Ordering::SeqCst)))
    }

    guarded(|| {
        let patient = Retry::attempts(4).backoff(MILLISECOND);
        assert_eq!(fail::submit().join().unwrap_err().attempts(), 1);
        assert_eq!(
            fail::configure()
                .retry(patient)
                .submit()
                .join()
                .unwrap_err()
                .attempts(),
            4
        );
        fail::scope(|tasks| {
            tasks.submit();
            tasks
                .configure()
                .retry(patient)
                .retry_if(|error| error.0 < 7)
                .submit();
            let attempts: Vec<_> = tasks
                .in_order()
                .map(|end| end.unwrap_err().attempts())
                .collect();
            assert_eq!(attempts, [1, 2]);
        })
        .unwrap();
    });
}

/// A pool of one worker whose first task waits for an hour
#[task_pool(workers = 1, capacity = 8, retry = Retry::attempts(2).backoff(HOUR))]
fn patient(failing: &AtomicBool, n: usize) -> Result<usize, Oops> {
    if failing.load(Ordering::SeqCst) {
        Err(Oops(n))
    } else {
        Ok(n)
    }
}

#[test]
fn a_task_that_waits_for_another_attempt_takes_no_worker() {
    static YES: AtomicBool = AtomicBool::new(true);
    static NO: AtomicBool = AtomicBool::new(false);

    guarded(|| {
        let waiting = patient::submit(&YES, 1);
        for n in 0..100 {
            assert_eq!(patient::submit(&NO, n).join().unwrap(), n);
        }
        assert!(!waiting.is_finished());
        // And stopping it ends it at once, with what its first attempt gave.
        waiting.stop();
        let error = waiting.join().unwrap_err();
        assert_eq!(error.attempts(), 1);
        assert_eq!(failure(error), Oops(1));
    });
}

/// Pending retries at `shutdown(wait=True)` never resolve there
#[test]
fn stopping_a_scope_ends_what_waits_for_another_attempt_with_its_last_error() {
    static FAILED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, capacity = 20, error_policy = "ignore", retry = Retry::attempts(2).backoff(HOUR))]
    fn fail(n: usize) -> Result<(), Oops> {
        FAILED.fetch_add(1, Ordering::SeqCst);
        Err(Oops(n))
    }

    guarded(|| {
        fail::scope(|tasks| {
            for n in 0..10 {
                tasks.submit(n);
            }
            wait_until(|| FAILED.load(Ordering::SeqCst) == 10 && tasks.running() == 0);
            assert_eq!(tasks.failed(), 0, "they wait");
            tasks.stop();
            for (n, end) in tasks.in_order().enumerate() {
                assert_eq!(failure(end.unwrap_err()), Oops(n));
            }
            assert_eq!((tasks.failed(), tasks.cancelled()), (10, 0));
        })
        .unwrap();
    });
}

/// M2: of 200 tasks 118 are dropped there
#[test]
fn the_end_of_a_scope_waits_for_all_attempts() {
    static ATTEMPTS: [AtomicUsize; 200] = [const { AtomicUsize::new(0) }; 200];

    #[task_pool(workers = 2, retry = Retry::attempts(3).backoff(MILLISECOND))]
    fn third_time(n: usize) -> Result<(), Oops> {
        if ATTEMPTS[n].fetch_add(1, Ordering::SeqCst) < 2 {
            Err(Oops(n))
        } else {
            Ok(())
        }
    }

    guarded(|| {
        third_time::scope(|tasks| tasks.map(0..200)).unwrap();
        assert!(
            ATTEMPTS
                .iter()
                .all(|attempts| attempts.load(Ordering::SeqCst) == 3)
        );
    });
}

/// Under raise, too, it is the last failure of the task that counts
#[test]
fn a_scope_under_raise_fails_once_the_attempts_are_used_up() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, retry = Retry::attempts(3).backoff(MILLISECOND))]
    fn fifth_fails(n: usize) -> Result<usize, Oops> {
        if n == 4 {
            return Err(Oops(ATTEMPTS.fetch_add(1, Ordering::SeqCst)));
        }
        Ok(n)
    }

    guarded(|| {
        let error = of_task(fifth_fails::scope(|tasks| tasks.map(0..5)));
        assert_eq!((error.index(), error.attempts()), (4, 3));
        assert_eq!(failure(error), Oops(2));
    });
}

/// The race of a cancellation with the policy's own decision
#[test]
fn a_stop_while_the_predicate_decides_is_not_lost() {
    static TWO: Barrier = Barrier::new(2);
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(
        workers = 1,
        retry = Retry::attempts(2).backoff(MILLISECOND),
        retry_if = |_: &Oops| { TWO.wait(); TWO.wait(); true }
    )]
    fn fail() -> Result<(), Oops> {
        Err(Oops(ATTEMPTS.fetch_add(1, Ordering::SeqCst)))
    }

    guarded(|| {
        let handle = fail::submit();
        TWO.wait();
        handle.stop();
        TWO.wait();
        let error = handle.join().unwrap_err();
        assert_eq!(failure(error), Oops(0));
        assert_eq!(ATTEMPTS.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_predicate_that_panics_ends_the_attempts_and_costs_no_worker() {
    #[task_pool(
        workers = 1,
        retry = 3,
        retry_if = |error: &Oops| if error.0 == 0 { panic::resume_unwind(Box::new("no opinion")) } else { false }
    )]
    fn fail(n: usize) -> Result<(), Oops> {
        Err(Oops(n))
    }

    guarded(|| {
        Log::new().during(|| {
            let error = fail::submit(0).join().unwrap_err();
            assert_eq!(error.attempts(), 1, "{error}");
            let error = fail::submit(1).join().unwrap_err();
            assert_eq!(failure(error), Oops(1));
        });
    });
}
