//! Reads the time as often as once a batch of cheap bodies: by the processor's time-stamp counter where it has one.
//!
//! `Instant::now` waits until all earlier instructions have finished, which costs as much as some bodies do. What is
//! measured here decides how many items a worker takes at a time, so it need not be that exact: no deadline depends on it, and of
//! what anybody sees only the sampled durations of the metrics.

use std::time::Duration;

// Values that are measured once, not a protocol.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync::Instant;

/// The counter is compared with the clock over at least this long.
const BASELINE: Duration = Duration::from_millis(5);
/// A reading of both takes less than this, or something came between.
const PAIR: Duration = Duration::from_micros(1);

/// Nanoseconds per tick as a 32.32 fixed-point number; 0 while that is not known.
static NANOS_PER_TICK: AtomicU64 = AtomicU64::new(0);

/// A worker's clock: its readings can be compared with one another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    nanos_per_tick: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            nanos_per_tick: NANOS_PER_TICK.load(Ordering::Relaxed),
        }
    }

    /// Returns the time in nanoseconds since some moment.
    #[inline]
    pub(crate) fn now(self) -> u64 {
        match (self.nanos_per_tick, ticks()) {
            (0, _) | (_, None) => since_first(),
            (nanos, Some(ticks)) => ((u128::from(ticks) * u128::from(nanos)) >> 32) as u64,
        }
    }
}

#[cfg(not(any(all(test, loom), futureproof_shuttle)))]
fn since_first() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let nanos = FIRST.get_or_init(Instant::now).elapsed().as_nanos() as u64;
    // By Miri's clock a step takes microseconds, and no body would ever be cheap.
    if cfg!(miri) { nanos / 1000 } else { nanos }
}

/// Time stands still in a model, which has to take the same way whenever it makes the same choices.
#[cfg(all(test, loom))]
fn since_first() -> u64 {
    0
}

#[cfg(futureproof_shuttle)]
fn since_first() -> u64 {
    Instant::now().nanos()
}

/// Learns how fast the counter counts, if that is not known and time enough has passed since the first call.
#[inline]
pub(crate) fn calibrate() {
    if NANOS_PER_TICK.load(Ordering::Relaxed) == 0 && ticks().is_some() {
        compare();
    }
}

#[cold]
fn compare() {
    static START: OnceLock<(Instant, u64)> = OnceLock::new();
    let Some((now, ticks)) = pair() else { return };
    let (first, first_ticks) = *START.get_or_init(|| (now, ticks));
    let elapsed = now.saturating_duration_since(first);
    if elapsed < BASELINE {
        return;
    }
    if let Some(nanos) = nanos_per_tick(elapsed, ticks.wrapping_sub(first_ticks)) {
        NANOS_PER_TICK.store(nanos, Ordering::Relaxed);
    }
}

/// Reads the clock and the counter at the same time, unless the thread is interrupted.
fn pair() -> Option<(Instant, u64)> {
    let before = Instant::now();
    let ticks = ticks()?;
    (before.elapsed() < PAIR).then_some((before, ticks))
}

/// A counter of less than 100 MHz or more than 10 GHz is not believed.
fn nanos_per_tick(elapsed: Duration, ticks: u64) -> Option<u64> {
    let nanos = (elapsed.as_nanos() << 32).checked_div(u128::from(ticks))?;
    let nanos = u64::try_from(nanos).ok()?;
    ((1 << 32) / 10..=(1 << 32) * 10)
        .contains(&nanos)
        .then_some(nanos)
}

#[cfg(all(
    target_arch = "x86_64",
    not(any(miri, all(test, loom), futureproof_shuttle))
))]
#[inline]
fn ticks() -> Option<u64> {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
    Some(unsafe { std::arch::x86_64::_rdtsc() })
}

#[cfg(not(all(
    target_arch = "x86_64",
    not(any(miri, all(test, loom), futureproof_shuttle))
)))]
#[inline]
fn ticks() -> Option<u64> {
    None
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_counter_of_an_unlikely_speed_is_not_believed() {
        let ms = Duration::from_millis(10);
        assert_eq!(nanos_per_tick(ms, 10_000_000), Some(1 << 32));
        assert_eq!(nanos_per_tick(ms, 30_000_000), Some((1 << 32) / 3));
        assert_eq!(nanos_per_tick(ms, 0), None);
        assert_eq!(nanos_per_tick(ms, 10), None);
        assert_eq!(nanos_per_tick(ms, u64::MAX), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's clock is not that of the processor")]
    fn the_clock_keeps_time() {
        while NANOS_PER_TICK.load(Ordering::Relaxed) == 0 && ticks().is_some() {
            calibrate();
        }
        let clock = Clock::new();
        let nanos = |instant: Instant| instant.elapsed().as_nanos() as u64;
        // Of two readings around one another, the inner one is the shorter, whatever comes between.
        let (outer, start) = (Instant::now(), clock.now());
        while nanos(outer) < 20_000_000 {}
        let (inner, outer) = (clock.now() - start, nanos(outer));
        assert!(inner <= outer + outer / 50, "{inner} ns in {outer} ns");
        let (start, inner) = (clock.now(), Instant::now());
        while nanos(inner) < 20_000_000 {}
        let (inner, outer) = (nanos(inner), clock.now() - start);
        assert!(inner <= outer + outer / 50, "{inner} ns in {outer} ns");
    }
}
