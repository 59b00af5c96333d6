//! The tasks: arguments, results, errors and inputs that know what may become of them.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futureproof_core::__private::{Call, Configured, DescribeType, VtableError as _, configure};
use futureproof_core::{RateLimit, Retry, TaskManager, TaskPool, is_stopping};

use crate::program::{Deed, Limits, RetryPlan, Task, Trap};
use crate::run::nested;
use crate::source::Feed;
use crate::world::{Counted, Presence, Site, Value, silent_panic};

pub(crate) type Manager<'env> = TaskManager<'env, (Job,), Mark, Output, Failure>;

/// What is known of one task.
pub(crate) struct Record {
    /// Its section and its place among those offered there.
    pub(crate) name: (u64, usize),
    pub(crate) plan: Arc<Task>,
    pub(crate) limits: Limits,
    /// In call order, where that is known.
    pub(crate) place: Option<(u64, usize)>,
    pub(crate) feed: Option<Arc<Feed>>,
    pub(crate) attempts: AtomicUsize,
    /// What the last attempt came to.
    pub(crate) outcome: AtomicUsize,
    running: AtomicBool,
    /// It was cancelled or given back: it must not start.
    pub(crate) barred: AtomicBool,
    pub(crate) seen: AtomicUsize,
    /// It is in the error of its scope.
    pub(crate) returned: AtomicBool,
    /// It is being told to stop; it was.
    pub(crate) stopping: AtomicBool,
    pub(crate) stopped: AtomicBool,
}

pub(crate) const NOTHING: usize = 0;
pub(crate) const SUCCEEDED: usize = 1;
pub(crate) const FAILED: usize = 2;
pub(crate) const PANICKED: usize = 3;

/// The arguments of a task.
pub(crate) struct Job {
    pub(crate) record: Arc<Record>,
    _shift: Arc<Shift>,
    alive: Counted,
}

impl Clone for Job {
    fn clone(&self) -> Self {
        if self.record.plan.trap == Trap::Clone {
            silent_panic();
        }
        let explodes = self.record.plan.trap == Trap::DropArgs;
        Self {
            record: self.record.clone(),
            _shift: self._shift.clone(),
            alive: Counted::new(&self.alive.site, Value::Args, explodes),
        }
    }
}

/// Counts a task in among those that are not finished, until its last arguments are dropped.
struct Shift(Option<Arc<Feed>>);

impl Shift {
    fn begin(feed: Option<Arc<Feed>>) -> Arc<Self> {
        if let Some(feed) = &feed {
            feed.unfinished.fetch_add(1, SeqCst);
        }
        Arc::new(Self(feed))
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if let Some(feed) = &self.0 {
            feed.unfinished.fetch_sub(1, SeqCst);
        }
    }
}

/// What is kept of them.
pub(crate) struct Mark {
    name: (u64, usize),
    describe: Trap,
    _alive: Counted,
}

pub(crate) struct Output {
    pub(crate) record: Arc<Record>,
    _alive: Counted,
}

pub(crate) struct Failure {
    pub(crate) record: Arc<Record>,
    _alive: Counted,
}

/// The payload of a panic.
struct Blast {
    _alive: Counted,
}

/// Panics with a payload that is counted, and may panic itself.
pub(crate) fn blast(site: &Arc<Site>, explodes: bool) -> ! {
    resume_unwind(Box::new(Blast {
        _alive: Counted::new(site, Value::Payload, explodes),
    }))
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({:?})", self.record.name)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} failed as planned", self.record.name)
    }
}

impl std::error::Error for Failure {}

