//! Which tasks are in the histogram.

use super::*;

const DURATIONS: &str = "futureproof_task_duration_seconds{kind=loop,name=test}";

/// Runs a worker's batches, each of so many tasks that take so many nanoseconds together, on a clock of its own; returns the
/// samples in nanoseconds.
fn sampled(batches: impl IntoIterator<Item = (usize, u64)>) -> Vec<f64> {
    fastrand::seed(7);
    let ledger = Ledger::new();
    let meters = meters(&ledger, "test");
    let mut now = 0;
    let mut sampler = Sampler::new(meters.durations(), now);
    for (items, elapsed) in batches {
        now += elapsed;
        // A batch that is not to be timed counts all the same.
        let timed = sampler.wants(items);
        let (elapsed, read) = if timed { (elapsed, now) } else { (0, 0) };
        sampler.ran(items, elapsed, read);
    }
    (ledger.samples(DURATIONS).iter())
        .map(|seconds| seconds * 1e9)
        .collect()
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

/// Is it within 15 per cent?
#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!(
        (value / expected - 1.0).abs() < 0.15,
        "{value} is not near {expected}"
    );
}

#[test]
fn every_slow_task_is_a_sample() {
    let samples = sampled([(1, 5_000_000); 300]);
    assert_eq!(samples.len(), 300);
    assert_near(mean(&samples), 5e6);
}

#[test]
fn fast_tasks_give_at_most_about_a_thousand_samples_a_second() {
    // One at a time, and in batches: two seconds of each.
    for (items, elapsed) in [(1, 100), (1, 2_000), (100, 10_000), (7_000, 700_000)] {
        let batches = 2_000_000_000 / elapsed;
        let samples = sampled((0..batches).map(|_| (items, elapsed)));
        let wanted = 2_000.min(batches as usize);
        assert!(samples.len() >= wanted / 3, "{items}: {}", samples.len());
        assert!(samples.len() <= wanted * 2, "{items}: {}", samples.len());
        assert_near(mean(&samples), elapsed as f64 / items as f64);
    }
}

#[test]
fn a_dear_task_at_regular_places_is_seen_as_often_as_it_is_there() {
    // Whoever took the first task after each millisecond would never see one of the dear ones.
    let tasks = (0..3_000_000_u64).map(|n| (1, if n % 100 == 0 { 1_000_000 } else { 1_000 }));
    let samples = sampled(tasks.take(1_000_000));
    let dear = samples.iter().filter(|each| **each > 5e5).count();
    assert_near(dear as f64 / samples.len() as f64, 0.01);
}

#[test]
fn tasks_in_small_and_in_large_batches_count_alike() {
    // A quarter of the batches is large, and has nearly all tasks, each of which takes less.
    let batches = (0..400_000).map(|n| {
        if n % 4 == 0 {
            (200, 20_000)
        } else {
            (4, 40_000)
        }
    });
    let tasks: f64 = 400_000.0 / 4.0 * (200.0 + 3.0 * 4.0);
    let time = 400_000.0 / 4.0 * (20_000.0 + 3.0 * 40_000.0);
    assert_near(mean(&sampled(batches)), time / tasks);
}

#[test]
fn slow_tasks_after_many_fast_ones_are_noticed_soon() {
    let fast = (0..10_000_000).map(|_| (1, 100));
    let slow = (0..1_000).map(|_| (1, 10_000_000));
    let samples = sampled(fast.chain(slow));
    let slow = samples.iter().filter(|each| **each > 5e6).count();
    assert!(slow > 500, "{slow} of 1000");
}

#[test]
fn tasks_that_were_counted_without_having_run_do_no_harm() {
    assert_eq!(sampled([(0, 0), (1, 10), (0, 5)]), [10.0]);
}

#[test]
fn no_batch_is_too_large_to_be_counted() {
    for items in [usize::MAX >> 8, usize::MAX] {
        let samples = sampled([(items, 1_000_000), (1, 10), (items, 1_000_000)]);
        assert!(samples.len() < 100, "{}", samples.len());
    }
}
