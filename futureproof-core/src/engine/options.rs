//! A loop without macros: its options and its closures.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::{each, each_plain, workers, workers_plain};
use crate::describe::Failure;
use crate::flow::{Flow, Never, Outcome};
#[cfg(feature = "progress")]
use crate::monitor::ProgressBar;
use crate::monitor::{LiveReport, MonitorInterval};
use crate::policy::ErrorPolicy;
use crate::pool::{MOST_WORKERS, TaskPool, assert_workers};
use crate::reduce::{Added, Reduce};
use crate::report::Report;
use crate::source::{IntoSource, Source};
use crate::stop::StopToken;
use crate::sync::Instant;

/// How many items a worker holds at most unless `batch` says otherwise.
const DEFAULT_BATCH: usize = 8192;

/// A parallel loop as a builder and a method that takes a closure: what `parallel_for!` is made of, for those who prefer
/// functions.
///
/// The rules are those of the macro: input is pulled lazily and within bounds, items are started in input order, the first
/// failure ends the loop and reaches the caller as it would from a sequential loop, and a panic arrives with its payload.
/// The calling thread is one of the workers. A loop may be run inside the body of another one.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::ParallelFor;
///
/// let words = ["lazy", "bounded", "typed"];
/// let mut letters = 0;
/// ParallelFor::new()
///     .workers(2)
///     .fold_into(&mut letters, &words, |letters, word| *letters += word.len());
/// assert_eq!(letters, 16);
/// ```
///
/// With every option there is; each has its own default:
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::time::Duration;
/// use futureproof::{ErrorPolicy, LiveReport, ParallelFor, StopToken, TaskPool};
///
/// let pool = TaskPool::builder().workers(4).name("thumbnails").build();
/// let (token, live) = (StopToken::new(), LiveReport::new());
/// let report = ParallelFor::new()
///     .pool(&pool)
///     .name("resize")
///     .batch(1)
///     .error_policy(ErrorPolicy::Log)
///     .monitor(Duration::from_millis(500))
///     .live(&live)
///     .stop(&token)
///     .deadline(Duration::from_secs(60))
///     .try_for_each(0..100, |n| if n < 100 { Ok(()) } else { Err("too large") })?;
/// assert_eq!(report.completed(), 100);
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a loop does nothing until it is given its input and its body"]
pub struct ParallelFor<'a> {
    workers: Option<usize>,
    policy: ErrorPolicy,
    pool: Option<&'a TaskPool>,
    name: Option<Cow<'static, str>>,
    batch: Option<usize>,
    monitor: MonitorInterval,
    token: Option<StopToken>,
    limit: Option<Duration>,
    live: Option<&'a LiveReport>,
    #[cfg(feature = "progress")]
    bar: ProgressBar,
}