/// The function with the section's options.
pub(crate) fn configured(
    pool: &TaskPool,
    site: &Site,
) -> Configured<(Job,), Mark, Output, Failure> {
    let error = (&&&&&DescribeType::<Failure>::new()).vtable();
    let options = &site.options;
    let mut function = configure(pool, Call::of("job", perform, keep, describe, error))
        .error_policy(options.policy)
        .raise_after(options.raise_after);
    if let Some(capacity) = options.capacity {
        function = function.capacity(capacity);
    }
    if let Some(retry) = options.limits.retry {
        function = function.retry(retry.rule());
        if retry.picky {
            function = function.retry_if(Failure::is_worth_it);
        }
    }
    if let Some(limit) = options.limits.timeout {
        function = function.timeout(Duration::from_micros(limit));
    }
    if options.rate_limited {
        function = function.rate_limit(RateLimit::new(1, RATE).burst(BURST));
    }
    if options.token {
        function = function.stop(&site.token);
    }
    if let Some(limit) = options.deadline {
        function = function.deadline(Duration::from_micros(limit));
    }
    function
}

/// How often a task of a limited section may start, and how many may at once.
pub(crate) const RATE: Duration = Duration::from_micros(100);
pub(crate) const BURST: u32 = 3;

impl RetryPlan {
    pub(crate) fn rule(self) -> Retry {
        Retry::attempts(self.attempts).backoff(Duration::from_micros(self.backoff))
    }
}

impl Limits {
    /// These, and where there are none, those of the section.
    pub(crate) fn over(self, section: Self) -> Self {
        let picky = section.retry.is_some_and(|retry| retry.picky);
        let own = self.retry.map(|retry| RetryPlan {
            picky: retry.picky || picky,
            ..retry
        });
        Self {
            retry: own.or(section.retry),
            timeout: self.timeout.or(section.timeout),
        }
    }
}

impl Failure {
    /// Is it worth another attempt?
    pub(crate) fn is_worth_it(&self) -> bool {
        if self.record.plan.trap == Trap::RetryIf {
            silent_panic();
        }
        matches!(self.record.plan.deed, Deed::FailFirst(_))
    }
}

fn keep((job,): &(Job,)) -> Mark {
    let record = &job.record;
    if record.plan.trap == Trap::Keep {
        silent_panic();
    }
    Mark {
        name: record.name,
        describe: record.plan.trap,
        _alive: Counted::new(&job.alive.site, Value::Kept, false),
    }
}

fn describe(mark: &Mark) -> Option<String> {
    if mark.describe == Trap::Describe {
        silent_panic();
    }
    Some(format!("{}:{}", mark.name.0, mark.name.1))
}

/// The task that a call's text names.
pub(crate) fn named(text: &str) -> Option<(u64, usize)> {
    let (site, task) = text.split_once(':')?;
    Some((site.parse().ok()?, task.parse().ok()?))
}

fn perform((mut job,): (Job,)) -> Result<Output, Failure> {
    let (record, site) = (job.record.clone(), job.alive.site.clone());
    job.alive.explodes = false;
    let attempt = record.begin(&site);
    let presence = Presence::enter(&site);
    for _ in 0..record.plan.pauses {
        std::thread::yield_now();
    }
    match &record.plan.deed {
        Deed::Wait => site.gate.wait(),
        // It will be told, so there is no need for more.
        Deed::WaitForStop if record.limits.timeout.is_some() => {
            while !is_stopping() {
                std::thread::sleep(RATE);
            }
        }
        Deed::WaitForStop => {
            site.gate.wait_or(is_stopping);
            let stopped = site.is_stopped() || record.stopped.load(SeqCst);
            site.check(!stopped || is_stopping(), || {
                "a task was not told of a stop".into()
            });
        }
        Deed::AskForStop => {
            site.asks.store(true, SeqCst);
            site.asked.open();
        }
        Deed::StopToken => site.token.stop(),
        Deed::SetLimit(limit) => site.world.set_limit(site.pool, *limit),
        Deed::Nest(section) => nested(&site.world, section),
        Deed::Succeed | Deed::Fail | Deed::FailFirst(_) | Deed::Panic | Deed::PanicTwice => {}
    }
    drop(presence);
    let count = |value, explodes| Counted::new(&site, value, explodes);
    let trap = record.plan.trap;
    let outcome = match record.plan.deed {
        Deed::Fail => FAILED,
        Deed::FailFirst(times) if attempt <= times => FAILED,
        Deed::Panic | Deed::PanicTwice => PANICKED,
        _ => SUCCEEDED,
    };
    record.outcome.store(outcome, SeqCst);
    record.running.store(false, SeqCst);
    match outcome {
        FAILED => Err(Failure {
            record: record.clone(),
            _alive: count(Value::Error, trap == Trap::DropError),
        }),
        PANICKED => blast(&site, matches!(record.plan.deed, Deed::PanicTwice)),
        _ => Ok(Output {
            record: record.clone(),
            _alive: count(Value::Result, trap == Trap::DropResult),
        }),
    }
}

