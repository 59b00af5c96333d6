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

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, cores, spin};
use crate::task::Submitted;
use crate::unwind;

/// Something that pool threads can join.
pub(crate) trait Work: Send + Sync {
    /// Joins, runs what there is to run, and returns when there is nothing left to do. Must not unwind.
    fn work(&self);

    /// Hears that the pool is closed: no thread will come for what was requested.
    fn abandon(&self);
}

/// How long a thread that has just worked looks for more before it sleeps: about what waking it would take.
const AWAKE_FOR: Duration = Duration::from_micros(48);
/// How often it looks.
const LOOK: Duration = Duration::from_micros(8);

pub(super) type Hook = Box<dyn Fn() + Send + Sync>;

pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) limit: usize,
    pub(crate) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) keep_alive: Duration,
    pub(super) on_thread_start: Option<Hook>,
    pub(super) on_thread_stop: Option<Hook>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    state: Mutex<State>,
    /// Signalled once per place that an idle thread should look at.
    wanted: Condvar,
    /// Signalled when the last thread has gone.
    gone: Condvar,
    /// The tasks of the pool itself, as against those of a scope.
    submitted: OnceLock<Arc<Submitted>>,
    /// Changed under the lock; read without it where an old answer does no harm.
    closed: AtomicBool,
    /// The number of the latest request while there are places, else 0: for threads that look without the lock. A hint, so
    /// relaxed: they look again under the lock.
    ticket: CachePadded<AtomicUsize>,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    /// Places in `requests`, summed.
    places: usize,
    /// How often places were added.
    tickets: usize,
    /// Threads that sleep until there is a place.
    idle: usize,
    /// Threads that stay awake for a moment, looking for a place.
    awake: usize,
    /// Threads that exist or are being started.
    threads: usize,
    /// Threads ever started, for their names.
    started: usize,
    /// Of threads that have not been joined yet.
    handles: Vec<JoinHandle<()>>,
    warned: bool,
}

impl State {
    /// Counts a thread in that stays awake for a moment, if one more is of use.
    fn stay_awake(&mut self) -> bool {
        let one_more = self.awake + 1 < cores();
        self.awake += usize::from(one_more);
        one_more
    }
}

struct Request {
    work: Arc<dyn Work>,
    places: usize,
}

thread_local! {
    /// The pool that this thread belongs to, by address; only compared, never followed.
    static HOME: Cell<usize> = const { Cell::new(0) };
    /// Is this thread counted in [`State::awake`]?
    static AWAKE: Cell<bool> = const { Cell::new(false) };
}

