//! What is shown beside the log: bars and meters, where their cargo features are enabled.

#[cfg(feature = "progress")]
use std::time::Duration;

#[cfg(feature = "progress")]
use super::bar::Bar;
#[cfg(any(feature = "progress", feature = "metrics"))]
use super::look::later;
#[cfg(feature = "progress")]
use super::look::{SHORT, per_second, time_left};
#[cfg(feature = "metrics")]
use super::meters::{Delta, Meters};
#[cfg(feature = "progress")]
use super::progress::Counts;
use super::progress::Progress;
use crate::sync::Instant;

/// Who looks beside the log.
#[derive(Default)]
pub(super) struct Observers {
    #[cfg(feature = "progress")]
    pub(super) bar: Option<Drawn>,
    #[cfg(feature = "metrics")]
    pub(super) meters: Option<Metered>,
}

/// What one look has for them.
#[derive(Default)]
pub(super) struct Seen {
    #[cfg(feature = "progress")]
    bar: Option<(Bar, Counts, f64, Option<Duration>)>,
    #[cfg(feature = "metrics")]
    delta: Option<Delta>,
}

/// A bar, and what its rate is the mean of.
#[cfg(feature = "progress")]
pub(super) struct Drawn {
    bar: Bar,
    label: String,
    due: Instant,
    /// The last looks, of about a second.
    seen: std::collections::VecDeque<(Instant, u64)>,
}

/// Over so many looks is the rate beside a bar the mean.
#[cfg(feature = "progress")]
const SMOOTHED: usize = 10;

#[cfg(feature = "progress")]
impl Drawn {
    pub(super) fn new(label: &str, progress: &Progress) -> Self {
        Self {
            bar: Bar::new(label, progress.total),
            label: label.to_owned(),
            due: progress.started + SHORT,
            seen: [(progress.started, 0)].into(),
        }
    }

    fn look(&mut self, progress: &Progress, now: Instant) -> (Bar, Counts, f64, Option<Duration>) {
        let counts = progress.counts();
        self.due = later(now, Bar::INTERVAL);
        self.seen.push_back((now, counts.ended()));
        if self.seen.len() > SMOOTHED {
            self.seen.pop_front();
        }
        let &(since, before) = self.seen.front().unwrap_or(&(now, counts.ended()));
        let recent = counts.ended().saturating_sub(before);
        let rate = per_second(recent, now.saturating_duration_since(since));
        let elapsed = now.saturating_duration_since(progress.started);
        let left = time_left(progress.total, &counts, elapsed);
        (self.bar.clone(), counts, rate, left)
    }
}

/// Meters, and when they are read next.
#[cfg(feature = "metrics")]
pub(super) struct Metered {
    meters: Meters,
    due: Instant,
}

#[cfg(feature = "metrics")]
impl Metered {
    pub(super) fn new(meters: Meters, progress: &Progress) -> Self {
        Self {
            meters,
            due: later(progress.started, Meters::INTERVAL),
        }
    }
}

impl Observers {
    /// Is there nobody?
    pub(super) fn is_empty(&self) -> bool {
        self.due().is_none()
    }

    /// When one of them wants to look next.
    pub(super) fn due(&self) -> Option<Instant> {
        let due: Option<Instant> = None;
        #[cfg(feature = "progress")]
        let due = due
            .into_iter()
            .chain(self.bar.as_ref().map(|bar| bar.due))
            .min();
        #[cfg(feature = "metrics")]
        let due = due
            .into_iter()
            .chain(self.meters.as_ref().map(|meters| meters.due))
            .min();
        due
    }

    /// Looks for those whose time has come.
    #[cfg_attr(
        not(any(feature = "progress", feature = "metrics")),
        expect(unused_variables)
    )]
    pub(super) fn look(&mut self, progress: &Progress, now: Instant) -> Seen {
        Seen {
            #[cfg(feature = "progress")]
            bar: (self.bar.as_mut())
                .filter(|bar| bar.due <= now)
                .map(|bar| bar.look(progress, now)),
            #[cfg(feature = "metrics")]
            delta: (self.meters.as_mut())
                .filter(|metered| metered.due <= now)
                .map(|metered| {
                    metered.due = later(now, Meters::INTERVAL);
                    metered.meters.delta(&progress.counts())
                }),
        }
    }

    /// Shows how it ended: `summary` is what is left of a bar.
    #[cfg_attr(
        not(all(feature = "progress", feature = "metrics")),
        allow(unused_variables)
    )]
    pub(super) fn end(self, progress: &Progress, summary: impl FnOnce(&str) -> String) {
        #[cfg(feature = "progress")]
        if let Some(drawn) = self.bar {
            super::ticker::quietly(|| drawn.bar.end(&summary(&drawn.label)));
        }
        #[cfg(feature = "metrics")]
        if let Some(mut metered) = self.meters {
            super::ticker::quietly(|| metered.meters.end(&progress.counts()).record());
        }
    }
}

impl Seen {
    /// Tells them.
    pub(super) fn tell(self) {
        #[cfg(feature = "progress")]
        if let Some((bar, counts, rate, left)) = &self.bar {
            bar.show(counts, *rate, *left);
        }
        self.tell_late();
    }

    /// Tells those who have to know though all is over.
    pub(super) fn tell_late(self) {
        #[cfg(feature = "metrics")]
        if let Some(delta) = self.delta {
            delta.record();
        }
    }
}
