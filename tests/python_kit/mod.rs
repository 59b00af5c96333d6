//! What the tests of the Python libraries' behaviours share.
#![allow(dead_code, unreachable_pub)]

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futureproof::{ScopeError, TaskError, TaskErrorKind, is_stopping};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// Ends the process if `test` takes as long as only a hang does.
pub fn guarded<R>(test: impl FnOnce() -> R) -> R {
    keep_call_sites_awake();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let (done, watch) = mpsc::channel::<()>();
    let guard = thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(240)) == Err(RecvTimeoutError::Timeout) {
            // Past the test runner, which would keep what `eprintln!` writes, and lose it.
            let _ = writeln!(io::stderr(), "{name} hangs");
            std::process::abort();
        }
    });
    let result = test();
    drop(done);
    guard.join().unwrap();
    result
}

/// Runs `test` in a process of its own, for what is counted by process; returns how that ended.
///
/// `name` is the name of the test that calls this.
pub fn alone(name: &str, test: impl FnOnce()) -> ExitStatus {
    const VARIABLE: &str = "FUTUREPROOF_TEST_ALONE";
    if std::env::var(VARIABLE).as_deref() == Ok(name) {
        guarded(test);
        std::process::exit(0);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, name)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // Shown when the test fails.
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    output.status
}

/// Makes `tracing` ask the current subscriber about every event. Otherwise a call site that is first met while there is
/// no subscriber may stay silent for one that is just being set.
fn keep_call_sites_awake() {
    struct Nobody;

    impl Subscriber for Nobody {
        fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
            Interest::sometimes()
        }
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
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

/// An event that a [`Log`] has collected.
#[derive(Debug, Clone)]
pub struct Line {
    pub level: Level,
    pub target: &'static str,
    /// The message and the fields.
    pub text: String,
}

/// A subscriber that collects events.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Vec<Line>>, Condvar)>);

impl Log {
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `f` with this as the subscriber.
    pub fn during<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::subscriber::with_default(self.clone(), f)
    }

    /// The events of this level.
    pub fn at(&self, level: Level) -> Vec<String> {
        let lines = self.0.0.lock().unwrap();
        let of_level = lines.iter().filter(|line| line.level == level);
        of_level.map(|line| line.text.clone()).collect()
    }

    pub fn errors(&self) -> Vec<String> {
        self.at(Level::ERROR)
    }

    /// Waits until at least `count` events contain `part`.
    pub fn wait_for(&self, count: usize, part: &str) {
        let mut lines = self.0.0.lock().unwrap();
        while lines.iter().filter(|line| line.text.contains(part)).count() < count {
            lines = self.0.1.wait(lines).unwrap();
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Not the spans of single items: loops would then run one at a time.
        *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Text(String);

        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                use fmt::Write as _;
                write!(self.0, "{}={value:?} ", field.name()).unwrap();
            }
        }

        let mut text = Text(String::new());
        event.record(&mut text);
        let line = Line {
            level: *event.metadata().level(),
            target: event.metadata().target(),
            text: text.0,
        };
        self.0.0.lock().unwrap().push(line);
        self.0.1.notify_all();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A number that threads count up, and wait for.
#[derive(Default)]
pub struct Counter {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Counter {
    pub const fn new() -> Self {
        Self {
            count: Mutex::new(0),
            changed: Condvar::new(),
        }
    }

    pub fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    pub fn get(&self) -> usize {
        *self.count.lock().unwrap()
    }

    pub fn wait_for(&self, wanted: usize) {
        let mut count = self.count.lock().unwrap();
        while *count < wanted {
            count = self.changed.wait(count).unwrap();
        }
    }
}

/// Counts how many there are at once, and the most there were.
#[derive(Default)]
pub struct Gauge {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Gauge {
    pub const fn new() -> Self {
        Self {
            now: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    pub fn enter(&self) -> Present<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        Present(self)
    }

    pub fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }
}

/// One of those that a [`Gauge`] counts; a clone is one more.
#[derive(Debug)]
pub struct Present<'a>(&'a Gauge);

impl Clone for Present<'_> {
    fn clone(&self) -> Self {
        self.0.enter()
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} now, {} at most", self.now(), self.peak())
    }
}

/// Stands for a long piece of work that asks now and then whether to stop.
pub fn work_until_told_to_stop() {
    while !is_stopping() {
        thread::yield_now();
    }
}

/// Waits for what has no condition variable.
pub fn wait_until(happened: impl Fn() -> bool) {
    while !happened() {
        thread::yield_now();
    }
}

/// The error of the tests' functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oops(pub usize);

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oops {}", self.0)
    }
}

impl Error for Oops {}

/// The task's error that a scope ended with.
#[track_caller]
pub fn of_task<T, E>(outcome: Result<T, ScopeError<E>>) -> TaskError<E> {
    match outcome {
        Err(ScopeError::Task(error)) => error,
        Err(other) => panic!("not a task's error: {other}"),
        Ok(_) => panic!("the scope did not fail"),
    }
}

/// The function's own error in a task's.
#[track_caller]
pub fn failure<E>(error: TaskError<E>) -> E {
    match error.into_kind() {
        TaskErrorKind::Failed(error) => error,
        TaskErrorKind::Panicked(panic) => panic!("not failed: {panic}"),
        _ => panic!("not failed: cancelled or taken"),
    }
}

/// Waits for a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// What Linux says about this process.
#[cfg(target_os = "linux")]
pub mod process {
    use std::fs;
    use std::time::Duration;

    /// How much CPU time all threads have used, ended ones included.
    pub fn cpu_time() -> Duration {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        // The name, in brackets, may contain anything.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        // utime and stime, in ticks of 10 ms.
        let ticks: u64 = fields
            .skip(11)
            .take(2)
            .map(|n| n.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(ticks * 10)
    }

    /// The names of all threads.
    pub fn threads() -> Vec<String> {
        each_thread("comm")
            .map(|name| name.trim().to_owned())
            .collect()
    }

    /// How often all threads have gone to sleep by themselves.
    pub fn sleeps() -> u64 {
        each_thread("status")
            .map(|status| {
                let line = status
                    .lines()
                    .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
                line.unwrap().trim().parse::<u64>().unwrap()
            })
            .sum()
    }

    fn each_thread(file: &'static str) -> impl Iterator<Item = String> {
        let threads = fs::read_dir("/proc/self/task").unwrap();
        // A thread may end meanwhile.
        threads.filter_map(move |thread| fs::read_to_string(thread.unwrap().path().join(file)).ok())
    }

    /// Sends this process a signal.
    pub fn signal(name: &str) {
        let status = std::process::Command::new("kill")
            .args(["-s", name, &std::process::id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
}
