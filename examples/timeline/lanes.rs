//! What is drawn as one bar: an item, or many that are too short to be seen one by one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::axis::{Scale, brief};
use crate::recording::{Group, Kind, Outcome, Recording, Run};

/// A bar shorter than this, in pixels, is joined with its neighbours.
const THIN: f64 = 1.0;
/// What has been joined is no longer than this, so that one still sees where there is more and where less.
const JOINED: f64 = 4.0;

/// All loops, or uses of a pool, of one name: they share a colour.
pub(crate) struct Series<'a> {
    /// The first of them.
    pub(crate) group: &'a Group,
    /// When at least one of them was there; what is closer than a pixel is one.
    pub(crate) spans: Vec<(f64, f64)>,
    pub(crate) tally: Tally,
}

/// Gives the series in the order of their starts, and which of them each group belongs to.
pub(crate) fn series<'a>(recording: &'a Recording, scale: &Scale) -> (Vec<Series<'a>>, Vec<usize>) {
    let groups = &recording.groups;
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&at| groups[at].start);
    let mut places: HashMap<(Kind, &str), usize> = HashMap::new();
    let (mut series, mut of) = (Vec::<Series<'_>>::new(), vec![0; groups.len()]);
    for at in order {
        let group = &groups[at];
        let place = *places
            .entry((group.kind, &group.name))
            .or_insert(series.len());
        let (left, right) = (scale.x(group.start), scale.x(group.end));
        of[at] = place;
        match series.get_mut(place) {
            None => series.push(Series {
                group,
                spans: vec![(left, right)],
                tally: Tally::default(),
            }),
            Some(known) => match known.spans.last_mut() {
                Some(last) if left < last.1 + THIN => last.1 = last.1.max(right),
                _ => known.spans.push((left, right)),
            },
        }
    }
    for run in &recording.runs {
        series[of[run.group]].tally.add(run.outcome, 1);
    }
    (series, of)
}

/// How many runs ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally([u32; Outcome::ALL.len()]);

impl Tally {
    pub(crate) fn add(&mut self, outcome: Outcome, count: u32) {
        self.0[outcome as usize] += count;
    }

    pub(crate) fn of(&self, outcome: Outcome) -> u32 {
        self.0[outcome as usize]
    }

    pub(crate) fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    pub(crate) fn worst(&self) -> Outcome {
        let seen = Outcome::ALL
            .into_iter()
            .rfind(|&outcome| self.of(outcome) > 0);
        seen.unwrap_or(Outcome::Completed)
    }

    /// Gives such words as "12 completed, 1 failed".
    pub(crate) fn text(&self) -> String {
        let seen = Outcome::ALL
            .into_iter()
            .filter(|&outcome| self.of(outcome) > 0);
        let words = seen.map(|outcome| format!("{} {}", self.of(outcome), outcome.text()));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// What one worker did.
pub(crate) struct Lane<'a> {
    pub(crate) name: &'a str,
    pub(crate) busy: Duration,
    pub(crate) bars: Vec<Bar<'a>>,
}

/// One run, or several of one series.
#[derive(Debug)]
pub(crate) struct Bar<'a> {
    pub(crate) series: usize,
    /// How many other runs it is inside of, on the same worker.
    pub(crate) depth: usize,
    /// Whether others are inside of it.
    pub(crate) holds: bool,
    pub(crate) left: f64,
    pub(crate) right: f64,
    /// The first and the last of them.
    pub(crate) first: &'a Run,
    pub(crate) last: &'a Run,
    pub(crate) busy: Duration,
    pub(crate) tally: Tally,
}

/// Gives what each worker did, workers sorted by name as people sort: 2 before 10.
///
/// A bar comes after the one it is inside of.
pub(crate) fn lanes<'a>(recording: &'a Recording, of: &[usize], scale: &Scale) -> Vec<Lane<'a>> {
    let mut runs = vec![Vec::new(); recording.workers.len()];
    for run in &recording.runs {
        runs[run.worker].push(run);
    }
    let named = recording.workers.iter().zip(runs);
    let mut lanes: Vec<_> = named
        .filter(|(_, runs)| !runs.is_empty())
        .map(|(name, runs)| lane(name, runs, of, scale))
        .collect();
    lanes.sort_by_cached_key(|lane| natural(lane.name));
    lanes
}

