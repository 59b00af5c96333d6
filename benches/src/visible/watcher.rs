//! Who watches.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futureproof::LiveReport;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tracing::{Dispatch, Level, dispatcher};
use tracing_subscriber::fmt::MakeWriter;

use crate::terminal::Stderr;
use crate::work::Watched;

/// What is around both loops of a pair.
#[derive(Default)]
pub struct Around {
    subscriber: Option<Dispatch>,
    _terminal: Option<Stderr>,
    _reader: Option<Reader>,
}

impl Around {
    /// Runs a loop in it.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        match &self.subscriber {
            Some(subscriber) => dispatcher::with_default(subscriber, work),
            None => work(),
        }
    }

    /// A subscriber that formats what it hears and throws it away.
    pub fn subscriber(level: Level) -> Self {
        Self::writing(level, io::sink)
    }

    /// A subscriber that writes to `writer`.
    pub fn writing(
        level: Level,
        writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
    ) -> Self {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(writer)
            .finish();
        Self {
            subscriber: Some(Dispatch::new(subscriber)),
            ..Self::default()
        }
    }

    /// A terminal that takes everything at once.
    pub fn terminal() -> io::Result<Self> {
        Ok(Self {
            _terminal: Some(Stderr::as_terminal()?),
            ..Self::default()
        })
    }

    /// A thread that asks `live` a hundred times a second.
    pub fn reader(live: &LiveReport) -> Self {
        Self {
            _reader: Some(Reader::start(live.clone())),
            ..Self::default()
        }
    }
}

/// A thread that looks at a live report.
struct Reader {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    fn start(live: LiveReport) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                std::hint::black_box(live.report());
                thread::sleep(Duration::from_millis(10));
            }
        });
        Self {
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it only looks");
        }
    }
}

/// A recorder as the Prometheus exporter has it, without its server.
pub struct Recorder {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Recorder {
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        Self { recorder, handle }
    }

    /// Runs a loop that this records.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        metrics::with_local_recorder(&self.recorder, work)
    }

    /// Does what the exporter does now and then: samples become histograms.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }

    /// Whether a scrape would show tasks.
    pub fn has_tasks(&self) -> bool {
        self.handle
            .render()
            .contains("futureproof_tasks_completed_total{")
    }
}

/// A log that holds up the monitor's thread, for as long as it is closed.
#[derive(Clone, Default)]
pub struct SlowLog(Arc<Valve>);

#[derive(Default)]
struct Valve {
    state: Mutex<ValveState>,
    changed: Condvar,
}

#[derive(Default)]
struct ValveState {
    closed: bool,
    held: bool,
}

impl SlowLog {
    pub fn close(&self) {
        *self.state() = ValveState {
            closed: true,
            held: false,
        };
    }

    /// Lets the monitor's thread go on; returns whether it was held.
    pub fn open(&self) -> bool {
        let mut state = self.state();
        state.closed = false;
        self.0.changed.notify_all();
        state.held
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ValveState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for SlowLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().name() == Some("futureproof-mon") {
            let mut state = self.state();
            state.held |= state.closed;
            while state.closed {
                state = (self.0.changed.wait(state)).unwrap_or_else(PoisonError::into_inner);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for SlowLog {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Logs so often.
pub fn logged(interval: Duration) -> Watched {
    Watched {
        monitor: interval.into(),
        ..Watched::not()
    }
}

/// Has a bar, and nothing else.
pub fn with_bar() -> Watched {
    Watched {
        progress: true,
        ..Watched::not()
    }
}

/// Has a live report, and nothing else.
pub fn shown_in(live: &LiveReport) -> Watched {
    Watched {
        live: Some(live.clone()),
        ..Watched::not()
    }
}
