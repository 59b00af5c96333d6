//! Submitted tasks that run for too long: their handles resolve at once, their functions go on until they return.

mod kit;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use futureproof_core::__private::{Call, DescribeType, VtableError as _, configure};
use futureproof_core::ErrorPolicy::{self, Ignore, Log as LogPolicy, Raise};
use futureproof_core::Until::{All, FirstFailure};
use futureproof_core::{Configured, Retry, TaskErrorKind, TaskHandle, TaskPool, is_stopping, wait};
use kit::{Counter, Door, Log, Oops, WORKERS, for_workers, no_hang, oops, pool};

/// What a task does, each time it is started.
type Again = Arc<dyn Fn() -> Result<u32, Oops> + Send + Sync>;

type Handle = TaskHandle<u32, Oops, ()>;

const MS: Duration = Duration::from_millis(1);
/// Long enough for a task to begin in: one that is late already is not called any more.
const LIMIT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(1000);

fn again(pool: &TaskPool, policy: ErrorPolicy) -> Configured<(Again,), (), u32, Oops> {
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let run: fn((Again,)) -> Result<u32, Oops> = |(body,)| body();
    let describe: fn(&()) -> Option<String> = |()| Some("again(..)".into());
    let mut call = Call::of("again", run, |_| (), describe, error);
    call.policy = policy;
    configure(pool, call).capacity(1000)
}

/// A task that stays behind its door, whatever it is told.
fn stuck(pool: &TaskPool, policy: ErrorPolicy) -> (Handle, Door, Counter) {
    let (door, left) = (Door::new(), Counter::new());
    let (inside, count) = (door.clone(), left.clone());
    let body: Again = Arc::new(move || {
        inside.wait();
        count.add();
        Ok(1)
    });
    let handle = again(pool, policy).timeout(LIMIT).submit(body);
    (handle, door, left)
}

#[test]
fn a_task_that_runs_too_long_has_ended_for_its_handle_while_its_function_still_runs() {
    for_workers(|pool, _| {
        let (handle, door, left) = stuck(pool, Raise);
        let error = handle.join().unwrap_err();
        assert_eq!(left.get(), 0, "the function is still there");
        assert!(error.is_timed_out() && !error.is_cancelled());
        assert!(matches!(error.kind(), TaskErrorKind::TimedOut(limit) if *limit == LIMIT));
        assert_eq!(error.to_string(), "task 0: again(..) timed out after 50ms");
        assert_eq!(error.attempts(), 1);
        door.open();
        left.wait_for(1);
        assert_eq!(
            again(pool, Raise)
                .submit(Arc::new(|| Ok(5)))
                .join()
                .unwrap(),
            5
        );
    });
}

#[test]
fn it_is_told_and_what_it_gives_then_is_dropped() {
    struct Token(Counter);

    impl Drop for Token {
        fn drop(&mut self) {
            self.0.add();
        }
    }

    for_workers(|pool, _| {
        let error = (&&&&&DescribeType::<Oops>::new()).vtable();
        let run: fn((Counter,)) -> Result<Token, Oops> = |(dropped,)| {
            while !is_stopping() {
                std::thread::yield_now();
            }
            Ok(Token(dropped))
        };
        let call = Call::of("token", run, |_| (), |()| None, error);
        let dropped = Counter::new();
        let handle = configure(pool, call).timeout(MS).submit(dropped.clone());
        assert!(handle.join().err().unwrap().is_timed_out());
        dropped.wait_for(1);
    });
}

#[test]
fn the_end_stays_what_it_was_when_the_function_returns_after_all() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let (handle, door, left) = stuck(&pool, Raise);
        wait([&handle], All);
        door.open();
        pool.drain(LONG).unwrap();
        assert_eq!(left.get(), 1);
        assert!(handle.join().unwrap_err().is_timed_out());
    });
}

#[test]
fn its_thread_stays_busy_until_the_function_returns_and_the_pool_joins_it() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let stuck: Vec<_> = (0..workers).map(|_| stuck(&pool, Ignore)).collect();
            let mut doors = Vec::new();
            let mut all = Vec::new();
            for (handle, door, left) in stuck {
                handle.join().unwrap_err();
                doors.push(door);
                all.push(left);
            }
            let left = pool.drain(MS).unwrap_err();
            std::thread::scope(|threads| {
                threads.spawn(|| doors.iter().for_each(Door::open));
                drop(pool);
            });
            assert_eq!((left.waiting, left.running), (0, workers));
            assert!(all.iter().all(|left| left.get() == 1));
        });
    }
}

#[test]
fn a_task_that_timed_out_is_not_tried_again_though_it_fails_later() {
    for_workers(|pool, _| {
        let (started, door) = (Counter::new(), Door::new());
        let (count, inside) = (started.clone(), door.clone());
        let body: Again = Arc::new(move || {
            if count.add() == 1 {
                return oops("first");
            }
            inside.wait();
            oops("late")
        });
        let retry = Retry::attempts(9).backoff(MS / 10);
        let handle = again(pool, Raise).retry(retry).timeout(5 * MS).submit(body);
        let error = handle.join().unwrap_err();
        // On a slow machine the first attempt may take as long, too.
        assert!(error.is_timed_out());
        assert!(error.attempts() <= 2);
        door.open();
        let next = again(pool, Raise).submit(Arc::new(|| Ok(5)));
        assert_eq!(next.join().unwrap(), 5);
        assert!(started.get() <= 2);
    });
}

