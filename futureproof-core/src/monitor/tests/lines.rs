//! The lines of loops: which, when, and what their fields are.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Level;

use super::*;
use crate::flow::Flow;
use crate::policy::ErrorPolicy;
use crate::source::{IntoSource as _, pull, pull_here};
use crate::stop::StopToken;

/// Moves the clock to the first line.
fn begin() {
    advance(100 * MS);
}

#[test]
fn a_loop_says_that_it_has_started_after_100_ms_and_how_it_is_getting_on_every_2_s() {
    let said = hear(|ear| {
        let lines = |wanted| assert_eq!(info(&ear.monitor()).len(), wanted);
        loop_here().for_each(0..10, |n| match n {
            0 => {
                advance(99 * MS);
                lines(0);
                advance(MS);
                lines(1);
            }
            3 => {
                advance(1899 * MS);
                lines(1);
                advance(MS);
                lines(2);
            }
            5 => {
                advance(2 * SECOND);
                lines(3);
            }
            _ => {}
        });
    });
    assert_eq!(
        texts(&info(&said)),
        [
            "INFO started: name=here workers=1 policy=raise total=10",
            "INFO 30 %, 4.7 s left: name=here completed=3 total=10 failed=0 in_flight=1 waiting=0 recent=3 \
             rate_per_s=1.5 elapsed_s=2.0 left_s=4.667",
            "INFO 50 %, 4.0 s left: name=here completed=5 total=10 failed=0 in_flight=1 waiting=0 recent=2 \
             rate_per_s=1.0 elapsed_s=4.0 left_s=4.0",
            "INFO finished: name=here completed=10 failed=0 cancelled=0 elapsed_s=4.0 rate_per_s=2.5 ended=finished",
        ]
    );
}

#[test]
fn the_interval_is_the_loops_own() {
    let said = hear(|_| {
        loop_here()
            .monitor(10 * SECOND)
            .for_each(0..4, |n| match n {
                0 => begin(),
                1 => advance(9900 * MS),
                2 => advance(10 * SECOND),
                _ => {}
            });
    });
    assert_eq!(values(&said, "elapsed_s"), ["10.0", "20.0", "20.0"]);
}

#[test]
fn an_interval_within_the_first_100_ms_has_its_lines_then() {
    let said = hear(|_| {
        loop_here().monitor(50 * MS).for_each(0..4, |n| {
            if n == 1 {
                advance(50 * MS);
            }
        });
    });
    assert_eq!(
        texts(&info(&said)),
        [
            "INFO started: name=here workers=1 policy=raise total=4",
            "INFO 25 %, 150 ms left: name=here completed=1 total=4 failed=0 in_flight=1 waiting=0 recent=1 \
             rate_per_s=20.0 elapsed_s=0.05 left_s=0.15",
        ]
    );
}

#[test]
fn a_loop_without_monitor_says_nothing() {
    let said = hear(|_| {
        loop_here()
            .monitor(false)
            .for_each(0..3, |_| advance(10 * SECOND));
    });
    assert_eq!(texts(&said), [""; 0]);
}

#[test]
fn a_loop_shorter_than_100_ms_is_quiet_at_info() {
    let said = hear(|_| {
        loop_here().for_each(0..2, |n| {
            if n == 1 {
                advance(99 * MS);
            }
        });
    });
    assert_eq!(
        texts(&said),
        [
            "DEBUG starts: name=here workers=1 policy=raise total=2",
            "DEBUG finished: name=here completed=2 failed=0 cancelled=0 elapsed_s=0.099 rate_per_s=20.2 ended=finished",
        ]
    );
}

#[test]
fn who_listens_to_warnings_hears_of_stalls_only_and_who_listens_to_errors_of_nothing() {
    let heard = |level| {
        let ear = Ear::at(level);
        alone(|| ear.during(|| _ = loop_here().for_each(0..2, |_| pass(4))));
        ear.said().len()
    };
    assert_eq!(heard(Level::WARN), 2, "one for each item");
    assert_eq!(heard(Level::ERROR), 0);
}

#[test]
fn failures_and_panics_are_counted_as_failed() {
    let said = hear(|_| {
        let report = loop_here()
            .error_policy(ErrorPolicy::Ignore)
            .try_for_each(0..8, |n| {
                match n {
                    0 => begin(),
                    1 | 2 => return Err("no"),
                    3 => panic!("worse"),
                    6 => advance(1900 * MS),
                    _ => {}
                }
                Ok(())
            })
            .unwrap();
        assert_eq!((report.completed(), report.failed()), (5, 3));
    });
    let line = &info(&said)[1];
    assert!(line.has("completed=3 total=8 failed=3"), "{line}");
    assert!(line.has("recent=6 rate_per_s=3.0"), "{line}");
    assert!(line.has("left_s=0.667"), "what failed is done with: {line}");
    assert!(last(&said).has("completed=5 failed=3"), "{}", last(&said));
    assert!(info(&said)[0].has("policy=ignore"));
}

