//! The checked-in counts, and what has changed since.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;

/// Where the baseline is; the directory of the package.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.baseline");

/// Counts by scenario, and what they were counted with.
#[derive(Default)]
pub struct Baseline {
    pub toolchain: Option<String>,
    counts: BTreeMap<String, f64>,
}

impl Baseline {
    /// Reads the baseline; one that is missing is empty.
    pub fn read() -> Self {
        let mut baseline = Self::default();
        let text = fs::read_to_string(FILE).unwrap_or_default();
        for line in text.lines() {
            if let Some(toolchain) = line.strip_prefix("# ") {
                baseline.toolchain = Some(toolchain.to_owned());
            } else if let Some((name, count)) = line.split_once(' ')
                && let Ok(count) = count.trim().parse()
            {
                baseline.counts.insert(name.to_owned(), count);
            }
        }
        baseline
    }

    pub fn get(&self, name: &str) -> Option<f64> {
        self.counts.get(name).copied()
    }

    /// The baseline with new counts; the old ones stay if only some were counted.
    pub fn updated(mut self, toolchain: String, counts: &[(&str, f64)], all: bool) -> Self {
        if all {
            self.counts.clear();
        }
        let counts = counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        self.counts.extend(counts);
        self.toolchain = Some(toolchain);
        self
    }

    /// Writes one scenario a line, in order, so that a change is a line in a diff.
    pub fn write(&self) -> io::Result<()> {
        let mut text = format!("# {}\n", self.toolchain.as_deref().unwrap_or_default());
        for (name, count) in &self.counts {
            text += &format!("{name} {}\n", Count(*count));
        }
        fs::write(FILE, text)
    }
}

/// A count as text: whole where it is whole.
pub struct Count(pub f64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.0.fract() == 0.0 { 0 } else { 3 };
        write!(f, "{:.places$}", self.0)
    }
}

/// A count beside the baseline's.
pub struct Change {
    now: f64,
    before: Option<f64>,
}

impl Change {
    pub fn new(now: f64, before: Option<f64>) -> Self {
        Self { now, before }
    }

    pub fn before(&self) -> String {
        self.before
            .map_or_else(String::new, |before| Count(before).to_string())
    }

    pub fn percent(&self) -> Option<f64> {
        let before = self.before.filter(|before| *before > 0.0)?;
        Some((self.now / before - 1.0) * 100.0)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(percent) = self.percent() else {
            return f.write_str("new");
        };
        let mark = match percent {
            _ if percent > crate::PERCENT => " ▲",
            _ if percent < -crate::PERCENT => " ▼",
            _ => "",
        };
        write!(f, "{percent:+.1} %{mark}")
    }
}
