//! The progress log: what is said, and in which words. Messages are short; all numbers are fields.

use std::fmt;
use std::time::Duration;

use tracing::field::display;

use super::look::{Look, On, Progressed, Stall, per_second};
use super::progress::{Counts, Progress, Wait};
use crate::policy::ErrorPolicy;
use crate::unwind;

/// Does anybody listen to the progress log?
#[inline]
pub(super) fn is_heard() -> bool {
    // Whoever wants nothing but warnings wants those of stalls.
    let heard =
        unwind::catch(|| tracing::enabled!(target: "futureproof::monitor", tracing::Level::WARN));
    // A subscriber that panics must not cost the loop.
    if heard.map_err(unwind::discard).unwrap_or(false) {
        return true;
    }
    // Where there is no subscriber, tracing passes events on.
    #[cfg(feature = "log")]
    if !tracing::dispatcher::has_been_set() {
        return log::log_enabled!(target: "futureproof::monitor", log::Level::Warn);
    }
    false
}

/// What is said of a loop that is about to start, for those who want to know all.
pub(super) fn started(progress: &Progress, policy: ErrorPolicy) {
    let Progress { name, total, .. } = progress;
    let workers = progress.slots.len();
    tracing::debug!(target: "futureproof::monitor", name = %name, workers, policy = %policy, total, "starts");
}

/// What a look found.
pub(super) fn look(progress: &Progress, look: &Look, policy: ErrorPolicy) {
    let Progress { name, total, .. } = progress;
    if look.begun {
        let workers = progress.slots.len();
        tracing::info!(target: "futureproof::monitor", name = %name, workers, policy = %policy, total, "started");
    }
    let Some(progressed) = &look.progressed else {
        return;
    };
    let Progressed {
        counts,
        recent,
        rate,
        elapsed,
        left,
        stall,
    } = progressed;
    tracing::info!(
        target: "futureproof::monitor",
        name = %name,
        completed = counts.completed,
        total,
        failed = counts.failed,
        in_flight = counts.in_flight,
        waiting = counts.waiting,
        recent,
        rate_per_s = rounded(*rate),
        elapsed_s = seconds(*elapsed),
        left_s = left.map(seconds),
        "{}",
        Headline { progressed, total: *total },
    );
    if let Some(stall) = stall {
        stalled(progress, counts, stall);
    }
}

fn stalled(progress: &Progress, counts: &Counts, stall: &Stall) {
    let Progress { name, .. } = progress;
    let (waits_for, index, running) = match &stall.on {
        On::Workers { index, running, .. } => ("workers", Some(*index), Some(seconds(*running))),
        On::Unseen => ("workers", None, None),
        On::Other(wait) => (wait.as_str(), None, None),
    };
    let ending = progress.is_ending();
    tracing::warn!(
        target: "futureproof::monitor",
        name = %name,
        waits_for = %waits_for,
        stalled_s = seconds(stall.idle),
        index,
        running_s = running,
        in_flight = counts.in_flight,
        waiting = counts.waiting,
        ending = ending.then_some(true),
        "nothing has completed for {}: {}{}",
        Rough(stall.idle),
        Waiting { unit: progress.unit, on: &stall.on },
        if ending { "; it is ending, and starts nothing more" } else { "" },
    );
}

/// How something has ended that was watched.
pub(super) fn ended(progress: &Progress, counts: &Counts, elapsed: Duration, how: &'static str) {
    let Progress { name, .. } = progress;
    let Counts {
        completed,
        failed,
        cancelled,
        ..
    } = *counts;
    let rate_per_s = rounded(per_second(completed + failed, elapsed));
    let elapsed_s = seconds(elapsed);
    let message = display(match how {
        "finished" | "stopped" => how,
        "break" => "left by break",
        "panic" => "left by a panic",
        _ => "left by an item",
    });
    // Two call sites, as a level belongs to one.
    if elapsed < progress.quiet {
        tracing::debug!(target: "futureproof::monitor", name = %name, completed, failed, cancelled, elapsed_s, rate_per_s, ended = %how, "{message}");
    } else {
        tracing::info!(target: "futureproof::monitor", name = %name, completed, failed, cancelled, elapsed_s, rate_per_s, ended = %how, "{message}");
    }
}

