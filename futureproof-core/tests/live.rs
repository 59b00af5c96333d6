//! What a program sees of a loop while it runs.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use common::{Kind, everywhere, for_each, no_hang, try_for_each};
use futureproof_core::__private::{Flow, each};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{
    Ended, IntoSource as _, LiveReport, ParallelFor, StopCause, StopToken, TaskPool, pull,
};

/// A loop on the calling thread alone, which can say exactly what it has done.
fn loop_here(live: &LiveReport) -> ParallelFor<'_> {
    ParallelFor::new()
        .workers(1)
        .batch(1)
        .monitor(false)
        .live(live)
}

/// Completed, failed, and how it ended.
fn seen(live: &LiveReport) -> (u64, u64, Ended) {
    let report = live.report();
    (report.completed(), report.failed(), report.ended())
}

#[test]
fn before_any_loop_nothing_has_started() {
    let live = LiveReport::new();
    assert_eq!(seen(&live), (0, 0, Ended::NotStarted));
    assert_eq!(live.report().elapsed(), Duration::ZERO);
    assert_eq!((live.in_flight(), live.total()), (0, None));
    assert_eq!(seen(&LiveReport::default()), seen(&live));
}

#[test]
fn counts_follow_the_loop_item_by_item_whatever_its_source() {
    for kind in common::KINDS {
        let live = LiveReport::new();
        let body = |n: usize| {
            let failed = u64::from(n > 2) + u64::from(n > 3);
            assert_eq!(seen(&live), (n as u64 - failed, failed, Ended::Running));
            assert_eq!((live.in_flight(), live.total()), (1, Some(10)));
            match n {
                2 => Err("no"),
                3 => panic!("worse"),
                _ => Ok(()),
            }
        };
        let options = loop_here(&live).error_policy(Ignore);
        let report = try_for_each(kind, options, 10, body).unwrap();
        assert_eq!((report.completed(), report.failed()), (8, 2));
        assert_eq!(seen(&live), (8, 2, Ended::Exhausted));
        assert_eq!((live.in_flight(), live.total()), (0, Some(10)));
    }
}

#[test]
fn after_the_end_it_shows_what_the_loop_did_in_all() {
    everywhere(|kind, workers| {
        no_hang(move || {
            let live = LiveReport::new();
            let options = ParallelFor::new().workers(workers).live(&live);
            let report = for_each(kind, options, 10_000, |_| {});
            assert_eq!(seen(&live), (10_000, 0, Ended::Exhausted));
            assert_eq!(live.report().completed(), report.completed());
            assert_eq!(live.in_flight(), 0);
            // The time stands still then.
            assert_eq!(live.report(), live.report());
            assert!(live.report().elapsed() > Duration::ZERO);
        });
    });
}

#[test]
fn another_thread_looks_while_items_run_on_all_workers() {
    no_hang(|| {
        let live = LiveReport::new();
        let (running, is_running) = mpsc::channel();
        let together = Barrier::new(4);
        let pool = TaskPool::builder().workers(3).build();
        std::thread::scope(|threads| {
            let (live, together) = (&live, &together);
            threads.spawn(move || {
                is_running.iter().take(3).for_each(drop);
                assert_eq!(seen(live), (0, 0, Ended::Running));
                assert_eq!((live.in_flight(), live.total()), (3, Some(3)));
                together.wait();
            });
            let options = ParallelFor::new().pool(&pool).batch(1).live(live);
            options.for_each(0..3, |_| {
                running.send(()).unwrap();
                together.wait();
            });
        });
        assert_eq!(seen(&live), (3, 0, Ended::Exhausted));
    });
}

#[test]
fn the_total_is_unknown_where_the_sources_length_is() {
    let live = LiveReport::new();
    loop_here(&live).for_each(pull((0..10).filter(|n| n % 2 == 0)), |_| {
        assert_eq!(live.total(), None);
    });
    assert_eq!(seen(&live), (5, 0, Ended::Exhausted));
    assert_eq!(live.total(), None);
}

#[test]
fn it_says_how_the_loop_has_ended() {
    let live = LiveReport::new();
    each::<_, (), _>(loop_here(&live), (0..9_usize).into_source(), |n| match n {
        2 => Flow::Break,
        _ => Flow::Next,
    });
    assert_eq!(seen(&live), (3, 0, Ended::Broke));

    let token = StopToken::new();
    let options = loop_here(&live).stop(&token);
    let report = options.for_each(0..9, |_| token.stop());
    assert_eq!(report.ended(), Ended::Stopped(StopCause::Token));
    assert_eq!(seen(&live), (1, 0, report.ended()));

    let body = |n| if n == 4 { Err("no") } else { Ok(()) };
    loop_here(&live).try_for_each(0..9, body).unwrap_err();
    assert_eq!(live.report().ended(), Ended::Left);
    assert_eq!(live.report().completed(), 4);

    let body = |n| assert!(n < 5, "the body's");
    catch_unwind(AssertUnwindSafe(|| loop_here(&live).for_each(0..9, body))).unwrap_err();
    assert_eq!(seen(&live), (5, 1, Ended::Left));
}

#[test]
fn clones_show_the_same_loop_and_a_new_loop_is_shown_from_its_start_on() {
    let live = LiveReport::new();
    let clone = live.clone();
    loop_here(&live).for_each(0..7, |_| {});
    assert_eq!(seen(&clone), (7, 0, Ended::Exhausted));
    loop_here(&clone).for_each(0..3_u64, |n| {
        assert_eq!(seen(&live), (n, 0, Ended::Running));
    });
    assert_eq!(live.total(), Some(3));
}

#[test]
fn a_loop_within_a_body_is_no_part_of_the_one_around_it() {
    let live = LiveReport::new();
    loop_here(&live).for_each(0..2, |_| {
        ParallelFor::new().workers(2).for_each(0..50, |_| {});
    });
    assert_eq!(seen(&live), (2, 0, Ended::Exhausted));
}

#[test]
fn a_text_of_it_says_what_it_shows() {
    let live = LiveReport::new();
    loop_here(&live).for_each(0..7, |_| {});
    let text = format!("{live:?}");
    assert!(
        text.contains("completed: 7") && text.contains("total: Some(7)"),
        "{text}"
    );
    _ = for_each(Kind::Indexed, loop_here(&live), 1, |_| {});
}