impl Record {
    /// Would it have been tried again, had nothing been stopped?
    pub(crate) fn may_be_cut_short(&self) -> bool {
        let failed = self.outcome.load(SeqCst) == FAILED;
        failed && self.is_worth_it() && self.attempts.load(SeqCst) < self.most_attempts()
    }

    pub(crate) fn most_attempts(&self) -> usize {
        self.limits.retry.map_or(1, |retry| retry.attempts as usize)
    }

    /// Would a failure be worth another attempt?
    pub(crate) fn is_worth_it(&self) -> bool {
        let picky = self.limits.retry.is_some_and(|retry| retry.picky);
        let worth = matches!(self.plan.deed, Deed::FailFirst(_)) && self.plan.trap != Trap::RetryIf;
        worth || !picky
    }

    /// Begins an attempt, and checks that there may be one; returns its number.
    fn begin(&self, site: &Site) -> usize {
        let attempt = self.attempts.fetch_add(1, SeqCst) + 1;
        let name = self.name;
        site.check(attempt <= self.most_attempts(), || {
            format!("{name:?} was run {attempt} times")
        });
        site.check(!self.running.swap(true, SeqCst), || {
            format!("{name:?} runs twice at once")
        });
        site.check(!self.barred.load(SeqCst), || {
            format!("{name:?} runs, but it was cancelled or given back")
        });
        let last = self.outcome.load(SeqCst);
        let again = last == FAILED && self.is_worth_it();
        site.check(attempt == 1 || again, || {
            format!("{name:?} runs again after {last}")
        });
        // A task may be told to have timed out before it gets here.
        let ended = self.seen.load(SeqCst) > 0 && self.limits.timeout.is_none();
        site.check(!ended, || format!("{name:?} runs after its end was read"));
        attempt
    }
}

impl Site {
    /// A task to be submitted.
    pub(crate) fn offer(self: &Arc<Self>, plan: &Task, place: Option<(u64, usize)>) -> Job {
        self.offer_limited(plan, place, self.options.limits)
    }

    pub(crate) fn offer_limited(
        self: &Arc<Self>,
        plan: &Task,
        place: Option<(u64, usize)>,
        limits: Limits,
    ) -> Job {
        self.make_job(&Arc::new(plan.clone()), place, limits, None)
    }

    pub(crate) fn make_job(
        self: &Arc<Self>,
        plan: &Arc<Task>,
        place: Option<(u64, usize)>,
        limits: Limits,
        feed: Option<Arc<Feed>>,
    ) -> Job {
        let mut records = self.records.lock().unwrap();
        let record = Arc::new(Record {
            name: (self.number, records.len()),
            plan: plan.clone(),
            limits,
            place,
            feed: feed.clone(),
            attempts: AtomicUsize::new(0),
            outcome: AtomicUsize::new(NOTHING),
            running: AtomicBool::new(false),
            barred: AtomicBool::new(false),
            seen: AtomicUsize::new(0),
            returned: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        records.push(record.clone());
        Job {
            record,
            _shift: Shift::begin(feed),
            alive: Counted::new(self, Value::Args, plan.trap == Trap::DropArgs),
        }
    }
}
