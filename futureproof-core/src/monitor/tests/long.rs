//! Loops and scopes that run for a day, or for a hundred years: counters do not overflow, and the time left stays sane.

use std::cell::Cell;

use super::super::look::{Looker, later};
use super::super::progress::{At, Done, Progress};
use super::super::words;
use super::*;
use crate::policy::ErrorPolicy;
use crate::source::pull;
use crate::sync::Arc;
use crate::task::scope;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn number(said: &Said, field: &str) -> Option<f64> {
    said.get(field).map(|text| text.parse().unwrap())
}

/// What a line of progress says is finite, not negative, and no more than there can be.
fn is_sane(said: &Said) {
    for field in [
        "rate_per_s",
        "elapsed_s",
        "left_s",
        "stalled_s",
        "running_s",
    ] {
        if let Some(number) = number(said, field) {
            assert!(number.is_finite() && number >= 0.0, "{field}: {said}");
        }
    }
    if let (Some(total), Some(completed)) = (number(said, "total"), number(said, "completed")) {
        assert!(completed <= total, "{said}");
    }
    assert!(!said.message.contains("NaN"), "{said}");
}

#[test]
fn a_loop_of_24_hours_counts_each_item_and_knows_how_long_it_will_take() {
    let said = hear(|_| {
        let report = loop_here()
            .monitor(HOUR)
            .for_each(0..24 * 60, |_| advance(60 * SECOND));
        assert_eq!(report.completed(), 24 * 60);
    });
    let lines: Vec<_> = said
        .iter()
        .filter(|said| number(said, "recent").is_some())
        .collect();
    assert_eq!(lines.len(), 24);
    for (hour, line) in (1..).zip(&lines) {
        is_sane(line);
        assert_eq!(number(line, "elapsed_s"), Some(f64::from(hour) * 3600.0));
        // The item that is running has not ended.
        assert_eq!(
            number(line, "completed"),
            Some(f64::from(hour) * 60.0 - 1.0)
        );
        let left = number(line, "left_s").unwrap();
        let true_left = f64::from(24 - hour) * 3600.0;
        assert!((left - true_left).abs() <= 2400.0, "{line}");
    }
    assert_eq!(lines[0].message, "4 %, 23 h 24 min left");
    assert!(last(&said).has("completed=1440"), "{}", last(&said));
    assert_eq!(number(last(&said), "elapsed_s"), Some(86_400.0));
}

#[test]
fn a_loop_of_a_hundred_years_says_so() {
    let said = hear(|_| {
        loop_here().monitor(YEAR).for_each(0..200, |n| {
            if n < 100 {
                advance(YEAR);
            }
        });
    });
    let lines: Vec<_> = said
        .iter()
        .filter(|said| number(said, "recent").is_some())
        .collect();
    assert_eq!(lines.len(), 100);
    lines.iter().for_each(|line| is_sane(line));
    let line = lines[99];
    assert_eq!(number(line, "completed"), Some(99.0));
    let text = &line.message;
    assert!(
        text.starts_with("49 %, 3") && text.contains(" d "),
        "{text}"
    );
}

#[test]
fn a_scope_of_a_hundred_years_says_so_and_what_hangs_in_it() {
    let said = hear(|_| {
        let mut call = bodies();
        call.monitor = (10 * YEAR).into();
        scope(&pool(2), call, |tasks| {
            let (gate, body) = Gate::new();
            tasks.submit(body);
            gate.is_reached();
            for _ in 0..10 {
                advance(10 * YEAR);
            }
            gate.open();
            tasks.submit(Box::new(|| Ok(1)));
        })
        .unwrap();
    });
    said.iter().for_each(is_sane);
    let warnings = warnings(&said);
    assert!(!warnings.is_empty());
    let hundred = YEAR.as_secs_f64() * 100.0;
    assert!(number(warnings[0], "stalled_s").unwrap() <= hundred);
    assert!(warnings[0].message.contains(" d "), "{}", warnings[0]);
    assert_eq!(number(last(&said), "elapsed_s"), Some(hundred));
}

/// An input that says that it has so many items left, whatever it has.
struct Hint {
    given: usize,
    says: usize,
}

impl Iterator for Hint {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.given += 1;
        (self.given <= 48).then_some(self.given)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.says, Some(self.says))
    }
}

impl ExactSizeIterator for Hint {}

