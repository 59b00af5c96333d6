//! How many tasks may start in a span of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::sync::{Instant, Mutex};

/// Says how many tasks may start in a span of time: `10/s`.
///
/// Starts are spaced evenly, 100 ms apart for `10/s`, so that there are never more in any second; a *burst* lets so many
/// start at once after a pause. Every attempt counts as a start. A task that waits for its turn takes no worker.
///
/// The text form is a number, `/`, a span of time (`s` or `1.5s`; units are ns, us, ms, s, min and h), and possibly ` burst N`.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::RateLimit;
///
/// let limit: RateLimit = "10/s burst 5".parse()?;
/// assert_eq!(limit, RateLimit::new(10, Duration::from_secs(1)).burst(5));
/// assert_eq!("100/5min".parse(), Ok(RateLimit::new(100, Duration::from_secs(300))));
/// # Ok::<(), futureproof::InvalidRateLimit>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    starts: u32,
    per: Duration,
    burst: u32,
}

impl RateLimit {
    /// Allows so many starts in every span of the length `per`.
    ///
    /// # Panics
    ///
    /// Panics when `starts` or `per` is zero.
    #[must_use]
    pub fn new(starts: u32, per: Duration) -> Self {
        assert!(
            starts > 0,
            "a rate limit must allow at least 1 start, but it allows 0; to pause a pool use `set_task_limit(0)`"
        );
        assert!(
            !per.is_zero(),
            "the span of a rate limit must be longer than 0 s, but it is 0 s"
        );
        Self {
            starts,
            per,
            burst: 1,
        }
    }

    /// Lets so many tasks start at once after a pause; default: 1.
    ///
    /// # Panics
    ///
    /// Panics when `burst` is zero.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        assert!(
            burst > 0,
            "the burst of a rate limit must be at least 1, but it is 0"
        );
        self.burst = burst;
        self
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.starts, self.per)?;
        if self.burst > 1 {
            write!(f, " burst {}", self.burst)?;
        }
        Ok(())
    }
}

/// The error of reading a [`RateLimit`] from a text that is none.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// let error = "fast".parse::<futureproof::RateLimit>().unwrap_err();
/// assert_eq!(error.to_string(), r#"invalid rate limit "fast"; write it like "10/s", "600/min" or "10/s burst 5""#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRateLimit {
    text: String,
}

impl fmt::Display for InvalidRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"invalid rate limit {:?}; write it like "10/s", "600/min" or "10/s burst 5""#,
            self.text
        )
    }
}

impl std::error::Error for InvalidRateLimit {}

impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| InvalidRateLimit { text: text.into() })
    }
}

fn read(text: &str) -> Option<RateLimit> {
    let (rate, burst) = match text.split_once("burst") {
        Some((rate, burst)) => (rate, positive(burst)?),
        None => (text, 1),
    };
    let (starts, per) = rate.split_once('/')?;
    let per = per.trim();
    let split = per
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(per.len());
    let (count, unit) = per.split_at(split);
    let unit: u64 = match unit.trim() {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let per = decimal(if count.is_empty() { "1" } else { count }, unit)?;
    Some(RateLimit::new(positive(starts)?, per).burst(burst))
}

/// So many units of so many nanoseconds, if that is more than none; what is below a nanosecond is cut off.
fn decimal(count: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = count.split_once('.').unwrap_or((count, "0"));
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    if fraction.is_empty() {
        return None;
    }
    for digit in fraction.chars() {
        let digit = u64::from(digit.to_digit(10)?);
        nanos = nanos.checked_add(place / 10 * digit + place % 10 * digit / 10)?;
        place /= 10;
    }
    (nanos > 0).then(|| Duration::from_nanos(nanos))
}

fn positive(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|number| *number > 0)
}

/// Gives out permits to start at the rate of a [`RateLimit`].
///
/// The generic cell rate algorithm (ITU-T I.371), in its virtual scheduling form: all it remembers is when the next permit
/// would be due if they were given out evenly.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// From one permit to the next.
    each: Duration,
    /// How much too early a permit may be.
    tolerance: Duration,
    due: Mutex<Option<Instant>>,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        // Rounded up: never faster than allowed.
        let nanos = limit.per.as_nanos().div_ceil(u128::from(limit.starts));
        let each = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Self {
            each,
            tolerance: each.saturating_mul(limit.burst - 1),
            due: Mutex::new(None),
        }
    }

    /// Gives a permit, or says when to ask again.
    pub(crate) fn permit(&self, now: Instant) -> Result<(), Instant> {
        let mut due = self.due.lock();
        let next = due.map_or(now, |due| due.max(now));
        // Times too early or too late to be written down: the clock has just begun, or the next permit is centuries away.
        if let Some(earliest) = next.checked_sub(self.tolerance)
            && earliest > now
        {
            return Err(earliest);
        }
        *due = Some(next.checked_add(self.each).unwrap_or(next));
        Ok(())
    }

    /// When the next permit will be due, unless it is now; takes none.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        let earliest = (*self.due.lock())?.checked_sub(self.tolerance)?;
        (earliest > now).then_some(earliest)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// When permits are given to somebody who always asks again at the moment that was named.
    fn permits(limit: RateLimit, count: usize) -> Vec<Duration> {
        let limiter = Limiter::new(limit);
        let begin = Instant::now();
        let mut now = begin;
        let mut given = Vec::new();
        while given.len() < count {
            match limiter.permit(now) {
                Ok(()) => given.push(now - begin),
                Err(at) => now = at,
            }
        }
        given
    }

    #[test]
    fn permits_are_spaced_evenly() {
        let limit = RateLimit::new(10, 1000 * MS);
        assert_eq!(
            permits(limit, 4),
            [Duration::ZERO, 100 * MS, 200 * MS, 300 * MS]
        );
    }

    #[test]
    fn a_burst_comes_first_and_again_after_a_pause() {
        let limit = RateLimit::new(10, 1000 * MS).burst(3);
        assert_eq!(
            permits(limit, 5),
            [
                Duration::ZERO,
                Duration::ZERO,
                Duration::ZERO,
                100 * MS,
                200 * MS
            ]
        );
        let limiter = Limiter::new(limit);
        let begin = Instant::now();
        for _ in 0..3 {
            limiter.permit(begin).unwrap();
        }
        let later = begin + 10_000 * MS;
        for _ in 0..3 {
            limiter.permit(later).unwrap();
        }
        assert_eq!(limiter.permit(later), Err(later + 100 * MS));
    }

    #[test]
    fn texts_are_read_or_refused() {
        let s = Duration::from_secs(1);
        let read = |text: &str| text.parse::<RateLimit>();
        assert_eq!(read("10/s"), Ok(RateLimit::new(10, s)));
        assert_eq!(read(" 600 / min "), Ok(RateLimit::new(600, 60 * s)));
        assert_eq!(read("1/100ms"), Ok(RateLimit::new(1, 100 * MS)));
        assert_eq!(
            read("5/2h burst 7"),
            Ok(RateLimit::new(5, 7200 * s).burst(7))
        );
        for wrong in [
            "",
            "10",
            "/s",
            "0/s",
            "-1/s",
            "10/",
            "10/0s",
            "10/d",
            "10/s burst",
            "10/s burst 0",
            "10/s 5",
            "1.5/s",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let limit = read("10/s burst 5").unwrap();
        for limit in [
            limit,
            RateLimit::new(5, 1500 * MS),
            RateLimit::new(1, MS / 10),
        ] {
            assert_eq!(limit.to_string().parse(), Ok(limit), "{limit}");
        }
    }
}
