//! The time of watched loops over that of the same loops unwatched.

use std::time::{Duration, Instant};

use futureproof::LiveReport;
use futureproof_benches::cpu;
use futureproof_benches::markdown::{digits, table};
use futureproof_benches::stats::{Spread, median};
use tracing::Level;

use crate::terminal;
use crate::watcher::{Around, Recorder, logged, shown_in, with_bar};
use crate::work::{Watched, Work, setup};

/// A loop that is watched and one that is not, and what is around both.
struct Pair<'a> {
    watcher: &'static str,
    at_most: Option<f64>,
    /// In how many times fewer items each is measured.
    shrink: u64,
    around: Around,
    /// In the stead of that, around the one that is watched.
    closer: Option<Around>,
    watched: Watched,
    recorder: Option<&'a Recorder>,
}

impl<'a> Pair<'a> {
    fn new(watcher: &'static str, at_most: f64, around: Around, watched: Watched) -> Self {
        Self {
            watcher,
            at_most: Some(at_most),
            shrink: 1,
            around,
            closer: None,
            watched,
            recorder: None,
        }
    }

    /// Runs the watched loop, or the other one.
    fn run(&self, work: Work, items: u64, watched: bool) {
        let bodies = || match watched {
            true => work.run(items, &self.watched),
            false => work.run(items, &Watched::not()),
        };
        let around = (self.closer.as_ref())
            .filter(|_| watched)
            .unwrap_or(&self.around);
        around.run(|| match self.recorder {
            Some(recorder) if watched => recorder.run(bodies),
            _ => bodies(),
        });
    }
}

type Make<'a> = &'a dyn Fn() -> Pair<'a>;

/// Nanoseconds per item, by the clock and of the processor.
#[derive(Clone, Copy)]
struct Sample {
    wall: f64,
    cpu: f64,
}

impl Sample {
    fn of(items: u64, work: impl FnOnce()) -> Self {
        let used = cpu::used();
        let start = Instant::now();
        work();
        let wall = start.elapsed();
        let each = |time: Duration| time.as_nanos() as f64 / items as f64;
        Self {
            wall: each(wall),
            cpu: each(cpu::used() - used),
        }
    }
}

/// Measures all pairs; returns the table, and whether all bars were met.
pub fn measure(rounds: usize, is_wanted: &dyn Fn(&str) -> bool) -> (String, bool) {
    let recorder = Recorder::new();
    let live = LiveReport::new();
    let often = Duration::from_millis(100);
    // One after the other, since what a process had once leaves traces: those without a subscriber come first.
    let pairs: [Make<'_>; 7] = [
        &|| Pair::new("nobody", 1.01, Around::default(), Watched::by_default()),
        &|| Pair::new("live report", 1.02, Around::reader(&live), shown_in(&live)),
        &|| Pair {
            recorder: Some(&recorder),
            ..Pair::new("metrics", 1.05, Around::default(), Watched::not())
        },
        &|| {
            let terminal = Around::terminal().expect("there are pseudo terminals");
            Pair::new("bar", 1.03, terminal, with_bar())
        },
        &|| {
            Pair::new(
                "log",
                1.02,
                Around::subscriber(Level::INFO),
                Watched::by_default(),
            )
        },
        &|| {
            Pair::new(
                "log, 100 ms",
                1.02,
                Around::subscriber(Level::INFO),
                logged(often),
            )
        },
        &|| Pair {
            at_most: None,
            shrink: 20,
            closer: Some(Around::subscriber(Level::TRACE)),
            ..Pair::new(
                "span per item",
                0.0,
                Around::subscriber(Level::INFO),
                Watched::not(),
            )
        },
    ];
    let mut rows = Vec::new();
    let mut met = true;
    for pair in pairs {
        let pair = pair();
        if !is_wanted(pair.watcher) {
            continue;
        }
        for work in [Work::Range, Work::Pulled, Work::Scope] {
            // A scope has its own way to be asked.
            if work == Work::Scope && pair.watched.live.is_some() {
                continue;
            }
            let samples = sample(&pair, work, rounds);
            let (row, ok) = row(&pair, work, &samples);
            met &= ok;
            rows.push(row);
        }
    }
    assert!(
        !is_wanted("metrics") || recorder.has_tasks(),
        "nothing was recorded"
    );
    let head = [
        "watched by",
        "work",
        "unwatched",
        "÷ it (quartiles)",
        "processor time",
        "at most",
        "",
    ];
    (table(&head, &rows), met)
}

/// The watched loop and the other one in turn; who begins changes with the round.
fn sample(pair: &Pair<'_>, work: Work, rounds: usize) -> Vec<[Sample; 2]> {
    // A loop is long enough for a bar to be drawn.
    let items = if work == Work::Scope {
        600_000
    } else {
        2_500_000
    } / pair.shrink
        / setup().shrink;
    let run = |watched| Sample::of(items, || pair.run(work, items, watched));
    let mut samples = Vec::new();
    let drawn = terminal::drawn();
    for round in 0..=rounds {
        cpu::settle();
        let both = if round % 2 == 0 {
            let watched = run(true);
            [watched, run(false)]
        } else {
            let unwatched = run(false);
            [run(true), unwatched]
        };
        if round > 0 {
            samples.push(both);
        }
        if let Some(recorder) = pair.recorder {
            recorder.tidy();
        }
    }
    let has_bar = pair.watched.progress && setup().shrink == 1;
    assert!(!has_bar || terminal::drawn() > drawn, "no bar was drawn");
    samples
}

fn row(pair: &Pair<'_>, work: Work, samples: &[[Sample; 2]]) -> (Vec<String>, bool) {
    let ratio = Spread::of(samples.iter().map(|[on, off]| on.wall / off.wall));
    let cpu = median(samples.iter().map(|[on, off]| on.cpu / off.cpu));
    let unwatched = median(samples.iter().map(|[_, off]| off.wall));
    let mark = match pair.at_most {
        None => "",
        Some(at_most) if ratio.median <= at_most => "✓",
        Some(at_most) if ratio.low <= at_most => "✗ (within the spread)",
        Some(_) => "✗",
    };
    let row = vec![
        pair.watcher.to_owned(),
        work.name().to_owned(),
        format!("{} ns", digits(unwatched)),
        format!("{:.3} ({:.3} – {:.3})", ratio.median, ratio.low, ratio.high),
        format!("{cpu:.3}"),
        pair.at_most
            .map_or_else(String::new, |at_most| format!("≤ {at_most:.2}")),
        mark.to_owned(),
    ];
    (row, !mark.starts_with('✗'))
}
