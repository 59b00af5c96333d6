//! How a submitted task ends, and who hears of it.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::{Tally, explore, explore_with_failed_starts, explore_with_timeouts, pool};
use crate::describe::{DescribeType, VtableDisplay as _};
use crate::raw::watched::Watched;
use crate::sync::Arc;
use crate::task::{self, Call, TaskHandle};

/// What a task works on; it has to be run or dropped once.
type Input = Arc<Watched>;

fn call() -> Call<(Input,), (), Input, String> {
    let error = (&&DescribeType::<String>::new()).vtable();
    let run = |(input,): (Input,)| {
        input.write();
        Ok(input)
    };
    Call::of("model", run, |_| (), |()| None, error)
}

fn input() -> Input {
    let input = Arc::new(Watched::new());
    input.write();
    input
}

/// The end of a task that nothing keeps from completing.
fn see(end: Result<Input, task::TaskError<String>>) {
    end.unwrap().write();
}

#[test]
fn whoever_joins_a_task_sees_what_it_did() {
    explore(|| {
        let pool = pool(1);
        see(task::submit(&pool, call(), (input(),)).join());
    });
}

#[test]
fn two_tasks_are_both_joined() {
    explore(|| {
        let pool = pool(2);
        let (first, second) = (
            task::submit(&pool, call(), (input(),)),
            task::submit(&pool, call(), (input(),)),
        );
        see(second.join());
        see(first.join());
    });
}

#[test]
fn a_task_that_is_cancelled_is_not_run() {
    explore(|| {
        let (pool, given) = (pool(1), input());
        let handle = task::submit(&pool, call(), (given.clone(),));
        let cancelled = handle.cancel();
        if cancelled {
            given.write();
        }
        match handle.join() {
            Ok(input) => {
                assert!(!cancelled);
                input.write();
            }
            Err(error) => assert!(cancelled && error.is_cancelled()),
        }
        drop(pool);
        assert_eq!(Arc::strong_count(&given), 1);
    });
}

#[test]
fn a_task_whose_handle_and_pool_are_dropped_ends() {
    explore(|| {
        let (pool, given) = (pool(1), input());
        drop(task::submit(&pool, call(), (given.clone(),)));
        drop(pool);
        given.write();
        assert_eq!(Arc::strong_count(&given), 1);
    });
}

#[test]
fn a_handle_resolves_though_its_pool_is_dropped() {
    explore(|| {
        let pool = pool(1);
        let handle = task::submit(&pool, call(), (input(),));
        let other = loom::thread::spawn(move || match handle.join() {
            Ok(input) => input.write(),
            Err(error) => assert!(error.is_cancelled()),
        });
        drop(pool);
        other.join().unwrap();
    });
}

#[test]
fn a_task_that_is_submitted_while_the_pool_stops_ends() {
    explore(|| {
        let pool = Arc::new(pool(1));
        // The queue is made by whoever comes first; see `Submitted::of`.
        assert!(!pool.is_closed());
        drop(task::Submitted::of(pool.shared()));
        let other = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.stop())
        };
        match task::submit(&pool, call(), (input(),)).join() {
            Ok(input) => input.write(),
            Err(error) => assert!(error.is_cancelled()),
        }
        other.join().unwrap();
    });
}

/// Wakes a thread that polls.
#[derive(Default)]
struct Bell(Tally);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.add();
    }
}

fn await_it(handle: TaskHandle<Input, String, ()>) {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut handle = pin!(handle);
    for rung in 1.. {
        match handle.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(end) => return see(end),
            Poll::Pending => bell.0.wait_for(rung),
        }
    }
}

#[test]
fn whoever_awaits_a_task_is_woken() {
    explore(|| {
        let pool = pool(1);
        await_it(task::submit(&pool, call(), (input(),)));
    });
}

#[test]
fn a_waker_that_comes_later_replaces_the_one_before() {
    explore(|| {
        let pool = pool(1);
        let mut handle = task::submit(&pool, call(), (input(),));
        let first = std::pin::Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop()));
        match first {
            Poll::Ready(end) => see(end),
            Poll::Pending => await_it(handle),
        }
    });
}

#[test]
fn a_callback_is_called_once_with_the_end() {
    explore(|| {
        let pool = pool(1);
        let called = Arc::new((Tally::default(), Watched::new()));
        let handle = task::submit(&pool, call(), (input(),));
        let callback = called.clone();
        handle.on_finish(move |end| {
            assert!(end.is_ok());
            callback.1.write();
            callback.0.add();
        });
        see(handle.join());
        called.1.write();
        assert_eq!(called.0.get(), 1);
    });
}

#[test]
fn of_several_tasks_that_are_waited_for_each_is_seen() {
    explore(|| {
        let pool = pool(1);
        let handles = [(); 2].map(|()| task::submit(&pool, call(), (input(),)));
        let _ = task::wait(&handles, task::Until::All);
        for handle in handles {
            see(handle.try_join().expect("it has ended"));
        }
    });
}

#[test]
fn a_submit_that_waits_for_room_goes_on() {
    explore(|| {
        let pool = pool(1);
        let submit = || {
            let mut call = call();
            call.capacity = Some(0);
            task::submit(&pool, call, (input(),))
        };
        let (first, second) = (submit(), submit());
        see(first.join());
        see(second.join());
    });
}

#[test]
fn a_drain_waits_until_nothing_is_left() {
    explore(|| {
        let (pool, given) = (pool(1), input());
        drop(task::submit(&pool, call(), (given.clone(),)));
        // Too far away to be written down, so this wait has no limit.
        assert_eq!(pool.drain(Duration::MAX), Ok(()));
        given.write();
    });
}

#[test]
fn a_task_that_comes_as_the_last_one_ends_is_run() {
    explore_with_timeouts(2, || {
        let pool = pool(1);
        for _ in 0..2 {
            see(task::submit(&pool, call(), (input(),)).join());
        }
    });
}

#[test]
fn tasks_run_though_not_every_thread_can_be_started() {
    explore_with_failed_starts(2, || {
        let pool = pool(2);
        let first = task::submit(&pool, call(), (input(),));
        let second = task::submit(&pool, call(), (input(),));
        see(first.join());
        see(second.join());
    });
}
