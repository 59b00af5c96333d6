//! Submitted tasks that are tried again: when, how often, and what ends it.

mod kit;

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futureproof_core::__private::{Call, DescribeType, VtableError as _, configure};
use futureproof_core::ErrorPolicy::{self, Log as LogPolicy, Raise};
use futureproof_core::TrySubmitError::Full;
use futureproof_core::Until::{All, First};
use futureproof_core::{
    Configured, ParallelFor, Retry, StopToken, TaskErrorKind, TaskHandle, TaskPool, is_stopping,
    wait,
};
use kit::{Counter, Door, Log, Oops, WORKERS, for_workers, no_hang, oops, pool, threadless_pool};

/// What a task does, each time it is started.
type Again = Arc<dyn Fn() -> Result<u32, Oops> + Send + Sync>;

type Handle = TaskHandle<u32, Oops, ()>;

const MS: Duration = Duration::from_millis(1);

/// A function that runs the closure it is given, as often as it is started.
fn again(pool: &TaskPool, policy: ErrorPolicy) -> Configured<(Again,), (), u32, Oops> {
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let run: fn((Again,)) -> Result<u32, Oops> = |(body,)| body();
    let mut call = Call::of("again", run, |_| (), |()| None, error);
    call.policy = policy;
    configure(pool, call).capacity(1000)
}

/// Waits of no length that matters.
fn quick(attempts: u32) -> Retry {
    Retry::attempts(attempts).backoff(MS / 10).jitter(false)
}

/// A wait that no test sees the end of.
fn endless() -> Retry {
    let day = Duration::from_secs(86_400);
    Retry::attempts(2).backoff(day).max_backoff(day)
}

/// A task that fails until it has been started so often.
fn succeeds_at(start: usize) -> (Again, Counter) {
    let started = Counter::new();
    let count = started.clone();
    let body = move || match count.add() {
        n if n < start => oops(format!("attempt {n}")),
        n => Ok(n as u32),
    };
    (Arc::new(body), started)
}

/// A task that has failed once and waits for an attempt that no test sees.
fn waiting(configured: Configured<(Again,), (), u32, Oops>) -> (Handle, Counter) {
    let (body, started) = succeeds_at(2);
    let handle = configured.retry(endless()).submit(body);
    started.wait_for(1);
    while !format!("{handle:?}").contains("waiting") {
        std::thread::yield_now();
    }
    (handle, started)
}

#[test]
fn a_task_is_tried_again_until_it_succeeds() {
    for_workers(|pool, _| {
        let handles: Vec<_> = (1..=20)
            .map(|n| {
                let (body, started) = succeeds_at(n % 5 + 1);
                let handle = again(pool, Raise).retry(quick(5)).submit(body);
                (handle, started, n % 5 + 1)
            })
            .collect();
        for (handle, started, attempts) in handles {
            let task = handle.join_task().unwrap();
            assert_eq!(
                (task.result, task.attempts),
                (attempts as u32, attempts as u32)
            );
            assert_eq!(started.get(), attempts);
        }
    });
}

#[test]
fn the_last_of_its_attempts_gives_the_error_and_it_knows_how_many_there_were() {
    for_workers(|pool, _| {
        for attempts in [1, 2, 5] {
            let (body, started) = succeeds_at(usize::MAX);
            let handle = again(pool, Raise).retry(quick(attempts)).submit(body);
            let error = handle.join().unwrap_err();
            assert_eq!(
                (error.attempts(), started.get()),
                (attempts, attempts as usize)
            );
            let text = error.to_string();
            assert!(
                text.ends_with(&format!("oops: attempt {attempts}")),
                "{text}"
            );
            assert_eq!(
                text.contains(&format!("failed after {attempts} attempts: ")),
                attempts > 1,
                "{text}"
            );
        }
    });
}

#[test]
fn only_errors_that_the_predicate_wants_are_tried_again_and_no_panic() {
    for_workers(|pool, _| {
        let transient = |error: &Oops| error.0 != "attempt 3";
        let (body, started) = succeeds_at(usize::MAX);
        let handle = again(pool, Raise)
            .retry(quick(10))
            .retry_if(transient)
            .submit(body);
        let error = handle.join().unwrap_err();
        assert_eq!((error.attempts(), started.get()), (3, 3));

        let started = Counter::new();
        let count = started.clone();
        let panics: Again = Arc::new(move || match count.add() {
            1 => oops("once"),
            n => panic!("attempt {n}"),
        });
        let error = again(pool, Raise)
            .retry(quick(10))
            .submit(panics)
            .join()
            .unwrap_err();
        assert!(matches!(error.kind(), TaskErrorKind::Panicked(_)));
        assert_eq!((error.attempts(), started.get()), (2, 2));

        let rude = |_: &Oops| std::panic::resume_unwind(Box::new("a rude predicate"));
        let (body, started) = succeeds_at(usize::MAX);
        let handle = again(pool, Raise)
            .retry(quick(10))
            .retry_if(rude)
            .submit(body);
        assert!(matches!(
            handle.join().unwrap_err().into_kind(),
            TaskErrorKind::Failed(_)
        ));
        assert_eq!(started.get(), 1);
    });
}

