//! Scheduling tasks, and what becomes of their results: Pebble 1 to 14.

use std::panic;
use std::sync::Arc;
use std::thread;

use futureproof::{TaskErrorKind, task_pool};

use crate::python_kit::{Counter, Log, Oops, failure, guarded, wait_until};
use crate::seen_by_callback;

/// Pebble 1
#[test]
fn every_argument_reaches_the_task_and_the_result_outlives_the_closing_of_the_pool() {
    #[task_pool(workers = 1)]
    fn weigh(a: u32, b: u32, unit: &str) -> String {
        format!("{} {unit}", a + b)
    }

    guarded(|| {
        let handle = weigh::submit(1, 2, "kg");
        weigh::pool().close();
        assert_eq!(handle.join().unwrap(), "3 kg");
    });
}

#[task_pool(workers = 2)]
fn odd(n: usize) -> Result<usize, Oops> {
    if n % 2 == 1 { Ok(n) } else { Err(Oops(n)) }
}

/// Pebble 2
#[test]
fn the_results_of_several_handles_sum_up() {
    guarded(|| {
        let handles = [1, 3, 5, 7].map(odd::submit);
        let sum: usize = handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .sum();
        assert_eq!(sum, 16);
    });
}

/// Pebble 3
#[test]
fn a_callback_gets_the_result_before_the_handle_does() {
    guarded(|| {
        let handle = odd::submit(3);
        let seen = seen_by_callback(&handle);
        assert_eq!(handle.join().unwrap(), 3);
        assert_eq!(seen.try_recv(), Ok(Ok(3)));
    });
}

/// Pebble 4
#[test]
fn a_callback_on_a_task_that_has_ended_is_called_at_once() {
    guarded(|| {
        let handle = odd::submit(3);
        wait_until(|| handle.is_finished());
        let seen = seen_by_callback(&handle);
        assert_eq!(seen.try_recv(), Ok(Ok(3)));
        assert_eq!(handle.join().unwrap(), 3);
    });
}

/// Pebble 5
#[test]
fn joining_a_task_that_failed_gives_its_error() {
    guarded(|| {
        let error = odd::submit(4).join().unwrap_err();
        assert_eq!(error.call(), Some("odd(4)"));
        assert_eq!(failure(error), Oops(4));
    });
}

/// Pebble 6
#[test]
fn a_callback_gets_the_error() {
    guarded(|| {
        let handle = odd::submit(4);
        let seen = seen_by_callback(&handle);
        assert_eq!(failure(handle.join().unwrap_err()), Oops(4));
        let text = seen.try_recv().unwrap().unwrap_err();
        assert!(text.ends_with("odd(4) failed: oops 4"), "{text}");
    });
}

/// Pebble 7
#[test]
fn an_error_that_is_returned_as_a_value_is_a_result() {
    #[task_pool(workers = 1)]
    fn judge(n: usize) -> Option<Oops> {
        Some(Oops(n))
    }

    #[task_pool(workers = 1, fallible = false)]
    fn pass(n: usize) -> Result<usize, Oops> {
        Err(Oops(n))
    }

    guarded(|| {
        assert_eq!(judge::submit(1).join().unwrap(), Some(Oops(1)));
        assert_eq!(pass::submit(2).join().unwrap(), Err(Oops(2)));
    });
}

/// Pebble 8: an error that can be neither copied, nor shown, nor changed
#[test]
fn the_very_error_arrives_whatever_its_type() {
    struct Sealed(Arc<usize>);

    #[task_pool(workers = 1, keep_args = false)]
    fn fail(with: Arc<usize>) -> Result<(), Sealed> {
        Err(Sealed(with))
    }

    guarded(|| {
        let inside = Arc::new(8);
        let error = fail::submit(inside.clone()).join().unwrap_err();
        assert!(Arc::ptr_eq(&failure(error).0, &inside));
    });
}

/// Pebble 11
#[test]
fn a_hundred_megabytes_go_there_and_back_without_a_copy() {
    #[task_pool(workers = 1, keep_args = false)]
    fn stamp(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes[0] = 1;
        bytes
    }

    guarded(|| {
        let bytes = vec![0; 100 << 20];
        let (address, length) = (bytes.as_ptr() as usize, bytes.len());
        let bytes = stamp::submit(bytes).join().unwrap();
        assert_eq!((bytes.as_ptr() as usize, bytes.len()), (address, length));
        assert_eq!((bytes[0], bytes[length - 1]), (1, 0));
    });
}

/// Pebble 12
#[test]
fn closures_methods_and_associated_functions_can_be_tasks() {
    #[derive(Clone)]
    struct Scale(u32);

    impl Scale {
        #[task_pool(workers = 1)]
        fn times(&self, n: u32) -> u32 {
            self.0 * n
        }

        #[task_pool(workers = 1)]
        fn consumed(self) -> u32 {
            self.0
        }

        #[task_pool(workers = 1, associated)]
        fn double(n: u32) -> u32 {
            2 * n
        }
    }

    #[task_pool(workers = 1)]
    fn call<F: Fn() -> u32>(f: F) -> u32 {
        f()
    }

    guarded(|| {
        let scale = Scale(3);
        let captured = scale.0 + 4;
        assert_eq!(call::submit(move || captured).join().unwrap(), 7);
        let sum = Scale::times_scope(|tasks| {
            tasks.submit(&scale, 5);
            tasks.submit(&scale, 6);
            Ok(tasks
                .as_completed()
                .flatten()
                .map(|task| task.result)
                .sum::<u32>())
        });
        assert_eq!(sum.unwrap(), 33);
        assert_eq!(Scale::consumed_submit(scale).join().unwrap(), 3);
        assert_eq!(Scale::double_submit(8).join().unwrap(), 16);
    });
}

/// Pebble 13
#[test]
fn a_panic_of_whatever_kind_does_not_affect_the_next_task() {
    #[task_pool(workers = 1, capacity = 4)]
    fn bad(kind: u8) -> thread::ThreadId {
        match kind {
            0 => panic::resume_unwind(Box::new("text")),
            1 => panic::resume_unwind(Box::new(1.5)),
            2 => panic::resume_unwind(Box::new(())),
            _ => thread::current().id(),
        }
    }

    guarded(|| {
        let before = bad::submit(9).join().unwrap();
        let handles = [0, 1, 2].map(bad::submit);
        let after = bad::submit(9);
        for handle in handles {
            let error = handle.join().unwrap_err();
            assert!(
                matches!(error.kind(), TaskErrorKind::Panicked(_)),
                "{error}"
            );
        }
        assert_eq!(after.join().unwrap(), before, "the same thread");
    });
}

/// Pebble 14
#[test]
fn a_callback_that_panics_is_logged_and_harms_neither_the_task_nor_the_pool() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1)]
    fn gated(n: usize) -> usize {
        GATE.wait_for(1);
        n
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            let handle = gated::submit(1);
            handle.on_finish(|_| panic::resume_unwind(Box::new("bad callback")));
            let seen = seen_by_callback(&handle);
            GATE.add();
            assert_eq!(handle.join().unwrap(), 1);
            assert_eq!(seen.try_recv(), Ok(Ok(1)), "the next callback is called");
            assert_eq!(gated::submit(2).join().unwrap(), 2);
        });
        let errors = log.errors();
        assert!(
            errors.len() == 1 && errors[0].contains("bad callback"),
            "{errors:#?}"
        );
    });
}
