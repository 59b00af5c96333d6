//! A body that fails: what still starts, and how long it takes to hear of it.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futureproof::parallel_for;
use futureproof_benches::body::{mix, spin};
use futureproof_benches::markdown::digits;
use futureproof_benches::stats::Spread;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::pulled;
use crate::bar::{Decides, Verdict};
use crate::peers;
use crate::row::Row;
use crate::setup::Setup;

const ITEMS: u64 = 1_000_000_000;

/// The most items that a worker holds of an iterator that is pulled, unless `batch` says otherwise.
const BATCH: usize = 1024;

/// How long the return may take once no body runs any more.
const GRACE_MICROS: f64 = 100.0;

pub fn fail_at_k(setup: &Setup) -> Row {
    let (threads, twenty) = (setup.threads, setup.spins.twenty);
    let far = setup.pick(10_000_000, 1_000_000, 1_000);
    let near = setup.pick(2_000, 2_000, 20);
    let slow = move |item| spin(twenty, item);
    let rayon = peers::rayon(threads);

    // A batch of 20 µs bodies is a single one.
    let (cheap, single) = (threads * BATCH, threads);
    let mut row = Row::default();
    row.judge(
        cheap,
        "range, trivial body",
        &rounds(setup, far, |probe| {
            parallel_for!(
                workers = threads,
                for item in 0..ITEMS {
                    probe.run(item, mix)?;
                }
            );
            Ok(())
        }),
    );
    row.judge(
        cheap,
        "pulled, trivial body",
        &rounds(setup, far, |probe| {
            parallel_for!(
                workers = threads,
                for item in pulled(ITEMS) {
                    probe.run(item, mix)?;
                }
            );
            Ok(())
        }),
    );
    row.judge(
        single,
        "range, 20 µs body",
        &rounds(setup, near, |probe| {
            parallel_for!(
                workers = threads,
                for item in 0..ITEMS {
                    probe.run_watched(item, slow)?;
                }
            );
            Ok(())
        }),
    );
    row.judge(
        single,
        "pulled, 20 µs body",
        &rounds(setup, near, |probe| {
            parallel_for!(
                workers = threads,
                for item in pulled(ITEMS) {
                    probe.run_watched(item, slow)?;
                }
            );
            Ok(())
        }),
    );
    row.note(
        "rayon try_for_each (for reference), 20 µs body",
        &rounds(setup, near, |probe| {
            rayon.install(|| {
                (0..ITEMS)
                    .into_par_iter()
                    .try_for_each(|item| probe.run_watched(item, slow))
            })
        }),
    );
    row.notes.push(format!(
        "The trivial body fails at item {far}, that of 20 µs at item {near}. A body counts as started late when it \
         sees that the failing one has taken down its time, which is before the loop can know of it."
    ));
    row
}

/// What one failing loop showed.
struct Outcome {
    /// How many bodies behind the failing one started after it had failed.
    late: f64,
    /// From the failure to the loop's return.
    micros: f64,
    /// From the failure to the end of the last body that was running then, if bodies were timed.
    running: f64,
}

/// Runs a loop that fails at `k`, once to warm up and then in each round.
fn rounds(setup: &Setup, k: u64, run: impl Fn(&Probe) -> Result<(), u64>) -> Vec<Outcome> {
    let once = || {
        let probe = Probe::new(k);
        let outcome = run(&probe);
        let end = probe.now();
        assert_eq!(outcome, Err(k), "the loop ends with the failure");
        let failed = probe.failed.into_inner();
        Outcome {
            late: probe.late.into_inner() as f64,
            micros: (end - failed) as f64 / 1e3,
            running: probe.last.into_inner().saturating_sub(failed) as f64 / 1e3,
        }
    };
    once();
    (0..setup.rounds).map(|_| once()).collect()
}

/// What the bodies of one loop take down.
struct Probe {
    /// The item that fails.
    k: u64,
    origin: Instant,
    /// When it failed, in nanoseconds; 0: not yet.
    failed: AtomicU64,
    late: AtomicU64,
    /// When the last body ended after the failure, in nanoseconds.
    last: AtomicU64,
}

impl Probe {
    fn new(k: u64) -> Self {
        Self {
            k,
            origin: Instant::now(),
            failed: AtomicU64::new(0),
            late: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed) != 0
    }

    #[inline]
    fn run(&self, item: u64, body: impl Fn(u64) -> u64) -> Result<(), u64> {
        if self.has_failed() && item > self.k {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        black_box(body(item));
        if item == self.k {
            self.failed.store(self.now(), Ordering::Relaxed);
            return Err(item);
        }
        Ok(())
    }

    fn run_watched(&self, item: u64, body: impl Fn(u64) -> u64) -> Result<(), u64> {
        self.run(item, body)?;
        if self.has_failed() {
            self.last.fetch_max(self.now(), Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Row {
    fn judge(&mut self, late: usize, what: &str, outcomes: &[Outcome]) {
        self.verdicts.push(Verdict {
            what: format!("{what}: bodies started after the failure"),
            limit: late as f64,
            unit: "bodies",
            spread: Spread::of(outcomes.iter().map(|outcome| outcome.late)),
            decides: Decides::Largest,
        });
        self.verdicts.push(Verdict {
            what: format!("{what}: from the end of the last running body to the return"),
            limit: GRACE_MICROS,
            unit: "µs",
            spread: Spread::of(
                outcomes
                    .iter()
                    .map(|outcome| outcome.micros - outcome.running),
            ),
            decides: Decides::Median,
        });
        self.note(what, outcomes);
    }

    fn note(&mut self, what: &str, outcomes: &[Outcome]) {
        let late = Spread::of(outcomes.iter().map(|outcome| outcome.late));
        let micros = Spread::of(outcomes.iter().map(|outcome| outcome.micros));
        let running = Spread::of(outcomes.iter().map(|outcome| outcome.running));
        self.notes.push(format!(
            "{what}: bodies started late {} (most {}), running bodies went on for {} µs (most {}), the loop returned \
             {} µs after the failure (most {})",
            late.median,
            late.max,
            digits(running.median),
            digits(running.max),
            digits(micros.median),
            digits(micros.max),
        ));
    }
}
