//! Limits on time that are over before, while and after a task runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futureproof::task_pool;

use crate::python_kit::{Counter, guarded, wait_until};

#[test]
fn a_task_that_has_ended_is_not_touched_when_its_limit_passes() {
    static CALLBACKS: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, timeout = "2s")]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        let handle = double::submit(4);
        handle.on_finish(|end| {
            assert!(end.is_ok());
            CALLBACKS.fetch_add(1, Ordering::SeqCst);
        });
        wait_until(|| handle.is_finished());
        thread::sleep(Duration::from_millis(2100));
        assert_eq!(handle.join().unwrap(), 8);
        assert_eq!(CALLBACKS.load(Ordering::SeqCst), 1);
    });
}

/// "Cancel after t seconds from submission"
#[test]
fn who_has_waited_long_enough_cancels_what_is_queued_and_it_never_runs() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 1)]
    fn gated(n: usize) -> usize {
        STARTED.fetch_add(1, Ordering::SeqCst);
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let running = gated::submit(1);
        wait_until(|| STARTED.load(Ordering::SeqCst) == 1);
        let queued = gated::submit(2);
        let queued = queued.join_timeout(Duration::from_millis(20)).unwrap_err();
        assert!(queued.cancel());
        assert!(queued.join().unwrap_err().is_cancelled());

        // One that runs cannot be cancelled, and completes.
        let running = running.join_timeout(Duration::from_millis(20)).unwrap_err();
        assert!(!running.cancel());
        GATE.add();
        assert_eq!(running.join().unwrap(), 1);
        assert_eq!(STARTED.load(Ordering::SeqCst), 1);
    });
}

/// What a function returns after its limit is dropped, not given to anybody else
#[test]
fn the_late_outcome_of_a_timed_out_task_is_dropped() {
    static GATE: Counter = Counter::new();
    static DROPPED: Counter = Counter::new();

    struct Late;

    impl Drop for Late {
        fn drop(&mut self) {
            DROPPED.add();
        }
    }

    #[task_pool(workers = 1, timeout = "20ms", error_policy = "ignore")]
    fn late() -> Late {
        GATE.wait_for(1);
        Late
    }

    guarded(|| {
        let handle = late::submit();
        assert!(handle.join().is_err_and(|error| error.is_timed_out()));
        assert_eq!(DROPPED.get(), 0);
        GATE.add();
        DROPPED.wait_for(1);
    });
}
