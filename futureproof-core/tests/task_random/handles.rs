//! Handles.

use std::future::Future as _;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{Thread, current, park, yield_now};
use std::time::Duration;

use futureproof_core::{
    TaskError, TaskHandle, TaskPool, TrySubmitError, Until, wait, wait_timeout,
};

use crate::ends::Ended;
use crate::job::{Failure, Job, Mark, NOTHING, Output, Record, SUCCEEDED, blast, configured};
use crate::pools::{inside, is_inside};
use crate::program::{Callback, HandleOp, Kind, Section, WaitFor};
use crate::run::{Owner, nested};
use crate::world::{Counted, Site, Value, drop_quietly, silent_panic};

type Handle = TaskHandle<Output, Failure, Mark>;

/// A handle that was not joined, and what is known of its task.
struct Held {
    handle: Handle,
    record: Arc<Record>,
    cancelled: bool,
    /// How often its callbacks were called, in all, and how many there are.
    calls: Arc<AtomicUsize>,
    callbacks: usize,
}

impl Held {
    fn new(record: Arc<Record>, handle: Handle) -> Self {
        Self {
            handle,
            record,
            cancelled: false,
            calls: Arc::default(),
            callbacks: 0,
        }
    }
}

/// The handles of a section.
struct Bundle<'a> {
    site: &'a Arc<Site>,
    held: Vec<Held>,
}

pub(crate) fn run(owner: &mut Owner, pool: Arc<TaskPool>, section: &Section) {
    let Kind::Handles {
        ops,
        leave_pool,
        late,
        drop_rest,
    } = &section.kind
    else {
        return;
    };
    let site = &owner.world.new_site(section);
    let mut bundle = Bundle {
        site,
        held: Vec::new(),
    };
    for op in ops {
        bundle.perform(&pool, op);
    }
    if *leave_pool {
        // Perhaps the last holder: then what is still queued is cancelled.
        let function = configured(&pool, site);
        site.stopping(|| drop(pool));
        owner.leave(section.pool);
        if let Some(task) = late {
            let job = site.offer(task, None);
            bundle
                .held
                .push(Held::new(job.record.clone(), function.submit(job)));
        }
    }
    if !drop_rest {
        bundle.held.into_iter().for_each(|held| join(site, held));
    }
}

