//! Indexed sources: the engine's single counter, and what could take its place.

use std::ops::Range;

use super::Time;
use super::crew::{Crew, Source, Taken};
use super::line::Line;
use super::rules::SHARE;

/// How the indices are handed out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Handout {
    /// One counter, moved by a `fetch_add` while much is left and by a compare-exchange then, as in the engine.
    Counter,
    /// One counter, always moved by a compare-exchange.
    Exchange,
    /// Groups of so many workers: one of them claims for all, and they share what it got by a counter of their own.
    Groups(usize),
    /// A counter for each group of so many workers, over a part of the indices; who finds it empty goes on to the next.
    Shards(usize),
    /// A counter for each worker, over a part of the indices; who finds it empty steals half of another's rest.
    Steal,
}

/// Indices behind one counter.
#[derive(Debug, Default)]
struct Part {
    next: usize,
    end: usize,
    line: Line,
}

impl Part {
    fn left(&self) -> usize {
        self.end - self.next
    }

    /// Takes the next items off, by the rule of `Cursor::claim`.
    fn claim(&mut self, share: usize, (want, least): (usize, usize)) -> Range<usize> {
        let count = want
            .min((self.left() / share).max(least))
            .clamp(1, self.left());
        self.next += count;
        self.next - count..self.next
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Indexed {
    handout: Handout,
    /// The counter that all use, for those kinds of hand-out that have one.
    global: Part,
    /// The counters of groups, shards or workers.
    parts: Vec<Part>,
    /// Where a thief looks first.
    luck: usize,
}

impl Indexed {
    pub fn new(handout: Handout, items: usize, workers: usize) -> Self {
        let all = Part {
            end: items,
            ..Part::default()
        };
        let none = || Part::default();
        let divided = |count: usize| -> Vec<Part> {
            let at = |part: usize| (items as u128 * part as u128 / count as u128) as usize;
            (0..count)
                .map(|part| Part {
                    next: at(part),
                    end: at(part + 1),
                    ..none()
                })
                .collect()
        };
        let (global, parts) = match handout {
            Handout::Counter | Handout::Exchange => (all, Vec::new()),
            Handout::Groups(size) => (all, (0..workers.div_ceil(size)).map(|_| none()).collect()),
            Handout::Shards(size) => (none(), divided(workers.div_ceil(size))),
            Handout::Steal => (none(), divided(workers)),
        };
        Self {
            handout,
            global,
            parts,
            luck: 0,
        }
    }

    fn take_from_counter(&mut self, crew: &Crew<'_>, worker: usize, at: Time) -> Taken {
        let (machine, wants) = (crew.machine, crew.wants(worker));
        let share = SHARE * crew.limit();
        let part = &mut self.global;
        let plenty = part.left() / share >= wants.0;
        let ready = if self.handout == Handout::Counter && plenty {
            part.line.look_and_add(machine, worker, at)
        } else {
            part.line.exchange(machine, worker, at)
        };
        batch(ready, part, share, wants)
    }

    fn take_from_group(&mut self, crew: &Crew<'_>, worker: usize, at: Time, size: usize) -> Taken {
        let (machine, (want, least)) = (crew.machine, crew.wants(worker));
        let part = &mut self.parts[worker / size];
        let mut ready = part.line.exchange(machine, worker, at);
        if part.left() == 0 && self.global.left() > 0 {
            // Whoever finds nothing left fetches more; the others of the group wait for it.
            ready = self.global.line.exchange(machine, worker, ready);
            part.line.keep(ready);
            let share = SHARE * crew.limit().div_ceil(size);
            let fetched = self.global.claim(share, (want.saturating_mul(size), least));
            (part.next, part.end) = (fetched.start, fetched.end);
        }
        batch(ready, part, size, (want, least))
    }

    fn take_from_shard(&mut self, crew: &Crew<'_>, worker: usize, at: Time, size: usize) -> Taken {
        let count = self.parts.len();
        let mut at = at;
        for shard in (0..count).map(|further| (worker / size + further) % count) {
            let part = &mut self.parts[shard];
            if part.left() > 0 {
                let ready = part.line.exchange(crew.machine, worker, at);
                return batch(ready, part, SHARE * size, crew.wants(worker));
            }
            // A look at an empty shard: nobody writes to it any more, but its line has to come here.
            at += crew.machine.transfer;
        }
        Taken::Over(at)
    }

    fn take_from_own(&mut self, crew: &Crew<'_>, worker: usize, at: Time) -> Taken {
        let (machine, count) = (crew.machine, self.parts.len());
        let mut at = at;
        if self.parts[worker].left() == 0 {
            self.luck = self
                .luck
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(worker + 1);
            let first = (self.luck >> 33) % count;
            let victim = (0..count)
                .map(|further| (first + further) % count)
                .find(|&victim| {
                    at += machine.transfer;
                    self.parts[victim].left() > 0
                });
            let Some(victim) = victim else {
                return Taken::Over(at);
            };
            let part = &mut self.parts[victim];
            at = part.line.exchange(machine, worker, at);
            let middle = part.next + part.left() / 2;
            let stolen = (middle, part.end);
            part.end = middle;
            (self.parts[worker].next, self.parts[worker].end) = stolen;
        }
        let part = &mut self.parts[worker];
        let ready = part.line.exchange(machine, worker, at);
        batch(ready, part, SHARE, crew.wants(worker))
    }
}

fn batch(ready: Time, part: &mut Part, share: usize, wants: (usize, usize)) -> Taken {
    if part.left() == 0 {
        return Taken::Over(ready);
    }
    Taken::batch(ready, part.claim(share, wants), 0)
}

impl Source for Indexed {
    const PULLED: bool = false;

    fn arrive(&mut self, _crew: &mut Crew<'_>, _worker: usize, at: Time) -> Time {
        at
    }

    fn take(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Taken {
        match self.handout {
            Handout::Counter | Handout::Exchange => self.take_from_counter(crew, worker, at),
            Handout::Groups(size) => self.take_from_group(crew, worker, at, size),
            Handout::Shards(size) => self.take_from_shard(crew, worker, at, size),
            Handout::Steal => self.take_from_own(crew, worker, at),
        }
    }

    fn finished(&mut self, _crew: &mut Crew<'_>, _worker: usize, _items: usize, at: Time) -> Time {
        at
    }

    fn busy(&self) -> Time {
        let parts = self.parts.iter().map(|part| part.line.busy).max();
        self.global.line.busy.max(parts.unwrap_or(0))
    }
}
