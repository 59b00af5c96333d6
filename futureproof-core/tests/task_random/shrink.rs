//! Makes a program that fails smaller, as long as it fails.

use std::collections::HashSet;

use crate::choices::{Choices, Part, Span};
use crate::program::Program;

/// What choices make: those that were used, and what they made.
fn draw(choices: &[u32]) -> (Vec<u32>, Vec<Span>) {
    let mut choices = Choices::again(choices);
    Program::draw(&mut choices);
    choices.into_made()
}

/// A way to make choices simpler: its candidates, the boldest first.
type Way = fn(&[u32], &[Span]) -> Vec<Vec<u32>>;

/// Looks for the smallest choices for which `fails` still says so; `goes_on` says whether there is time left.
pub(crate) fn smallest(
    choices: &[u32],
    mut fails: impl FnMut(&[u32]) -> bool,
    goes_on: impl Fn() -> bool,
) -> Vec<u32> {
    let (mut best, mut spans) = draw(choices);
    let mut tried = HashSet::from([best.clone()]);
    loop {
        let before = best.clone();
        for way in [
            without_elements as Way,
            with_inner_sections,
            with_zeros,
            with_less,
        ] {
            let mut at = 0;
            while let Some(candidate) = way(&best, &spans).into_iter().nth(at) {
                if !goes_on() {
                    return best;
                }
                let (candidate, its_spans) = draw(&candidate);
                let simpler = (candidate.len(), &candidate) < (best.len(), &best);
                if simpler && tried.insert(candidate.clone()) && fails(&candidate) {
                    (best, spans) = (candidate, its_spans);
                } else {
                    at += 1;
                }
            }
        }
        if best == before {
            return best;
        }
    }
}

fn longest_first(spans: &[Span], part: Part) -> Vec<&Span> {
    let mut spans: Vec<_> = spans.iter().filter(|span| span.part == part).collect();
    spans.sort_by_key(|span| (usize::MAX - span.range.len(), usize::MAX - span.range.start));
    spans
}

/// Leaves one element of a list out.
fn without_elements(choices: &[u32], spans: &[Span]) -> Vec<Vec<u32>> {
    let without = |span: &Span| {
        let mut choices = choices.to_vec();
        choices.drain(span.range.clone());
        choices
    };
    longest_first(spans, Part::Element)
        .into_iter()
        .map(without)
        .collect()
}

/// Puts a section in the place of one around it.
fn with_inner_sections(choices: &[u32], spans: &[Span]) -> Vec<Vec<u32>> {
    let sections = longest_first(spans, Part::Section);
    let mut candidates = Vec::new();
    for outer in &sections {
        for inner in &sections {
            let (outer, inner) = (&outer.range, &inner.range);
            if outer.start <= inner.start && inner.end <= outer.end && outer != inner {
                let (before, after) = (&choices[..outer.start], &choices[outer.end..]);
                candidates.push([before, &choices[inner.clone()], after].concat());
            }
        }
    }
    candidates
}

/// Makes several choices in a row the simplest ones.
fn with_zeros(choices: &[u32], _: &[Span]) -> Vec<Vec<u32>> {
    let mut candidates = Vec::new();
    for length in [16, 4, 1] {
        for start in (0..choices.len()).step_by(length) {
            let range = start..choices.len().min(start + length);
            let mut choices = choices.to_vec();
            choices[range].fill(0);
            candidates.push(choices);
        }
    }
    candidates
}

/// Makes one choice simpler.
fn with_less(choices: &[u32], _: &[Span]) -> Vec<Vec<u32>> {
    let mut candidates = Vec::new();
    for (at, &choice) in choices.iter().enumerate() {
        for less in [choice / 2, choice.saturating_sub(1)] {
            let mut choices = choices.to_vec();
            choices[at] = less;
            candidates.push(choices);
        }
    }
    candidates
}
