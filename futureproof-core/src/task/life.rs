//! The end of a board: stopped, closed, drained, left.

use std::time::Duration;

use super::board::{Board, Cleared, Crew, End};
use super::call::{Broken, drop_each, drop_quietly};
use super::error::Inner;
use super::kept::{Batch, Ended};
use super::left::Left;
use super::queue::Queued;
use super::state::State;
use crate::report::{Ended as How, Report};
use crate::stop::{StopCause, Stopped};
use crate::sync::{Instant, Ordering};

impl<'env, A, K, T, E> Board<'env, A, K, T, E> {
    /// Listens to the stop token and looks at the deadline from now on, if there are any.
    pub(super) fn begin(&self, crew: &dyn Crew) {
        if let Some(deadline) = self.signals.deadline() {
            let mut state = self.state.lock();
            state.later.set_deadline(deadline);
            let alarm = state.later.alarm();
            drop(state);
            self.arm(alarm, crew);
        }
        if let (Some(token), Some(work)) = (self.call.token(), crew.as_work()) {
            token.listen(&work);
        }
        // It may have been stopped before.
        if self.signals.stop_cause().is_some() {
            self.ring(crew);
        }
    }

    /// Ends what [`begin`](Self::begin) has begun.
    pub(super) fn end(&self, crew: &dyn Crew) {
        if let (Some(token), Some(work)) = (self.call.token(), crew.as_work()) {
            token.unlisten(&work);
        }
    }

    /// Stops to watch: nothing runs any more, though a worker that is about to leave may keep the board for a moment.
    pub(super) fn end_watch(&self, left: Option<&'static str>) {
        if !self.watched {
            return;
        }
        self.settle_watch(left);
        let watch = self.watch.lock().take();
        drop(watch);
    }

    /// Leaves the watch to the thread that is the last to leave the board.
    pub(super) fn leave_watch(&self) {
        if let Some(watch) = &mut *self.watch.lock() {
            watch.goes_on_elsewhere(&self.context);
        }
    }

    /// Settles what the monitor will say of the end: that it was `left` in some way, or by failures, or stopped.
    pub(super) fn settle_watch(&self, left: Option<&'static str>) {
        let state = self.state.lock();
        let raised = state.counts.failed.get() >= state.raise_after;
        drop(state);
        let ended = self.report().ended;
        if let Some(watch) = &mut *self.watch.lock() {
            match (left.or(raised.then_some("left")), ended) {
                (Some(left), _) => watch.will_end(left, How::Left),
                (None, How::Stopped(_)) if self.is_cut_short() => watch.will_end("stopped", ended),
                (None, _) => watch.will_end("finished", How::Exhausted),
            }
        }
    }

    /// Stops: what has not started is cancelled.
    pub(super) fn stop(&self) {
        self.stop_because(StopCause::Asked);
    }

    /// Stops if the token or the deadline says so: whoever is about to start or to accept something looks by itself.
    #[inline]
    pub(super) fn heed(&self) {
        if let Some(cause) = self.signals.stop_cause() {
            self.stop_because(cause);
        }
    }

    pub(super) fn stop_because(&self, cause: StopCause) {
        let mut state = self.state.lock();
        let part = state.queue.has_open_input();
        let Some(cleared) = state.stop() else { return };
        // Whoever sees that the board is stopped finds its tasks told of it; but a task that was told must not find more to run
        // on its worker's desk, so only now.
        self.signals.lower_exit(0);
        state.cause = Some(cause);
        // A scope says so itself.
        let unread = if part && cause != StopCause::Asked && self.home.is_none() {
            self.mark_cut_short(&mut state)
        } else {
            None
        };
        drop(state);
        self.tell_unread(unread);
        self.cancel(cleared);
    }

    /// Ends the tasks that a stop took out of the queue.
    pub(super) fn cancel(&self, cleared: Cleared<'env, A, End<K, T, E>>) {
        let Cleared {
            tasks,
            retried,
            inputs,
        } = cleared;
        self.announce_stop();
        drop_each(inputs);
        let mut ends = self.give_up(retried);
        ends.extend(tasks.into_iter().map(|task| self.unstarted_end(task)));
        self.keep_ends(ends);
    }

    /// Tells all who wait that the board was stopped or closed.
    fn announce_stop(&self) {
        self.room.notify_all();
        self.guard.notify_all();
    }

    /// Ends tasks that are not tried again; each keeps its last error.
    fn give_up(&self, retried: Vec<(Queued<A>, End<K, T, E>)>) -> Batch<End<K, T, E>> {
        let end = |(task, end): (Queued<A>, End<K, T, E>)| {
            drop_quietly(task.args);
            if let Err(failure) = &end {
                self.tell_cut_short(failure);
            }
            Ended {
                order: task.order,
                end,
            }
        };
        retried.into_iter().map(end).collect()
    }

    fn unstarted_end(&self, task: Queued<A>) -> Ended<End<K, T, E>> {
        let broken = self.call.unstarted(task.args, self.unstarted());
        let inner = self.inner(task.index, task.order, broken);
        let unread = self.note(&inner);
        self.tell_unread(unread);
        Ended {
            order: task.order,
            end: Err(inner),
        }
    }

