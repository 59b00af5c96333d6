//! A discrete-event simulation of one loop: workers, hand-out, wake-ups, and the end.
//!
//! It follows the engine's protocols step by step, with costs that were measured or assumed, and no chance in it: the
//! same costs give the same answer.

mod crew;
mod fed;
mod gear;
mod indexed;
mod line;
mod machine;
mod rules;
mod shared;

pub use self::crew::{Outcome, Waking};
pub use self::indexed::Handout;
pub use self::machine::{DEEP_AFTER, DEEP_WAKE, Machine, RETRIES, TRANSFERS, WAKE};
pub use self::rules::{SIZING, Sizing, outdated};
pub use self::shared::Token;
use futureproof_benches::body::mix;

/// Simulated time, in picoseconds.
pub type Time = u64;

/// A nanosecond.
pub const NANO: Time = 1000;
/// A microsecond.
pub const MICRO: Time = 1000 * NANO;
/// A millisecond.
pub const MILLI: Time = 1000 * MICRO;

/// Simulated time of so many nanoseconds.
pub fn time(nanos: f64) -> Time {
    (nanos * NANO as f64).round() as Time
}

/// How long the bodies are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body {
    /// All alike.
    Even(Time),
    /// This long, but one in 100 is 100 times longer.
    Skewed(Time),
}

impl Body {
    /// Is the body of this item one of the long ones? By chance, but always the same ones.
    pub fn is_long(index: usize) -> bool {
        mix(index as u64 ^ 0x5eed).is_multiple_of(100)
    }

    /// How long a body is on average.
    pub fn mean(self) -> f64 {
        match self {
            Self::Even(time) => time as f64,
            Self::Skewed(short) => short as f64 * 1.99,
        }
    }

    /// How long the bodies of these items are together.
    fn of(self, items: std::ops::Range<usize>) -> Time {
        match self {
            Self::Even(time) => time * items.len() as Time,
            Self::Skewed(short) => {
                let long = items.clone().filter(|&index| Self::is_long(index)).count();
                short * (items.len() + 99 * long) as Time
            }
        }
    }
}

/// How long work takes that takes so long on average: up to 2 % more or less, or workers that begin together would stay
/// in step for ever.
fn unsteady(work: Time, index: usize) -> Time {
    let per_mille = 980 + mix(index as u64) % 41;
    (u128::from(work) * u128::from(per_mille) / 1000) as Time
}

/// Where a simulated loop's items come from.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Indexed(Handout),
    Shared(Token),
    Fed,
}

/// A loop.
#[derive(Debug, Clone, Copy)]
pub struct Loop {
    pub kind: Kind,
    pub items: usize,
    pub body: Body,
    pub sizing: Sizing,
    pub waking: Waking,
    /// No more is simulated than this: enough to see what share of the time the bodies have.
    pub limit: Time,
}

impl Loop {
    /// A loop as the engine runs it.
    pub fn new(kind: Kind, items: usize, body: Body) -> Self {
        Self {
            kind,
            items,
            body,
            sizing: SIZING,
            waking: Waking::ENGINE,
            limit: Time::MAX,
        }
    }

    /// A loop as the engine runs it, long enough that its start and end matter little: about `length` with everybody at
    /// work, or with the one at work that everybody waits for.
    pub fn lasting(length: Time, kind: Kind, body: Body, machine: &Machine) -> Self {
        let alone = match kind {
            Kind::Indexed(_) => 0,
            Kind::Shared(_) => machine.shared.lay,
            Kind::Fed => machine.fed.lay,
        };
        let each = (body.mean() / machine.cores as f64).max(alone as f64);
        Self {
            limit: 5 * length,
            ..Self::new(kind, (length as f64 / each) as usize, body)
        }
    }

    /// Runs the loop.
    pub fn run(self, machine: &Machine) -> Outcome {
        match self.kind {
            Kind::Indexed(handout) => {
                let source = indexed::Indexed::new(handout, self.items, machine.cores);
                crew::run(machine, self, source)
            }
            Kind::Shared(token) => {
                let source = shared::Shared::new(token, self.items, machine.cores);
                crew::run(machine, self, source)
            }
            Kind::Fed => crew::run(machine, self, fed::Fed::new(self.items)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDOUTS: [Handout; 5] = [
        Handout::Counter,
        Handout::Exchange,
        Handout::Groups(4),
        Handout::Shards(4),
        Handout::Steal,
    ];

    fn kinds() -> impl Iterator<Item = Kind> {
        HANDOUTS
            .map(Kind::Indexed)
            .into_iter()
            .chain([Kind::Shared(Token::One), Kind::Fed])
    }

    #[test]
    fn every_item_is_run_once() {
        for kind in kinds() {
            for cores in [1, 2, 7, 32] {
                for items in [1, 2, 3, 1000, 12_345] {
                    let outcome =
                        Loop::new(kind, items, Body::Even(MICRO)).run(&Machine::example(cores));
                    assert_eq!(
                        outcome.work,
                        items as Time * MICRO,
                        "{kind:?}, {cores} cores, {items} items"
                    );
                    assert!(outcome.efficiency() < 1.0);
                }
            }
        }
    }

    #[test]
    fn long_bodies_hide_what_coordination_costs() {
        for kind in kinds() {
            let outcome = Loop::new(kind, 8000, Body::Even(MILLI)).run(&Machine::example(8));
            // A caller that runs an item feeds nobody meanwhile.
            let least = if matches!(kind, Kind::Fed) { 0.7 } else { 0.95 };
            assert!(outcome.efficiency() > least, "{kind:?}: {outcome:?}");
        }
    }

    #[test]
    fn a_pulled_source_is_no_faster_than_one_worker_pulls() {
        let machine = Machine::example(64);
        for (kind, lay) in [
            (Kind::Shared(Token::One), machine.shared.lay),
            (Kind::Fed, machine.fed.lay),
        ] {
            let outcome = Loop::new(kind, 100_000, Body::Even(10 * NANO)).run(&machine);
            assert!(
                outcome.makespan >= 100_000 * lay.min(machine.live),
                "{kind:?}: {outcome:?}"
            );
        }
    }

    #[test]
    fn the_same_costs_give_the_same_answer() {
        for kind in kinds() {
            let run = || Loop::new(kind, 10_000, Body::Skewed(MICRO)).run(&Machine::example(16));
            assert_eq!(run(), run());
        }
    }
}
