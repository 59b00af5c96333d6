//! What has to be reached, and whether it was.

use futureproof_benches::stats::{Spread, median};

use crate::case::ratios;
use crate::row::Figures;

/// A ratio that must not be exceeded.
pub struct Bar<'a> {
    limit: f64,
    /// Whose time is judged.
    subject: &'static str,
    reference: Reference<'a>,
}

enum Reference<'a> {
    /// The peer with the shortest median among those that are there.
    Best(Vec<&'static str>),
    /// A time per item that is computed from those of a round.
    Computed(String, Box<dyn Fn(&Round<'_>) -> f64 + 'a>),
}

/// The figures of one round.
pub struct Round<'a> {
    figures: &'a [Figures],
    index: usize,
}

impl Round<'_> {
    /// Returns a contender's time per item.
    pub fn of(&self, name: &str) -> f64 {
        find(self.figures, name)
            .expect("a bar names contenders of its row")
            .nanos[self.index]
    }

    /// Returns the number of the round, from 0.
    pub fn index(&self) -> usize {
        self.index
    }
}

impl<'a> Bar<'a> {
    /// `subject` must not take longer than `limit` times the best of `peers`.
    pub fn against(subject: &'static str, limit: f64, peers: &[&'static str]) -> Self {
        Self {
            limit,
            subject,
            reference: Reference::Best(peers.to_vec()),
        }
    }

    /// `subject` must not take longer than `limit` times what `reference` computes from the round.
    pub fn computed(
        subject: &'static str,
        limit: f64,
        name: impl Into<String>,
        reference: impl Fn(&Round<'_>) -> f64 + 'a,
    ) -> Self {
        Self {
            limit,
            subject,
            reference: Reference::Computed(name.into(), Box::new(reference)),
        }
    }

    /// Judges; `None` if no peer is there to compare with.
    pub fn judge(&self, figures: &[Figures]) -> Option<Verdict> {
        let subject = find(figures, self.subject)?;
        let (name, spread) = match &self.reference {
            Reference::Best(peers) => {
                let there = peers.iter().filter_map(|name| find(figures, name));
                let best = there.min_by(|a, b| median_of(a).total_cmp(&median_of(b)))?;
                let name = match peers.len() {
                    1 => best.name.to_owned(),
                    _ => format!("best of {}: {}", peers.join(", "), best.name),
                };
                (name, ratios(&subject.nanos, &best.nanos))
            }
            Reference::Computed(name, compute) => {
                let references: Vec<f64> = (0..subject.nanos.len())
                    .map(|index| compute(&Round { figures, index }))
                    .collect();
                (name.clone(), ratios(&subject.nanos, &references))
            }
        };
        Some(Verdict {
            what: format!("{} ÷ {name}", self.subject),
            limit: self.limit,
            unit: "×",
            spread,
            decides: Decides::Median,
        })
    }
}

fn find<'f>(figures: &'f [Figures], name: &str) -> Option<&'f Figures> {
    figures.iter().find(|figures| figures.name == name)
}

fn median_of(figures: &Figures) -> f64 {
    median(figures.nanos.iter().copied())
}

/// A bar and what was measured.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub what: String,
    pub limit: f64,
    pub unit: &'static str,
    pub spread: Spread,
    pub decides: Decides,
}

/// Which figure must not exceed the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decides {
    /// Times on a machine that does other things, too.
    Median,
    /// What is promised for every single run.
    Largest,
}

impl Verdict {
    /// Returns the figure that decides.
    pub fn figure(&self) -> f64 {
        match self.decides {
            Decides::Median => self.spread.median,
            Decides::Largest => self.spread.max,
        }
    }

    pub fn met(&self) -> bool {
        self.figure() <= self.limit
    }

    /// A median whose lower quartile meets the bar may be a miss by noise.
    pub fn mark(&self) -> &'static str {
        match (self.met(), self.decides) {
            (true, _) => "✓",
            (false, Decides::Median) if self.spread.low <= self.limit => "✗ (within the spread)",
            (false, _) => "✗",
        }
    }
}