impl Default for ParallelFor<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> ParallelFor<'a> {
    /// Creates a loop with the default options.
    pub const fn new() -> Self {
        Self {
            workers: None,
            policy: ErrorPolicy::Raise,
            pool: None,
            name: None,
            batch: None,
            monitor: MonitorInterval::DEFAULT,
            token: None,
            limit: None,
            live: None,
            #[cfg(feature = "progress")]
            bar: ProgressBar::OFF,
        }
    }

    /// Sets how many threads work on the loop at most, the calling one included; default: the pool's number of workers,
    /// which is [`default_workers`](crate::default_workers) where no pool is named.
    ///
    /// A pool with a limit of its own lends no more threads than that, and no loop has more than 65 536.
    ///
    /// # Panics
    ///
    /// Panics when `workers` is zero.
    #[track_caller]
    pub fn workers(mut self, workers: usize) -> Self {
        assert_workers(workers);
        self.workers = Some(workers);
        self
    }

    /// Sets what a failure does; default: [`ErrorPolicy::Raise`].
    pub fn error_policy(mut self, policy: impl Into<ErrorPolicy>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Sets the pool that lends the threads; default: [`TaskPool::global`].
    pub fn pool(mut self, pool: &'a TaskPool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Sets the loop's name in logs; default: where it stands in the source code.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets how many items a worker may hold at most; 1 means that nothing is read ahead. Default: 8192 for iterators that
    /// are pulled; ranges, slices, arrays and vectors are not pulled and have no limit.
    ///
    /// More than one is held only while bodies are measured to be cheap, and never more than is worth about 50 µs.
    /// Bodies that wait for one another need `batch(1)`, and a source that is not [`pull_here`](crate::pull_here()).
    ///
    /// # Panics
    ///
    /// Panics when `batch` is zero.
    #[track_caller]
    pub fn batch(mut self, batch: usize) -> Self {
        assert!(
            batch > 0,
            "`batch` must be at least 1, but it is 0; 1 means that nothing is read ahead"
        );
        self.batch = Some(batch);
        self
    }

    /// Sets the interval of the progress log; default: 2 s. `false` turns it off.
    pub fn monitor(mut self, interval: impl Into<MonitorInterval>) -> Self {
        self.monitor = interval.into();
        self
    }

    /// Shows a progress bar on stderr, if that is a terminal; see [`ProgressBar`].
    ///
    /// It takes the cargo feature `progress`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// futureproof::ParallelFor::new().progress("numbers").for_each(0..1000, |_| ());
    /// ```
    #[cfg(feature = "progress")]
    pub fn progress(mut self, bar: impl Into<ProgressBar>) -> Self {
        self.bar = bar.into();
        self
    }

    /// Shows in `report` what the loop has done so far; any thread may look there.
    pub fn live(mut self, report: &'a LiveReport) -> Self {
        self.live = Some(report);
        self
    }

    /// Lets a token stop the loop.
    pub fn stop(mut self, token: &StopToken) -> Self {
        self.token = Some(token.clone());
        self
    }

    /// Stops the loop this long after its start. Bodies that are running then finish first.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Runs `body` for every item.
    ///
    /// A loop with a stop token or a deadline says in its report whether it was stopped; see [`Report::or_stopped`].
    ///
    /// # Panics
    ///
    /// Resumes the panic of the first item, in input order, whose body panics, unless the policy is to log or ignore it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// let report = futureproof::ParallelFor::new().for_each(vec!["a", "b"], |word| println!("{word}"));
    /// assert_eq!(report.completed(), 2);
    /// ```
    #[track_caller]
    pub fn for_each<I: IntoSource>(self, input: I, body: impl Fn(I::Item) + Sync) -> Report {
        each_plain(self, input.into_source(), |item| {
            body(item);
            Flow::Next
        })
    }

    /// Runs `body` for every item until one fails.
    ///
    /// Under the policies log and ignore the loop goes on and the report counts the failures.
    ///
    /// # Errors
    ///
    /// The error of the first item, in input order, that fails.
    ///
    /// # Panics
    ///
    /// Like [`for_each`](Self::for_each).
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use futureproof::ParallelFor;
    ///
    /// let outcome = ParallelFor::new().try_for_each(["1", "2", "x", "y"], |text| {
    ///     text.parse::<u32>().map(drop)
    /// });
    /// assert_eq!(outcome.unwrap_err(), "x".parse::<u32>().unwrap_err());
    /// ```
    #[track_caller]
    pub fn try_for_each<I, E>(
        self,
        input: I,
        body: impl Fn(I::Item) -> Result<(), E> + Sync,
    ) -> Result<Report, E>
    where
        I: IntoSource,
        E: fmt::Display + Send,
    {
        let policy = self.policy;
        done(each(self, input.into_source(), |item| {
            flow(policy, body(item))
        }))
    }

    /// Runs `body` for every item with a part of `total`, and merges the parts in input order; see [`Reduce`].
    ///
    /// # Panics
    ///
    /// Like [`for_each`](Self::for_each).
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use futureproof::ParallelFor;
    ///
    /// let mut squares = Vec::new();
    /// ParallelFor::new().fold_into(&mut squares, 1..=4, |squares, n| squares.push(n * n));
    /// assert_eq!(squares, [1, 4, 9, 16]);
    /// ```
    #[track_caller]
    pub fn fold_into<I, T>(
        self,
        total: &mut T,
        input: I,
        body: impl Fn(&mut T, I::Item) + Sync,
    ) -> Report
    where
        I: IntoSource,
        T: Reduce + Send,
    {
        workers_plain(self, input.into_source(), (Added(total),), |worker| {
            let (mut part,) = worker.parts();
            loop {
                let more = worker.batch(|item| {
                    body(&mut part, item);
                    Flow::Next
                });
                worker.settle((&mut part,));
                if !more {
                    break;
                }
            }
        })
    }

    /// Runs `body` for every item with a part of `total` until one fails; see [`fold_into`](Self::fold_into).
    ///
    /// `total` then holds what a sequential loop would have put there before the failure.
    ///
    /// # Errors
    ///
    /// The error of the first item, in input order, that fails.
    ///
    /// # Panics
    ///
    /// Like [`for_each`](Self::for_each).
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use futureproof::ParallelFor;
    ///
    /// let mut numbers = Vec::new();
    /// let outcome = ParallelFor::new().try_fold_into(&mut numbers, ["1", "2", "x", "4"], |numbers, text| {
    ///     numbers.push(text.parse::<u32>()?);
    ///     Ok::<(), std::num::ParseIntError>(())
    /// });
    /// assert!(outcome.is_err());
    /// assert_eq!(numbers, [1, 2]);
    /// ```
    #[track_caller]
    pub fn try_fold_into<I, T, E>(
        self,
        total: &mut T,
        input: I,
        body: impl Fn(&mut T, I::Item) -> Result<(), E> + Sync,
    ) -> Result<Report, E>
    where
        I: IntoSource,
        T: Reduce + Send,
        E: fmt::Display + Send,
    {
        let policy = self.policy;
        done(workers(
            self,
            input.into_source(),
            (Added(total),),
            |worker| {
                let (mut part,) = worker.parts();
                loop {
                    let more = worker.batch(|item| flow(policy, body(&mut part, item)));
                    worker.settle((&mut part,));
                    if !more {
                        break;
                    }
                }
            },
        ))
    }

    /// Runs `body` for every item with a value of the worker's own, made by `init` just before its first item.
    ///
    /// The value need not be [`Send`]: it is made, used and dropped by one worker.
    ///
    /// # Panics
    ///
    /// Like [`for_each`](Self::for_each); a panic of `init` counts as that of the item it was called for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use std::rc::Rc;
    /// use futureproof::ParallelFor;
    ///
    /// ParallelFor::new().for_each_with(|| Rc::new(7), 0..10, |seven, _| assert_eq!(**seven, 7));
    /// ```
    #[track_caller]
    pub fn for_each_with<I: IntoSource, L>(
        self,
        init: impl Fn() -> L + Sync,
        input: I,
        body: impl Fn(&mut L, I::Item) + Sync,
    ) -> Report {
        workers_plain(self, input.into_source(), (), |worker| {
            let mut local = init();
            while worker.batch(|item| {
                body(&mut local, item);
                Flow::Next
            }) {}
        })
    }

    /// Runs `body` for every item with a value of the worker's own until one fails; see [`for_each_with`](Self::for_each_with).
    ///
    /// A failure of `init` counts as that of the item it was called for. Under the policies log and ignore it is called again
    /// for the next one.
    ///
    /// # Errors
    ///
    /// The error of the first item, in input order, that fails.
    ///
    /// # Panics
    ///
    /// Like [`for_each_with`](Self::for_each_with).
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use std::fs::File;
    /// use std::io::{self, Read, Seek, SeekFrom};
    /// use futureproof::ParallelFor;
    ///
    /// // Each worker has a handle of its own.
    /// let open = || File::open("Cargo.toml");
    /// ParallelFor::new().try_for_each_with(open, 0..4_u64, |file, byte| {
    ///     file.seek(SeekFrom::Start(byte))?;
    ///     file.read_exact(&mut [0])
    /// })?;
    /// # Ok::<(), io::Error>(())
    /// ```
    #[track_caller]
    pub fn try_for_each_with<I, L, E>(
        self,
        init: impl Fn() -> Result<L, E> + Sync,
        input: I,
        body: impl Fn(&mut L, I::Item) -> Result<(), E> + Sync,
    ) -> Result<Report, E>
    where
        I: IntoSource,
        E: fmt::Display + Send,
    {
        let policy = self.policy;
        done(workers(self, input.into_source(), (), |worker| {
            let mut local = match init() {
                Ok(local) => local,
                Err(error) => return worker.failed(flow(policy, Err(error))),
            };
            while worker.batch(|item| flow(policy, body(&mut local, item))) {}
        }))
    }
}

/// What a fallible closure's result does to its loop.
fn flow<E: fmt::Display>(policy: ErrorPolicy, result: Result<(), E>) -> Flow<E> {
    match result {
        Ok(()) => Flow::Next,
        Err(error) if policy == ErrorPolicy::Raise => Flow::Exit(error),
        Err(error) => Flow::Failed(match policy {
            ErrorPolicy::Ignore => Failure::ignored(),
            ErrorPolicy::Log | ErrorPolicy::Raise => Failure::from_message(error.to_string()),
        }),
    }
}

fn done<E>(outcome: Outcome<E>) -> Result<Report, E> {
    match outcome {
        Outcome::Ended(report) => Ok(report),
        Outcome::Exited(error) => Err(error),
    }
}

/// A loop's name in logs.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    Given(Cow<'static, str>),
    Place(&'static Location<'static>),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(name) => f.write_str(name),
            Self::Place(place) => write!(f, "{}:{}", place.file(), place.line()),
        }
    }
}

