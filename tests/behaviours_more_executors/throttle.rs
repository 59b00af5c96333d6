//! How many tasks run at once, and how many start in a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futureproof::{RateLimit, task_pool};

use crate::python_kit::{Counter, Gauge, guarded, wait_until};

#[test]
fn a_thousand_tasks_on_eight_threads_never_run_more_than_three_at_once() {
    static GAUGE: Gauge = Gauge::new();
    static THREE: Barrier = Barrier::new(3);

    #[task_pool(workers = 8, capacity = 16)]
    fn meet(n: usize) -> usize {
        let _present = GAUGE.enter();
        if n < 3 {
            THREE.wait();
        }
        n
    }

    guarded(|| {
        meet::pool().set_task_limit(3);
        assert_eq!(meet::pool().task_limit(), Some(3));
        // By a submit that waits, by one that does not, in a scope and as a stream.
        let mut handles: Vec<_> = (0..500).map(meet::submit).collect();
        for n in 500..1000 {
            let mut next = n;
            handles.push(loop {
                match meet::try_submit(next) {
                    Ok(handle) => break handle,
                    Err(full) => (next,) = full.into_args(),
                }
                thread::yield_now();
            });
        }
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        meet::scope(|tasks| tasks.map(1000..2000)).unwrap();
        assert_eq!(meet::map(2000..3000).count(), 1000);
        assert_eq!((GAUGE.peak(), GAUGE.now()), (3, 0));
    });
}

#[test]
fn the_limit_may_change_while_tasks_run() {
    static GAUGE: Gauge = Gauge::new();
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    static LEAVE: Counter = Counter::new();

    /// The tasks leave in the order in which they came.
    #[task_pool(workers = 8, capacity = 64)]
    fn stay() {
        let number = 1 + STARTED.fetch_add(1, Ordering::SeqCst);
        let _present = GAUGE.enter();
        LEAVE.wait_for(number);
    }

    guarded(|| {
        let pool = stay::pool();
        pool.set_task_limit(0);
        let handles: Vec<_> = (0..40).map(|_| stay::submit()).collect();
        for (limit, at_once) in [(Some(1), 1), (Some(2), 2), (None, 8)] {
            assert!(GAUGE.peak() < at_once);
            pool.set_task_limit(limit);
            wait_until(|| GAUGE.now() == at_once && GAUGE.peak() >= at_once);
            assert_eq!(GAUGE.peak(), at_once);
        }
        // What runs is not interrupted, and nothing takes its place.
        pool.set_task_limit(0);
        assert_eq!(GAUGE.now(), 8);
        (0..8).for_each(|_| LEAVE.add());
        wait_until(|| GAUGE.now() == 0);
        pool.set_task_limit(6);
        wait_until(|| GAUGE.now() == 6);
        assert_eq!(STARTED.load(Ordering::SeqCst), 14);
        // Lowered, it is reached as tasks end.
        pool.set_task_limit(1);
        (0..5).for_each(|_| LEAVE.add());
        wait_until(|| GAUGE.now() == 1);
        assert_eq!(STARTED.load(Ordering::SeqCst), 14);
        (0..40).for_each(|_| LEAVE.add());
        for handle in handles {
            handle.join().unwrap();
        }
        assert_eq!((STARTED.load(Ordering::SeqCst), GAUGE.peak()), (40, 8));
    });
}

/// M4: there a raised limit does not release a blocked submit, and none at all is a `TypeError`
#[test]
fn raising_the_limit_releases_a_blocked_submit() {
    #[task_pool(workers = 2, capacity = 0)]
    fn pass(n: usize) -> usize {
        n
    }

    guarded(|| {
        for limit in [Some(1), None] {
            pass::pool().set_task_limit(0);
            let held_back = [1, 2].map(pass::submit);
            assert!(pass::try_submit(3).unwrap_err().is_full());
            let blocked = thread::spawn(|| pass::submit(4).join().unwrap());
            pass::pool().set_task_limit(limit);
            assert_eq!(blocked.join().unwrap(), 4);
            assert_eq!(held_back.map(|handle| handle.join().unwrap()), [1, 2]);
        }
    });
}

/// M3: of 50 tasks none runs there
#[test]
fn the_end_of_a_scope_runs_all_that_a_limit_holds_back() {
    static RAN: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(workers = 4, capacity = 50, rate_limit = "10000/s")]
    fn count() {
        RAN.fetch_add(1, Ordering::SeqCst);
    }

    guarded(|| {
        count::pool().set_task_limit(2);
        count::scope(|tasks| {
            for _ in 0..50 {
                tasks.submit();
            }
        })
        .unwrap();
        assert_eq!(RAN.load(Ordering::SeqCst), 50);
    });
}

/// The moments of the starts, after `begun`, in order.
fn assert_spaced(begun: Instant, starts: &[Instant], burst: u32, gap: Duration) {
    for (n, start) in (0..).zip(starts) {
        // Those before it, less the burst, have each taken their share of the time.
        let earliest = gap * u32::saturating_sub(n + 1, burst);
        let took = *start - begun;
        assert!(took >= earliest, "start {n} after {took:?}");
    }
}

#[test]
fn tasks_start_no_faster_than_their_rate_whoever_submits_them() {
    static STARTS: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
    const BURST: u32 = 5;

    #[task_pool(workers = 4, capacity = 30, rate_limit = RateLimit::new(200, Duration::from_secs(1)).burst(BURST))]
    fn note(_n: usize) {
        STARTS.lock().unwrap().push(Instant::now());
    }

    guarded(|| {
        let begun = Instant::now();
        let handles: Vec<_> = (0..10).map(note::submit).collect();
        note::scope(|tasks| tasks.map(0..10)).unwrap();
        assert_eq!(note::map(0..10).count(), 10);
        for handle in handles {
            handle.join().unwrap();
        }
        let mut starts = STARTS.lock().unwrap();
        starts.sort();
        assert_eq!(starts.len(), 30);
        assert_spaced(begun, &starts, BURST, Duration::from_millis(5));
    });
}

#[test]
fn a_plain_call_is_not_limited() {
    #[task_pool(workers = 1, rate_limit = "1/min")]
    fn double(n: usize) -> usize {
        2 * n
    }

    guarded(|| {
        let sum: usize = (0..100).map(double).sum();
        assert_eq!(sum, 9900);
        assert_eq!(double::submit(1).join().unwrap(), 2, "the first may start");
    });
}
