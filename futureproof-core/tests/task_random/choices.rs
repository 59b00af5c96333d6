//! The choices that a program is drawn from, as numbers: what is shrunk, written down and played again.

use std::collections::VecDeque;
use std::ops::Range;

use crate::kit::Random;

/// Gives choices, at random or again, and writes them down. Zero is always the simplest one, and what comes after the last.
pub(crate) struct Choices {
    given: Option<VecDeque<u32>>,
    random: Random,
    made: Vec<u32>,
    spans: Vec<Span>,
}

/// The choices that made one part of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) part: Part,
    pub(crate) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Without its choices the rest means what it meant.
    Element,
    /// May stand where another section stands.
    Section,
}

impl Choices {
    pub(crate) fn random(seed: u64) -> Self {
        Self {
            given: None,
            random: Random::new(seed),
            made: Vec::new(),
            spans: Vec::new(),
        }
    }

    pub(crate) fn again(choices: &[u32]) -> Self {
        Self {
            given: Some(VecDeque::from(choices.to_vec())),
            ..Self::random(0)
        }
    }

    /// What was chosen, and which part of it made what.
    pub(crate) fn into_made(self) -> (Vec<u32>, Vec<Span>) {
        (self.made, self.spans)
    }

    fn choose(&mut self, limit: u32, random: impl FnOnce(&mut Random) -> u32) -> u32 {
        let choice = match &mut self.given {
            Some(given) => given.pop_front().unwrap_or(0) % limit,
            None => random(&mut self.random),
        };
        self.made.push(choice);
        choice
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.choose(limit, |random| random.below(limit.into()) as u32)
    }

    pub(crate) fn up_to(&mut self, most: usize) -> usize {
        self.below(most as u32 + 1) as usize
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.choose(2, |random| random.one_in(n.into()).into()) == 1
    }

    /// One of several, the simplest first.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// Something, once in `n` times.
    pub(crate) fn maybe<T>(&mut self, n: u32, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(n).then(|| make(self))
    }

    /// Begins a list of up to `most` elements; gives how many there may be.
    pub(crate) fn length(&mut self, most: usize) -> usize {
        match self.given {
            Some(_) => most,
            None => self.random.below(most as u64 + 1) as usize,
        }
    }

    /// Begins another element of a list, if there is one more.
    pub(crate) fn another(&mut self, length: &mut usize) -> Option<usize> {
        let start = self.made.len();
        let more = self.choose(2, |_| (*length > 0).into()) == 1 && *length > 0;
        *length -= usize::from(more);
        more.then_some(start)
    }

    /// Where the choices of a part begin.
    pub(crate) fn here(&self) -> usize {
        self.made.len()
    }

    /// Says that the choices since `start` made a part.
    pub(crate) fn made_part(&mut self, part: Part, start: usize) {
        let range = start..self.made.len();
        self.spans.push(Span { part, range });
    }
}

/// Choices as one word, for an environment variable.
pub(crate) fn to_word(choices: &[u32]) -> String {
    let numbers: Vec<_> = choices.iter().map(ToString::to_string).collect();
    numbers.join(".")
}

pub(crate) fn from_word(word: &str) -> Option<Vec<u32>> {
    word.split('.')
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().ok())
        .collect()
}
