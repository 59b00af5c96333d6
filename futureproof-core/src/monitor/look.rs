//! What a look at the counts finds that is worth saying in the progress log.

use std::time::Duration;

use super::progress::{At, Counts, Progress, Wait};
use crate::sync::{Arc, Instant, Ordering};

/// What ends sooner is of interest at DEBUG only, unless it is nested: then it takes an interval.
pub(super) const SHORT: Duration = Duration::from_millis(100);
/// More often makes no sense to anybody.
const LEAST: Duration = Duration::from_millis(1);
/// After so many intervals in which nothing completed, there is a warning.
const STALLED_AFTER: u32 = 3;

/// What the log remembers of one loop between two looks.
pub(super) struct Looker {
    interval: Duration,
    pub(super) due: Instant,
    announced: bool,
    seen: Counts,
    seen_at: Instant,
    /// Intervals in a row in which nothing ended, and since when that is.
    idle: u32,
    idle_since: Instant,
    /// What each worker is at, and since when it has been seen there.
    at: Vec<(u64, Instant)>,
}

/// What one look found.
#[derive(Debug)]
pub(super) struct Look {
    /// It is the first one: it is there, and takes its time.
    pub(super) begun: bool,
    pub(super) progressed: Option<Progressed>,
}

/// How it is getting on.
#[derive(Debug)]
pub(super) struct Progressed {
    pub(super) counts: Counts,
    /// Ended since the last look.
    pub(super) recent: u64,
    /// Of those, per second.
    pub(super) rate: f64,
    pub(super) elapsed: Duration,
    /// At the mean rate so far.
    pub(super) left: Option<Duration>,
    pub(super) stall: Option<Stall>,
}

/// Nothing ends.
#[derive(Debug)]
pub(super) struct Stall {
    /// For so long.
    pub(super) idle: Duration,
    pub(super) on: On,
}

/// What is waited for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum On {
    /// The item that has been running longest, for at least so long; and how many workers want more of the source.
    Workers {
        index: u64,
        /// It is this item or, of a batch, one of those after it.
        items: u64,
        running: Duration,
        pulling: u64,
    },
    /// Something runs on threads that only wait for it, and so are not seen one by one.
    Unseen,
    Other(Wait),
}

impl Looker {
    pub(super) fn new(progress: &Progress, interval: Duration) -> Self {
        let interval = interval.max(LEAST);
        Self {
            interval,
            due: later(progress.started, progress.quiet.min(interval)),
            announced: false,
            seen: Counts::default(),
            seen_at: progress.started,
            idle: 0,
            idle_since: progress.started,
            at: vec![(0, progress.started); progress.slots.len()],
        }
    }

    /// Takes stock and says what is worth saying.
    pub(super) fn look(&mut self, progress: &Arc<Progress>, now: Instant) -> Look {
        let counts = progress.counts();
        let mut pulling = 0;
        for (slot, at) in progress.slots.iter().zip(&mut self.at) {
            let current = slot.at.load(Ordering::Relaxed);
            pulling += u64::from(At::is_source(current));
            if current != at.0 {
                *at = (current, now);
            }
        }
        let begun = !std::mem::replace(&mut self.announced, true);
        if begun && progress.quiet < self.interval {
            self.due = later(progress.started, self.interval);
            return Look {
                begun,
                progressed: None,
            };
        }
        // Counts are read one by one while workers go on: a sum may be behind an earlier one's parts, never for long.
        let recent = counts.ended().saturating_sub(self.seen.ended());
        let since = now.saturating_duration_since(self.seen_at);
        let on = self.waits_for(progress, &counts, pulling, now);
        let goes_on = on != On::Other(Wait::Nothing) && progress.total != Some(counts.ended());
        if recent == 0 && goes_on {
            self.idle = self.idle.saturating_add(1);
        } else {
            self.idle = 0;
            self.idle_since = now;
        }
        self.seen = counts;
        self.seen_at = now;
        self.due = later(now, self.interval);
        let elapsed = now.saturating_duration_since(progress.started);
        let progressed = Progressed {
            counts,
            recent,
            rate: per_second(recent, since),
            elapsed,
            // Nothing is known of the time left while nothing moves.
            left: time_left(progress.total, &counts, elapsed).filter(|_| recent > 0),
            stall: self.is_stalled().then(|| Stall {
                idle: now.saturating_duration_since(self.idle_since),
                on,
            }),
        };
        Look {
            begun,
            progressed: Some(progressed),
        }
    }

    /// Said after three intervals, then after six, twelve, …
    fn is_stalled(&self) -> bool {
        self.idle >= STALLED_AFTER
            && self.idle.is_multiple_of(STALLED_AFTER)
            && (self.idle / STALLED_AFTER).is_power_of_two()
    }

    fn waits_for(&self, progress: &Progress, counts: &Counts, pulling: u64, now: Instant) -> On {
        let running = (self.at.iter().zip(&progress.slots))
            .filter_map(|((at, since), slot)| Some((At::item(*at)?, *since, slot)));
        match running.min_by_key(|(_, since, _)| *since) {
            Some((index, since, slot)) => On::Workers {
                index,
                items: slot.items.load(Ordering::Relaxed),
                running: now.saturating_duration_since(since),
                pulling,
            },
            None if counts.in_flight > 0 => On::Unseen,
            None if pulling > 0 => On::Other(Wait::Source),
            None => On::Other(progress.wait(counts.waiting)),
        }
    }
}

/// An interval too long to be written down as a time is as good as one of thirty years.
pub(super) fn later(from: Instant, interval: Duration) -> Instant {
    from.checked_add(interval)
        .unwrap_or_else(|| from + Duration::from_secs(30 * 365 * 86_400))
}

pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        return 0.0;
    }
    count as f64 / time.as_secs_f64()
}

/// The time left at the mean rate so far.
pub(super) fn time_left(
    total: Option<u64>,
    counts: &Counts,
    elapsed: Duration,
) -> Option<Duration> {
    let done = counts.ended();
    let left = total?.checked_sub(done)?;
    if done == 0 {
        return None;
    }
    let each = elapsed.as_secs_f64() / done as f64;
    Duration::try_from_secs_f64(each * left as f64).ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_interval_too_long_for_the_clock_is_due_in_years_and_does_not_end_the_monitor() {
        let now = Instant::now();
        let year = Duration::from_secs(365 * 86_400);
        assert!(later(now, Duration::MAX) > now + 10 * year);
        assert_eq!(later(now, year), now + year);
    }

    #[test]
    fn the_time_left_is_known_once_something_has_ended_and_stays_sane() {
        let counts = |completed| Counts {
            completed,
            ..Counts::default()
        };
        let minute = Duration::from_secs(60);
        assert_eq!(time_left(None, &counts(5), minute), None);
        assert_eq!(time_left(Some(10), &counts(0), minute), None);
        assert_eq!(time_left(Some(10), &counts(5), minute), Some(minute));
        assert_eq!(
            time_left(Some(10), &counts(11), minute),
            None,
            "a source that lied"
        );
        assert_eq!(time_left(Some(u64::MAX), &counts(1), Duration::MAX), None);
    }
}
