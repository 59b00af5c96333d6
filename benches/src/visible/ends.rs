//! How long a loop takes to return after its last body.

use std::time::Duration;

use futureproof::LiveReport;
use futureproof_benches::markdown::{nanos, table};
use futureproof_benches::stats::quantile;
use tracing::Level;

use crate::watcher::{Around, Recorder, SlowLog, logged, shown_in, with_bar};
use crate::work::{Watched, Work, setup};

/// What a loop must not wait for its monitor, in nanoseconds.
const AT_MOST: f64 = 1e6;
/// A loop whose monitor has looked at it several times: 2 ms with two threads, with bodies of 20 µs.
const SHORT: u64 = 200;
/// One with a bar on the screen: 130 ms.
const LONG: u64 = 13_000;

/// A long one runs in every fifth round.
const RARELY: usize = 5;

/// A loop that somebody watches.
struct Case<'a> {
    watcher: &'static str,
    items: u64,
    around: Around,
    watched: Watched,
    recorder: Option<&'a Recorder>,
    slow: Option<SlowLog>,
    /// In how many rounds the monitor's thread was held up to the end.
    held: usize,
}

impl<'a> Case<'a> {
    fn new(watcher: &'static str, around: Around, watched: Watched) -> Self {
        Self {
            watcher,
            items: SHORT,
            around,
            watched,
            recorder: None,
            slow: None,
            held: 0,
        }
    }

    fn run(&mut self, work: Work) -> f64 {
        if let Some(slow) = &self.slow {
            slow.close();
        }
        let items = (self.items / setup().shrink).max(2);
        let bodies = || work.end(items, &self.watched);
        let nanos = self.around.run(|| match self.recorder {
            Some(recorder) => recorder.run(bodies),
            None => bodies(),
        });
        self.held += usize::from(self.slow.as_ref().is_some_and(SlowLog::open));
        nanos
    }
}

/// Measures all; returns the table, and whether all bars were met.
pub fn measure(rounds: usize, is_wanted: &dyn Fn(&str) -> bool) -> (String, bool) {
    let recorder = Recorder::new();
    let live = LiveReport::new();
    let often = Duration::from_micros(500);
    let slow = SlowLog::default();
    let log = || Around::subscriber(Level::INFO);
    let mut rows = Vec::new();
    let mut met = true;
    for work in [Work::Range, Work::Pulled, Work::Scope] {
        let mut cases = vec![
            Case::new("nobody", Around::default(), Watched::not()),
            Case::new("log, 0.5 ms", log(), logged(often)),
            Case {
                slow: Some(slow.clone()),
                ..Case::new(
                    "log, 0.5 ms, held up",
                    Around::writing(Level::INFO, slow.clone()),
                    logged(often),
                )
            },
            Case {
                recorder: Some(&recorder),
                ..Case::new("metrics", Around::default(), Watched::not())
            },
            Case {
                items: LONG,
                ..Case::new("nobody, 130 ms", Around::default(), Watched::not())
            },
            Case {
                items: LONG,
                ..Case::new(
                    "bar",
                    Around::terminal().expect("there are pseudo terminals"),
                    with_bar(),
                )
            },
        ];
        if work != Work::Scope {
            cases.push(Case::new("live report", Around::default(), shown_in(&live)));
        }
        cases.retain(|case| case.watcher.starts_with("nobody") || is_wanted(case.watcher));
        let mut all: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
        for round in 0..=rounds {
            for place in 0..cases.len() {
                let turn = (round + place) % cases.len();
                if cases[turn].items == LONG && round % RARELY != 0 {
                    continue;
                }
                let nanos = cases[turn].run(work);
                if round > 0 {
                    all[turn].push(nanos);
                }
            }
            recorder.tidy();
        }
        for (case, nanos) in cases.iter().zip(&mut all) {
            let (row, ok) = row(case, work, nanos);
            met &= ok;
            rows.push(row);
        }
    }
    let head = [
        "watched by",
        "work",
        "median",
        "99 %",
        "worst",
        "≥ 1 ms",
        "",
    ];
    (table(&head, &rows), met)
}

fn row(case: &Case<'_>, work: Work, nanos_each: &mut [f64]) -> (Vec<String>, bool) {
    nanos_each.sort_by(f64::total_cmp);
    let at = |at| quantile(nanos_each, at);
    let late = nanos_each.iter().filter(|nanos| **nanos >= AT_MOST).count();
    // Later than that are threads that had to wait for a processor, with nobody watching as well.
    let ok = at(0.5) < AT_MOST;
    let held = match &case.slow {
        Some(_) => format!(" (in {} rounds)", case.held),
        None => String::new(),
    };
    let row = vec![
        format!("{}{held}", case.watcher),
        work.name().to_owned(),
        nanos(at(0.5)),
        nanos(at(0.99)),
        nanos(at(1.0)),
        format!("{late} of {}", nanos_each.len()),
        if ok { "✓" } else { "✗" }.to_owned(),
    ];
    (row, ok)
}