    /// Keeps the ends of tasks that were taken out of the queue.
    fn keep_ends(&self, ends: Batch<End<K, T, E>>) {
        let mut state = self.state.lock();
        state.cancelling = None;
        for ended in ends {
            let failed = (ended.end.as_ref()).is_err_and(|inner| inner.is_failure());
            let begun = (ended.end.as_ref()).is_err_and(|inner| inner.attempts > 0);
            state.count_unrun(failed, begun);
            state.kept.push(ended);
        }
        state.show_wait();
        // Nobody will read them.
        let unwanted = if state.deserted {
            state.kept.take_all()
        } else {
            Vec::new()
        };
        drop(state);
        self.news.notify_all();
        unwanted
            .into_iter()
            .for_each(|batch| self.dispose_all(batch));
    }

    /// Hears that no thread will come any more: whatever is open ends.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        if state.stopped {
            return;
        }
        let cut_short = state.queue.has_open_input();
        let cleared = state.stop();
        self.signals.lower_exit(0);
        state.cause = Some(StopCause::Asked);
        let unread = if cut_short {
            self.mark_cut_short(&mut state)
        } else {
            None
        };
        drop(state);
        let mut cleared = cleared;
        self.in_context(|| {
            if let Some(cleared) = cleared.take() {
                self.cancel(cleared);
            }
        });
        self.tell_unread(unread);
    }

    /// Puts a task that was never run behind the last one, so that a part of an input does not pass for the whole. Under the
    /// lock that has closed the input: a reader must not find the end before. Returns what nobody will read.
    fn mark_cut_short(&self, state: &mut State<'env, A, K, T, E>) -> Option<Box<Inner<E>>> {
        let broken = Broken {
            kind: self.unstarted(),
            call: None,
            attempts: 0,
        };
        let index = state.counts.accepted.get();
        state.counts.accepted.add(1);
        let order = state.queue.next_order();
        let inner = self.inner(index, order, broken);
        let unread = self.note(&inner);
        state.count_unrun(inner.is_failure(), false);
        state.kept.push(Ended {
            order,
            end: Err(inner),
        });
        unread
    }

    /// Accepts nothing more: what is accepted goes on, inputs are dropped where they are.
    pub(super) fn close(&self) {
        let inputs = self.state.lock().close();
        self.room.notify_all();
        self.news.notify_all();
        drop_each(inputs);
    }

    /// Has a stop kept anything from being run?
    pub(super) fn is_cut_short(&self) -> bool {
        self.state.lock().cut_short
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Closes, and waits until everything has ended, but at most for `limit`; then takes out what has not started.
    pub(super) fn drain(&self, limit: Duration, crew: &dyn Crew) -> Result<Report, Left<A>> {
        self.close();
        let end = Instant::now().checked_add(limit);
        if self.wait_for_end(end, crew) {
            return Ok(self.report());
        }
        let mut state = self.state.lock();
        let cleared = state.stop();
        self.signals.lower_exit(0);
        if cleared.is_some() {
            state.cause = Some(StopCause::Deadline(limit));
            state.drained = true;
        }
        let running = state.running_indices();
        drop(state);
        let mut left = Vec::new();
        let mut given_up = Vec::new();
        if let Some(cleared) = cleared {
            given_up = (cleared.retried.iter().map(|(task, _)| task.index)).collect();
            self.announce_stop();
            drop_each(cleared.inputs);
            let ends = self.give_up(cleared.retried);
            left = (cleared.tasks.into_iter())
                .map(|task| (task.index, task.args))
                .collect();
            let state = self.state.lock();
            left.iter().for_each(|_| state.count_unrun(false, false));
            drop(state);
            self.keep_ends(ends);
        }
        if left.is_empty() && running.is_empty() && given_up.is_empty() {
            // The last task has ended in time after all.
            return Ok(self.report());
        }
        Err(Left::new(left, running, given_up, self.report()))
    }

    /// The stop or the deadline that has kept something from being run, if one has.
    pub(super) fn stopped_by(&self) -> Option<Stopped> {
        let state = self.state.lock();
        let cause = state.cause?;
        // A drain has told of itself.
        let counts = state.cut_short && !state.drained && cause != StopCause::Asked;
        drop(state);
        let report = self.report();
        counts.then_some(Stopped { cause, report })
    }

    pub(super) fn report(&self) -> Report {
        let look = self.look();
        Report {
            completed: look.completed as u64,
            failed: look.failed as u64,
            cancelled: look.cancelled as u64,
            elapsed: self.begun.elapsed(),
            ended: match look.cause {
                Some(cause) => How::Stopped(cause),
                None if look.stopped || look.cut_off => How::Stopped(StopCause::Asked),
                None => How::Exhausted,
            },
        }
    }

    /// What has been done so far.
    pub(super) fn live_report(&self) -> Report {
        let state = self.state.lock();
        let is_over = state.is_over() && state.running() == 0;
        let is_empty = state.counts.accepted.get() == 0;
        drop(state);
        let mut report = self.report();
        if is_over && is_empty && report.ended == How::Exhausted {
            report.ended = How::NotStarted;
        } else if !is_over {
            report.ended = How::Running;
        }
        report
    }

    /// Lets the threads go, which have nothing more to wait for.
    pub(super) fn dismiss(&self) {
        self.state.lock().closing = true;
        self.open.store(true, Ordering::Relaxed);
        self.guard.notify_all();
    }

    /// Stops, and drops what has ended; what is running will be dropped when it ends. Does not wait.
    pub(super) fn walk_away(&self) {
        self.state.lock().deserted = true;
        self.stop();
        let mut shelf = self.shelf.lock();
        let mut state = self.state.lock();
        shelf.settle(&mut state);
        let ends = state.kept.take_all();
        drop(state);
        drop(shelf);
        ends.into_iter().for_each(|batch| self.dispose_all(batch));
    }
}
