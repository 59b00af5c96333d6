//! Faults: the system lets a user have so many threads and no more. `.ci/checks/faults` runs this as a user that has no others and
//! says how many; elsewhere it runs with as many as it likes.
#![cfg(target_os = "linux")]

mod faults_kit;
mod kit;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use faults_kit::status;
use futureproof_core::__private::{configure, map, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{ParallelFor, Retry, TaskPool, pull, pull_here};
use kit::{double, half, numbers};

#[test]
fn whichever_thread_is_refused_everything_ends() {
    let most = std::env::var("FUTUREPROOF_FAULTS_THREADS");
    let most = most.map_or(u64::MAX, |most| most.parse().unwrap());
    for workers in [1, 2, 3, 8] {
        let pool = TaskPool::builder().workers(workers).build();
        let count = AtomicUsize::new(0);
        let body = |_| {
            count.fetch_add(1, Ordering::Relaxed);
            assert!(status("Threads") <= most);
        };
        let options = || ParallelFor::new().pool(&pool).batch(1);
        options().for_each(0..50, body);
        options().for_each(pull(0..50), body);
        options().for_each(pull_here(0..50), body);
        assert_eq!(count.into_inner(), 150);

        assert_eq!(map(&pool, numbers(Raise, double), 0..50).count(), 50);
        let sum = scope(&pool, numbers(Raise, double), |tasks| {
            (0..50).for_each(|n| _ = tasks.submit(n));
            tasks.map(50..100);
            let mut sum = 0;
            for end in tasks.in_order() {
                sum += end?.result;
            }
            Ok(sum)
        });
        assert_eq!(sum.unwrap(), 9900);
        let handles: Vec<_> = (0..50)
            .map(|n| submit(&pool, numbers(Raise, double), (n,)))
            .collect();
        assert_eq!(
            handles
                .into_iter()
                .filter_map(|handle| handle.join().ok())
                .count(),
            50
        );
        // The timer may be the one that is refused.
        let again = configure(&pool, numbers(Ignore, half))
            .retry(Retry::attempts(3).backoff(Duration::from_millis(1)));
        let handles: Vec<_> = (0..20).map(|n| again.submit(n)).collect();
        let attempts = handles.into_iter().filter_map(|handle| handle.join().err());
        assert_eq!(attempts.map(|error| error.attempts()).sum::<u32>(), 30);
    }
}
