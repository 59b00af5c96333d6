//! Waiting for several handles at once.

use std::time::Duration;

use super::handle::TaskHandle;
use crate::sync::{Arc, Condvar, Instant, Mutex};

/// What [`wait`] and [`wait_timeout`] wait for.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::{Until, wait};
///
/// let handles = [half::submit(2), half::submit(3)];
/// let waited = wait(&handles, Until::FirstFailure);
/// assert!(waited.finished.contains(&1)); // the second has failed, the first may have ended
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Until {
    /// One of the tasks has ended.
    First,
    /// One of the tasks has failed, or all have ended. A cancelled task has not failed.
    FirstFailure,
    /// All of the tasks have ended.
    All,
}

/// Which tasks had ended when [`wait`] or [`wait_timeout`] returned: their positions among the handles, ascending.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::{Until, wait};
///
/// let handles = [half::submit(2), half::submit(4)];
/// let waited = wait(&handles, Until::First);
/// for at in waited.finished {
///     assert!(handles[at].is_finished());
/// }
/// println!("{} to go", waited.pending.len());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waited {
    /// Those that had ended, in whatever way.
    pub finished: Vec<usize>,
    /// Those that had not.
    pub pending: Vec<usize>,
}

/// A [`TaskHandle`] of any type, so that handles of different functions can be [waited](wait) for together.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::{AnyTaskHandle, Until};
///
/// let (first, second) = (half::submit(2), half::submit(4)); // or of another function
/// let handles: [&dyn AnyTaskHandle; 2] = [&first, &second];
/// assert_eq!(futureproof::wait(handles, Until::All).finished, [0, 1]);
/// ```
pub trait AnyTaskHandle: Watch {}

impl<T, E, K> AnyTaskHandle for TaskHandle<T, E, K> {}

impl<H: AnyTaskHandle + ?Sized> AnyTaskHandle for &H {}

/// Waits for the first, the first failure, or all of several tasks; no handles are nothing to wait for.
///
/// The handles are only looked at: [`join`](TaskHandle::join) those that have ended to get their results.
///
/// # Nesting
///
/// On one of the pool's own threads, tasks that are still queued run there and then, in the order of the handles, until there
/// is nothing more to wait for.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::{Until, wait};
///
/// let mut handles: Vec<_> = (0..4).map(|n| half::submit(2 * n)).collect();
/// let mut sum = 0;
/// while !handles.is_empty() {
///     let first = wait(&handles, Until::First).finished[0];
///     sum += handles.remove(first).join()?;
/// }
/// assert_eq!(sum, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn wait<'a, H>(handles: impl IntoIterator<Item = &'a H>, until: Until) -> Waited
where
    H: AnyTaskHandle + ?Sized + 'a,
{
    wait_for(&handles.into_iter().collect::<Vec<_>>(), until, None)
}

/// Waits like [`wait`], at most for `limit`.
///
/// On one of the pool's own threads it can take longer, by as much as the task takes that it has begun there.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use std::time::Duration;
/// use futureproof::{Until, wait_timeout};
///
/// let handles = [half::submit(2), half::submit(3)];
/// let waited = wait_timeout(&handles, Until::FirstFailure, Duration::from_secs(10));
/// if waited.pending.is_empty() {
///     println!("both have ended");
/// }
/// ```
pub fn wait_timeout<'a, H>(
    handles: impl IntoIterator<Item = &'a H>,
    until: Until,
    limit: Duration,
) -> Waited
where
    H: AnyTaskHandle + ?Sized + 'a,
{
    // A limit too far away to be written down is none.
    let limit = Instant::now().checked_add(limit);
    wait_for(&handles.into_iter().collect::<Vec<_>>(), until, limit)
}

fn wait_for<H>(handles: &[&H], until: Until, limit: Option<Instant>) -> Waited
where
    H: AnyTaskHandle + ?Sized,
{
    let signal = &Arc::new(Signal::default());
    for handle in handles {
        handle.watch(signal);
    }
    let enough = |seen: &Seen| match until {
        Until::First => seen.finished > 0 || handles.is_empty(),
        Until::FirstFailure => seen.failed > 0 || seen.finished == handles.len(),
        Until::All => seen.finished == handles.len(),
    };
    let is_over = || limit.is_some_and(|limit| Instant::now() >= limit);
    loop {
        let mut look_again = limit;
        for handle in handles {
            if signal.is(enough) || is_over() {
                break;
            }
            look_again = handle.run_in_place().into_iter().chain(look_again).min();
        }
        if signal.wait(enough, look_again) || is_over() {
            break;
        }
    }
    for handle in handles {
        handle.unwatch(signal);
    }
    let (finished, pending) = (0..handles.len()).partition(|&at| handles[at].is_finished());
    Waited { finished, pending }
}

/// Counts ends for a thread that waits for several tasks.
#[derive(Debug, Default)]
pub struct Signal {
    seen: Mutex<Seen>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    finished: usize,
    failed: usize,
    /// Some task can be run in place that could not before.
    nudged: bool,
}

impl Signal {
    /// Hears that a task has ended.
    pub(super) fn count(&self, failed: bool) {
        let mut seen = self.seen.lock();
        seen.finished += 1;
        seen.failed += usize::from(failed);
        drop(seen);
        self.news.notify_one();
    }

    pub(super) fn nudge(&self) {
        self.seen.lock().nudged = true;
        self.news.notify_one();
    }

    fn is(&self, enough: impl Fn(&Seen) -> bool) -> bool {
        enough(&self.seen.lock())
    }

    /// Waits until it is `enough`, which returns true, or a task can be run in place, at most until `limit`.
    fn wait(&self, enough: impl Fn(&Seen) -> bool, limit: Option<Instant>) -> bool {
        let mut seen = self.seen.lock();
        while !enough(&seen) {
            if std::mem::take(&mut seen.nudged) {
                return false;
            }
            seen = match limit {
                None => self.news.wait(seen),
                Some(limit) => {
                    let left = limit.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.news.wait_timeout(seen, left).0
                }
            };
        }
        true
    }
}

/// What waiting needs of a handle; private, so that no other type is one.
pub trait Watch {
    /// Counts in if the task has ended; else has `signal` told when it does.
    fn watch(&self, signal: &Arc<Signal>);

    fn unwatch(&self, signal: &Arc<Signal>);

    fn is_finished(&self) -> bool;

    /// Runs the task here if it is queued and this thread takes up a place of its pool; if it may not start yet, returns
    /// when it may.
    fn run_in_place(&self) -> Option<Instant>;
}

impl<T, E, K> Watch for TaskHandle<T, E, K> {
    fn watch(&self, signal: &Arc<Signal>) {
        self.end().watch(signal);
    }

    fn unwatch(&self, signal: &Arc<Signal>) {
        self.end().unwatch(signal);
    }

    fn is_finished(&self) -> bool {
        self.is_finished()
    }

    fn run_in_place(&self) -> Option<Instant> {
        self.run_in_place()
    }
}

impl<H: Watch + ?Sized> Watch for &H {
    fn watch(&self, signal: &Arc<Signal>) {
        (**self).watch(signal);
    }

    fn unwatch(&self, signal: &Arc<Signal>) {
        (**self).unwatch(signal);
    }

    fn is_finished(&self) -> bool {
        (**self).is_finished()
    }

    fn run_in_place(&self) -> Option<Instant> {
        (**self).run_in_place()
    }
}
