//! What futures are combined into, and what they keep alive.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futureproof::{Until, task_pool, wait};

use crate::python_kit::{Counter, Oops, block_on, guarded, wait_until};

/// `f_and`, `f_or`: over values that are false in Python
#[test]
fn waiting_looks_at_failures_and_never_at_values() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 2, error_policy = "ignore")]
    fn gated(n: usize) -> Result<Option<bool>, Oops> {
        match n {
            0 => Ok(None),
            1 => Ok(Some(false)),
            2 => Err(Oops(n)),
            _ => {
                GATE.wait_for(1);
                Ok(Some(true))
            }
        }
    }

    guarded(|| {
        let handles = [3, 0, 1].map(gated::submit);
        wait(&handles[1..], Until::All);
        let first = wait(&handles, Until::First);
        assert_eq!((first.finished, first.pending), (vec![1, 2], vec![0]));
        GATE.add();
        // Without a failure it is all of them.
        assert_eq!(wait(&handles, Until::FirstFailure).finished, [0, 1, 2]);
        for (handle, value) in handles.into_iter().zip([Some(true), None, Some(false)]) {
            assert_eq!(handle.join().unwrap(), value);
        }
    });
}

#[test]
fn the_first_failure_ends_the_wait_though_others_run() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 2, error_policy = "ignore")]
    fn gated(n: usize) -> Result<(), Oops> {
        if n == 1 {
            return Err(Oops(n));
        }
        GATE.wait_for(1);
        Ok(())
    }

    guarded(|| {
        let handles = [0, 1].map(gated::submit);
        let waited = wait(&handles, Until::FirstFailure);
        assert_eq!((waited.finished, waited.pending), (vec![1], vec![0]));
        GATE.add();
        assert!(wait(&handles, Until::All).pending.is_empty());
    });
}

#[task_pool(workers = 2, capacity = usize::MAX)]
fn add_one(n: usize) -> usize {
    n + 1
}

#[test]
fn a_hundred_thousand_handles_are_waited_for_and_summed() {
    const COUNT: usize = 100_000;

    guarded(|| {
        let handles: Vec<_> = (0..COUNT).map(add_one::submit).collect();
        assert_eq!(wait(&handles, Until::All).finished.len(), COUNT);
        let sum: usize = handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .sum();
        assert_eq!(sum, COUNT * (COUNT + 1) / 2);
        let sum: usize = add_one::as_completed(0..COUNT)
            .map(|done| done.unwrap().result)
            .sum();
        assert_eq!(sum, COUNT * (COUNT + 1) / 2);
    });
}

/// `f_map`, `f_zip`, `f_sequence` and `f_or`
#[test]
fn handles_are_futures_that_any_combinator_takes() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 2)]
    fn gated(n: usize) -> usize {
        if n == 0 {
            GATE.wait_for(1);
        }
        n
    }

    guarded(|| {
        let mut slow = gated::submit(0);
        let mut quick = gated::submit(5);
        let first = block_on(std::future::poll_fn(|polling| {
            match Pin::new(&mut slow).poll(polling) {
                Poll::Pending => Pin::new(&mut quick).poll(polling),
                ready => ready,
            }
        }));
        assert_eq!(first.unwrap(), 5);
        let zipped = block_on(async {
            GATE.add();
            Ok::<_, Box<dyn Error>>((slow.await?, gated::submit(6).await? * 2))
        });
        assert_eq!(zipped.unwrap(), (0, 12));
    });
}

#[test]
fn the_sources_of_an_error_are_kept() {
    #[derive(Debug)]
    struct Outer(Oops);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[task_pool(workers = 1)]
    fn fail(n: usize) -> Result<(), Outer> {
        Err(Outer(Oops(n)))
    }

    guarded(|| {
        let error = fail::submit(4).join().unwrap_err();
        assert!(error.to_string().ends_with("failed: outer"), "{error}");
        assert_eq!(error.source().unwrap().downcast_ref(), Some(&Oops(4)));
    });
}

/// Large arguments and results that nobody holds any more
#[test]
fn what_a_task_was_given_and_gave_is_freed_as_soon_as_nobody_can_ask_for_it() {
    static GATE: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 10, keep_args = false)]
    fn consume(input: Arc<()>) {
        drop(input);
        GATE.wait_for(1);
    }

    #[task_pool(workers = 1, capacity = 10)]
    fn pass(input: Arc<()>) -> Arc<()> {
        input
    }

    guarded(|| {
        let input = Arc::new(());
        let alone = || Arc::strong_count(&input) == 1;

        let running = consume::submit(input.clone());
        wait_until(alone);
        assert!(!running.is_finished());
        let queued = consume::submit(input.clone());
        assert!(queued.cancel());
        assert!(
            alone(),
            "a cancelled task gives its arguments up, though its handle is held"
        );
        GATE.add();
        running.join().unwrap();

        // The argument that is kept, and the result.
        let ended = pass::submit(input.clone());
        wait_until(|| ended.is_finished());
        drop(ended);
        wait_until(alone);
        drop(pass::submit(input.clone()));
        pass::submit(Arc::new(())).join().unwrap();
        wait_until(alone);
    });
}
