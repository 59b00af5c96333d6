//! The state that a pool's handle and its threads share.
//!
//! Work is queued as *requests*: "up to n threads may join this". A thread takes one place of the frontmost request,
//! joins, and comes back when there is nothing left to do there. Rules:
//!
//! 1. A thread joins only work that asked for it, and runs nothing else until it has left that work.
//! 2. A request is withdrawn by the work that made it, so the queue holds no stale entries.
//! 3. No user code runs while the lock is held.
//! 4. A thread that has just worked stays awake for a moment: the next loop then finds it without a system call. No more
//!    threads do so than there are cores beside the caller's.
//! 5. No more threads are in work that runs tasks than the task limit allows; places of other such work wait. A thread that
//!    is one too many, or has run as many tasks as it may, leaves its work, which asks for another one first.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::stats::Tallies;
use super::timer::Timer;
use crate::sync::thread::JoinHandle;
use crate::sync::{
    Arc, AtomicBool, AtomicUsize, Condvar, Mutex, MutexGuard, OnceLock, Ordering, cores,
};
use crate::task::Submitted;
use crate::unwind;

/// Something that pool threads can join.
pub(crate) trait Work: Send + Sync {
    /// Joins, runs what there is to run, and returns when there is nothing left to do. Must not unwind.
    fn work(&self);

    /// Hears that no thread will come for what was requested: the pool is closed, or, for tasks, broken.
    fn abandon(&self);

    /// Hears that none of so many threads will come that were requested, as none can be started: it has to do without them.
    /// Must not unwind.
    fn nobody_comes(&self, _threads: usize) {}

    /// Does it run tasks? They are subject to the task limit, and need threads whose start hook has succeeded.
    fn runs_tasks(&self) -> bool {
        false
    }

    /// Hears that a moment has come for which it asked by [`Shared::alarm_at`]. Must not unwind, nor wait.
    fn alarm(&self) {}

    /// Has [`alarm`](Self::alarm) called at once, if possible on another thread: it may run code of the user's.
    fn alarm_now(&self) {
        self.alarm();
    }
}

pub(super) type StopHook = Box<dyn Fn() + Send + Sync>;
/// Gives the text of its failure.
pub(super) type StartHook = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) limit: usize,
    pub(crate) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) keep_alive: Duration,
    /// How many tasks a thread runs before another one takes its place.
    pub(super) max_tasks: Option<usize>,
    pub(super) on_thread_start: Option<StartHook>,
    pub(super) on_thread_stop: Option<StopHook>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(super) state: Mutex<State>,
    /// Signalled once per place that an idle thread should look at.
    pub(super) wanted: Condvar,
    /// Signalled when the last thread has gone, or, once the pool is closed, has been started.
    gone: Condvar,
    /// The tasks of the pool itself, as against those of a scope.
    pub(super) submitted: OnceLock<Arc<Submitted>>,
    /// Changed under the lock, which orders what comes with it; read without it where an old answer does no harm.
    pub(super) closed: AtomicBool,
    /// The number of the latest request while there are places, else 0: for threads that look without the lock. A hint, so
    /// relaxed: they look again under the lock.
    pub(super) ticket: CachePadded<AtomicUsize>,
    /// Are more threads at tasks than may be? A hint, like the ticket.
    pub(super) surplus: AtomicBool,
    /// A loop has failed to start a thread that others may rely on. Relaxed: whoever sets it looks at it.
    untold: AtomicBool,
    /// Why no thread can be used for tasks, if a start hook has failed.
    pub(super) broken: OnceLock<Arc<str>>,
    pub(super) timer: Timer,
    pub(super) tallies: Tallies,
}

pub(super) struct State {
    pub(super) requests: VecDeque<Request>,
    /// Places in `requests`, summed; of those, the ones for tasks.
    pub(super) places: usize,
    pub(super) task_places: usize,
    /// Threads that are at tasks, and how many may be.
    pub(super) at_tasks: usize,
    pub(super) task_limit: usize,
    /// How often places were added.
    tickets: usize,
    /// Threads that sleep until there is a place.
    pub(super) idle: usize,
    /// Threads that stay awake for a moment, looking for a place.
    pub(super) awake: usize,
    /// Threads that exist or are being started.
    pub(super) threads: usize,
    /// Of those, the ones whose handles are not here yet.
    starting: usize,
    /// Threads ever started, for their names.
    started: usize,
    /// Of threads that have not been joined yet.
    handles: Vec<JoinHandle<()>>,
    warned: bool,
}

impl State {
    /// How many threads could begin with something now.
    pub(super) fn open_places(&self) -> usize {
        let room = self.task_limit.saturating_sub(self.at_tasks);
        self.places - self.task_places + self.task_places.min(room)
    }

    /// Takes one place of the frontmost request that may be served now.
    pub(super) fn take_place(&mut self) -> Option<(Arc<dyn Work>, Option<Request>)> {
        let may_task = self.at_tasks < self.task_limit;
        let at = (self.requests.iter()).position(|request| may_task || !request.tasks)?;
        let request = &mut self.requests[at];
        let work = request.work.clone();
        request.places -= 1;
        self.places -= 1;
        if request.tasks {
            self.task_places -= 1;
            self.at_tasks += 1;
        }
        let spent = if request.places == 0 {
            self.requests.remove(at)
        } else {
            None
        };
        Some((work, spent))
    }

