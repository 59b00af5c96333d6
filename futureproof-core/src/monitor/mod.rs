//! Shows what is going on: counts that workers publish, and one thread that looks at them, off the workers.
//!
//! Nothing here runs unless somebody wants to know when a loop starts: a subscriber that listens to the target
//! `futureproof::monitor`, a [`LiveReport`], a progress bar, a metrics recorder.

#[cfg(feature = "progress")]
mod bar;
mod clock;
mod interval;
mod live;
mod look;
#[cfg(feature = "metrics")]
mod meters;
#[cfg(not(feature = "metrics"))]
#[path = "no_meters.rs"]
mod meters;
mod observers;
mod progress;
mod progress_bar;
#[cfg(feature = "progress")]
mod screen;
#[cfg(feature = "progress")]
pub mod terminal;
#[cfg(all(test, not(loom)))]
mod tests;
mod ticker;
mod words;

use std::time::Duration;

use self::clock::Clock;
pub use self::interval::MonitorInterval;
pub use self::live::LiveReport;
use self::look::{Looker, SHORT};
#[cfg(feature = "metrics")]
use self::meters::Meters;
pub(crate) use self::meters::Sampler;
#[cfg(feature = "metrics")]
use self::observers::Metered;
use self::observers::Observers;
pub(crate) use self::progress::{At, Done, Progress, Wait};
#[cfg(feature = "progress")]
pub use self::progress_bar::ProgressBar;
use self::ticker::{Entry, quietly};
#[cfg(feature = "progress")]
use self::{bar::Bar, observers::Drawn};
use crate::context::Context;
use crate::policy::ErrorPolicy;
use crate::report::Ended;
use crate::stop;
use crate::sync::Arc;

/// What is to be watched, and by whom.
pub(crate) struct Subject<'a> {
    /// `"loop"` or `"pool"`.
    pub(crate) kind: &'static str,
    pub(crate) workers: usize,
    /// How many items there are, where that is known.
    pub(crate) total: Option<usize>,
    pub(crate) policy: ErrorPolicy,
    pub(crate) interval: MonitorInterval,
    pub(crate) live: Option<&'a LiveReport>,
    #[cfg(feature = "progress")]
    pub(crate) bar: &'a ProgressBar,
    /// Where it was started.
    pub(crate) context: &'a Context,
}

/// Watches a loop or scope until dropped.
pub(crate) struct Watch {
    progress: Arc<Progress>,
    /// Does the ticker know of it?
    ticks: bool,
    /// Does anybody listen to the progress log?
    heard: bool,
    /// `None`: it did not get so far as to say so.
    ended: Option<(&'static str, Ended)>,
    /// Where to tell of the end, if not on the thread that was told to watch.
    context: Option<Context>,
}

/// Starts to watch something, if anybody wants to know of it.
pub(crate) fn watch(subject: &Subject<'_>, name: impl FnOnce() -> String) -> Option<Watch> {
    let interval = (subject.interval.get()).filter(|_| words::is_heard());
    let wanted = interval.is_some() || subject.live.is_some();
    #[cfg(feature = "progress")]
    let has_bar = subject.bar.is_on() && Bar::is_possible();
    #[cfg(feature = "progress")]
    let wanted = wanted || has_bar;
    #[cfg(feature = "metrics")]
    let wanted = wanted || Meters::are_wanted();
    if !wanted {
        return None;
    }
    let name = name();
    #[cfg(feature = "metrics")]
    let meters = Meters::new(&name, subject.kind);
    #[cfg(feature = "metrics")]
    let durations = meters.as_ref().map(Meters::durations);
    #[cfg(not(feature = "metrics"))]
    let durations = None;
    // Those within a body come by the hundred.
    let quiet = match interval {
        Some(interval) if stop::in_body() => interval,
        _ => SHORT,
    };
    let progress = Arc::new(Progress::new(
        name,
        subject.workers,
        subject.total,
        durations,
        quiet,
        if subject.kind == "loop" {
            "item"
        } else {
            "task"
        },
    ));
    let observers = Observers {
        #[cfg(feature = "progress")]
        bar: (subject.bar.label(&progress.name))
            .filter(|_| has_bar)
            .map(|label| Drawn::new(label, &progress)),
        #[cfg(feature = "metrics")]
        meters: meters.map(|meters| Metered::new(meters, &progress)),
    };
    if let Some(live) = subject.live {
        live.show(&progress);
    }
    let watch = Watch {
        ticks: interval.is_some() || !observers.is_empty(),
        heard: interval.is_some(),
        progress,
        ended: None,
        context: None,
    };
    if interval.is_some() {
        quietly(|| words::started(&watch.progress, subject.policy));
    }
    if watch.ticks {
        ticker::register(Entry {
            looker: interval.map(|interval| Looker::new(&watch.progress, interval)),
            progress: watch.progress.clone(),
            policy: subject.policy,
            // Not the loop's own span, which is to close when the loop ends.
            context: subject.context.outside(),
            observers,
        });
    }
    Some(watch)
}

/// Would anybody want to know of this? Asked where a watch cannot be begun yet.
pub(crate) fn is_wanted(interval: MonitorInterval) -> bool {
    let heard = interval.get().is_some() && words::is_heard();
    #[cfg(feature = "metrics")]
    let heard = heard || Meters::are_wanted();
    heard
}

impl Watch {
    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Stops to watch, and says how it ended: in a word, and for the report.
    pub(crate) fn end(mut self, how: &'static str, ended: Ended) {
        self.will_end(how, ended);
    }

    /// Says that the end may come on another thread than where `context` was captured.
    pub(crate) fn goes_on_elsewhere(&mut self, context: &Context) {
        self.context = Some(context.outside());
    }

    /// Says how it will have ended when the watch does.
    pub(crate) fn will_end(&mut self, how: &'static str, ended: Ended) {
        self.ended = Some((how, ended));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let progress = &self.progress;
        let elapsed: Duration = Clock::now().saturating_duration_since(progress.started);
        let (how, ended) = self.ended.unwrap_or(if std::thread::panicking() {
            ("panic", Ended::Left)
        } else {
            ("finished", Ended::Exhausted)
        });
        progress.end(ended, elapsed);
        let entry = self.ticks.then(|| ticker::deregister(progress)).flatten();
        // Before the log, which may be written past the bars to the same terminal.
        if let Some(entry) = entry {
            entry
                .observers
                .end(progress, |label| format!("{label}: {}", progress.report()));
        }
        // A subscriber's panic must not turn the loop's end into an abort.
        if self.heard {
            let tell = || words::ended(progress, &progress.counts(), elapsed, how);
            quietly(|| match &self.context {
                Some(context) => context.enter_outside(tell),
                None => tell(),
            });
        }
    }
}