#[test]
fn lengths_that_are_wrong_make_no_line_that_cannot_be() {
    for says in [0, 1, 47, 49, 100_000, usize::MAX] {
        let said = hear(|_| {
            let report = loop_here()
                .monitor(HOUR)
                .for_each(pull(Hint { given: 0, says }), |_| advance(HOUR));
            assert_eq!(report.completed(), 48);
        });
        for line in said.iter().filter(|said| said.get("recent").is_some()) {
            if let Some(left) = number(line, "left_s") {
                assert!(left.is_finite() && left >= 0.0, "{line}");
            }
            let percent = line.message.split(" %").next();
            let percent = percent.and_then(|text| text.parse::<u32>().ok());
            assert!(percent.is_none_or(|percent| percent <= 100), "{line}");
        }
        assert!(last(&said).has("completed=48"), "{}", last(&said));
    }
}

/// Ten hours at one item an hour, then one a second.
#[test]
fn the_time_left_follows_when_items_become_cheap() {
    let left = Cell::new(f64::INFINITY);
    let said = hear(|_| {
        loop_here().monitor(HOUR).for_each(0..10 + 3 * 3600, |n| {
            advance(if n < 10 { HOUR } else { SECOND });
        });
    });
    for line in said
        .iter()
        .filter(|said| said.get("recent").is_some())
        .skip(10)
    {
        is_sane(line);
        // It falls with every line, as more is known of the cheap ones.
        let now = number(line, "left_s").unwrap();
        assert!(now < left.get(), "{line}");
        left.set(now);
    }
    assert!(left.get() < 3600.0);
}

fn progress(total: Option<usize>) -> Arc<Progress> {
    Arc::new(Progress::new("long".into(), 2, total, None, SECOND, "item"))
}

/// At a billion items a second it would take 292 years to get there.
#[test]
fn counters_near_their_limit_are_added_up_and_shown() {
    const HALF: u64 = u64::MAX / 2;
    let ear = Ear::new();
    alone(|| {
        ear.during(|| {
            let progress = progress(Some(usize::MAX));
            let mut looker = Looker::new(&progress, SECOND);
            let mut now = progress.started;
            let mut last_left = None;
            for (first, second) in [
                (1, 0),
                (HALF / 2, HALF / 2),
                (HALF, HALF - 10),
                (HALF, HALF - 1),
            ] {
                let done = |completed| Done {
                    completed,
                    ..Done::default()
                };
                progress.publish(0, At::Item(usize::MAX), done(first));
                progress.publish(1, At::Batch(usize::MAX - 5, usize::MAX), done(second));
                now = later(now, 100 * YEAR);
                let look = looker.look(&progress, now);
                words::look(&progress, &look, ErrorPolicy::Raise);
                let progressed = look.progressed.unwrap();
                assert_eq!(progressed.counts.completed, first + second);
                assert!(progressed.rate.is_finite());
                assert!(progressed.left <= last_left || last_left.is_none());
                last_left = progressed.left;
            }
            words::ended(&progress, &progress.counts(), DAY, "finished");
        });
    });
    let said = ear.monitor();
    assert!(
        said.iter().any(|said| said.message.starts_with("99 %")),
        "{said:#?}"
    );
    said.iter().for_each(is_sane);
}

/// A look at no moment after the last, or before it, as after a clock was set back.
#[test]
fn looks_that_come_at_once_or_out_of_order_say_nothing_that_cannot_be() {
    let ear = Ear::new();
    alone(|| {
        ear.during(|| {
            let progress = progress(Some(100));
            let mut looker = Looker::new(&progress, SECOND);
            let start = progress.started;
            for (after, completed) in [(2, 1), (2, 2), (1, 3), (0, 3), (5, 2), (5, 100), (6, 101)] {
                let done = Done {
                    completed,
                    ..Done::default()
                };
                progress.publish(0, At::Nothing, done);
                let look = looker.look(&progress, start + after * SECOND);
                let progressed = look.progressed.as_ref().unwrap();
                assert!(progressed.rate.is_finite() && progressed.rate >= 0.0);
                words::look(&progress, &look, ErrorPolicy::Raise);
            }
        });
    });
    for said in ear.monitor() {
        assert!(
            number(&said, "rate_per_s").is_none_or(|rate| rate >= 0.0),
            "{said}"
        );
        assert!(
            number(&said, "left_s").is_none_or(|left| left >= 0.0),
            "{said}"
        );
    }
}