impl Bundle<'_> {
    fn at(&self, which: usize) -> Option<usize> {
        which.checked_rem(self.held.len())
    }

    fn take(&mut self, which: usize) -> Option<Held> {
        self.at(which).map(|at| self.held.swap_remove(at))
    }

    fn perform(&mut self, pool: &TaskPool, op: &HandleOp) {
        let site = self.site;
        match op {
            HandleOp::Pause => yield_now(),
            HandleOp::Submit(task) => {
                let job = site.offer(task, None);
                let record = job.record.clone();
                self.held
                    .push(Held::new(record, configured(pool, site).submit(job)));
            }
            HandleOp::TrySubmit(task) => {
                let job = site.offer(task, None);
                let record = job.record.clone();
                match configured(pool, site).try_submit(job) {
                    Ok(handle) => self.held.push(Held::new(record, handle)),
                    Err(refused) => self.refused(pool, refused),
                }
            }
            HandleOp::Join(which) => {
                if let Some(held) = self.take(*which) {
                    join(site, held);
                }
            }
            HandleOp::Cancel(which) => {
                if let Some(at) = self.at(*which) {
                    cancel(&mut self.held[at]);
                }
            }
            HandleOp::Stop(which) => {
                if let Some(at) = self.at(*which) {
                    let held = &self.held[at];
                    held.record.stopping.store(true, SeqCst);
                    held.handle.stop();
                    held.record.stopped.store(true, SeqCst);
                }
            }
            HandleOp::Poll(which) => self.poll(*which),
            HandleOp::JoinTimeout(which) => {
                let Some(mut taken) = self.take(*which) else {
                    return;
                };
                match taken.handle.join_timeout(Duration::from_micros(50)) {
                    Ok(ended) => {
                        check_calls(site, &taken.record, &taken.calls, taken.callbacks);
                        see(site, &taken.record, taken.cancelled, ended);
                    }
                    Err(handle) => {
                        taken.handle = handle;
                        self.held.push(taken);
                    }
                }
            }
            HandleOp::Await(which) => {
                let Some(taken) = self.take(*which) else {
                    return;
                };
                let ended = block_on(taken.handle);
                check_calls(site, &taken.record, &taken.calls, taken.callbacks);
                see(site, &taken.record, taken.cancelled, ended);
            }
            HandleOp::PollFuture(which) => {
                let Some(mut taken) = self.take(*which) else {
                    return;
                };
                let waker = Waker::from(Arc::new(Unpark(current())));
                match Pin::new(&mut taken.handle).poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(ended) => {
                        check_calls(site, &taken.record, &taken.calls, taken.callbacks);
                        see(site, &taken.record, taken.cancelled, ended);
                    }
                    Poll::Pending => self.held.push(taken),
                }
            }
            HandleOp::OnFinish(which, callback) => {
                if let Some(at) = self.at(*which) {
                    on_finish(site, &mut self.held[at], callback);
                }
            }
            HandleOp::Wait(until, limit) => self.wait(*until, *limit),
            HandleOp::Drop(which) => drop_quietly(self.take(*which)),
            HandleOp::OpenGate => site.gate.open(),
            HandleOp::StopToken => site.token.stop(),
            HandleOp::SetLimit(limit) => site.world.set_limit(site.pool, *limit),
            HandleOp::ClosePool => {
                site.world.pools[site.pool].closed.store(true, SeqCst);
                pool.close();
            }
            HandleOp::StopPool => {
                site.world.pools[site.pool].closed.store(true, SeqCst);
                pool.stop();
            }
            HandleOp::DrainPool(limit) => self.drain_pool(pool, *limit),
            HandleOp::Nest(section) => nested(&site.world, section),
        }
    }

    fn refused(&self, pool: &TaskPool, refused: TrySubmitError<(Job,)>) {
        let reason = match &refused {
            TrySubmitError::Full(_) => true,
            TrySubmitError::Closed(_) => pool.is_closed(),
            TrySubmitError::Stopped(_) => self.site.may_stop(),
            _ => false,
        };
        self.site
            .check(reason, || format!("without reason: {refused:?}"));
        let (job,) = refused.into_args();
        job.record.barred.store(true, SeqCst);
        drop_quietly(job);
    }

    fn poll(&mut self, which: usize) {
        let Some(mut taken) = self.take(which) else {
            return;
        };
        let site = self.site;
        let finished = taken.handle.is_finished();
        let _ = format!("{:?}", taken.handle);
        match taken.handle.try_join() {
            Ok(ended) => {
                check_calls(site, &taken.record, &taken.calls, taken.callbacks);
                see(site, &taken.record, taken.cancelled, ended);
            }
            Err(handle) => {
                site.check(!finished, || "it was finished, but gave no end".into());
                taken.handle = handle;
                self.held.push(taken);
            }
        }
    }

    fn wait(&self, until: WaitFor, limit: Option<u64>) {
        let site = self.site;
        let handles = self.held.iter().map(|held| &held.handle);
        let condition = match until {
            WaitFor::First => Until::First,
            WaitFor::FirstFailure => Until::FirstFailure,
            WaitFor::All => Until::All,
        };
        let waited = match limit {
            Some(limit) => wait_timeout(handles, condition, Duration::from_micros(limit)),
            None => wait(handles, condition),
        };
        let mut all = [waited.finished.clone(), waited.pending.clone()].concat();
        all.sort_unstable();
        site.check(all.iter().copied().eq(0..self.held.len()), || {
            format!("{waited:?}")
        });
        let finished: Vec<_> = waited.finished.iter().map(|&at| &self.held[at]).collect();
        let real = finished.iter().all(|held| held.handle.is_finished());
        site.check(real, || format!("not finished, but {waited:?}"));
        let failed = finished.iter().any(|held| {
            held.record.limits.timeout.is_some() || held.record.outcome.load(SeqCst) != SUCCEEDED
        });
        let enough = match until {
            _ if waited.pending.is_empty() || limit.is_some() => true,
            WaitFor::First => !finished.is_empty(),
            WaitFor::FirstFailure => failed,
            WaitFor::All => false,
        };
        site.check(enough, || {
            format!("{until:?} has come back with {waited:?}")
        });
    }

    fn drain_pool(&self, pool: &TaskPool, limit: u64) {
        let site = self.site;
        site.world.pools[site.pool].closed.store(true, SeqCst);
        match pool.drain(Duration::from_micros(limit)) {
            // In a task it does not wait for all.
            Ok(()) if is_inside() => {}
            Ok(()) => {
                let ended = self.held.iter().all(|held| held.handle.is_finished());
                site.check(ended, || "a task has not ended after a drain".into());
            }
            Err(left) => {
                let any = left.waiting + left.running > 0;
                site.check(any, || format!("nothing is left, but {left:?}"));
            }
        }
        site.check(pool.is_closed(), || "it is not closed".into());
    }
}

