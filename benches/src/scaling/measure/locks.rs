//! The standard library's mutex and condition variable, and threads.

use std::hint::black_box;
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::{Costs, Effort, both, each};

/// How often `std::sync::Mutex` looks again before it sleeps (`library/std/src/sys/sync/mutex/futex.rs`).
const LOOKS_OF_A_MUTEX: usize = 100;

pub fn measure(effort: Effort, costs: &mut Costs) {
    let count = effort.count(20);
    costs.time(
        "lock",
        "`Mutex`: lock and unlock, line in the own cache",
        effort.sample(|| locks_alone(count)),
    );
    let short = effort.short();
    costs.time(
        "lock_contended",
        "two cores that do nothing but lock and unlock, time between two locks",
        short.sample(|| locks_contended(short.count(200))),
    );
    costs.time(
        "lock_spin",
        "so long a `Mutex` looks again before it sleeps",
        effort.sample(|| spin(effort.count(5000))),
    );
    costs.time(
        "notify",
        "`Condvar::notify_one` with nobody waiting",
        effort.sample(|| notifies(effort.count(500))),
    );
    let mut wake = |keys: [&'static str; 2], what: [&'static str; 2], asleep: Duration| {
        let count = effort.count(asleep.as_nanos() as usize);
        let both: Vec<Vec<_>> = effort.sample(|| wakes(count, asleep));
        let (wakers, woken) = both.into_iter().flatten().unzip();
        costs.time(keys[0], what[0], wakers);
        costs.time(keys[1], what[1], woken);
    };
    wake(
        ["wake", "wake_latency"],
        [
            "futex wake of a thread that has slept for 0.05 ms: to the waker",
            "the same, until the woken thread runs",
        ],
        Duration::from_micros(50),
    );
    wake(
        ["wake_deep", "wake_deep_latency"],
        [
            "futex wake of a thread that has slept for 2 ms: to the waker",
            "the same, until the woken thread runs",
        ],
        Duration::from_millis(2),
    );
    let count = effort.count(200_000);
    let starts: Vec<Vec<_>> = effort.sample(|| starts(count));
    let (starters, started) = starts.into_iter().flatten().unzip();
    costs.time("start", "start of a thread: to the starter", starters);
    costs.time(
        "start_latency",
        "the same, until the new thread runs",
        started,
    );
}

fn lock_often(mutex: &Mutex<usize>, count: usize) {
    for _ in 0..count {
        *black_box(mutex).lock().expect("nothing panics") += 1;
    }
}

fn locks_alone(count: usize) -> f64 {
    let mutex = Mutex::new(0);
    let began = Instant::now();
    lock_often(&mutex, count);
    each(began.elapsed(), count)
}

fn locks_contended(count: usize) -> f64 {
    let mutex = Mutex::new(0);
    let lock = || lock_often(&mutex, count);
    let (elapsed, (), ()) = both(lock, lock);
    each(elapsed, 2 * count)
}

fn spin(count: usize) -> f64 {
    let began = Instant::now();
    for _ in 0..count * LOOKS_OF_A_MUTEX {
        std::hint::spin_loop();
    }
    each(began.elapsed(), count)
}

fn notifies(count: usize) -> f64 {
    let condvar = Condvar::new();
    let began = Instant::now();
    for _ in 0..count {
        black_box(&condvar).notify_one();
    }
    each(began.elapsed(), count)
}

/// Keeps the core busy.
pub fn stay_busy(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Wakes a thread `count` times, which has slept for a while each time; returns what each time cost the waker and how long
/// it took until the thread ran.
fn wakes(count: usize, asleep: Duration) -> Vec<(f64, f64)> {
    // Some(n): wake-up n is on its way; the other thread answers by taking it.
    let mutex: Mutex<Option<usize>> = Mutex::new(None);
    let condvar = Condvar::new();
    let (report, reports) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                let guard = mutex.lock().expect("nothing panics");
                let mut guard = condvar
                    .wait_while(guard, |wake| wake.is_none())
                    .expect("nothing panics");
                let woken = Instant::now();
                let last = guard.take() == Some(count);
                drop(guard);
                if last {
                    break;
                }
                report.send(woken).expect("the waker listens");
            }
        });
        let wake = |number| {
            *mutex.lock().expect("nothing panics") = Some(number);
            let before = Instant::now();
            condvar.notify_one();
            (before, before.elapsed())
        };
        let figures = (0..count)
            .map(|number| {
                stay_busy(asleep);
                let (before, cost) = wake(number);
                let woken = reports.recv().expect("the woken thread reports");
                let latency = woken.saturating_duration_since(before);
                (cost.as_nanos() as f64, latency.as_nanos() as f64)
            })
            .collect();
        wake(count);
        figures
    })
}

/// Starts `count` threads; returns what each cost the starter and how long it took until it ran.
fn starts(count: usize) -> Vec<(f64, f64)> {
    (0..count)
        .map(|_| {
            let before = Instant::now();
            let thread = thread::spawn(Instant::now);
            let cost = before.elapsed();
            let ran = thread.join().expect("nothing panics");
            let latency = ran.saturating_duration_since(before);
            (cost.as_nanos() as f64, latency.as_nanos() as f64)
        })
        .collect()
}
