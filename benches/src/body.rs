//! The bodies that every contender runs.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One 64-bit mix (the finaliser of splitmix64): the trivial body.
#[inline(always)]
#[must_use]
pub fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// `rounds` mixes, each waiting for the one before.
#[inline]
#[must_use]
pub fn spin(rounds: u64, mut x: u64) -> u64 {
    for _ in 0..rounds {
        x = mix(x);
    }
    x
}

/// How many rounds of [`spin`] a body of a certain length takes, on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// 0.1 µs.
    pub tenth: u64,
    /// 1 µs.
    pub one: u64,
    /// 20 µs.
    pub twenty: u64,
    /// 100 µs.
    pub hundred: u64,
}

impl Rounds {
    /// Measures how many rounds make up each length.
    #[must_use]
    pub fn calibrate() -> Self {
        Self {
            tenth: rounds_for(100.0),
            one: rounds_for(1_000.0),
            twenty: rounds_for(20_000.0),
            hundred: rounds_for(100_000.0),
        }
    }
}

/// Returns the rounds of a body that takes so many nanoseconds *in a loop*, where the processor overlaps neighbours.
fn rounds_for(nanos: f64) -> u64 {
    let mut rounds = 10.0;
    for _ in 0..4 {
        rounds = (rounds * nanos / body_nanos(rounds as u64)).max(1.0);
    }
    rounds.round() as u64
}

/// Measures a body in a loop. The shortest of many runs counts: it is the one that nothing disturbed.
fn body_nanos(rounds: u64) -> f64 {
    let bodies = (20_000 / rounds).max(20);
    let run = || {
        let start = Instant::now();
        black_box(
            (0..black_box(bodies)).fold(0, |sum: u64, item| sum.wrapping_add(spin(rounds, item))),
        );
        start.elapsed()
    };
    let shortest = (0..30).map(|_| run()).min().unwrap_or(Duration::MAX);
    shortest.as_nanos() as f64 / bodies as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_the_finaliser_of_splitmix64() {
        // The generator's first output for the seed 0 is the mix of its increment.
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn a_spin_is_that_many_mixes() {
        assert_eq!(spin(0, 7), 7);
        assert_eq!(spin(3, 7), mix(mix(mix(7))));
    }
}