#[test]
fn neither_waiting_in_the_queue_nor_between_attempts_counts() {
    no_hang(|| {
        let limit = Duration::from_secs(1);
        let pool = pool(1);
        let (door, started) = (Door::new(), Counter::new());
        let (inside, count) = (door.clone(), started.clone());
        let busy = again(&pool, Raise).submit(Arc::new(move || {
            count.add();
            inside.wait();
            Ok(0)
        }));
        started.wait_for(1);
        let queued = again(&pool, Raise)
            .timeout(limit)
            .submit(Arc::new(|| Ok(2)));
        let queued = queued.join_timeout(limit + 50 * MS).unwrap_err();
        door.open();
        assert_eq!(queued.join().unwrap(), 2);
        assert_eq!(busy.join().unwrap(), 0);

        let count = Counter::new();
        let body: Again = Arc::new(move || match count.add() {
            4 => Ok(4),
            _ => oops("again"),
        });
        let retry = Retry::attempts(4)
            .backoff(limit / 2)
            .factor(1.0)
            .jitter(false);
        let handle = again(&pool, Raise).retry(retry).timeout(limit).submit(body);
        assert_eq!(handle.join().unwrap(), 4);
    });
}

#[test]
fn a_timeout_is_a_failure_under_each_policy_and_told_once() {
    for workers in WORKERS {
        no_hang(|| {
            for (policy, read, expected) in [
                (Raise, true, 0),
                (Raise, false, 1),
                (LogPolicy, true, 1),
                (LogPolicy, false, 1),
                (Ignore, false, 0),
            ] {
                let log = Log::new();
                log.during(|| {
                    let pool = pool(workers);
                    let (handle, door, _) = stuck(&pool, policy);
                    let (sender, ends) = mpsc::channel();
                    handle.on_finish(move |end| {
                        sender
                            .send(end.as_ref().unwrap_err().is_timed_out())
                            .unwrap();
                    });
                    if read {
                        handle.join().unwrap_err();
                    } else {
                        drop(handle);
                    }
                    assert_eq!(ends.recv(), Ok(true));
                    door.open();
                    assert!(ends.recv().is_err(), "called once");
                });
                let errors = log.errors();
                assert_eq!(errors.len(), expected, "{policy} {read} {errors:#?}");
                assert!(
                    errors
                        .iter()
                        .all(|line| line.contains("timed out after 50ms"))
                );
            }
        });
    }
}

#[test]
fn a_wait_hears_of_a_timeout_as_of_a_failure() {
    for_workers(|pool, workers| {
        let (stuck, door, _) = stuck(pool, Raise);
        let inside = door.clone();
        let mut handles = vec![stuck];
        if workers > 1 {
            handles.push(again(pool, Raise).submit(Arc::new(move || {
                inside.wait();
                Ok(1)
            })));
        }
        let waited = wait(&handles, FirstFailure);
        assert_eq!(waited.finished, [0]);
        assert_eq!(waited.pending.len(), handles.len() - 1);
        door.open();
    });
}

#[test]
fn a_task_that_ends_in_time_is_not_touched() {
    for_workers(|pool, _| {
        let handles: Vec<_> = (0..300)
            .map(|n| {
                again(pool, Raise)
                    .timeout(LONG)
                    .submit(Arc::new(move || Ok(n)))
            })
            .collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n as u32);
        }
    });
}

#[test]
fn ends_that_race_with_the_limit_are_one_or_the_other_and_told_once() {
    for_workers(|pool, _| {
        for n in 0..200 {
            let spin: Again = Arc::new(move || {
                for _ in 0..n * 50 {
                    std::hint::spin_loop();
                }
                Ok(n)
            });
            let limit = Duration::from_micros(20);
            let handle = again(pool, Ignore).timeout(limit).submit(spin);
            let called = Counter::new();
            let count = called.clone();
            handle.on_finish(move |_| {
                count.add();
            });
            match handle.join() {
                Ok(result) => assert_eq!(result, n),
                Err(error) => assert!(error.is_timed_out()),
            }
            assert_eq!(called.get(), 1);
        }
    });
}

#[test]
fn a_callback_that_is_told_of_a_time_limit_may_itself_wait_for_moments() {
    for_workers(|pool, workers| {
        // A worker is left for what the callback submits; with one, the task has returned by then.
        let (door, told) = (Door::new(), mpsc::channel());
        let inside = door.clone();
        let body: Again = Arc::new(move || {
            inside.wait();
            Ok(1)
        });
        let handle = again(pool, Ignore).timeout(MS).submit(body);
        let twice = Counter::new();
        let fails_once: Again = Arc::new(move || match twice.add() {
            1 => oops("once"),
            _ => Ok(2),
        });
        let next = again(pool, Ignore).retry(Retry::attempts(2).backoff(MS));
        let sender = told.0;
        handle.on_finish(move |_| {
            if workers == 1 {
                door.open();
            }
            sender
                .send(next.submit(fails_once).join().unwrap())
                .unwrap();
            door.open();
        });
        assert!(handle.join().unwrap_err().is_timed_out());
        assert_eq!(told.1.recv(), Ok(2));
    });
}
