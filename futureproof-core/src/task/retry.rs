//! When a task that failed is tried again.

use std::time::Duration;

/// Says how often a task is tried that fails, and how long it waits in between.
///
/// The waits grow exponentially up to a limit, each drawn evenly from half of its length to all of it, so that tasks that failed together do
/// not come back together ("equal jitter"; see *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015). A task
/// that waits takes no worker, though it counts as waiting. A number is a `Retry` with so many attempts.
///
/// Only a returned error is tried again, never a panic. A stop ends the wait: the task ends with its last error.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::Retry;
///
/// // Up to four attempts, with waits of up to 50, 100 and 200 ms.
/// let retry = Retry::attempts(4).backoff(Duration::from_millis(50));
/// assert_ne!(retry, Retry::from(4));
/// ```
///
/// All of it can be set:
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::Retry;
///
/// // Waits of exactly 1, 3, 9, 10, 10, … seconds.
/// let strict = Retry::attempts(8)
///     .backoff(Duration::from_secs(1))
///     .factor(3.0)
///     .max_backoff(Duration::from_secs(10))
///     .jitter(false);
/// assert_ne!(strict, Retry::attempts(8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    attempts: u32,
    first: Duration,
    factor: f64,
    most: Duration,
    jitter: bool,
}

impl Retry {
    /// Allows so many attempts in all, the first included.
    ///
    /// # Panics
    ///
    /// Panics when `attempts` is zero.
    #[must_use]
    pub fn attempts(attempts: u32) -> Self {
        assert!(
            attempts > 0,
            "the attempts of a `Retry` must be at least 1, but they are 0"
        );
        Self {
            attempts,
            first: Duration::from_millis(100),
            factor: 2.0,
            most: Duration::from_secs(30),
            jitter: true,
        }
    }

    /// Sets the wait after the first failure; default: 100 ms.
    #[must_use]
    pub fn backoff(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// Sets by how much each wait is longer than the one before; default: 2.
    ///
    /// # Panics
    ///
    /// Panics when `factor` is less than 1 or not a finite number.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        assert!(
            factor.is_finite() && factor >= 1.0,
            "the factor of a `Retry` must be a number of at least 1, but it is {factor}"
        );
        self.factor = factor;
        self
    }

    /// Sets the longest wait; default: 30 s.
    #[must_use]
    pub fn max_backoff(mut self, most: Duration) -> Self {
        self.most = most;
        self
    }

    /// Sets whether waits are drawn at random from half of their length to all of it; default: yes.
    #[must_use]
    pub fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// How many attempts there are in all.
    pub(super) fn most_attempts(&self) -> u32 {
        self.attempts
    }

    /// How long to wait after so many failed attempts; `None` when that was the last.
    pub(super) fn wait_after(&self, failed: u32) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        // An exponent that large gives infinity, hence the longest wait.
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.first.as_secs_f64() * self.factor.powi(exponent);
        let longest =
            Duration::try_from_secs_f64(seconds).map_or(self.most, |wait| wait.min(self.most));
        Some(if self.jitter {
            longest.mul_f64(0.5 + fastrand::f64() / 2.0)
        } else {
            longest
        })
    }
}

impl From<u32> for Retry {
    /// # Panics
    ///
    /// Panics when `attempts` is zero.
    fn from(attempts: u32) -> Self {
        Self::attempts(attempts)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn waits(retry: Retry) -> Vec<Duration> {
        (1..).map_while(|failed| retry.wait_after(failed)).collect()
    }

    #[test]
    fn waits_grow_by_the_factor_up_to_the_longest() {
        let ms = Duration::from_millis;
        let retry = Retry::attempts(5)
            .backoff(ms(10))
            .factor(3.0)
            .max_backoff(ms(100))
            .jitter(false);
        assert_eq!(waits(retry), [ms(10), ms(30), ms(90), ms(100)]);
        assert_eq!(waits(Retry::attempts(1)), []);
    }

    #[test]
    fn jitter_draws_from_half_of_a_wait_to_all_of_it() {
        let whole = Duration::from_millis(64);
        let retry = Retry::attempts(2).backoff(whole);
        let drawn: Vec<_> = (0..100).filter_map(|_| retry.wait_after(1)).collect();
        assert!(
            drawn.iter().all(|wait| (whole / 2..=whole).contains(wait)),
            "{drawn:?}"
        );
        assert!(drawn.iter().any(|wait| *wait != drawn[0]));
    }

    #[test]
    fn huge_numbers_end_at_the_longest_wait() {
        let retry = Retry::attempts(u32::MAX).factor(1e300).jitter(false);
        assert_eq!(
            retry.wait_after(u32::MAX - 1),
            Some(Duration::from_secs(30))
        );
        let never = Retry::attempts(3)
            .backoff(Duration::MAX)
            .max_backoff(Duration::MAX)
            .jitter(true);
        assert!(never.wait_after(2).is_some());
    }
}