#[test]
fn a_task_that_waits_for_its_next_attempt_takes_no_worker_but_room() {
    for_workers(|pool, workers| {
        let waiting: Vec<_> = (0..workers).map(|_| waiting(again(pool, Raise))).collect();
        for n in 0..50 {
            let body: Again = Arc::new(move || Ok(n));
            assert_eq!(again(pool, Raise).submit(body).join().unwrap(), n);
        }
        let refused = again(pool, Raise)
            .capacity(0)
            .try_submit(Arc::new(|| Ok(0)));
        assert!(matches!(refused, Err(Full(_))));
        // A task that was joined may take its place for another moment.
        let accepted = std::iter::repeat_with(|| {
            again(pool, Raise)
                .capacity(1)
                .try_submit(Arc::new(|| Ok(0)))
        });
        let accepted = accepted.flatten().next().unwrap();
        assert_eq!(accepted.join().unwrap(), 0);
        for (handle, started) in waiting {
            assert_eq!(started.get(), 1);
            handle.stop();
        }
    });
}

#[test]
fn tasks_that_failed_come_back_in_the_order_in_which_they_are_due() {
    no_hang(|| {
        let pool = pool(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let door = Door::new();
        let handles: Vec<_> = (0..20_u32)
            .map(|n| {
                let (order, door) = (order.clone(), door.clone());
                let started = Counter::new();
                let body: Again = Arc::new(move || {
                    door.wait();
                    order.lock().unwrap().push(n);
                    if started.add() < 3 {
                        oops("again")
                    } else {
                        Ok(n)
                    }
                });
                let wait = Retry::attempts(3).backoff(MS).factor(1.0).jitter(false);
                again(&pool, Raise).retry(wait).submit(body)
            })
            .collect();
        door.open();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n as u32);
        }
        let order = order.lock().unwrap();
        for n in 0..20 {
            assert_eq!(order.iter().filter(|&&m| m == n).count(), 3);
        }
        // Each round on its own is in order, wherever rounds overlap.
        for round in 0..3 {
            let nth = |n: u32| {
                let starts = (order.iter().enumerate()).filter(|(_, m)| **m == n);
                starts.map(|(at, _)| at).nth(round).unwrap()
            };
            assert!((0..20).map(nth).is_sorted(), "{order:?}");
        }
    });
}

#[test]
fn a_stop_ends_the_wait_with_the_last_error() {
    for workers in WORKERS {
        no_hang(|| {
            let last = |handle: Handle| {
                let error = handle.join().unwrap_err();
                assert_eq!(error.attempts(), 1);
                match error.into_kind() {
                    TaskErrorKind::Failed(error) => assert_eq!(error.0, "attempt 1"),
                    other => panic!("{other:?}"),
                }
            };

            let pool = pool(workers);
            let (handle, _) = waiting(again(&pool, Raise));
            assert!(!handle.cancel(), "it has started");
            assert!(!handle.is_finished());
            handle.stop();
            last(handle);

            let token = StopToken::new();
            let several = [(); 3].map(|()| waiting(again(&pool, Raise).stop(&token)).0);
            let (other, _) = waiting(again(&pool, Raise));
            token.stop();
            several.into_iter().for_each(last);
            assert!(!other.is_finished(), "it has another token");

            let (first, _) = waiting(again(&pool, Raise).deadline(20 * MS));
            last(first);

            pool.stop();
            last(other);

            let pool = kit::pool(workers);
            let (handle, _) = waiting(again(&pool, Raise));
            drop(pool);
            last(handle);
        });
    }
}

#[test]
fn a_task_that_was_told_to_stop_while_it_ran_is_not_tried_again() {
    for_workers(|pool, _| {
        let started = Counter::new();
        let count = started.clone();
        let body: Again = Arc::new(move || {
            count.add();
            while !is_stopping() {
                std::thread::yield_now();
            }
            oops("told")
        });
        let handle = again(pool, Raise).retry(quick(10)).submit(body.clone());
        started.wait_for(1);
        handle.stop();
        assert_eq!(handle.join().unwrap_err().attempts(), 1);

        let token = StopToken::new();
        let handle = again(pool, Raise)
            .retry(quick(10))
            .stop(&token)
            .submit(body);
        started.wait_for(2);
        token.stop();
        assert_eq!(handle.join().unwrap_err().attempts(), 1);
        assert_eq!(started.get(), 2);
    });
}

