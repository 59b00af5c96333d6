//! `#[task_pool]`: limits in time and number, hooks, and what is not accepted.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use futureproof::{
    ErrorPolicy, RateLimit, ScopeError, TaskError, TaskErrorKind, TrySubmitError, is_stopping,
    task_pool,
};

type AnyError = Box<dyn std::error::Error>;

/// Threads wait at it until it is opened.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

/// Runs until it is told to stop.
fn obey() -> bool {
    while !is_stopping() {
        thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn a_task_that_takes_too_long_is_told_and_reported() {
    #[task_pool(workers = 1, timeout = "10ms")]
    fn endless(_number: u8) -> bool {
        obey()
    }
    let error = endless::submit(1).join().unwrap_err();
    assert!(error.is_timed_out());
    assert!(
        matches!(error.kind(), TaskErrorKind::TimedOut(limit) if *limit == Duration::from_millis(10))
    );
    assert!(
        error
            .to_string()
            .contains("endless(1) timed out after 10ms"),
        "{error}"
    );
    let error = endless::scope(|tasks| {
        tasks.submit(2);
    })
    .unwrap_err();
    assert!(error.as_task().is_some_and(TaskError::is_timed_out));
}

#[test]
fn a_task_that_does_not_listen_can_be_left_behind() {
    #[task_pool(workers = 1, timeout = Duration::from_millis(10))]
    fn stubborn(door: Door, left: Door) {
        door.pass();
        left.open();
    }
    let (door, left) = (Door::default(), Door::default());
    let handle = stubborn::submit(door.clone(), left.clone());
    assert!(handle.join().unwrap_err().is_timed_out());
    // The function still runs, and its thread is busy until it returns.
    door.open();
    left.pass();
}

#[test]
fn a_task_in_time_is_not_disturbed() {
    #[task_pool(timeout = "1h")]
    fn quick() -> bool {
        is_stopping()
    }
    assert!(!quick::submit().join().unwrap());
}

#[test]
fn starts_are_spaced_evenly_over_all_uses_of_a_function() -> Result<(), AnyError> {
    #[task_pool(workers = 4, rate_limit = "1/20ms")]
    fn tick() {}

    let began = Instant::now();
    tick::scope(|tasks| {
        tasks.submit();
        tasks.submit();
    })?;
    assert_eq!(tick::map([(), ()]).count(), 2);
    tick::submit().join()?;
    // Five starts, four gaps.
    assert!(began.elapsed() >= Duration::from_millis(80));
    Ok(())
}

#[test]
fn a_plain_call_is_not_limited_and_a_burst_starts_at_once() {
    const STARTS: u32 = 1;

    #[task_pool(workers = 1, rate_limit = RateLimit::new(STARTS, Duration::from_secs(3600)).burst(2))]
    fn rare(number: u8) -> u8 {
        number
    }
    assert_eq!((0..9).map(rare).sum::<u8>(), 36);
    assert_eq!(rare::submit(1).join().unwrap(), 1);
    assert_eq!(rare::submit(2).join().unwrap(), 2);
    let third = rare::submit(3);
    assert!(third.cancel());

    #[task_pool(workers = 1, rate_limit = "1/h burst 3")]
    fn few(number: u8) -> u8 {
        number
    }
    let handles = [1, 2, 3].map(few::submit);
    assert_eq!(handles.map(|handle| handle.join().unwrap()), [1, 2, 3]);
}

#[test]
fn threads_are_replaced_after_so_many_tasks() {
    #[task_pool(workers = 1, max_tasks_per_thread = 2)]
    fn this_thread(_number: u8) -> ThreadId {
        thread::current().id()
    }
    let threads: Vec<ThreadId> = this_thread::map(0..6)
        .flatten()
        .map(|done| done.result)
        .collect();
    assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 3);
    assert!(threads.chunks(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn hooks_run_on_each_thread_of_the_pool() {
    thread_local! {
        static CONNECTION: Cell<usize> = const { Cell::new(0) };
    }
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    static CLOSED: AtomicUsize = AtomicUsize::new(0);

    #[task_pool(
        workers = 1,
        max_tasks_per_thread = 1,
        on_thread_start = || CONNECTION.set(OPENED.fetch_add(1, Relaxed) + 1),
        on_thread_stop = || {
            CLOSED.fetch_add(1, Relaxed);
        }
    )]
    fn connection() -> usize {
        CONNECTION.get()
    }
    let connections: Vec<usize> = connection::map([(); 3])
        .flatten()
        .map(|done| done.result)
        .collect();
    assert_eq!(connections, [1, 2, 3]);
    // The one before has ended before the next one began.
    assert!(CLOSED.load(Relaxed) >= 2);
}

#[test]
fn a_pool_whose_threads_cannot_be_set_up_says_why() {
    fn connect() -> Result<(), String> {
        Err("no connection".into())
    }

    #[task_pool(workers = 2, on_thread_start = connect)]
    fn query(number: u8) -> u8 {
        number
    }
    let error = query::submit(1).join().unwrap_err();
    assert!(
        matches!(error.kind(), TaskErrorKind::PoolBroken(why) if why.contains("no connection"))
    );
    assert_eq!(error.attempts(), 0);
    assert_eq!(query(1), 1);
}

#[test]
fn several_failures_are_collected_in_the_order_of_the_calls() {
    #[task_pool(workers = 2, raise_after = 1 + 2)]
    fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }
    let three_of_four = parse::scope(|tasks| {
        tasks.map(["a", "1", "b", "2", "c"]);
    });
    let Err(ScopeError::Tasks(errors)) = three_of_four else {
        panic!("{three_of_four:?}")
    };
    let indices: Vec<usize> = errors.iter().map(TaskError::index).collect();
    assert_eq!(indices, [0, 2, 4]);

    let one = parse::scope(|tasks| {
        tasks.map(["1", "b"]);
    });
    assert!(matches!(one, Err(ScopeError::Task(error)) if error.index() == 1));

    let none = parse::scope(|tasks| {
        tasks.map(["1", "2"]);
    });
    assert!(none.is_ok());
}

#[test]
fn what_is_not_accepted_comes_back() {
    #[task_pool(workers = 1, capacity = 0)]
    fn keep(door: Door, word: &str) -> usize {
        door.pass();
        word.len()
    }
    let door = Door::default();
    let running = keep::submit(door.clone(), "word");
    let refused = keep::try_submit(door.clone(), "next").unwrap_err();
    assert!(refused.is_full());
    assert_eq!(refused.into_args().1, "next");
    door.open();
    assert_eq!(running.join().unwrap(), 4);

    keep::pool().close();
    let refused = keep::try_submit(door.clone(), "late").unwrap_err();
    assert!(matches!(&refused, TrySubmitError::Closed((_, "late"))));
    assert!(!refused.is_full());
    let late = keep::submit(door, "late").join().unwrap_err();
    assert!(matches!(late.kind(), TaskErrorKind::Cancelled));
}

#[test]
fn all_options_go_together() {
    #[task_pool(
        workers = 2,
        capacity = 3,
        name = "all",
        monitor = false,
        error_policy = ErrorPolicy::Raise,
        raise_after = 2,
        retry = 2,
        retry_if = |_| false,
        timeout = "1h",
        rate_limit = "1000/ms burst 100",
        max_tasks_per_thread = 100,
        on_thread_start = || (),
        on_thread_stop = || (),
        keep_args = false,
        fallible = true,
        type = All,
        crate = ::futureproof
    )]
    fn all(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }
    let numbers: Vec<u32> = All::map(["1", "2"])
        .flatten()
        .map(|done| done.result)
        .collect();
    assert_eq!(numbers, [1, 2]);
}
