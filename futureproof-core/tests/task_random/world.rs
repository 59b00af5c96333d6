//! What a running program keeps count of, and the checks that hold at any moment.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use futureproof_core::{ErrorPolicy, StopToken, TaskPool};

use crate::job::Record;
use crate::pools::{Inside, PoolWorld, is_inside};
use crate::program::{Kind, Options, Section};

/// One program that runs.
pub(crate) struct World {
    pub(crate) pools: Vec<PoolWorld>,
    /// Threads that will do something in a moment.
    pub(crate) helpers: AtomicUsize,
    /// Where threads of one pool lay down the other, which they must not wait for.
    graveyard: Mutex<Vec<Arc<TaskPool>>>,
    sites: Mutex<Vec<Arc<Site>>>,
    faults: Mutex<Vec<String>>,
}

/// One section that runs.
pub(crate) struct Site {
    pub(crate) number: u64,
    pub(crate) world: Arc<World>,
    pub(crate) pool: usize,
    pub(crate) options: Options,
    /// Its tasks are the pool's own, and were they submitted in a task?
    submits: bool,
    nested: bool,
    pub(crate) is_scope: bool,
    pub(crate) workers: usize,
    pub(crate) begun: Instant,
    pub(crate) token: StopToken,
    pub(crate) gate: Gate,
    /// Opened when a task asks for a stop, and when it is too late for that.
    pub(crate) asked: Gate,
    pub(crate) asks: AtomicBool,
    /// What its tasks were offered as.
    pub(crate) records: Mutex<Vec<Arc<Record>>>,
    /// Values of the user's that are alive.
    pub(crate) alive: [AtomicIsize; VALUES],
    running: AtomicUsize,
    /// Threads that are taking a result.
    pub(crate) reading: AtomicUsize,
    /// Results may have been dropped unread.
    pub(crate) discards: AtomicBool,
    /// Inputs that panicked.
    pub(crate) source_panics: AtomicUsize,
    /// Its input never ends.
    pub(crate) endless: AtomicBool,
    /// Somebody may be stopping or closing it; somebody has stopped it.
    pub(crate) stopping: AtomicBool,
    stopped: AtomicBool,
    started_after_stop: AtomicUsize,
    /// It was joined: no task of it may run any more.
    pub(crate) joined: AtomicBool,
    pub(crate) seen: Mutex<Seen>,
    /// Callbacks, and how many of them were called.
    pub(crate) callbacks: AtomicUsize,
    pub(crate) called: AtomicUsize,
}

/// The ends that were read.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) indices: HashSet<usize>,
    pub(crate) last_in_order: Option<(u64, usize)>,
}

/// Kinds of values that are dropped exactly once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Args,
    Kept,
    Result,
    Error,
    Payload,
    Source,
    Callback,
}

const VALUES: usize = 7;

impl World {
    pub(crate) fn new(pools: Vec<PoolWorld>) -> Arc<Self> {
        Arc::new(Self {
            pools,
            helpers: AtomicUsize::new(0),
            graveyard: Mutex::default(),
            sites: Mutex::default(),
            faults: Mutex::default(),
        })
    }

    pub(crate) fn fault(&self, what: impl Into<String>) {
        self.faults.lock().unwrap().push(what.into());
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap().clone()
    }

    pub(crate) fn new_site(self: &Arc<Self>, section: &Section) -> Arc<Site> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let site = Arc::new(Site {
            number: NUMBER.fetch_add(1, SeqCst),
            world: self.clone(),
            pool: section.pool,
            options: section.options.clone(),
            submits: matches!(section.kind, Kind::Handles { .. }),
            nested: is_inside(),
            is_scope: matches!(section.kind, Kind::Scope { .. }),
            workers: self.pools[section.pool].plan.workers,
            begun: Instant::now(),
            token: StopToken::new(),
            gate: Gate::default(),
            asked: Gate::default(),
            asks: AtomicBool::new(false),
            records: Mutex::default(),
            alive: Default::default(),
            running: AtomicUsize::new(0),
            reading: AtomicUsize::new(0),
            discards: AtomicBool::new(false),
            source_panics: AtomicUsize::new(0),
            endless: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            started_after_stop: AtomicUsize::new(0),
            joined: AtomicBool::new(false),
            seen: Mutex::default(),
            callbacks: AtomicUsize::new(0),
            called: AtomicUsize::new(0),
        });
        self.sites.lock().unwrap().push(site.clone());
        site
    }

    /// Lets go of a pool, in a task perhaps. One that is dropped there waits for its threads, and they perhaps for this one.
    pub(crate) fn lay_down(&self, pool: Arc<TaskPool>) {
        if self.pools.len() > 1 {
            self.graveyard.lock().unwrap().push(pool);
        }
    }

    pub(crate) fn bury(&self) {
        let pools = std::mem::take(&mut *self.graveyard.lock().unwrap());
        drop(pools);
    }

    pub(crate) fn sites(&self) -> Vec<Arc<Site>> {
        self.sites.lock().unwrap().clone()
    }

    /// Forgets the sections, which hold the world themselves; returns how many tasks they had.
    pub(crate) fn forget_sites(&self) -> usize {
        let sites = std::mem::take(&mut *self.sites.lock().unwrap());
        sites
            .iter()
            .map(|site| site.records.lock().unwrap().len())
            .sum()
    }
}

