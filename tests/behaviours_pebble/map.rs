//! Maps: Pebble 47 to 50.

use std::panic;
use std::time::Duration;

use futureproof::{ErrorPolicy, ParallelFor, TaskErrorKind, parallel_for, task_pool};

use crate::python_kit::{Oops, guarded};

#[task_pool(workers = 2)]
fn add(a: usize, b: usize) -> usize {
    a + b
}

/// Pebble 47
#[test]
fn a_map_takes_any_number_of_items_and_stops_at_the_shortest_of_two_inputs() {
    guarded(|| {
        let sums = |inputs: Vec<(usize, usize)>| -> Vec<_> {
            add::map(inputs).map(|done| done.unwrap().result).collect()
        };
        assert_eq!(sums(vec![(1, 2), (3, 4)]), [3, 7]);
        assert_eq!(sums(vec![]), []);
        assert_eq!(sums(vec![(1, 1)]), [2]);

        let unequal = (0..).zip([10, 20, 30]);
        let sums: Vec<_> = add::map(unequal).map(|done| done.unwrap().result).collect();
        assert_eq!(sums, [10, 21, 32]);
    });
}

/// Pebble 48
#[test]
fn items_are_handed_out_one_by_one_on_request_and_never_by_none() {
    guarded(|| {
        let mut sum = 0;
        parallel_for!(
            workers = 2,
            batch = 1,
            reduce(sum),
            for n in (0..100).filter(|n| n % 2 == 0) {
                sum += n;
            }
        );
        assert_eq!(sum, 2450);

        let refused = panic::catch_unwind(|| ParallelFor::new().batch(0));
        let text = *refused.unwrap_err().downcast::<&str>().unwrap();
        assert!(text.contains("`batch` must be at least 1"), "{text}");
    });
}

/// Pebble 49
#[test]
fn an_error_in_the_middle_does_not_end_the_iteration_unless_the_policy_says_so() {
    #[task_pool(workers = 2, error_policy = "ignore")]
    fn odd_fail(n: usize) -> Result<usize, Oops> {
        if n % 2 == 1 { Err(Oops(n)) } else { Ok(n) }
    }

    guarded(|| {
        let odd: Vec<_> = odd_fail::map(0..6).map(|end| end.is_err()).collect();
        assert_eq!(odd, [false, true, false, true, false, true]);

        let mut raising = odd_fail::configure()
            .error_policy(ErrorPolicy::Raise)
            .map(0..6);
        assert_eq!(raising.next().unwrap().unwrap().result, 0);
        assert_eq!(raising.next().unwrap().unwrap_err().index(), 1);
        assert!(raising.next().is_none());
    });
}

/// Pebble 50
#[test]
fn maps_on_a_broken_pool_end_with_the_reason_and_its_handles_can_be_waited_for() {
    #[task_pool(workers = 1, on_thread_start = || Err::<(), _>("no disk"))]
    fn add_one(n: usize) -> usize {
        n + 1
    }

    guarded(|| {
        let mut results = add_one::map(0..);
        let error = results.next().unwrap().unwrap_err();
        assert!(
            matches!(error.kind(), TaskErrorKind::PoolBroken(_)),
            "{error}"
        );
        assert!(results.next().is_none());

        let handle = add_one::submit(1);
        let end = handle.join_timeout(Duration::MAX).unwrap();
        assert!(end.unwrap_err().to_string().contains("no disk"));
        let handle = add_one::submit(2);
        let _ = handle.cancel();
        assert!(handle.join().is_err());
    });
}
