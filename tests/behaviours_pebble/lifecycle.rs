//! Closing, stopping and draining a pool: Pebble 38 to 46.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futureproof::{TaskError, TrySubmitError, task_pool};

use crate::python_kit::{Counter, guarded, work_until_told_to_stop};

/// Pebble 38
#[test]
fn a_pool_is_open_while_it_works_and_closed_afterwards() {
    #[task_pool(workers = 1)]
    fn is_open(_n: usize) -> bool {
        !is_open::pool().is_closed()
    }

    guarded(|| {
        assert!(!is_open::pool().is_closed());
        assert!(is_open::submit(0).join().unwrap());
        is_open::pool().close();
        is_open::pool().close();
        assert!(is_open::pool().is_closed());

        is_open::scope(|tasks| {
            assert!(!tasks.is_closed(), "a scope has a life of its own");
            tasks.submit(1);
            tasks.close();
            assert!(tasks.is_closed());
            assert!(matches!(
                tasks.try_submit(2),
                Err(TrySubmitError::Closed((2,)))
            ));
            assert_eq!(tasks.as_completed().flatten().count(), 1);
        })
        .unwrap();
    });
}

/// Pebble 39
#[test]
fn close_runs_all_that_is_queued() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 20)]
    fn gated(n: usize) -> usize {
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let handles: Vec<_> = (0..20).map(gated::submit).collect();
        gated::pool().close();
        match gated::try_submit(20) {
            Err(TrySubmitError::Closed((20,))) => {}
            other => panic!("{other:?}"),
        }
        assert!(gated::submit(21).join().unwrap_err().is_cancelled());
        GATE.add();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        gated::pool().drain(Duration::MAX).unwrap();
    });
}

/// Pebble 40
#[test]
fn stop_leaves_what_is_queued_undone_and_tells_what_runs() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 20)]
    fn work(n: usize) -> usize {
        RUNNING.add();
        work_until_told_to_stop();
        n
    }

    guarded(|| {
        let handles: Vec<_> = (0..20).map(work::submit).collect();
        RUNNING.wait_for(2);
        work::pool().stop();
        for (n, handle) in handles.into_iter().enumerate() {
            match handle.join() {
                Ok(result) => assert!(n < 2 && result == n, "{n}"),
                Err(error) => assert!(n >= 2 && error.is_cancelled(), "{error}"),
            }
        }
        assert_eq!(RUNNING.get(), 2);
    });
}

/// Pebble 41
#[test]
fn a_task_may_stop_its_pool() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 1, capacity = 20)]
    fn second_stops(n: usize) -> usize {
        STARTED.fetch_add(1, Ordering::SeqCst);
        if n == 1 {
            second_stops::pool().stop();
        }
        n
    }

    guarded(|| {
        second_stops::pool().set_task_limit(0);
        let handles: Vec<_> = (0..10).map(second_stops::submit).collect();
        second_stops::pool().set_task_limit(None);
        for (n, handle) in handles.into_iter().enumerate() {
            match handle.join() {
                Ok(result) => assert!(n < 2 && result == n, "{n}"),
                Err(error) => assert!(n >= 2 && error.is_cancelled(), "{error}"),
            }
        }
        assert_eq!(STARTED.load(Ordering::SeqCst), 2);
        second_stops::pool().drain(Duration::MAX).unwrap();
    });
}

/// Pebble 42
#[test]
fn a_callback_may_stop_the_pool_and_later_submits_are_refused() {
    static GATE: Counter = Counter::new();
    static REFUSED: Mutex<Option<(usize,)>> = Mutex::new(None);

    #[task_pool(workers = 1, capacity = 20)]
    fn gated(n: usize) -> usize {
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let first = gated::submit(0);
        first.on_finish(|_| {
            gated::pool().stop();
            *REFUSED.lock().unwrap() = gated::try_submit(7).err().map(TrySubmitError::into_args);
        });
        let queued = gated::submit(1);
        GATE.add();
        assert_eq!(first.join().unwrap(), 0);
        assert!(queued.join().unwrap_err().is_cancelled());
        assert_eq!(*REFUSED.lock().unwrap(), Some((7,)));
        assert!(!gated::try_submit(8).unwrap_err().is_full());
        assert!(gated::submit(9).join().unwrap_err().is_cancelled());
    });
}

/// Pebble 45
#[test]
fn a_drain_that_takes_too_long_says_what_is_left_and_a_stop_ends_it() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 20)]
    fn work(_n: usize) {
        RUNNING.add();
        work_until_told_to_stop();
    }

    guarded(|| {
        let handles: Vec<_> = (0..5).map(work::submit).collect();
        RUNNING.wait_for(2);
        let left = work::pool().drain(Duration::from_millis(20)).unwrap_err();
        assert_eq!((left.waiting, left.running), (3, 2));
        assert!(work::pool().is_closed());
        work::pool().stop();
        work::pool().drain(Duration::MAX).unwrap();
        let cancelled = handles.into_iter().filter_map(|handle| handle.join().err());
        assert_eq!(cancelled.filter(TaskError::is_cancelled).count(), 3);
    });
}

/// Pebble 45, in a scope: what never started comes back with its arguments
#[test]
fn draining_a_scope_gives_back_what_never_started() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 20)]
    fn work(n: usize) -> usize {
        if n < 2 {
            RUNNING.add();
            work_until_told_to_stop();
        }
        n
    }

    guarded(|| {
        work::scope(|tasks| {
            for n in 0..5 {
                tasks.submit(n);
            }
            RUNNING.wait_for(2);
            let left = tasks.drain(Duration::from_millis(20)).unwrap_err();
            assert_eq!(left.running(), [0, 1]);
            assert_eq!(left.into_tasks(), [(2, (2,)), (3, (3,)), (4, (4,))]);
            tasks.stop();
            let mut results: Vec<_> = tasks
                .as_completed()
                .flatten()
                .map(|task| task.result)
                .collect();
            results.sort_unstable();
            assert_eq!(results, [0, 1]);
        })
        .unwrap();
    });
}

/// Pebble 46
#[test]
fn a_pool_is_stopped_while_hundreds_of_megabytes_are_on_their_way() {
    static RUNNING: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 0, keep_args = false)]
    fn pass(bytes: Vec<u8>) -> Vec<u8> {
        RUNNING.add();
        bytes
    }

    guarded(|| {
        // The sender is stopped wherever it happens to be.
        let sender = std::thread::spawn(|| {
            let mut ends = [0; 2];
            while !pass::pool().is_closed() {
                match pass::submit(vec![0; 100 << 20]).join() {
                    Ok(bytes) => ends[0] += usize::from(bytes.len() == 100 << 20),
                    Err(error) => ends[1] += usize::from(error.is_cancelled()),
                }
            }
            ends
        });
        RUNNING.wait_for(20);
        pass::pool().stop();
        let [completed, cancelled] = sender.join().unwrap();
        assert!(completed >= 20 && cancelled <= 1, "{completed} {cancelled}");
        assert_eq!(completed, RUNNING.get());
    });
}