fn cancel(held: &mut Held) {
    held.record.stopping.store(true, SeqCst);
    if held.handle.cancel() {
        held.cancelled = true;
        held.record.barred.store(true, SeqCst);
    }
    // It may be the pool's stop or a deadline that has just cancelled it, and is about to say so.
}

fn on_finish(site: &Arc<Site>, held: &mut Held, callback: &Callback) {
    let (calls, before) = (held.calls.clone(), held.callbacks);
    let (site, record, callback) = (site.clone(), held.record.clone(), callback.clone());
    held.callbacks += 1;
    site.callbacks.fetch_add(1, SeqCst);
    let counted = Counted::new(&site, Value::Callback, false);
    held.handle.on_finish(move |ended: &Ended| {
        let counted = counted;
        let site = &counted.site;
        let earlier = calls.fetch_add(1, SeqCst);
        site.called.fetch_add(1, SeqCst);
        site.check(earlier == before, || {
            format!(
                "callback {before} of {:?} came as number {earlier}",
                record.name
            )
        });
        match ended {
            Ok(task) => drop(site.look_at_result(&task.result)),
            Err(error) => drop(site.look_at_error(error)),
        }
        match &callback {
            Callback::Look => {}
            Callback::Panic => silent_panic(),
            Callback::PanicTwice => blast(site, true),
            Callback::Nest(section) => inside(|| nested(&site.world, section)),
        }
    });
}

fn join(site: &Site, held: Held) {
    // One way or the other.
    let ended = if held.record.name.1.is_multiple_of(2) {
        held.handle.join()
    } else {
        held.handle.join_task().map(|task| task.result)
    };
    check_calls(site, &held.record, &held.calls, held.callbacks);
    see(site, &held.record, held.cancelled, ended);
}

/// Checks that the callbacks were called before the end is read.
fn check_calls(site: &Site, record: &Record, calls: &AtomicUsize, callbacks: usize) {
    let calls = calls.load(SeqCst);
    site.check(calls == callbacks, || {
        format!(
            "{calls} of {callbacks} callbacks of {:?} were called",
            record.name
        )
    });
}

fn see(
    site: &Site,
    record: &Arc<Record>,
    cancelled: bool,
    ended: Result<Output, TaskError<Failure>>,
) {
    let seen = match &ended {
        Ok(result) => Some(site.look_at_result(result)),
        Err(error) => {
            site.check(error.is_cancelled() || !cancelled, || {
                "a cancelled task ran".into()
            });
            site.look_at_error(error)
        }
    };
    site.check(seen.is_none_or(|seen| seen.name == record.name), || {
        format!("the handle of {:?} gave another task's end", record.name)
    });
    let outcome = record.outcome.load(SeqCst);
    site.check(!cancelled || outcome == NOTHING, || {
        format!("{:?} was cancelled, but ended as {outcome}", record.name)
    });
    site.count(Some(record));
    drop_quietly(ended);
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An executor that knows nothing.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        park();
    }
}
