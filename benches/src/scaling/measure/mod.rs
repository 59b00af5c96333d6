//! What coordination costs on this machine: the figures that the simulation is fed with.

mod atoms;
mod locks;
mod loops;
mod pin;

pub use self::locks::stay_busy;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futureproof_benches::markdown;
use futureproof_benches::stats::Spread;

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How often everything is measured; the medians count.
    pub rounds: usize,
    /// About how long the measurement of a loop takes.
    pub window: Duration,
}

impl Effort {
    /// How often something that takes about so many nanoseconds is done in one measurement.
    fn count(self, nanos: usize) -> usize {
        (self.window.as_nanos() as usize / nanos).max(10)
    }

    /// Measures again and again.
    fn sample<T, C: Default + Extend<T>>(self, measure: impl FnMut() -> T) -> C {
        let mut samples = C::default();
        samples.extend(iter::repeat_with(measure).take(self.rounds));
        samples
    }

    /// Measures what two cores do together: more often, and for a shorter time, so that most samples see both of them
    /// running all the time.
    fn short(self) -> Self {
        Self {
            rounds: 10 * self.rounds,
            window: self.window / 20,
        }
    }
}

/// One measured cost.
#[derive(Debug)]
pub struct Figure {
    pub key: &'static str,
    pub what: &'static str,
    pub spread: Spread,
    /// Is it a time? Else it is a plain number.
    pub is_time: bool,
}

/// All costs, in nanoseconds, in the order in which they are printed.
#[derive(Debug, Default)]
pub struct Costs(Vec<Figure>);

impl Costs {
    /// Measures everything.
    pub fn measure(effort: Effort) -> Self {
        let mut costs = Self::default();
        atoms::measure(effort, &mut costs);
        locks::measure(effort, &mut costs);
        loops::measure(effort, &mut costs);
        costs
    }

    /// The median of a cost.
    ///
    /// # Panics
    ///
    /// Panics when nothing was measured under this key.
    pub fn get(&self, key: &str) -> f64 {
        let figure = self.0.iter().find(|figure| figure.key == key);
        figure
            .unwrap_or_else(|| panic!("no cost is called {key}"))
            .spread
            .median
    }

    pub fn figures(&self) -> &[Figure] {
        &self.0
    }

    pub fn table(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .0
            .iter()
            .map(|figure| {
                let show = |value| {
                    if figure.is_time {
                        markdown::nanos(value)
                    } else {
                        markdown::digits(value)
                    }
                };
                let Spread {
                    low, median, high, ..
                } = figure.spread;
                vec![
                    figure.what.into(),
                    show(median),
                    format!("{} … {}", show(low), show(high)),
                ]
            })
            .collect();
        markdown::table(&["cost", "median", "quartiles"], &rows)
    }

    fn time(&mut self, key: &'static str, what: &'static str, nanos: Vec<f64>) {
        self.add(key, what, nanos, true);
    }

    fn number(&mut self, key: &'static str, what: &'static str, numbers: Vec<f64>) {
        self.add(key, what, numbers, false);
    }

    fn add(&mut self, key: &'static str, what: &'static str, values: Vec<f64>, is_time: bool) {
        let spread = Spread::of(values);
        self.0.push(Figure {
            key,
            what,
            spread,
            is_time,
        });
    }
}

/// Nanoseconds for each of `count` things that took `elapsed` together.
fn each(elapsed: Duration, count: usize) -> f64 {
    elapsed.as_nanos() as f64 / count as f64
}

/// Runs both closures at the same time, each on a core of its own, and returns how long they took together and what
/// they returned.
fn both<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (Duration, A, B) {
    let here = AtomicUsize::new(0);
    let meet = |core| {
        pin::to_core(core);
        here.fetch_add(1, Ordering::SeqCst);
        while here.load(Ordering::Relaxed) < 2 {
            std::hint::spin_loop();
        }
        Instant::now()
    };
    thread::scope(|scope| {
        // Both are new threads: the calling one stays free to run anywhere.
        let first = scope.spawn(|| (meet(0), first(), Instant::now()));
        let second = scope.spawn(|| (meet(1), second(), Instant::now()));
        let (began, a, ended) = first.join().expect("measurements do not panic");
        let (other_began, b, other_ended) = second.join().expect("measurements do not panic");
        (ended.max(other_ended) - began.min(other_began), a, b)
    })
}
