//! One row of the table: contenders that do the same work, measured in turn.

use std::time::Instant;

use futureproof_benches::{cpu, stats::Spread};

use crate::bar::Bar;
use crate::row::{Figures, Row};
use crate::setup::{Setup, Size};

/// One run of a contender.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// How long it took.
    pub nanos: f64,
    /// What it computed.
    pub answer: u64,
}

impl Sample {
    /// Times a closure that returns its answer.
    pub fn of(work: impl FnOnce() -> u64) -> Self {
        let start = Instant::now();
        let answer = work();
        Self {
            nanos: start.elapsed().as_nanos() as f64,
            answer,
        }
    }
}

struct Contender<'a> {
    name: &'static str,
    items: u64,
    /// What it has to compute; `None`: what the first contender does.
    expected: Option<u64>,
    run: Box<dyn FnMut() -> Sample + 'a>,
}

/// The contenders and bars of a row.
pub struct Case<'a> {
    items: u64,
    contenders: Vec<Contender<'a>>,
    bars: Vec<Bar<'a>>,
    notes: Vec<String>,
}

impl<'a> Case<'a> {
    /// Begins a case whose contenders work on so many items each.
    pub fn new(items: u64) -> Self {
        Self {
            items,
            contenders: Vec::new(),
            bars: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a contender: its whole run is timed. The first one computes the answer that all others have to give.
    pub fn add(&mut self, name: &'static str, mut run: impl FnMut() -> u64 + 'a) {
        self.add_timed(name, move || Sample::of(&mut run));
    }

    /// Adds a contender that times itself, because it prepares or checks something.
    pub fn add_timed(&mut self, name: &'static str, run: impl FnMut() -> Sample + 'a) {
        self.contenders.push(Contender {
            name,
            items: self.items,
            expected: None,
            run: Box::new(run),
        });
    }

    /// Adds a contender that is too slow for all items, with its own number of them and their answer.
    pub fn add_slow(
        &mut self,
        name: &'static str,
        items: u64,
        expected: u64,
        mut run: impl FnMut() -> u64 + 'a,
    ) {
        self.contenders.push(Contender {
            name,
            items,
            expected: Some(expected),
            run: Box::new(move || Sample::of(&mut run)),
        });
    }

    /// Adds a bar.
    pub fn bar(&mut self, bar: Bar<'a>) {
        self.bars.push(bar);
    }

    /// Adds a remark.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Runs every contender once to warm it up and then, in each round, once; who begins changes with the round.
    ///
    /// # Panics
    ///
    /// Panics when the contenders do not agree on the answer.
    pub fn run(mut self, setup: &Setup) -> Row {
        let mut answer = None;
        for contender in &mut self.contenders {
            let sample = (contender.run)();
            let first = *answer.get_or_insert(sample.answer);
            contender.expected.get_or_insert(first);
            contender.check(sample);
        }
        let mut figures: Vec<Figures> = self.contenders.iter().map(Contender::figures).collect();
        let mut watch = cpu::Watch::default();
        for round in 0..setup.rounds {
            for place in 0..self.contenders.len() {
                let turn = (round + place) % self.contenders.len();
                if setup.size != Size::Check {
                    cpu::settle();
                }
                let contender = &mut self.contenders[turn];
                let sample = watch.during(&mut contender.run);
                contender.check(sample);
                figures[turn]
                    .nanos
                    .push(sample.nanos / contender.items as f64);
            }
        }
        let verdicts = self
            .bars
            .iter()
            .filter_map(|bar| bar.judge(&figures))
            .collect();
        Row {
            items: Some(self.items),
            figures,
            verdicts,
            notes: self.notes,
            disturbance: watch.disturbance(),
        }
    }
}

impl Contender<'_> {
    fn check(&self, sample: Sample) {
        assert_eq!(
            Some(sample.answer),
            self.expected,
            "{} has computed something else than the others",
            self.name
        );
    }

    fn figures(&self) -> Figures {
        Figures {
            name: self.name,
            items: self.items,
            nanos: Vec::new(),
        }
    }
}

/// The paired ratios of two contenders, item for item.
pub fn ratios(subject: &[f64], reference: &[f64]) -> Spread {
    Spread::of(
        subject
            .iter()
            .zip(reference)
            .map(|(subject, reference)| subject / reference),
    )
}
