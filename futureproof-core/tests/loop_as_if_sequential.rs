//! Rule 1: a loop leaves as the sequential loop would, and its reduced variables hold what that would have put there.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{
    KINDS, Kind, Random, everywhere, for_each, no_hang, scaled, try_fold_into, try_for_each,
};
use futureproof_core::{Ended, ErrorPolicy, ParallelFor, Report, is_stopping};

#[test]
fn every_item_runs_exactly_once() {
    everywhere(|kind, workers| {
        for count in [0, 1, 2, 7, scaled(1000, 30), scaled(20_000, 150)] {
            let runs: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            let report = for_each(kind, ParallelFor::new().workers(workers), count, |n| {
                runs[n].fetch_add(1, Ordering::Relaxed);
            });
            assert!(
                runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1),
                "{kind:?} {workers}"
            );
            assert_eq!((report.completed(), report.failed()), (count as u64, 0));
            assert_eq!(report.ended(), Ended::Exhausted);
        }
    });
}

#[test]
fn the_error_is_that_of_the_first_item_that_fails_and_all_before_it_have_run() {
    everywhere(|kind, workers| {
        let mut random = Random(7);
        for _ in 0..scaled(200, 4) {
            let count = 1 + random.below(scaled(300, 40));
            let first = random.below(count);
            let seed = random.next();
            let fails =
                |n: usize| n == first || (n > first && Random(seed ^ n as u64).below(4) == 0);
            let runs: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
            let outcome = try_for_each(kind, ParallelFor::new().workers(workers), count, |n| {
                runs[n].fetch_add(1, Ordering::Relaxed);
                if fails(n) { Err(n) } else { Ok(()) }
            });
            assert_eq!(outcome.unwrap_err(), first, "{kind:?} {workers}");
            for (n, runs) in runs.iter().enumerate() {
                let runs = runs.load(Ordering::Relaxed);
                assert!(runs == 1 || (n > first && runs == 0), "item {n} of {first}");
            }
        }
    });
}

#[test]
fn a_reduced_vector_holds_what_the_sequential_loop_would_have_pushed() {
    everywhere(|kind, workers| {
        let mut random = Random(11);
        for _ in 0..scaled(100, 4) {
            let count = random.below(scaled(400, 40));
            let fails_at = random.below(scaled(500, 50));
            let mut all = vec![usize::MAX];
            let outcome = try_fold_into(
                kind,
                ParallelFor::new().workers(workers),
                &mut all,
                count,
                |all, n| {
                    all.push(2 * n);
                    if n >= fails_at {
                        return Err(n);
                    }
                    all.push(2 * n + 1);
                    Ok(())
                },
            );
            let end = fails_at.min(count);
            let mut expected = vec![usize::MAX];
            expected.extend(0..2 * end);
            if end < count {
                expected.push(2 * end);
            }
            assert_eq!(all, expected, "{kind:?} {workers}");
            assert_eq!(outcome.err(), (fails_at < count).then_some(fails_at));
        }
    });
}

#[test]
fn a_reduced_vector_keeps_what_was_pushed_before_a_panic() {
    everywhere(|kind, workers| {
        let mut all = Vec::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = try_fold_into(
                kind,
                ParallelFor::new().workers(workers),
                &mut all,
                scaled(300, 160),
                |all, n| {
                    all.push(n);
                    assert!(n < 123, "at {n}");
                    Ok::<(), String>(())
                },
            );
        }));
        let payload = panicked.unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "at 123");
        assert_eq!(all, (0..=123).collect::<Vec<_>>(), "{kind:?} {workers}");
    });
}

#[test]
fn under_log_and_ignore_a_failing_item_keeps_what_it_added_and_the_rest_goes_on() {
    everywhere(|kind, workers| {
        let count = scaled(500, 50);
        for policy in [ErrorPolicy::Log, ErrorPolicy::Ignore] {
            let mut all = Vec::new();
            let report = try_fold_into(
                kind,
                ParallelFor::new().workers(workers).error_policy(policy),
                &mut all,
                count,
                |all, n| {
                    all.push(n);
                    match n % 3 {
                        0 => Err(format!("{n}")),
                        1 if n % 7 == 0 => panic!("{n}"),
                        _ => Ok(()),
                    }
                },
            )
            .unwrap();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
            let failed = (0..count)
                .filter(|n| n % 3 == 0 || (n % 3 == 1 && n % 7 == 0))
                .count();
            assert_eq!(
                (report.completed(), report.failed()),
                ((count - failed) as u64, failed as u64),
                "{kind:?} {workers}"
            );
        }
    });
}

/// Runs three items at once: the second leaves the loop, the third is told so, and then `first` runs in the first one.
fn when_the_second_has_left(kind: Kind, first: fn() -> Result<(), usize>) -> Result<Report, usize> {
    let (all, told) = (Barrier::new(3), Barrier::new(2));
    try_for_each(kind, ParallelFor::new().workers(3).batch(1), 3, |n| {
        all.wait();
        match n {
            0 => {
                told.wait();
                first()
            }
            1 => Err(1),
            _ => {
                while !is_stopping() {
                    std::thread::yield_now();
                }
                told.wait();
                Err(2)
            }
        }
    })
}

