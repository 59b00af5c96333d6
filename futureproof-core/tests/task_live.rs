//! What a program sees of a scope or a stream while it runs.

mod kit;

use futureproof_core::__private::{as_completed, scope};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{Ended, Report, StopCause};
use kit::{Body, Counter, Door, bodies, for_workers, oops};

/// Completed, failed, cancelled, and how it ended.
fn seen(report: &Report) -> (u64, u64, u64, Ended) {
    let ended = report.ended();
    (
        report.completed(),
        report.failed(),
        report.cancelled(),
        ended,
    )
}

#[test]
fn a_scope_reports_what_it_has_done_so_far() {
    for_workers(|pool, _| {
        let door = Door::new();
        let after = scope(pool, bodies(Ignore), |tasks| {
            assert_eq!(seen(&tasks.report()).0, 0);
            tasks.submit(Box::new(|| Ok(1)));
            tasks.submit(Box::new(|| oops("counted")));
            assert_eq!(tasks.as_completed().count(), 2);
            tasks.submit(Box::new(|| {
                door.wait();
                Ok(1)
            }));
            let running = tasks.report();
            assert_eq!(seen(&running), (1, 1, 0, Ended::Running));
            door.open();
            assert_eq!(tasks.as_completed().count(), 1);
            let report = tasks.report();
            assert!(report.elapsed() >= running.elapsed());
            Ok(report)
        });
        assert_eq!(seen(&after.unwrap()), (2, 1, 0, Ended::Exhausted));
    });
}

#[test]
fn a_stopped_scope_reports_why_and_what_was_cancelled() {
    for_workers(|pool, workers| {
        let (door, running) = (Door::new(), Counter::new());
        let report = scope(pool, bodies(Ignore), |tasks| {
            for _ in 0..workers + 1 {
                tasks.submit(Box::new(|| {
                    running.add();
                    door.wait();
                    Ok(1)
                }));
            }
            running.wait_for(workers);
            tasks.stop();
            door.open();
            assert_eq!(tasks.as_completed().count(), workers + 1);
            Ok(tasks.report())
        });
        let asked = Ended::Stopped(StopCause::Asked);
        assert_eq!(seen(&report.unwrap()), (workers as u64, 0, 1, asked));
    });
}

#[test]
fn a_stream_reports_what_it_has_done_so_far() {
    for_workers(|pool, _| {
        let door = Door::new();
        let inside = door.clone();
        let inputs: Vec<Body<'static, u32>> = vec![
            Box::new(|| oops("counted")),
            Box::new(move || {
                inside.wait();
                Ok(1)
            }),
        ];
        let mut results = as_completed(pool, bodies(Ignore), inputs);
        results.next().unwrap().unwrap_err();
        assert_eq!(seen(&results.report()), (0, 1, 0, Ended::Running));
        door.open();
        results.next().unwrap().unwrap();
        assert!(results.next().is_none());
        assert_eq!(seen(&results.report()), (1, 1, 0, Ended::Exhausted));
    });
}