/// The options of a loop that is about to run.
#[derive(Debug)]
pub(crate) struct Settings {
    /// At least 1.
    pub(crate) workers: usize,
    pub(crate) batch: usize,
    pub(crate) policy: ErrorPolicy,
    pub(crate) name: Name,
    pub(crate) monitor: MonitorInterval,
    pub(crate) token: Option<StopToken>,
    pub(crate) limit: Option<Duration>,
    pub(crate) live: Option<LiveReport>,
    #[cfg(feature = "progress")]
    pub(crate) bar: ProgressBar,
    pub(crate) started: Instant,
}

impl<'a> ParallelFor<'a> {
    /// Settles the options for a source; the second value is the pool, if it is needed.
    pub(super) fn settle<S: Source>(
        self,
        source: &S,
        place: &'static Location<'static>,
    ) -> (Settings, Option<&'a TaskPool>) {
        let most = source.most().unwrap_or(usize::MAX);
        let wanted = self.workers.unwrap_or(usize::MAX);
        // A loop that needs no other thread does not so much as look for the pool.
        let (workers, pool) = if most <= 1 || wanted == 1 {
            (1, None)
        } else {
            let pool = self.pool.unwrap_or_else(|| TaskPool::global());
            let asked = self.workers.unwrap_or_else(|| pool.workers());
            let limit = pool.shared().config.limit.min(MOST_WORKERS);
            (asked.min(limit).min(most), Some(pool))
        };
        let batch = match self.batch {
            Some(batch) => batch,
            // Items of an indexed source are not pulled, so holding many costs nothing.
            None if S::INDEXED => usize::MAX,
            None => DEFAULT_BATCH,
        };
        let settings = Settings {
            workers: workers.max(1),
            batch,
            policy: self.policy,
            name: self.name.map_or(Name::Place(place), Name::Given),
            monitor: self.monitor,
            token: self.token,
            limit: self.limit,
            live: self.live.cloned(),
            #[cfg(feature = "progress")]
            bar: self.bar,
            started: Instant::now(),
        };
        (settings, pool.filter(|_| workers > 1))
    }
}

/// What keeps `Never` loops from being asked for an exit.
pub(super) fn report(outcome: Outcome<Never>) -> Report {
    match outcome {
        Outcome::Ended(report) => report,
        Outcome::Exited(never) => match never {},
    }
}
