//! The option `live`: a loop seen from outside while it runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

use futureproof::{Ended, LiveReport, Report, StopCause, StopToken, parallel_for};

#[test]
fn any_thread_sees_how_far_a_running_loop_is() {
    let live = LiveReport::new();
    let (here, go) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|threads| {
        threads.spawn(|| {
            parallel_for!(
                workers = 1,
                batch = 1,
                live = &live,
                for n in (0..10).filter(|_| true) {
                    if n == 5 {
                        here.wait();
                        go.wait();
                    }
                }
            );
        });
        here.wait();
        let (report, in_flight) = (live.report(), live.in_flight());
        go.wait();
        assert_eq!((report.completed(), in_flight), (5, 1));
        assert_eq!(report.ended(), Ended::Running);
    });
    assert_eq!(live.report().completed(), 10);
}

#[test]
fn it_knows_the_length_of_the_input_where_that_is_known() {
    let live = LiveReport::new();
    assert_eq!(live.total(), None);
    parallel_for!(live = &live, for _ in 0..10 {});
    assert_eq!(live.total(), Some(10));
    parallel_for!(live = &live, for _ in (0..10).filter(|n| n % 2 == 0) {});
    assert_eq!((live.total(), live.report().completed()), (None, 5));
}

#[test]
fn after_the_loop_it_shows_what_was_done_in_all() {
    let live = LiveReport::new();
    assert_eq!(live.report().ended(), Ended::NotStarted);
    let same = |report: Report| {
        let shown = live.report();
        assert_eq!(shown.completed(), report.completed());
        assert_eq!(shown.failed(), report.failed());
        assert_eq!(shown.ended(), report.ended());
        assert_eq!(live.in_flight(), 0);
    };
    same(parallel_for!(live = &live, for _ in 0..0 {}));
    same(parallel_for!(live = &live, for _ in 0..1 {}));
    same(parallel_for!(
        live = &live,
        monitor = false,
        for _ in vec![0; 10_000] {}
    ));
    same(parallel_for!(
        live = &live,
        for n in 0..1000 {
            if n == 300 {
                break;
            }
        }
    ));
    same(parallel_for!(
        error_policy = "ignore",
        live = &live,
        for n in 0..1000 {
            if n % 3 == 0 {
                Err("a multiple of three")?;
            }
        }
    ));
    let mut sum = 0;
    same(parallel_for!(
        reduce(sum),
        live = &live,
        for n in 0..1000 {
            sum += n;
        }
    ));
    same(parallel_for!(
        local(seen = 0),
        live = &live,
        for n in 0..1000 {
            seen = n;
            _ = seen;
        }
    ));
}

#[test]
fn it_shows_a_loop_that_was_stopped() {
    let (live, token) = (LiveReport::new(), StopToken::new());
    let stopped = parallel_for!(
        stop = &token,
        live = &live,
        for n in 0_u64.. {
            if n == 100 {
                token.stop();
            }
        }
    )
    .unwrap_err();
    let shown = live.report();
    assert_eq!(shown.ended(), Ended::Stopped(StopCause::Token));
    assert_eq!(shown.completed(), stopped.report().completed());
}

#[test]
fn a_loop_that_was_left_by_an_item_no_longer_runs() {
    fn find(live: &LiveReport) -> Result<Option<u32>, std::num::ParseIntError> {
        parallel_for!(
            live = live,
            for text in ["1", "2", "three", "4"] {
                if text.parse::<u32>()? > 5 {
                    return Ok(Some(5));
                }
            }
        );
        Ok(None)
    }
    let live = LiveReport::new();
    assert!(find(&live).is_err());
    assert_eq!(live.report().ended(), Ended::Left);

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        parallel_for!(
            live = &live,
            for n in 0..100 {
                assert!(n < 50, "too far")
            }
        );
    }));
    assert!(panicked.is_err());
    assert_eq!(live.report().ended(), Ended::Left);
    assert!(live.report().completed() >= 50);
}

#[test]
fn the_body_may_ask_and_loops_in_it_have_reports_of_their_own() {
    let (outer, inner) = (LiveReport::new(), LiveReport::default());
    parallel_for!(
        workers = 1,
        live = &outer,
        for _ in 0..3 {
            parallel_for!(live = &inner.clone(), for _ in 0..10 {});
            assert_eq!(inner.report().completed(), 10);
            assert_eq!(outer.report().ended(), Ended::Running);
        }
    );
    assert_eq!(outer.report().completed(), 3);
}