    /// Takes the requests out that are for tasks.
    pub(super) fn take_task_requests(&mut self) -> Vec<Request> {
        let requests = std::mem::take(&mut self.requests).into_iter();
        let (tasks, rest) = requests.partition::<Vec<_>, _>(|request| request.tasks);
        self.requests = rest.into();
        self.places -= std::mem::take(&mut self.task_places);
        tasks
    }

    /// Counts a thread in that stays awake for a moment, if one more is of use.
    pub(super) fn stay_awake(&mut self) -> bool {
        let one_more = self.awake + 1 < cores();
        self.awake += usize::from(one_more);
        one_more
    }
}

pub(super) struct Request {
    pub(super) work: Arc<dyn Work>,
    places: usize,
    pub(super) tasks: bool,
}

impl Shared {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            state: Mutex::new(State {
                requests: VecDeque::new(),
                places: 0,
                task_places: 0,
                at_tasks: 0,
                task_limit: usize::MAX,
                tickets: 0,
                idle: 0,
                awake: 0,
                threads: 0,
                starting: 0,
                started: 0,
                handles: Vec::new(),
                warned: false,
            }),
            wanted: Condvar::new(),
            gone: Condvar::new(),
            submitted: OnceLock::new(),
            closed: AtomicBool::new(false),
            ticket: CachePadded::new(AtomicUsize::new(0)),
            surplus: AtomicBool::new(false),
            untold: AtomicBool::new(false),
            broken: OnceLock::new(),
            timer: Timer::default(),
            tallies: Tallies::default(),
        }
    }

    /// Asks that up to `threads` more threads join `work`; returns how many threads the pool has.
    ///
    /// Zero means that none could be started: the caller has to do the work itself. All who have requested one for tasks are
    /// told so by [`Work::nobody_comes`], at once if it was for tasks, else when [`Self::tell_late`] is called.
    pub(crate) fn request(self: &Arc<Self>, work: &Arc<dyn Work>, threads: usize) -> usize {
        let tasks = work.runs_tasks();
        let mut state = self.state.lock();
        if self.is_closed() || threads == 0 || (tasks && self.broken().is_some()) {
            return state.threads;
        }
        match (state.requests.iter_mut()).find(|request| Arc::ptr_eq(&request.work, work)) {
            Some(request) => request.places += threads,
            None => state.requests.push_back(Request {
                work: work.clone(),
                places: threads,
                tasks,
            }),
        }
        state.places += threads;
        state.task_places += if tasks { threads } else { 0 };
        state.tickets += 1;
        self.publish(&state);
        if state.open_places() == 0 {
            // Not a lack of threads: those there may be are busy, or the pool is paused.
            return state.threads.max(1);
        }
        match self.provide(state, threads) {
            0 if tasks => self.tell_that_nobody_comes(),
            0 => {
                self.untold.store(true, Ordering::Relaxed);
                0
            }
            threads => threads,
        }
    }

    /// Tells what a loop has not, which is now over: whoever is told may run tasks, which is not for a loop to wait for.
    pub(crate) fn tell_late(&self) {
        if self.untold.load(Ordering::Relaxed) && self.untold.swap(false, Ordering::Relaxed) {
            self.tell_that_nobody_comes();
        }
    }

    /// Tells those who wait for a thread for their tasks that there is none, if that is so; returns how many there are.
    ///
    /// When they asked there was one: another thread was just about to start it, and failed. Or the pool was paused.
    #[cold]
    fn tell_that_nobody_comes(&self) -> usize {
        let mut state = self.state.lock();
        if state.threads > 0 || self.is_closed() {
            return state.threads;
        }
        if state.task_limit == 0 {
            // They will be told when the pause is over.
            return 1;
        }
        let mut requests = state.take_task_requests();
        self.publish(&state);
        drop(state);
        // Scopes first: a task that was submitted may wait for one of theirs.
        let own: Option<Arc<dyn Work>> = self.submitted.get().map(|own| own.clone() as _);
        requests.sort_by_key(|request| {
            own.as_ref()
                .is_some_and(|own| Arc::ptr_eq(own, &request.work))
        });
        for request in requests {
            request.work.nobody_comes(request.places);
        }
        0
    }

    /// Wakes or starts up to `threads` threads, as far as there are places for them; returns how many threads there are
    /// or, however soon they have gone again, were.
    pub(super) fn provide<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        threads: usize,
    ) -> usize {
        // Who is awake comes by itself.
        let asleep = state.open_places().saturating_sub(state.awake);
        let to_wake = threads.min(asleep).min(state.idle);
        let mut missing = asleep.saturating_sub(state.idle).min(threads);
        if to_wake > 0 {
            // Not under the lock, which is the first thing they want.
            let threads = state.threads;
            drop(state);
            (0..to_wake).for_each(|_| self.wanted.notify_one());
            if missing == 0 {
                return threads;
            }
            state = self.state.lock();
        }
        let mut some = 0;
        while missing > 0 && state.threads < self.config.limit && !self.is_closed() {
            state.threads += 1;
            state.starting += 1;
            state.started += 1;
            let number = state.started;
            drop(state);
            let handle = self.start_thread(number);
            state = self.state.lock();
            state.starting -= 1;
            if state.starting == 0 && self.is_closed() {
                self.gone.notify_all();
            }
            match handle {
                Ok(handle) => {
                    // Threads that have been let go need no joining any more.
                    state.handles.retain(|handle| !handle.is_finished());
                    state.handles.push(handle);
                    some = 1;
                }
                Err(error) => {
                    self.leave(&mut state);
                    let first = !std::mem::replace(&mut state.warned, true);
                    let threads = state.threads.max(some);
                    drop(state);
                    if first {
                        self.warn_no_thread(&error, threads);
                    }
                    return threads;
                }
            }
            missing -= 1;
        }
        state.threads.max(some)
    }

    /// Shows those who look without the lock what they may find.
    pub(super) fn publish(&self, state: &State) {
        let ticket = if state.open_places() == 0 {
            0
        } else {
            state.tickets
        };
        self.ticket.store(ticket, Ordering::Relaxed);
        let surplus = state.at_tasks > state.task_limit;
        if surplus != self.surplus.load(Ordering::Relaxed) {
            self.surplus.store(surplus, Ordering::Relaxed);
        }
    }

    #[cold]
    fn warn_no_thread(&self, error: &std::io::Error, threads: usize) {
        quietly(|| {
            tracing::warn!(
                target: "futureproof",
                pool = %self.config.name,
                error = %error,
                threads,
                "cannot start another thread; going on with those there are"
            );
        });
    }

    /// Takes back what `work` requested and nobody has taken yet.
    pub(crate) fn withdraw(&self, work: &Arc<dyn Work>) {
        let mut state = self.state.lock();
        let found = state
            .requests
            .iter()
            .position(|request| Arc::ptr_eq(&request.work, work));
        let request = found.and_then(|at| state.requests.remove(at));
        if let Some(request) = &request {
            state.places -= request.places;
            state.task_places -= if request.tasks { request.places } else { 0 };
            self.publish(&state);
        }
        drop(state);
        if work.runs_tasks() {
            self.forget_alarm(work);
        }
    }

    /// Sets how many threads may be at tasks.
    pub(super) fn set_task_limit(self: &Arc<Self>, limit: usize) {
        let mut state = self.state.lock();
        state.task_limit = limit;
        self.publish(&state);
        let open = state.open_places();
        if open > 0 && self.provide(state, open) == 0 {
            self.tell_that_nobody_comes();
        }
    }

    pub(crate) fn task_limit(&self) -> Option<usize> {
        let limit = self.state.lock().task_limit;
        (limit != usize::MAX).then_some(limit)
    }

    /// Why no thread can be used for tasks, if that is so.
    pub(crate) fn broken(&self) -> Option<&Arc<str>> {
        self.broken.get()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(crate) fn submitted(&self) -> &OnceLock<Arc<Submitted>> {
        &self.submitted
    }

    pub(super) fn threads(&self) -> usize {
        self.state.lock().threads
    }

    /// How many threads there are, and how many of them have nothing to do.
    pub(super) fn threads_and_idle(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.threads, state.idle + state.awake)
    }

    /// Abandons what is queued, lets the threads finish what they are in, and joins them.
    pub(super) fn close(&self) {
        let (requests, handles) = {
            let mut state = self.state.lock();
            self.closed.store(true, Ordering::Relaxed);
            (state.places, state.task_places) = (0, 0);
            self.publish(&state);
            (
                std::mem::take(&mut state.requests),
                std::mem::take(&mut state.handles),
            )
        };
        self.wanted.notify_all();
        for request in requests {
            quietly(|| request.work.abandon());
        }
        // They may wait without a request, when as many threads as there can be have been asked for.
        if let Some(submitted) = self.submitted.get() {
            quietly(|| submitted.abandon());
        }
        self.close_timer();
        // A pool dropped by one of its own bodies must not wait for itself.
        if self.is_current() {
            return;
        }
        let mut state = self.state.lock();
        while state.threads + state.starting > 0 {
            state = self.gone.wait(state);
        }
        let late = std::mem::take(&mut state.handles);
        drop(state);
        for handle in handles.into_iter().chain(late) {
            // Pool threads catch everything, so there is no panic to hear of.
            let _ = handle.join();
        }
    }

    /// Counts a thread out under the lock that saw the queue empty, so that the next request starts another one.
    pub(super) fn leave(&self, state: &mut State) {
        state.threads -= 1;
        if state.threads == 0 {
            self.gone.notify_all();
        }
    }
}

/// Runs `f`; its panic, a subscriber's perhaps, has nobody to go to.
pub(super) fn quietly(f: impl FnOnce()) {
    if let Err(payload) = unwind::catch(f) {
        unwind::discard(payload);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("name", &self.config.name)
            .finish_non_exhaustive()
    }
}
