//! Scopes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread::{Scope, yield_now};
use std::time::Duration;

use futureproof_core::__private::ConfiguredTask;
use futureproof_core::{ScopeError, ScopeFailure, TaskPool, TrySubmitError};

use crate::job::{Failure, Job, Manager, Mark, Output, Record, configured};
use crate::program::{End, Limits, Op, Section, Task};
use crate::run::{Owner, nested};
use crate::source::Source;
use crate::world::{Site, drop_quietly, silent_panic};

/// What the closure of one scope works with.
struct Closure<'a, 'env> {
    site: &'a Arc<Site>,
    tasks: &'a Manager<'env>,
    segment: &'a AtomicU64,
    /// Several threads read, or submit: the order of the others' calls is not known.
    aside: bool,
    /// Readers may meet.
    crowded: bool,
}

/// Lets those go on who wait for the closure.
struct Release<'a>(&'a Site);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.gate.open();
        self.0.asked.open();
    }
}

pub(crate) fn run(owner: &Owner, pool: &TaskPool, section: &Section, ops: &[Op], end: End) {
    let site = &owner.world.new_site(section);
    let segment = &AtomicU64::new(0);
    let crowded = ops
        .iter()
        .any(|op| matches!(op, Op::Aside(ops) if ops.iter().any(reads)));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        configured(pool, site).scope(|tasks: &Manager<'static>| {
            let closure = &Closure {
                site,
                tasks,
                segment,
                aside: false,
                crowded,
            };
            std::thread::scope(|threads| {
                let _release = Release(site);
                for op in ops {
                    closure.perform(op, Some(threads));
                }
            });
            closure.end(end)
        })
    }));
    site.joined.store(true, SeqCst);
    match &outcome {
        Ok(outcome) => site.check_scope(outcome, end),
        Err(_) => site.check(end == End::Panic, || "the scope panicked".into()),
    }
    match outcome {
        // One by one, as two panics at once end the process.
        Ok(Err(ScopeError::Tasks(errors))) => errors.into_iter().for_each(drop_quietly),
        other => drop_quietly(other),
    }
    let alive = site.values();
    site.check(alive.iter().all(|&alive| alive == 0), || {
        format!("after the scope {alive:?} values are alive")
    });
    if section.options.rate_limited {
        site.check_rate();
    }
}

fn reads(op: &Op) -> bool {
    matches!(op, Op::Read { .. } | Op::ReadAll { .. })
}