fn lane<'a>(name: &'a str, mut runs: Vec<&'a Run>, of: &[usize], scale: &Scale) -> Lane<'a> {
    runs.sort_by_key(|run| (run.start, Reverse(run.end)));
    // The ends and the bars of the runs around this one.
    let mut around: Vec<(Duration, usize)> = Vec::new();
    let mut bars: Vec<Bar<'a>> = Vec::new();
    let mut open: HashMap<(usize, usize), usize> = HashMap::new();
    let mut busy = Duration::ZERO;
    for run in runs {
        while around.last().is_some_and(|&(end, _)| end <= run.start) {
            around.pop();
        }
        let depth = around.len();
        if let Some(&(_, outer)) = around.last() {
            bars[outer].holds = true;
        }
        let length = run.end.saturating_sub(run.start);
        if depth == 0 {
            busy += length;
        }
        let series = of[run.group];
        let (left, right) = (scale.x(run.start), scale.x(run.end));
        let open = open.entry((depth, series)).or_insert(bars.len());
        let thin = right - left < THIN;
        match bars.get_mut(*open) {
            Some(bar) if thin && bar.takes(left, right) => {
                bar.right = right;
                bar.last = run;
                bar.busy += length;
                bar.tally.add(run.outcome, 1);
            }
            _ => {
                *open = bars.len();
                let mut tally = Tally::default();
                tally.add(run.outcome, 1);
                bars.push(Bar {
                    series,
                    depth,
                    holds: false,
                    left,
                    right,
                    first: run,
                    last: run,
                    busy: length,
                    tally,
                });
            }
        }
        around.push((run.end, *open));
    }
    Lane { name, busy, bars }
}

impl Bar<'_> {
    /// What the tooltip says, where the series is called `name`.
    pub(crate) fn words(&self, name: &str) -> String {
        let (first, last) = (self.first, self.last);
        if self.tally.total() == 1 {
            let attempt = match first.attempt {
                1 => String::new(),
                attempt => format!(", attempt {attempt}"),
            };
            let (outcome, length) = (first.outcome.text(), brief(self.busy));
            return format!("{name} {}{attempt}: {outcome} after {length}", first.index);
        }
        let (tally, busy) = (self.tally.text(), brief(self.busy));
        format!(
            "{name} {} to {}: {tally}, {busy} in all",
            first.index, last.index
        )
    }

    /// Whether a thin run at `left` is to be joined with this bar.
    fn takes(&self, left: f64, right: f64) -> bool {
        let thin = self.tally.total() > 1 || self.right - self.left < THIN;
        thin && left - self.right < THIN && right - self.left <= JOINED
    }
}

/// The time between two attempts of one task.
pub(crate) struct Wait<'a> {
    /// The place of the lane and the run, before and after.
    pub(crate) from: (usize, &'a Run),
    pub(crate) to: (usize, &'a Run),
    pub(crate) series: usize,
}

/// Gives the waits between attempts that have a bar of their own, the earliest first.
pub(crate) fn waits<'a>(lanes: &[Lane<'a>]) -> Vec<Wait<'a>> {
    let mut attempts = BTreeMap::new();
    for (place, lane) in lanes.iter().enumerate() {
        for bar in lane.bars.iter().filter(|bar| bar.tally.total() == 1) {
            let run = bar.first;
            attempts.insert(
                (run.group, run.index, run.attempt),
                (place, run, bar.series),
            );
        }
    }
    let next = |&(group, index, attempt)| attempts.get(&(group, index, attempt + 1));
    let pairs = attempts
        .iter()
        .filter_map(|(key, &from)| Some((from, *next(key)?)));
    let mut waits: Vec<_> = pairs
        .map(|((lane, run, series), (next_lane, next_run, _))| Wait {
            from: (lane, run),
            to: (next_lane, next_run),
            series,
        })
        .collect();
    waits.sort_by_key(|wait| wait.from.1.end);
    waits
}

/// Splits a name into what sorts as text and what sorts as a number.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0_u64)];
    let mut digits = false;
    for char in name.chars() {
        if digits && !char.is_ascii_digit() {
            parts.push((String::new(), 0));
        }
        digits = char.is_ascii_digit();
        let part = parts.last_mut().expect("there is a first part");
        match char.to_digit(10) {
            Some(digit) => part.1 = part.1.saturating_mul(10).saturating_add(digit.into()),
            None => part.0.push(char),
        }
    }
    parts
}
