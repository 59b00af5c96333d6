//! The side of a board that pool threads see: take, run, record.

use crossbeam_utils::Backoff;

use super::board::{Board, Crew, End, Role, State};
use super::call::{Broken, drop_quietly};
use super::error::{Task, TaskErrorKind, TaskPanic};
use super::kept::Ended;
use super::log;
use super::queue::{Input, Next, Order, Queued};
use crate::policy::ErrorPolicy;
use crate::stop;
use crate::sync::MutexGuard;
use crate::unwind;

impl<'env, A, K, T, E> State<'env, A, K, T, E> {
    /// Takes what a thread can do next, if one more task may run.
    fn take(&mut self) -> Next<'env, A> {
        if self.running.len() + self.pulling >= self.workers {
            return Next::Nothing;
        }
        let next = self.queue.take();
        match &next {
            Next::Task(task) => self.begin(task.index, task.order),
            Next::Pull(..) => self.pulling += 1,
            Next::Busy | Next::Nothing => {}
        }
        next
    }
}

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    /// Runs what there is to run; what a pool thread calls. Never waits.
    pub(super) fn work(&self, crew: &dyn Crew) {
        let mut state = self.state.lock();
        state.requested = state.requested.saturating_sub(1);
        state.inside += 1;
        state.threadless = false;
        drop(state);
        self.surrounded(|| self.run_rounds(crew));
    }

    fn run_rounds(&self, crew: &dyn Crew) {
        let backoff = Backoff::new();
        loop {
            if crew.is_closed() {
                self.abandon();
            }
            let mut state = self.state.lock();
            match state.take() {
                Next::Task(task) => {
                    state.busy += 1;
                    drop(state);
                    backoff.reset();
                    self.run(task, Role::Crew, crew);
                }
                Next::Pull(number, input) => {
                    state.busy += 1;
                    drop(state);
                    backoff.reset();
                    self.pull_and_run(number, input, Role::Crew, crew);
                }
                // The input of a fast source is back in no time; waiting longer would keep the thread from others.
                Next::Busy if !backoff.is_completed() => {
                    drop(state);
                    backoff.snooze();
                }
                Next::Busy | Next::Nothing => {
                    state.inside -= 1;
                    return;
                }
            }
        }
    }

    /// Runs one thing that is queued here, on a thread that waits for this board, if there is one and a place is free.
    pub(super) fn help<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<'env, A, K, T, E>>,
        crew: &dyn Crew,
    ) -> (MutexGuard<'a, State<'env, A, K, T, E>>, bool) {
        let mut next = Some(match state.take() {
            Next::Busy | Next::Nothing => return (state, false),
            next => next,
        });
        drop(state);
        self.surrounded(|| match next.take() {
            Some(Next::Task(task)) => self.run(task, Role::Helper, crew),
            Some(Next::Pull(number, input)) => {
                self.pull_and_run(number, input, Role::Helper, crew);
            }
            _ => {}
        });
        (self.state.lock(), true)
    }

    /// Runs `work` in the context of whoever created the board.
    fn surrounded(&self, mut work: impl FnMut()) {
        let _signals = stop::Entered::new(&self.signals);
        let mut done = false;
        let entered = unwind::catch(|| {
            self.context.enter(|| {
                work();
                done = true;
            });
        });
        // A subscriber that panics must not cost a task: nothing else in there can panic.
        if let Err(payload) = entered {
            unwind::discard(payload);
            if !done {
                work();
            }
        }
    }

    fn run(&self, task: Queued<A>, role: Role, crew: &dyn Crew) {
        let outcome = self.call.perform(task.args);
        self.finish(task.index, task.order, outcome, role, crew);
    }

    fn pull_and_run(&self, number: u64, input: Input<'env, A>, role: Role, crew: &dyn Crew) {
        if let Some(task) = self.pull(number, input, role, crew) {
            self.run(task, role, crew);
        }
    }

    /// Pulls one item, passes the input on, and returns the item as a running task.
    fn pull(
        &self,
        number: u64,
        mut input: Input<'env, A>,
        role: Role,
        crew: &dyn Crew,
    ) -> Option<Queued<A>> {
        let pulled = unwind::catch(|| input.pull());
        let mut state = self.state.lock();
        state.pulling -= 1;
        match pulled {
            Ok(Some(args)) => match state.queue.bring_back(number, input) {
                Ok(order) => {
                    let index = state.counts.accepted;
                    state.counts.accepted += 1;
                    state.begin(index, order);
                    self.announce_work(state, crew);
                    Some(Queued { index, order, args })
                }
                // Stopped meanwhile: the item was never accepted, like those that were not pulled.
                Err(input) => {
                    self.step_back(state, role, crew);
                    drop_quietly(args);
                    drop_quietly(input);
                    None
                }
            },
            Ok(None) => {
                state.queue.close(number);
                self.step_back(state, role, crew);
                drop_quietly(input);
                None
            }
            Err(payload) => {
                // The iterator's panic takes the place of the item it should have given.
                if let Some(order) = state.queue.close(number) {
                    let index = state.counts.accepted;
                    state.counts.accepted += 1;
                    state.begin(index, order);
                    drop(state);
                    let broken = Broken {
                        kind: TaskErrorKind::Panicked(TaskPanic::new(payload)),
                        call: None,
                    };
                    self.finish(index, order, Err(broken), role, crew);
                } else {
                    self.step_back(state, role, crew);
                    unwind::discard(payload);
                }
                drop_quietly(input);
                None
            }
        }
    }

    /// Counts out a thread that pulled nothing.
    fn step_back(
        &self,
        mut state: MutexGuard<'_, State<'env, A, K, T, E>>,
        role: Role,
        crew: &dyn Crew,
    ) {
        if role == Role::Crew {
            state.busy -= 1;
        }
        let waiting = state.readers > 0;
        self.announce_work(state, crew);
        if waiting {
            self.news.notify_all();
        }
    }

    /// Records the end of a task that ran, and does what the policy says.
    fn finish(
        &self,
        index: usize,
        order: Order,
        outcome: Result<(K, T), Broken<E>>,
        role: Role,
        crew: &dyn Crew,
    ) {
        let end: End<K, T, E> = match outcome {
            Ok((args, result)) => Ok(Task {
                index,
                args,
                result,
            }),
            Err(broken) => Err(self.inner(index, order, broken)),
        };
        let mut raised = false;
        if let Err(failure) = &end {
            match self.call.policy {
                ErrorPolicy::Raise => {
                    raised = true;
                    if let Some(unread) = self.home.as_ref().and_then(|home| home.note(failure)) {
                        log::unread(&unread);
                        drop_quietly(unread);
                    }
                }
                ErrorPolicy::Log => log::failure(failure),
                ErrorPolicy::Ignore => {}
            }
        }

        let mut state = self.state.lock();
        state.end(order, end.is_err());
        if role == Role::Crew {
            state.busy -= 1;
        }
        // Failures are kept even while results are discarded: what becomes of them is for the reader to say.
        let unwanted = if state.deserted || (state.discarding > 0 && end.is_ok()) {
            state.queue.read(order);
            Some(end)
        } else {
            state.kept.push(Ended { order, end });
            None
        };
        let cleared = if raised { state.stop() } else { None };
        let submitter = state.submitters > 0;
        let reader =
            state.readers > 0 && (unwanted.is_none() || state.helpers > 0 || state.is_over());
        // A crew thread looks for more itself; a helper goes back to what it waits for.
        let threads = match role {
            Role::Crew => 0,
            Role::Helper => state.summon(),
        };
        drop(state);
        if reader {
            self.news.notify_all();
        }
        if submitter {
            self.room.notify_one();
        }
        self.request(threads, crew);
        if let Some(end) = unwanted {
            self.dispose(end);
        }
        if let Some(cleared) = cleared {
            self.cancel(cleared);
        }
    }

    /// Hears that no thread will come any more: whatever is open ends.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        if state.stopped {
            return;
        }
        let cut_short = state.queue.has_open_input();
        let cleared = state.stop();
        if cut_short {
            // A pool closed under an open input is told at the input's end, so that it does not pass for the whole.
            let index = state.counts.accepted;
            state.counts.accepted += 1;
            state.counts.cancelled += 1;
            let order = state.queue.next_order();
            let broken = Broken {
                kind: TaskErrorKind::Cancelled,
                call: None,
            };
            let end = Err(self.inner(index, order, broken));
            state.kept.push(Ended { order, end });
        }
        drop(state);
        if let Some(cleared) = cleared {
            self.cancel(cleared);
        }
    }
}