impl<'a, 'env: 'a> Closure<'a, 'env> {
    fn place(&self) -> Option<(u64, usize)> {
        let segment = self.segment.fetch_add(1, SeqCst);
        (!self.aside).then_some((segment, 0))
    }

    fn perform<'s>(&self, op: &'s Op, threads: Option<&'s Scope<'s, '_>>)
    where
        'a: 's,
        'env: 's,
    {
        let Self { site, tasks, .. } = *self;
        match op {
            Op::Pause => yield_now(),
            Op::Submit(task) => self.submitted(tasks.submit(self.offer(task))),
            Op::TrySubmit(task) => self.tried(tasks.try_submit(self.offer(task))),
            Op::SubmitTimeout(limit, task) => {
                let limit = Duration::from_micros(*limit);
                self.tried(tasks.submit_timeout(limit, self.offer(task)));
            }
            Op::SubmitConfigured(limits, task) => {
                let job = site.offer_limited(task, self.place(), limits.over(site.options.limits));
                self.submitted(self.with(*limits).submit(job));
            }
            Op::TrySubmitConfigured(limits, task) => {
                let job = site.offer_limited(task, self.place(), limits.over(site.options.limits));
                self.tried(self.with(*limits).try_submit(job));
            }
            Op::Map(input) => {
                let segment = self.place().map(|place| place.0);
                if input.count.is_none() {
                    if self.aside || tasks.is_closed() {
                        return;
                    }
                    site.endless.store(true, SeqCst);
                }
                let source = Source::new(site, input, segment);
                let _ = catch_unwind(AssertUnwindSafe(|| tasks.map(source)));
            }
            Op::Read { ordered, most } => self.read(*ordered, *most),
            Op::ReadAll { ordered } => self.read(*ordered, usize::MAX),
            Op::Run => self.run(),
            Op::Look => self.look(),
            Op::OpenGate => site.gate.open(),
            Op::Stop => self.stop(),
            Op::StopToken => site.token.stop(),
            Op::Close => {
                site.stopping(|| tasks.close());
                site.check(tasks.is_closed(), || "it is not closed".into());
            }
            Op::Drain(limit) => self.drain(*limit),
            Op::SetLimit(limit) => site.world.set_limit(site.pool, *limit),
            Op::StopWhenAsked => {
                let stop = move || {
                    site.asked.wait_for_others();
                    if site.asks.load(SeqCst) {
                        site.stopping(|| tasks.stop());
                        site.has_stopped();
                    }
                };
                spawn(threads, stop);
            }
            Op::Aside(ops) => {
                let (segment, crowded) = (self.segment, self.crowded);
                let aside = Closure {
                    site,
                    tasks,
                    segment,
                    aside: true,
                    crowded,
                };
                spawn(threads, move || {
                    ops.iter().for_each(|op| aside.perform(op, None));
                });
            }
            Op::Nest(section) => nested(&site.world, section),
        }
    }

    fn offer(&self, task: &Task) -> Job {
        self.site.offer(task, self.place())
    }

    fn with(&self, limits: Limits) -> Configured<'_, 'env> {
        let mut task = self.tasks.configure();
        if let Some(retry) = limits.retry {
            task = task.retry(retry.rule());
            if retry.picky {
                task = task.retry_if(Failure::is_worth_it);
            }
        }
        if let Some(limit) = limits.timeout {
            task = task.timeout(Duration::from_micros(limit));
        }
        task
    }

    fn submitted(&self, index: usize) {
        let accepted = self.tasks.len();
        self.site
            .check(index < accepted, || format!("task {index} is not accepted"));
    }

    fn tried(&self, outcome: Result<usize, TrySubmitError<(Job,)>>) {
        let refused = match outcome {
            Ok(index) => return self.submitted(index),
            Err(refused) => refused,
        };
        let reason = match &refused {
            TrySubmitError::Full(_) => true,
            TrySubmitError::Stopped(_) => self.tasks.is_stopped(),
            TrySubmitError::Closed(_) => self.tasks.is_closed(),
            _ => false,
        };
        self.site
            .check(reason, || format!("without reason: {refused:?}"));
        let (job,) = refused.into_args();
        give_back(self.site, &job.record);
        drop_quietly(job);
    }

    fn stop(&self) {
        self.site.stopping(|| self.tasks.stop());
        self.site.has_stopped();
        self.site
            .check(self.tasks.is_stopped(), || "it is not stopped".into());
    }

    fn stop_if_endless(&self) {
        if self.site.endless.load(SeqCst) {
            self.stop();
        }
    }

    fn run(&self) {
        self.stop_if_endless();
        self.site.discards.store(true, SeqCst);
        let outcome = self.tasks.run();
        if let Err(error) = &outcome
            && let Some(record) = self.site.look_at_error(error)
        {
            record.returned.store(true, SeqCst);
        }
        drop_quietly(outcome);
    }

    fn drain(&self, limit: u64) {
        let Self { site, tasks, .. } = *self;
        match site.stopping(|| tasks.drain(Duration::from_micros(limit))) {
            Ok(report) => {
                let (ended, accepted) = (
                    report.completed() + report.failed() + report.cancelled(),
                    tasks.len() as u64,
                );
                // Those refused meanwhile are accepted, too.
                site.check(ended <= accepted, || {
                    format!("{ended} of {accepted}: {report}")
                });
            }
            Err(left) => {
                site.has_stopped();
                let running = left.running().len();
                site.check(running <= site.workers, || {
                    format!("{running} run: {left:?}")
                });
                for (index, (job,)) in left.into_tasks() {
                    site.note_index(index);
                    site.count(Some(&job.record));
                    give_back(site, &job.record);
                    drop_quietly(job);
                }
            }
        }
        site.check(tasks.is_closed(), || "it is not closed".into());
    }

    fn read(&self, ordered: bool, most: usize) {
        let Self { site, tasks, .. } = *self;
        let mut results = if ordered {
            tasks.in_order()
        } else {
            tasks.as_completed()
        };
        let mut count = 0;
        while count < most && !(count >= 20 && site.endless.load(SeqCst)) {
            site.reading.fetch_add(1, SeqCst);
            let ended = results.next();
            let over = ended.is_none();
            if let Some(ended) = ended {
                site.note(ended, ordered && !self.crowded);
            }
            site.reading.fetch_sub(1, SeqCst);
            if over {
                break;
            }
            count += 1;
        }
    }

    fn look(&self) {
        let Self { site, tasks, .. } = *self;
        let running = tasks.running();
        site.check(running <= site.workers, || format!("it says {running} run"));
        let ended = tasks.completed() + tasks.failed() + tasks.cancelled();
        site.check(ended <= tasks.len(), || format!("it says {ended} ended"));
        let _ = format!("{tasks:?} {:?}", tasks.as_completed());
    }

    fn end(&self, end: End) -> Result<(), ScopeFailure<Failure>> {
        let site = self.site;
        match end {
            End::Leave => self.stop_if_endless(),
            End::ReadAll { ordered } => {
                self.stop_if_endless();
                self.read(ordered, usize::MAX);
                self.check_all_read();
                return Ok(());
            }
            End::Run => {
                self.run();
                self.check_all_ended();
            }
            End::Stop => self.stop(),
            End::Drain(limit) => self.drain(limit),
            End::Fail => return site.stopping(|| Err(ScopeFailure::new("expected"))),
            End::Panic => site.stopping(|| silent_panic()),
        }
        site.discards.store(true, SeqCst);
        Ok(())
    }

    fn check_all_ended(&self) {
        let Self { site, tasks, .. } = *self;
        let (completed, failed, cancelled) = (tasks.completed(), tasks.failed(), tasks.cancelled());
        let (ended, accepted) = (completed + failed + cancelled, tasks.len());
        site.check(ended == accepted, || format!("{ended} of {accepted} ended"));
        let busy = tasks.running() + tasks.waiting();
        site.check(busy == 0, || {
            format!("{busy} are running or waiting at the end")
        });
        site.check_counts(completed, failed);
    }

    fn check_all_read(&self) {
        self.check_all_ended();
        if !self.site.discards.load(SeqCst) {
            let (read, accepted) = (
                self.site.seen.lock().unwrap().indices.len(),
                self.tasks.len(),
            );
            self.site.check(read == accepted, || {
                format!("{read} of {accepted} were read")
            });
        }
    }
}

type Configured<'a, 'env> = ConfiguredTask<'a, 'env, (Job,), Mark, Output, Failure>;

/// A task that came back never starts.
fn give_back(site: &Site, record: &Record) {
    let attempts = record.attempts.load(SeqCst);
    site.check(attempts == 0, || {
        format!("{:?} came back after it had started", record.name)
    });
    record.barred.store(true, SeqCst);
}

fn spawn<'s>(threads: Option<&'s Scope<'s, '_>>, f: impl FnOnce() + Send + 's) {
    // Only drawn where there are some.
    if let Some(threads) = threads {
        threads.spawn(f);
    }
}