#[test]
fn what_was_submitted_in_a_loop_is_not_tried_again_once_that_is_stopped() {
    for_workers(|pool, _| {
        let (started, token) = (Counter::new(), StopToken::new());
        let count = started.clone();
        let body: Again = Arc::new(move || {
            count.add();
            while !is_stopping() {
                std::thread::yield_now();
            }
            oops("told")
        });
        let handles = Mutex::new(Vec::new());
        let _ = ParallelFor::new()
            .workers(1)
            .stop(&token)
            .for_each(0..1, |_| {
                let handle = again(pool, Raise).retry(endless()).submit(body.clone());
                handles.lock().unwrap().push(handle);
                started.wait_for(1);
                token.stop();
            });
        for handle in handles.into_inner().unwrap() {
            assert_eq!(handle.join().unwrap_err().attempts(), 1);
        }
    });
}

#[test]
fn a_closed_pool_goes_on_with_the_attempts_of_what_it_has_accepted() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let (body, _) = succeeds_at(4);
        let handle = again(&pool, Raise).retry(quick(4)).submit(body);
        pool.close();
        pool.drain(Duration::MAX).unwrap();
        assert!(handle.is_finished());
        assert_eq!(handle.join().unwrap(), 4);
    });
}

#[test]
fn joined_or_waited_for_inside_a_task_all_attempts_run_there_if_need_be() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let outer: Again = Arc::new(move || {
                let submit = || again(pool, Raise).retry(quick(4)).submit(succeeds_at(4).0);
                assert_eq!(submit().join().unwrap(), 4);
                assert_eq!(block_on(submit()).unwrap(), 4);
                let handles = [submit(), submit()];
                assert!(!wait(&handles, First).finished.is_empty());
                assert_eq!(wait(&handles, All).finished, [0, 1]);
                Ok(1)
            });
            assert_eq!(again(pool, Raise).submit(outer).join().unwrap(), 1);
        });
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut polling = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut polling) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_submit_makes_all_attempts_itself() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let (body, started) = succeeds_at(3);
        let handle = again(&pool, Raise).retry(quick(5)).submit(body);
        assert!(handle.is_finished());
        assert_eq!((handle.join().unwrap(), started.get()), (3, 3));
    });
}

#[test]
fn callbacks_hear_of_the_end_and_of_no_attempt_before() {
    for_workers(|pool, _| {
        let (sender, ends) = mpsc::channel();
        let handle = again(pool, Raise).retry(quick(3)).submit(succeeds_at(3).0);
        handle.on_finish(move |end| {
            let result = end.as_ref().map(|task| task.result);
            sender.send(result.ok()).unwrap();
        });
        drop(handle);
        assert_eq!(ends.iter().collect::<Vec<_>>(), [Some(3)]);
    });
}

#[test]
fn each_failure_that_is_tried_again_is_an_info_event_and_only_the_last_an_error() {
    for_workers(|_, workers| {
        let log = Log::new();
        log.during(|| {
            let pool = pool(workers);
            let handle = again(&pool, LogPolicy)
                .retry(quick(3))
                .submit(succeeds_at(9).0);
            handle.join().unwrap_err();
        });
        let lines = log.lines();
        let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!((of("INFO futureproof "), of("ERROR")), (2, 1), "{lines:#?}");
    });
}

#[test]
fn arguments_are_cloned_for_each_attempt_and_a_panic_of_that_is_the_tasks_failure() {
    struct Rude(Counter);

    impl Clone for Rude {
        fn clone(&self) -> Self {
            if self.0.add() == 2 {
                std::panic::resume_unwind(Box::new("a rude clone"));
            }
            Self(self.0.clone())
        }
    }

    for_workers(|pool, _| {
        let error = (&&&&&DescribeType::<Oops>::new()).vtable();
        let run: fn((Rude,)) -> Result<u32, Oops> = |_| oops("no");
        let call = Call::of("rude", run, |_| (), |()| None, error);
        let clones = Counter::new();
        let handle = configure(pool, call)
            .retry(quick(9))
            .submit(Rude(clones.clone()));
        let error = handle.join().unwrap_err();
        assert_eq!((error.attempts(), clones.get()), (2, 2));
        match error.into_kind() {
            TaskErrorKind::Panicked(panic) => assert_eq!(panic.message(), Some("a rude clone")),
            other => panic!("{other:?}"),
        }
    });
}
