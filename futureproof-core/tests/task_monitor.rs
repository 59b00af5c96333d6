//! What the progress log says of scopes.

mod kit;

use std::time::Duration;

use futureproof_core::__private::{scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::MonitorInterval;
use kit::{Log, WORKERS, bodies, half, no_hang, numbers, oops, pool};

fn monitored(log: &Log) -> Vec<String> {
    let mut lines = log.lines();
    lines.retain(|line| line.contains("futureproof::monitor"));
    lines
}

/// Runs one task more than there are workers; all but the first wait until a line of the log has all of `parts`.
fn scope_until(log: &Log, parts: &[String], workers: usize, interval: MonitorInterval) {
    let pool = pool(workers);
    log.during(|| {
        let mut call = bodies(Raise);
        call.monitor = interval;
        scope(&pool, call.clone(), |tasks| {
            for n in 0..workers + 1 {
                tasks.submit(Box::new(move || {
                    while n > 0 && !has_line(log, parts) {
                        std::thread::yield_now();
                    }
                    Ok(())
                }));
            }
        })
        .unwrap();
    });
}

fn has_line(log: &Log, parts: &[String]) -> bool {
    parts.is_empty()
        || (monitored(log).iter()).any(|line| parts.iter().all(|part| line.contains(part)))
}

#[test]
fn a_scope_is_announced_and_reports_what_completed_and_what_is_in_flight() {
    for workers in WORKERS {
        no_hang(|| {
            let log = Log::new();
            let parts = [
                "name=body".into(),
                "completed=1".into(),
                format!("in_flight={workers}"),
            ];
            scope_until(&log, &parts, workers, Duration::from_millis(120).into());
            let lines = monitored(&log);
            assert!(lines[0].contains("started"), "{lines:#?}");
            let last = lines.last().unwrap();
            assert!(
                last.contains(&format!("finished: {} completed, 0 failed", workers + 1)),
                "{lines:#?}"
            );
        });
    }
}

#[test]
fn without_a_monitor_nothing_is_said() {
    for workers in WORKERS {
        no_hang(|| {
            let log = Log::new();
            scope_until(&log, &[], workers, false.into());
            assert_eq!(monitored(&log), [""; 0]);
        });
    }
}

#[test]
fn failures_are_counted() {
    for workers in WORKERS {
        no_hang(|| {
            let (log, pool) = (Log::new(), pool(workers));
            log.during(|| {
                let mut call = numbers(Ignore, half);
                call.monitor = Duration::from_millis(100).into();
                scope(&pool, call.clone(), |tasks| {
                    tasks.map(0..10);
                    tasks.run().unwrap();
                    while !has_line(&log, &["completed=5".into(), "failed=5".into()]) {
                        std::thread::yield_now();
                    }
                })
                .unwrap();
            });
            let lines = monitored(&log);
            assert!(
                lines
                    .last()
                    .unwrap()
                    .contains("finished: 5 completed, 5 failed"),
                "{lines:#?}"
            );
        });
    }
}

#[test]
fn submitted_tasks_are_watched_while_there_are_any() {
    for workers in WORKERS {
        no_hang(|| {
            let (log, pool) = (Log::new(), pool(workers));
            log.during(|| {
                let mut call = bodies(Ignore);
                call.monitor = Duration::from_millis(100).into();
                let parts = ["name=body".to_owned(), "in_flight=1".into()];
                let inside = log.clone();
                let handle = submit(
                    &pool,
                    call.clone(),
                    (Box::new(move || {
                        while !has_line(&inside, &parts) {
                            std::thread::yield_now();
                        }
                        oops::<()>("watched")
                    }),),
                );
                handle.join().unwrap_err();
                // The watch ends after its last task has.
                let parts = ["finished: 0 completed, 1 failed".to_owned()];
                while !has_line(&log, &parts) {
                    std::thread::yield_now();
                }
            });
        });
    }
}