#[test]
fn the_time_left_is_unknown_without_a_length_and_while_nothing_completes() {
    let said = hear(|_| {
        loop_here().for_each(pull((0..8).filter(|_| true)), |n| match n {
            0 => begin(),
            4 => advance(1900 * MS),
            _ => {}
        });
    });
    assert_eq!(info(&said)[1].message, "4 done");
    assert_eq!(
        (info(&said)[1].get("total"), info(&said)[1].get("left_s")),
        (None, None)
    );

    let said = hear(|_| {
        loop_here().for_each(0..8, |n| match n {
            0 => begin(),
            4 => {
                advance(1900 * MS);
                advance(INTERVAL);
            }
            _ => {}
        });
    });
    let progress: Vec<_> = info(&said)
        .into_iter()
        .filter(|said| said.get("recent").is_some())
        .collect();
    assert_eq!(progress[0].message, "50 %, 2.0 s left");
    assert_eq!(progress[0].get("left_s"), Some("2.0"));
    assert_eq!(progress[1].message, "50 %, nothing lately");
    assert_eq!(
        (progress[1].get("recent"), progress[1].get("left_s")),
        (Some("0"), None)
    );
}

#[test]
fn a_source_that_gives_more_than_it_promised_is_done_and_has_no_time_left() {
    struct Liar(usize);

    impl Iterator for Liar {
        type Item = usize;

        fn next(&mut self) -> Option<usize> {
            self.0 += 1;
            (self.0 <= 8).then_some(self.0)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (4, Some(4))
        }
    }

    impl ExactSizeIterator for Liar {}

    let said = hear(|_| {
        let report = loop_here().for_each(pull(Liar(0)), |n| match n {
            1 => begin(),
            7 => advance(1900 * MS),
            _ => {}
        });
        assert_eq!(report.completed(), 8);
    });
    let line = &info(&said)[1];
    assert_eq!(line.get("completed"), Some("6"));
    assert_eq!(line.get("left_s"), None);
    // What is known of a source that only hints is nothing, or everything.
    assert!(["100 %", "6 done"].contains(&&*line.message), "{line}");
}

#[test]
fn every_kind_of_source_is_shown_alike() {
    let lines = |said: Vec<Said>| texts(&said);
    let body = |n: usize| match n {
        0 => begin(),
        5 => advance(1900 * MS),
        _ => {}
    };
    let indexed = lines(hear(|_| _ = loop_here().for_each(0..10, body)));
    let shared = lines(hear(|_| _ = loop_here().for_each(pull(0..10), body)));
    let here = lines(hear(|_| _ = loop_here().for_each(pull_here(0..10), body)));
    assert_eq!(indexed.len(), 4);
    assert_eq!(indexed, shared);
    assert_eq!(indexed, here);
}

#[test]
fn in_flight_are_the_items_of_all_workers() {
    let said = hear(|_| {
        let pool = pool(3);
        let (runs, gates) = (std::sync::Barrier::new(3), std::sync::Barrier::new(3));
        ParallelFor::new().pool(&pool).batch(1).for_each(0..3, |n| {
            runs.wait();
            if n == 0 {
                pass(1);
            }
            gates.wait();
        });
    });
    let line = said
        .iter()
        .find(|said| said.get("in_flight").is_some())
        .unwrap();
    assert!(
        line.has("completed=0 total=3 failed=0 in_flight=3"),
        "{line}"
    );
}

#[test]
fn the_end_says_how_the_loop_has_ended() {
    let long = |n: usize| {
        if n == 0 {
            begin();
        }
    };
    let end = |test: &dyn Fn()| {
        let said = hear(|_| test());
        let end = last(&said);
        assert_eq!(end.level, Level::INFO);
        (
            end.message.clone(),
            end.get("ended").unwrap_or_default().to_owned(),
        )
    };
    let said = |message: &str, ended: &str| (message.to_owned(), ended.to_owned());

    let finished = end(&|| _ = loop_here().for_each(0..5, long));
    assert_eq!(finished, said("finished", "finished"));

    let token = StopToken::new();
    let stopped = end(&|| {
        _ = loop_here().stop(&token).for_each(0..5, |n| {
            long(n);
            token.stop();
        });
    });
    assert_eq!(stopped, said("stopped", "stopped"));

    let broke = end(&|| {
        _ = crate::engine::each::<_, (), _>(loop_here(), (0..5_usize).into_source(), |n| {
            long(n);
            if n == 2 { Flow::Break } else { Flow::Next }
        });
    });
    assert_eq!(broke, said("left by break", "break"));

    let left = end(&|| {
        let body = |n| {
            long(n);
            if n == 2 { Err("no") } else { Ok(()) }
        };
        assert_eq!(loop_here().try_for_each(0..5, body).unwrap_err(), "no");
    });
    assert_eq!(left, said("left by an item", "left"));

    let panicked = end(&|| {
        let body = |n| {
            long(n);
            assert!(n < 2, "the body's");
        };
        catch_unwind(AssertUnwindSafe(|| loop_here().for_each(0..5, body))).unwrap_err();
    });
    assert_eq!(panicked, said("left by a panic", "panic"));
}

#[test]
fn a_loop_says_nothing_more_once_it_has_ended() {
    let ended = RefCell::new(0);
    let said = hear(|ear| {
        loop_here().for_each(0..1, |_| begin());
        *ended.borrow_mut() = ear.monitor().len();
        pass(5);
    });
    assert_eq!(said.len(), *ended.borrow());
    assert_eq!(last(&said).message, "finished");
}

/// What is said at INFO and above.
fn info(said: &[Said]) -> Vec<Said> {
    let mut said = said.to_vec();
    said.retain(|said| said.level <= Level::INFO);
    said
}

fn texts(said: &[Said]) -> Vec<String> {
    said.iter().map(Said::to_string).collect()
}
