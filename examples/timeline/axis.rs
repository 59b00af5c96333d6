//! Time as pixels, and as text.

use std::time::Duration;

use crate::recording::Recording;

/// Pixels between two marks of the axis, at least.
const MARKS: f64 = 80.0;

/// Where on the picture a moment is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) left: f64,
    pub(crate) width: f64,
    start: Duration,
    total: Duration,
    /// In nanoseconds, and at least one, to divide by.
    length: f64,
}

impl Scale {
    /// Fits all of `recording` between `left` and `left + width`.
    pub(crate) fn new(recording: &Recording, left: f64, width: f64) -> Self {
        let groups = recording
            .groups
            .iter()
            .map(|group| (group.start, group.end));
        let runs = recording.runs.iter().map(|run| (run.start, run.end));
        let seen = groups
            .chain(runs)
            .reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
        let (start, end) = seen.unwrap_or_default();
        let total = end.saturating_sub(start);
        let length = (total.as_nanos() as f64).max(1.0);
        Self {
            left,
            width,
            start,
            total,
            length,
        }
    }

    pub(crate) fn x(&self, at: Duration) -> f64 {
        let since = at.saturating_sub(self.start).as_nanos() as f64;
        self.left + self.width * (since / self.length).min(1.0)
    }

    /// How much of the whole time `part` is, from 0 to 1.
    pub(crate) fn share(&self, part: Duration) -> f64 {
        (part.as_nanos() as f64 / self.length).min(1.0)
    }

    pub(crate) fn total(&self) -> Duration {
        self.total
    }

    /// The marks of the axis: round numbers, all in one unit.
    pub(crate) fn marks(&self) -> Vec<(f64, String)> {
        let least = self.length * MARKS / self.width;
        let power = 10_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|&step| step >= least)
            .unwrap_or(least)
            .max(1.0);
        let (unit, name) = unit(self.length);
        // As many decimals as two neighbours need to differ.
        let decimals = (-(step / unit).log10().floor()).max(0.0) as usize;
        (0..)
            .map(|mark| f64::from(mark) * step)
            .take_while(|&at| at <= self.length)
            .map(|at| {
                let x = self.left + self.width * at / self.length;
                (x, format!("{:.decimals$} {name}", at / unit))
            })
            .collect()
    }
}

/// The unit for a number of nanoseconds.
fn unit(nanos: f64) -> (f64, &'static str) {
    match nanos {
        ..2e3 => (1.0, "ns"),
        ..2e6 => (1e3, "µs"),
        ..2e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    }
}

/// Gives three digits and a unit.
pub(crate) fn brief(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (unit, name) = unit(nanos);
    let value = nanos / unit;
    let decimals = match value {
        _ if unit == 1.0 => 0,
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {name}")
}