/// What a person wants to know first.
struct Headline<'a> {
    progressed: &'a Progressed,
    total: Option<u64>,
}

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progressed {
            counts,
            recent,
            left,
            ..
        } = self.progressed;
        match self.total {
            // What ended by being cancelled is done with, too.
            Some(total) if total > 0 => {
                let done = counts.ended().min(total);
                write!(f, "{} %", (u128::from(done) * 100) / u128::from(total))?;
            }
            _ => write!(f, "{} done", counts.ended())?,
        }
        match left {
            Some(left) => write!(f, ", {} left", Rough(*left)),
            None if *recent == 0 => write!(f, ", nothing lately"),
            None => Ok(()),
        }
    }
}

/// What is waited for, in words.
struct Waiting<'a> {
    unit: &'static str,
    on: &'a On,
}

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit;
        match self.on {
            On::Workers {
                index,
                items,
                running,
                pulling,
            } => {
                match items {
                    0 | 1 => write!(f, "{unit} {index} has been running")?,
                    // Cheap ones, until now: they are not told of one by one.
                    items => write!(
                        f,
                        "{unit} {index} or one of the next {} has been running",
                        items - 1
                    )?,
                }
                // It was first seen at some look: it may have run longer.
                write!(f, " for {} or more", Rough(*running))?;
                match pulling {
                    0 => Ok(()),
                    1 => write!(f, ", 1 worker waits for input"),
                    workers => write!(f, ", {workers} workers wait for input"),
                }
            }
            On::Unseen => write!(f, "{unit}s are running"),
            On::Other(wait) => f.write_str(match wait {
                Wait::Source => {
                    return write!(f, "no {unit} is running, the workers wait for input");
                }
                Wait::Pool => "tasks wait for a thread of the pool",
                Wait::Consumer => "results wait to be read, nothing goes on before that",
                Wait::Permit => "tasks wait for their rate limit",
                Wait::Retry => "tasks that have failed wait for their next attempt",
                Wait::Nothing => "there is nothing to do",
            }),
        }
    }
}

/// A duration as a person says it.
pub(super) struct Rough(pub(super) Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 if self.0 < Duration::from_millis(1) => write!(f, "{:.0?}", self.0),
            0 => write!(f, "{} ms", self.0.as_millis()),
            1..60 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            60..3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3600..86_400 => write!(f, "{} h {} min", seconds / 3600, seconds % 3600 / 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
        }
    }
}

/// Seconds to the millisecond.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round() / 1e3
}

/// Four digits, or as many as there are before the point.
pub(super) fn rounded(rate: f64) -> f64 {
    if rate <= 0.0 || !rate.is_finite() {
        return 0.0;
    }
    let digits = (3 - rate.log10().floor() as i32).clamp(0, 12);
    let scale = 10_f64.powi(digits);
    (rate * scale).round() / scale
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_people_say_them() {
        let said = |seconds| Rough(Duration::from_secs_f64(seconds)).to_string();
        assert_eq!(said(0.0004), "400µs");
        assert_eq!(said(0.0256), "25 ms");
        assert_eq!(said(9.46), "9.5 s");
        assert_eq!(said(61.0), "1 min 1 s");
        assert_eq!(said(5.0 * 3600.0 + 180.0), "5 h 3 min");
        assert_eq!(said(90_000.0), "1 d 1 h");
    }

    #[test]
    fn rates_have_four_digits_and_whole_numbers_stay_whole() {
        assert_eq!(rounded(1.0 / 3.0), 0.3333);
        assert_eq!(rounded(400.123), 400.1);
        assert_eq!(rounded(1_234_567.8), 1_234_568.0);
        assert_eq!(rounded(f64::INFINITY), 0.0);
    }
}
