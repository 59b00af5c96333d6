//! The side of a pool that its threads see.

use std::cell::Cell;
use std::time::Duration;

use super::shared::{Shared, State, Work, quietly};
use crate::sync::thread::{Builder, JoinHandle};
use crate::sync::{Arc, MutexGuard, Ordering, spin, thread_local};
use crate::unwind;

/// How long a thread that has just worked looks for more before it sleeps: about what waking it would take.
const AWAKE_FOR: Duration = Duration::from_micros(48);
/// How often it looks.
const LOOK: Duration = Duration::from_micros(8);

thread_local! {
    /// The pool that this thread belongs to, by address; only compared, never followed.
    static HOME: Cell<usize> = const { Cell::new(0) };
    /// Is this thread counted in [`State::awake`]?
    static AWAKE: Cell<bool> = const { Cell::new(false) };
    /// Is this thread counted in [`State::at_tasks`]?
    static AT_TASKS: Cell<bool> = const { Cell::new(false) };
    /// How many tasks this thread has run, where that is limited.
    static RAN: Cell<usize> = const { Cell::new(0) };
}

impl Shared {
    /// Is the calling thread to leave its tasks to another one, now or as soon as there is one? It has to ask for that one
    /// first, and then to leave.
    #[inline]
    pub(crate) fn wants_place(&self) -> bool {
        (self.has_surplus() && self.leaves_as_surplus()) || self.is_spent()
    }

    /// Are more threads at tasks than may be? A hint.
    pub(crate) fn has_surplus(&self) -> bool {
        self.surplus.load(Ordering::Relaxed)
    }

    #[cold]
    fn leaves_as_surplus(&self) -> bool {
        if !self.is_current() || !AT_TASKS.get() {
            return false;
        }
        let mut state = self.state.lock();
        let surplus = state.at_tasks > state.task_limit;
        if surplus {
            AT_TASKS.set(false);
            state.at_tasks -= 1;
            self.publish(&state);
        }
        surplus
    }

    /// Is the number of tasks limited that a thread runs? Then each is to be counted.
    pub(crate) fn counts_tasks(&self) -> bool {
        self.config.max_tasks.is_some()
    }

    /// Counts a task that the calling thread has run.
    pub(crate) fn count_task(&self) {
        if self.is_current() {
            RAN.set(RAN.get() + 1);
        }
    }

    /// Has the calling thread run as many tasks as it may?
    fn is_spent(&self) -> bool {
        (self.config.max_tasks).is_some_and(|most| self.is_current() && RAN.get() >= most)
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

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(super) fn start_thread(self: &Arc<Self>, number: usize) -> std::io::Result<JoinHandle<()>> {
        let mut builder = Builder::new().name(format!("{}-{number}", self.config.name));
        if let Some(bytes) = self.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let shared = self.clone();
        builder.spawn(move || shared.run_thread())
    }

    fn run_thread(self: &Arc<Self>) {
        HOME.with(|home| home.set(self.address()));
        self.initialise();
        let mut worked = false;
        while let Some(work) = self.next_work(worked) {
            quietly(|| work.work());
            worked = true;
        }
        self.run_stop_hook();
    }

    /// Waits for a place; `None` when this thread should end.
    fn next_work(self: &Arc<Self>, mut stay_awake: bool) -> Option<Arc<dyn Work>> {
        if AWAKE.get() && !self.is_spent() {
            stay_awake = self.look_around();
        }
        let mut state = self.state.lock();
        if AT_TASKS.replace(false) {
            state.at_tasks -= 1;
            self.publish(&state);
            // What this thread does not take, another one can: it may go on with something else.
            if state.task_limit != usize::MAX && state.open_places() > 0 {
                self.wanted.notify_one();
            }
        }
        if self.is_spent() {
            state = self.replace_this_thread(state)?;
        }
        loop {
            if AWAKE.replace(false) {
                state.awake -= 1;
            }
            if let Some((work, spent)) = state.take_place() {
                AT_TASKS.set(work.runs_tasks());
                self.publish(&state);
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
            if timed_out && state.open_places() == 0 {
                self.leave(&mut state);
                return None;
            }
        }
    }

    /// Lets this thread go, which has run as many tasks as it may, and starts another one if there is something to do;
    /// gives the lock back if that cannot be started.
    fn replace_this_thread<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
    ) -> Option<MutexGuard<'a, State>> {
        if AWAKE.replace(false) {
            state.awake -= 1;
        }
        self.leave(&mut state);
        if state.open_places() == 0 || self.is_closed() {
            return None;
        }
        if self.provide(state, 1) > 0 {
            return None;
        }
        // Better an old thread than none.
        RAN.set(0);
        let mut state = self.state.lock();
        state.threads += 1;
        Some(state)
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

    /// Runs the start hook; if it fails, the pool is broken: no thread is used for tasks any more. Loops go on.
    fn initialise(&self) {
        let Some(hook) = &self.config.on_thread_start else {
            return;
        };
        let reason = match unwind::catch(hook) {
            Ok(Ok(())) => return,
            Ok(Err(reason)) => format!("the hook on_thread_start failed: {reason}"),
            Err(payload) => {
                let message = unwind::message(&payload);
                let reason = format!("the hook on_thread_start panicked: {message}");
                unwind::discard(payload);
                reason
            }
        };
        quietly(|| tracing::error!(target: "futureproof", pool = %self.config.name, "{reason}"));
        let mut state = self.state.lock();
        let _ = self.broken.set(reason.into());
        let abandoned = state.take_task_requests();
        self.publish(&state);
        drop(state);
        for request in abandoned {
            quietly(|| request.work.abandon());
        }
        if let Some(submitted) = self.submitted.get() {
            quietly(|| submitted.abandon());
        }
    }

    fn run_stop_hook(&self) {
        let Some(hook) = &self.config.on_thread_stop else {
            return;
        };
        if let Err(payload) = unwind::catch(hook) {
            quietly(|| {
                tracing::error!(
                    target: "futureproof",
                    pool = %self.config.name,
                    panic = unwind::message(&payload),
                    "the hook on_thread_stop panicked"
                );
            });
            unwind::discard(payload);
        }
    }
}