impl Site {
    pub(crate) fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            let (number, what) = (self.number, what());
            self.world.fault(format!("section {number}: {what}"));
        }
    }

    /// Does something that stops or closes it.
    pub(crate) fn stopping<R>(&self, stop: impl FnOnce() -> R) -> R {
        self.stopping.store(true, SeqCst);
        let result = stop();
        self.endless.store(false, SeqCst);
        result
    }

    /// Says that a stop has returned: what is not on its way to a thread starts no more.
    pub(crate) fn has_stopped(&self) {
        self.stopped.store(true, SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(SeqCst)
    }

    /// May something stop it, so that tasks are cancelled or not tried again?
    pub(crate) fn may_stop(&self) -> bool {
        self.options.policy == ErrorPolicy::Raise || self.may_stop_otherwise()
    }

    /// May something stop it other than a failure?
    pub(crate) fn may_stop_otherwise(&self) -> bool {
        let pool = &self.world.pools[self.pool];
        self.stopping.load(SeqCst)
            || self.options.token
            || self.options.deadline.is_some()
            || pool.may_break()
            // Tasks that were submitted in a task heed what that one is told.
            || self.submits && (self.nested || pool.closed.load(SeqCst))
            || pool.pool.strong_count() == 0
    }

    /// How many values are alive, those of one kind after the other.
    pub(crate) fn values(&self) -> [isize; VALUES] {
        std::array::from_fn(|value| self.alive[value].load(SeqCst))
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("number", &self.number)
            .field("pool", &self.pool)
            .field("options", &self.options)
            .field("offered", &self.records.lock().unwrap().len())
            .field("running", &self.running)
            .field("values", &self.values())
            .field("stopped", &self.stopped)
            .field("joined", &self.joined)
            .finish_non_exhaustive()
    }
}

/// A body that runs.
pub(crate) struct Presence<'a> {
    site: &'a Site,
    is_counted: bool,
    _inside: Inside<'a>,
}

impl<'a> Presence<'a> {
    pub(crate) fn enter(site: &'a Site) -> Self {
        // A task that joins another one or drains the pool may run it in its place: then it does nothing itself.
        let is_counted = !is_inside();
        if is_counted {
            let running = site.running.fetch_add(1, SeqCst) + 1;
            site.check(running <= site.workers, || {
                format!("{running} tasks run at once")
            });
        }
        site.check(!site.joined.load(SeqCst), || {
            "a task runs after the join".into()
        });
        if site.is_stopped() {
            let late = site.started_after_stop.fetch_add(1, SeqCst) + 1;
            site.check(late <= site.workers, || {
                format!("{late} tasks started after a stop")
            });
        }
        Self {
            site,
            is_counted,
            _inside: site.world.pools[site.pool].enter(site),
        }
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if self.is_counted {
            self.site.running.fetch_sub(1, SeqCst);
        }
    }
}

/// Counts a value while it is alive, and may panic when it is dropped.
pub(crate) struct Counted {
    pub(crate) site: Arc<Site>,
    value: Value,
    pub(crate) explodes: bool,
}

impl Counted {
    pub(crate) fn new(site: &Arc<Site>, value: Value, explodes: bool) -> Self {
        site.alive[value as usize].fetch_add(1, SeqCst);
        Self {
            site: site.clone(),
            value,
            explodes,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.site.alive[self.value as usize].fetch_sub(1, SeqCst);
        self.site.check(before > 0, || {
            format!("{:?} were dropped twice", self.value)
        });
        if self.explodes {
            self.explodes = false;
            silent_panic();
        }
    }
}

/// A panic that prints nothing.
pub(crate) fn silent_panic() -> ! {
    resume_unwind(Box::new("expected"))
}

/// Drops what may panic then.
pub(crate) fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// A door that threads wait at; who waits too long opens it, so that nothing waits for ever.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    const PATIENCE: Duration = Duration::from_millis(2);

    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub(crate) fn wait(&self) {
        self.wait_or(|| false);
    }

    /// Waits until it is open, or something else is the case.
    pub(crate) fn wait_or(&self, enough: impl Fn() -> bool) {
        let begun = Instant::now();
        let mut open = self.open.lock().unwrap();
        while !*open {
            if begun.elapsed() >= Self::PATIENCE {
                *open = true;
                self.opened.notify_all();
                return;
            }
            open = self
                .opened
                .wait_timeout(open, Self::PATIENCE / 8)
                .unwrap()
                .0;
            if enough() {
                return;
            }
        }
    }

    /// Waits for somebody else to open it.
    pub(crate) fn wait_for_others(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }
}
