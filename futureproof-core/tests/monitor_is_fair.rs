//! One loop's progress log holds up no other's, by the clock on the wall.

#[path = "kit/ear.rs"]
mod ear;
mod kit;

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use ear::Ear;
use futureproof_core::ParallelFor;
use kit::no_hang;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

/// Takes a while to write a line.
struct Slow(mpsc::Sender<()>);

impl Subscriber for Slow {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "futureproof::monitor"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
        _ = self.0.send(());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs a loop that wants a line every nanosecond, until `end` hangs up.
fn busy(end: Receiver<()>) {
    let end = Mutex::new(end);
    let interval = Duration::from_nanos(1);
    let options = ParallelFor::new().workers(1).monitor(interval);
    options.for_each(0..1, |_| {
        let end = end.lock().unwrap();
        while end.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
            std::thread::yield_now();
        }
    });
}

/// Runs a loop until it has had three lines of its own.
fn has_lines(ear: &Ear) {
    let options = ParallelFor::new().workers(1);
    let options = options.monitor(Duration::from_millis(20)).name("other");
    options.for_each(0..1, |_| {
        ear.wait_for(|said| said.message.contains("nothing has completed"));
    });
}

#[test]
fn a_subscriber_slower_than_its_loops_interval_keeps_no_line_from_others() {
    no_hang(|| {
        let ear = Ear::new();
        let (said, is_said) = mpsc::channel();
        let (going, end) = mpsc::channel();
        std::thread::scope(|threads| {
            threads.spawn(move || with_default(Slow(said), || busy(end)));
            // It speaks on the monitor's thread by then.
            (0..5).for_each(|_| is_said.recv().unwrap());
            ear.during(|| has_lines(&ear));
            drop(going);
        });
        let lines = ear.monitor();
        assert!(lines.iter().all(|said| said.has("name=other")), "{lines:?}");
    });
}

#[test]
fn an_interval_of_a_nanosecond_leaves_time_for_others() {
    no_hang(|| {
        let (one, other) = (Ear::new(), Ear::new());
        let (going, end) = mpsc::channel();
        std::thread::scope(|threads| {
            let inside = one.clone();
            threads.spawn(move || inside.during(|| busy(end)));
            one.wait_for(|said| said.get("recent").is_some());
            other.during(|| has_lines(&other));
            drop(going);
        });
        assert_eq!(other.monitor().last().unwrap().message, "finished");
    });
}