// Not for a caller-fed source: its caller may be in the body of item 0, and nobody else can pull item 1.
const NOT_FED: [Kind; 2] = [Kind::Indexed, Kind::Shared];

#[test]
fn the_lowest_exit_wins_though_a_later_one_is_known_first() {
    for kind in NOT_FED {
        no_hang(move || {
            let outcome = when_the_second_has_left(kind, || Err(0));
            assert_eq!(outcome.unwrap_err(), 0, "{kind:?}");
        });
    }
}

#[test]
fn items_in_front_of_the_one_that_leaves_are_not_told_to_stop() {
    for kind in NOT_FED {
        no_hang(move || {
            let outcome = when_the_second_has_left(kind, || {
                // In a loop of its own, too.
                let inner = ParallelFor::new()
                    .workers(2)
                    .try_for_each(0..2, |_| if is_stopping() { Err(0) } else { Ok(()) });
                if is_stopping() {
                    Err(0)
                } else {
                    inner.map(drop)
                }
            });
            assert_eq!(outcome.unwrap_err(), 1, "{kind:?}");
        });
    }
}

#[test]
fn items_that_are_not_run_are_dropped_once() {
    struct Counted<'a>(usize, &'a AtomicUsize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (count, fails) = (scaled(1000, 60), scaled(500, 30));
    for workers in common::WORKERS {
        for kind in KINDS {
            let dropped = AtomicUsize::new(0);
            let items: Vec<_> = (0..count).map(|n| Counted(n, &dropped)).collect();
            let options = ParallelFor::new().workers(workers);
            let body = |item: Counted<'_>| if item.0 == fails { Err(fails) } else { Ok(()) };
            let outcome = match kind {
                Kind::Indexed => options.try_for_each(items, body),
                Kind::Shared => options.try_for_each(futureproof_core::pull(items), body),
                Kind::CallerFed => options.try_for_each(futureproof_core::pull_here(items), body),
            };
            assert_eq!(outcome.unwrap_err(), fails);
            assert_eq!(dropped.into_inner(), count, "{kind:?} {workers}");
        }
    }
}

#[test]
#[allow(clippy::needless_borrows_for_generic_args)] // the references are what is tested
fn every_indexed_source_gives_its_items_once_and_in_order() {
    fn all<I: futureproof_core::IntoSource>(input: I) -> Vec<i64>
    where
        I::Item: Value,
    {
        let mut all = Vec::new();
        ParallelFor::new()
            .workers(3)
            .fold_into(&mut all, input, |all, item| all.push(item.value()));
        all
    }
    trait Value {
        fn value(self) -> i64;
    }
    impl Value for i64 {
        fn value(self) -> i64 {
            self
        }
    }
    impl Value for &i64 {
        fn value(self) -> i64 {
            *self
        }
    }
    impl Value for &mut i64 {
        fn value(self) -> i64 {
            *self
        }
    }
    impl Value for i8 {
        fn value(self) -> i64 {
            self.into()
        }
    }
    impl Value for u8 {
        fn value(self) -> i64 {
            self.into()
        }
    }

    let half = scaled(500, 20) as i64;
    let expected: Vec<i64> = (-half..half).collect();
    let mut vec = expected.clone();
    let mut array = [1_i64, 2, 3];
    assert_eq!(all(-half..half), expected);
    assert_eq!(all(-half..=half - 1), expected);
    assert_eq!(all(&vec), expected);
    assert_eq!(all(&vec[..]), expected);
    assert_eq!(all(&mut vec), expected);
    assert_eq!(all(&mut vec[..]), expected);
    assert_eq!(all(vec.iter()), expected);
    assert_eq!(all(vec.iter_mut()), expected);
    assert_eq!(all(vec.clone()), expected);
    assert_eq!(all(vec.clone().into_boxed_slice()), expected);
    assert_eq!(all(&vec.clone().into_boxed_slice()), expected);
    let mut rest = vec.into_iter();
    rest.next();
    assert_eq!(all(rest), expected[1..]);
    assert_eq!(all(array), [1, 2, 3]);
    assert_eq!(all(&array), [1, 2, 3]);
    assert_eq!(all(&mut array), [1, 2, 3]);
    assert_eq!(all(array.into_iter()), [1, 2, 3]);
    assert_eq!(all(i8::MIN..=i8::MAX), (-128..=127).collect::<Vec<_>>());
    assert_eq!(all(250..=u8::MAX), (250..=255).collect::<Vec<_>>());
    #[allow(clippy::reversed_empty_ranges)]
    {
        assert_eq!(all(5..3_i64), []);
        assert_eq!(all(5..=3_i64), []);
    }
}
