//! Pools that are stopped while tasks are queued, submitted or waited for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futureproof::{Retry, TaskError, TrySubmitError, task_pool};

use crate::python_kit::{
    Counter, Oops, block_on, failure, guarded, wait_until, work_until_told_to_stop,
};

#[test]
fn stopping_cancels_all_of_a_thousand_tasks_but_the_two_that_run() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 2, capacity = 1000)]
    fn work(_n: usize) {
        STARTED.fetch_add(1, Ordering::SeqCst);
        work_until_told_to_stop();
    }

    guarded(|| {
        let handles: Vec<_> = (0..1000).map(work::submit).collect();
        wait_until(|| STARTED.load(Ordering::SeqCst) == 2);
        work::pool().stop();
        let ends = handles.into_iter().map(|handle| handle.join().err());
        assert_eq!(
            ends.filter(|end| end.as_ref().is_some_and(TaskError::is_cancelled))
                .count(),
            998
        );
        assert_eq!(STARTED.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_submit_in_a_callback_during_the_stop_is_refused_without_a_deadlock() {
    static REFUSED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    #[task_pool(workers = 1, capacity = 10)]
    fn work(_n: usize) {
        work_until_told_to_stop();
    }

    guarded(|| {
        let handles: Vec<_> = (0..10).map(work::submit).collect();
        for handle in &handles {
            handle.on_finish(|_| {
                let (n,) = work::try_submit(7).map(drop).unwrap_err().into_args();
                assert!(work::submit(n).join().unwrap_err().is_cancelled());
                REFUSED.lock().unwrap().push(n);
            });
        }
        work::pool().stop();
        for handle in handles {
            let _ = handle.join();
        }
        assert_eq!(*REFUSED.lock().unwrap(), [7; 10]);
    });
}

/// M5: there a `shutdown` waits for a submit that waits for the `shutdown`
#[test]
fn stopping_a_pool_wakes_a_blocked_submit() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 0)]
    fn work(_n: usize) {
        RUNNING.add();
        work_until_told_to_stop();
    }

    guarded(|| {
        let running = work::submit(0);
        RUNNING.wait_for(1);
        let blocked = [1, 2, 3].map(|n| thread::spawn(move || work::submit(n).join()));
        // Most likely they are blocked by then; in any case they cannot be accepted.
        thread::sleep(Duration::from_millis(20));
        work::pool().stop();
        for submit in blocked {
            assert!(submit.join().unwrap().unwrap_err().is_cancelled());
        }
        running.join().unwrap();
        assert!(matches!(
            work::try_submit(4),
            Err(TrySubmitError::Closed(_) | TrySubmitError::Stopped(_))
        ));
    });
}

/// M1: a cancellation from below, under everything that may lie above
#[test]
fn stopping_the_pool_resolves_whoever_waits_for_tasks_that_wait_themselves() {
    static FAILED: AtomicUsize = AtomicUsize::new(0);
    const HOUR: Duration = Duration::from_secs(3600);

    #[task_pool(workers = 2, capacity = 10, retry = Retry::attempts(2).backoff(HOUR), timeout = HOUR)]
    fn fail(n: usize) -> Result<usize, Oops> {
        FAILED.fetch_add(1, Ordering::SeqCst);
        Err(Oops(n))
    }

    #[task_pool(workers = 1, capacity = 10, rate_limit = "1/h")]
    fn seldom(n: usize) -> usize {
        n
    }

    guarded(|| {
        let waiters = [0, 1].map(|n| {
            let handle = fail::submit(n);
            thread::spawn(move || {
                if n == 0 {
                    handle.join()
                } else {
                    block_on(handle)
                }
            })
        });
        wait_until(|| FAILED.load(Ordering::SeqCst) == 2);
        fail::pool().stop();
        for (n, waiter) in waiters.into_iter().enumerate() {
            assert_eq!(failure(waiter.join().unwrap().unwrap_err()), Oops(n));
        }

        assert_eq!(seldom::submit(1).join().unwrap(), 1);
        let held_back = seldom::submit(2);
        let waiter = thread::spawn(move || block_on(async { held_back.await.map(|n| n + 1) }));
        seldom::pool().stop();
        assert!(waiter.join().unwrap().unwrap_err().is_cancelled());
    });
}
