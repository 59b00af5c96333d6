//! The progress log where there is no `tracing` subscriber, but a logger of the `log` crate.
#![cfg(feature = "log")]

mod kit;

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use futureproof_core::__private::scope;
use futureproof_core::ErrorPolicy::Log as LogPolicy;
use futureproof_core::ParallelFor;
use kit::{bodies, oops, pool};
use log::{LevelFilter, Metadata, Record};

/// Keeps what is logged by this crate: `LEVEL target text`.
struct Logger {
    lines: Mutex<Vec<String>>,
    news: Condvar,
}

static LOGGER: Logger = Logger {
    lines: Mutex::new(Vec::new()),
    news: Condvar::new(),
};

impl log::Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("futureproof")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {} {}", record.level(), record.target(), record.args());
            self.lines.lock().unwrap().push(line);
            self.news.notify_all();
        }
    }

    fn flush(&self) {}
}

impl Logger {
    /// Waits for a line with all these parts.
    fn wait_for(&self, parts: &[&str]) {
        let has = |lines: &mut Vec<String>| {
            (lines.iter()).any(|line| parts.iter().all(|part| line.contains(part)))
        };
        let lines = self.lines.lock().unwrap();
        drop(self.news.wait_while(lines, |lines| !has(lines)).unwrap());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// A loop that takes its time until the monitor has said this of it; in no time if that is nothing.
fn run(parts: &[&str]) {
    let options = ParallelFor::new().workers(2).name("logged");
    options
        .monitor(Duration::from_millis(101))
        .for_each(0..4, |n| {
            if n == 3 && !parts.is_empty() {
                LOGGER.wait_for(parts);
            }
        });
}

// One test: there is one logger and one level in a process.
#[test]
fn users_of_the_log_crate_see_the_lines() {
    log::set_logger(&LOGGER).unwrap();
    log::set_max_level(LevelFilter::Error);
    run(&[]);
    assert_eq!(LOGGER.take(), [""; 0], "nobody wants to know");

    log::set_max_level(LevelFilter::Info);
    run(&[]);
    run(&[
        "INFO futureproof::monitor",
        "name=logged",
        "in_flight=1",
        "total=4",
    ]);
    let lines = LOGGER.take();
    let with = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert!(with("started") > 0, "{lines:#?}");
    assert!(lines.last().unwrap().contains("finished"), "{lines:#?}");
    assert!(lines.last().unwrap().contains("completed=4"), "{lines:#?}");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("INFO futureproof::monitor")),
        "{lines:#?}"
    );

    let mut call = bodies(LogPolicy);
    call.monitor = Duration::from_millis(101).into();
    scope(&pool(2), call, |tasks| {
        tasks.submit(Box::new(|| oops::<()>("told")));
        tasks.submit(Box::new(|| {
            LOGGER.wait_for(&["INFO futureproof::monitor", "name=body", "failed=1"]);
            Ok(())
        }));
    })
    .unwrap();
    let lines = LOGGER.take();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("ERROR") && line.contains("told")),
        "{lines:#?}"
    );
    assert!(lines.last().unwrap().contains("finished"), "{lines:#?}");
}
