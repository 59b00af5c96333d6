//! What the tests of the task manager share.
#![allow(dead_code, unreachable_pub)]

use std::error::Error;
use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::time::Duration;

use futureproof_core::__private::{Call, DescribeType, VtableError as _};
use futureproof_core::{ErrorPolicy, ScopeError, TaskError, TaskManager, TaskPool};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The numbers of workers that every promise is tested with.
#[cfg(not(miri))]
pub const WORKERS: [usize; 4] = [1, 2, 3, 16];
#[cfg(miri)]
pub const WORKERS: [usize; 2] = [1, 3];

/// The first number, or the second where an interpreter runs the test.
pub const fn scaled(count: usize, under_miri: usize) -> usize {
    if cfg!(miri) { under_miri } else { count }
}

/// Makes sure that no event is lost to a race inside `tracing`: a call site that is first met while no subscriber exists
/// may miss one that is just being created.
fn keep_call_sites_awake() {
    struct Nobody;

    impl Subscriber for Nobody {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            // Not those of single items: loops would then run one at a time.
            *metadata.level() <= Level::DEBUG
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Nobody).unwrap());
}

/// Ends the process if `test` takes as long as only a deadlock does.
pub fn no_hang<R>(test: impl FnOnce() -> R) -> R {
    // It sees a deadlock by itself, and whatever else is started would have to end before it looks for leaks.
    if cfg!(miri) {
        return test();
    }
    keep_call_sites_awake();
    let (done, watch) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(300)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the test hangs");
            std::process::abort();
        }
    });
    let result = test();
    drop(done);
    watchdog.join().unwrap();
    result
}

/// Calls `test` for every number of workers, with a pool of that many.
pub fn for_workers(test: impl Fn(&TaskPool, usize)) {
    for workers in WORKERS {
        no_hang(|| test(&pool(workers), workers));
    }
}

pub fn pool(workers: usize) -> TaskPool {
    TaskPool::builder().workers(workers).name("test").build()
}

/// A pool that can start no thread: no machine has room for such a stack.
pub fn threadless_pool(workers: usize) -> TaskPool {
    TaskPool::builder()
        .workers(workers)
        .stack_size(1 << 55)
        .build()
}

/// The error of the tests' functions.
#[derive(Debug, PartialEq, Eq)]
pub struct Oops(pub String);

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oops: {}", self.0)
    }
}

impl Error for Oops {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Root)
    }
}

#[derive(Debug)]
pub struct Root;

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the root of it")
    }
}

impl Error for Root {}

pub fn oops<T>(text: impl Into<String>) -> Result<T, Oops> {
    Err(Oops(text.into()))
}

/// The task's error that a scope ended with.
pub fn task_error<E>(error: ScopeError<E>) -> TaskError<E> {
    match error {
        ScopeError::Task(error) => error,
        other => panic!("not a task's error: {other}"),
    }
}

/// What a task does.
pub type Body<'a, T> = Box<dyn FnOnce() -> Result<T, Oops> + Send + 'a>;

pub type Bodies<'a, T> = Call<(Body<'a, T>,), (), T, Oops>;

/// A function that runs the closure it is given.
pub fn bodies<'a, T>(policy: ErrorPolicy) -> Bodies<'a, T> {
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let mut call = Call::of(
        "body",
        |(body,): (Body<'a, T>,)| body(),
        |_| (),
        |()| None,
        error,
    );
    call.policy = policy;
    call
}

pub type Numbers = Call<(u64,), (u64,), u64, Oops>;

/// A function of one number, `half`.
pub fn numbers(policy: ErrorPolicy, run: fn((u64,)) -> Result<u64, Oops>) -> Numbers {
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let describe: fn(&(u64,)) -> Option<String> = |(n,)| Some(format!("half({n})"));
    let mut call = Call::of("half", run, |args| *args, describe, error);
    call.policy = policy;
    call
}

/// Halves even numbers, fails for odd ones.
pub fn half((n,): (u64,)) -> Result<u64, Oops> {
    if n % 2 == 0 {
        Ok(n / 2)
    } else {
        oops(format!("{n} is odd"))
    }
}

pub fn double((n,): (u64,)) -> Result<u64, Oops> {
    Ok(n * 2)
}

/// The manager of a scope of [`bodies`].
pub type Tasks<'env, 'a, T> = TaskManager<'env, (Body<'a, T>,), (), T, Oops>;

/// A door that threads wait at until it is opened.
#[derive(Clone, Default)]
pub struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub fn wait(&self) {
        let mut open = self.0.0.lock().unwrap();
        while !*open {
            open = self.0.1.wait(open).unwrap();
        }
    }
}

/// A number that threads wait for.
#[derive(Clone, Default)]
pub struct Counter(Arc<(Mutex<usize>, Condvar)>);

impl Counter {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&self) -> usize {
        let mut count = self.0.0.lock().unwrap();
        *count += 1;
        self.0.1.notify_all();
        *count
    }

    pub fn subtract(&self) {
        *self.0.0.lock().unwrap() -= 1;
    }

    pub fn get(&self) -> usize {
        *self.0.0.lock().unwrap()
    }

    pub fn wait_for(&self, wanted: usize) {
        let mut count = self.0.0.lock().unwrap();
        while *count < wanted {
            count = self.0.1.wait(count).unwrap();
        }
    }
}

/// Collects events as text: `LEVEL target message field=value …`.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `f` with this as the subscriber.
    pub fn during<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::subscriber::with_default(self.clone(), f)
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn errors(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line.starts_with("ERROR"));
        lines
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields(String);

        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                use fmt::Write as _;
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }

        let metadata = event.metadata();
        let mut fields = Fields(format!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut fields);
        if *metadata.level() <= Level::INFO {
            self.0.lock().unwrap().push(fields.0);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The same sequence of numbers for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