impl Shared {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            state: Mutex::default(),
            wanted: Condvar::new(),
            gone: Condvar::new(),
            submitted: OnceLock::new(),
            closed: AtomicBool::new(false),
            ticket: CachePadded::new(AtomicUsize::new(0)),
        }
    }

    /// Asks that up to `threads` more threads join `work`; returns how many threads the pool has.
    ///
    /// Zero means that none could be started: the caller has to do the work itself.
    pub(crate) fn request(self: &Arc<Self>, work: &Arc<dyn Work>, threads: usize) -> usize {
        let mut state = self.state.lock();
        if self.is_closed() || threads == 0 {
            return state.threads;
        }
        match state
            .requests
            .iter_mut()
            .find(|request| Arc::ptr_eq(&request.work, work))
        {
            Some(request) => request.places += threads,
            None => state.requests.push_back(Request {
                work: work.clone(),
                places: threads,
            }),
        }
        self.set_places(&mut state, |places| places + threads);
        // Who is awake comes by itself.
        let asleep = state.places.saturating_sub(state.awake);
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
        while missing > 0 && state.threads < self.config.limit {
            state.threads += 1;
            state.started += 1;
            let number = state.started;
            drop(state);
            let handle = self.start_thread(number);
            state = self.state.lock();
            match handle {
                Ok(handle) => {
                    // Threads that have been let go need no joining any more.
                    state.handles.retain(|handle| !handle.is_finished());
                    state.handles.push(handle);
                }
                Err(error) => {
                    self.leave(&mut state);
                    let first = !std::mem::replace(&mut state.warned, true);
                    let threads = state.threads;
                    drop(state);
                    if first {
                        self.warn_no_thread(&error, threads);
                    }
                    return threads;
                }
            }
            missing -= 1;
        }
        state.threads
    }

    fn set_places(&self, state: &mut State, change: impl FnOnce(usize) -> usize) {
        let before = state.places;
        state.places = change(before);
        if state.places > before {
            state.tickets += 1;
        }
        let ticket = if state.places == 0 { 0 } else { state.tickets };
        self.ticket.store(ticket, Ordering::Relaxed);
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
            self.set_places(&mut state, |places| places - request.places);
        }
        drop(state);
    }

    /// Hears from one of its threads that it is about to come back for more work.
    ///
    /// Said before the thread leaves its loop, this keeps the next loop, started the moment the first has ended, from
    /// waking another thread.
    pub(crate) fn expect_back(&self) {
        if self.is_current() && !AWAKE.get() {
            let mut state = self.state.lock();
            AWAKE.set(state.stay_awake());
        }
    }

    /// Is the calling thread one of this pool's?
    pub(crate) fn is_current(&self) -> bool {
        HOME.with(Cell::get) == self.address()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn submitted(&self) -> &OnceLock<Arc<Submitted>> {
        &self.submitted
    }

    pub(super) fn threads(&self) -> usize {
        self.state.lock().threads
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Abandons what is queued, lets the threads finish what they are in, and joins them.
    pub(super) fn close(&self) {
        let (requests, handles) = {
            let mut state = self.state.lock();
            self.closed.store(true, Ordering::Release);
            self.set_places(&mut state, |_| 0);
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
        // A pool dropped by one of its own bodies must not wait for itself.
        if self.is_current() {
            return;
        }
        let mut state = self.state.lock();
        while state.threads > 0 {
            state = self.gone.wait(state);
        }
        drop(state);
        for handle in handles {
            // Pool threads catch everything, so there is no panic to hear of.
            let _ = handle.join();
        }
    }

    fn start_thread(self: &Arc<Self>, number: usize) -> std::io::Result<JoinHandle<()>> {
        let mut builder =
            std::thread::Builder::new().name(format!("{}-{number}", self.config.name));
        if let Some(bytes) = self.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let shared = self.clone();
        builder.spawn(move || shared.run_thread())
    }

    fn run_thread(&self) {
        HOME.with(|home| home.set(self.address()));
        self.run_hook("on_thread_start", self.config.on_thread_start.as_ref());
        let mut worked = false;
        while let Some(work) = self.next_work(worked) {
            quietly(|| work.work());
            worked = true;
        }
        self.run_hook("on_thread_stop", self.config.on_thread_stop.as_ref());
    }

    /// Waits for a place; `None` when this thread should end.
    fn next_work(&self, mut stay_awake: bool) -> Option<Arc<dyn Work>> {
        if AWAKE.get() {
            stay_awake = self.look_around();
        }
        let mut state = self.state.lock();
        loop {
            if AWAKE.replace(false) {
                state.awake -= 1;
            }
            if let Some(request) = state.requests.front_mut() {
                let work = request.work.clone();
                request.places -= 1;
                let last = request.places == 0;
                let spent = if last {
                    state.requests.pop_front()
                } else {
                    None
                };
                self.set_places(&mut state, |places| places - 1);
                drop(state);
                drop(spent);
                return Some(work);
            }
            if self.is_closed() {
                self.leave(&mut state);
                return None;
            }
            if stay_awake && state.stay_awake() {
                AWAKE.set(true);
                drop(state);
                // Another thread may have been quicker: then it is worth another moment.
                stay_awake = self.look_around();
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let timed_out;
            (state, timed_out) = self.wanted.wait_timeout(state, self.config.keep_alive);
            state.idle -= 1;
            if timed_out && state.requests.is_empty() {
                self.leave(&mut state);
                return None;
            }
        }
    }

    /// Looks for a place without the lock, until there has been none for a moment.
    ///
    /// A place has to stay for a while: a small loop is over before another thread is of use, and each look takes a
    /// cache line from who runs it. Loops that come one after another keep the thread awake.
    fn look_around(&self) -> bool {
        let mut seen = 0;
        let mut left = AWAKE_FOR.as_micros() / LOOK.as_micros();
        spin(LOOK, || {
            if self.closed.load(Ordering::Relaxed) {
                return Some(true);
            }
            let ticket = self.ticket.load(Ordering::Relaxed);
            let before = std::mem::replace(&mut seen, ticket);
            if ticket == 0 {
                left -= 1;
                (left == 0).then_some(false)
            } else {
                left = AWAKE_FOR.as_micros() / LOOK.as_micros();
                (ticket == before).then_some(true)
            }
        })
    }

    /// Counts a thread out under the lock that saw the queue empty, so that the next request starts another one.
    fn leave(&self, state: &mut State) {
        state.threads -= 1;
        if state.threads == 0 {
            self.gone.notify_all();
        }
    }

    fn run_hook(&self, which: &'static str, hook: Option<&Hook>) {
        let Some(hook) = hook else { return };
        if let Err(payload) = unwind::catch(hook) {
            quietly(|| {
                tracing::error!(
                    target: "futureproof",
                    pool = %self.config.name,
                    panic = unwind::message(&payload),
                    "the hook {which} panicked"
                );
            });
            unwind::discard(payload);
        }
    }
}

/// Runs `f`; its panic, a subscriber's perhaps, has nobody to go to.
fn quietly(f: impl FnOnce()) {
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
