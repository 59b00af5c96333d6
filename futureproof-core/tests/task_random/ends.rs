//! The checks of the ends of tasks.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use futureproof_core::{ErrorPolicy, ScopeError, TaskError, TaskErrorKind};

use crate::job::{
    BURST, FAILED, Failure, Mark, NOTHING, Output, PANICKED, RATE, Record, SUCCEEDED, named,
};
use crate::program::{End, Trap};
use crate::world::{Site, World, drop_quietly};

/// The end of a task.
pub(crate) type Ended = Result<futureproof_core::Task<Mark, Output>, TaskError<Failure>>;

impl Record {
    /// May it panic before, or instead of, being run?
    fn may_fail_to_start(&self) -> bool {
        let clones = self.limits.retry.is_some();
        self.plan.trap == Trap::Keep || self.plan.trap == Trap::Clone && clones
    }
}

impl Site {
    /// The task with the given name; a name of another section is a fault.
    fn record(&self, name: (u64, usize)) -> Option<Arc<Record>> {
        self.check(name.0 == self.number, || {
            format!("it is told of task {name:?}")
        });
        self.records.lock().unwrap().get(name.1).cloned()
    }

    /// Looks at an end that was read, and drops it; returns the task's index and, where that can be known, which task it is.
    fn see(&self, ended: Ended) -> (usize, Option<Arc<Record>>) {
        let (index, record) = match &ended {
            Ok(task) => (task.index, Some(self.look_at_result(&task.result))),
            Err(error) => (error.index(), self.look_at_error(error)),
        };
        self.count(record.as_ref());
        drop_quietly(ended);
        (index, record)
    }

    /// Counts an end in that was read.
    pub(crate) fn count(&self, record: Option<&Arc<Record>>) {
        let Some(record) = record else { return };
        let seen = record.seen.fetch_add(1, SeqCst) + 1;
        self.check(seen == 1, || {
            format!("{:?} was read {seen} times", record.name)
        });
        if let Some(feed) = &record.feed {
            feed.unread.fetch_sub(1, SeqCst);
        }
    }

    pub(crate) fn look_at_result(&self, result: &Output) -> Arc<Record> {
        let record = &result.record;
        let name = record.name;
        self.check(name.0 == self.number, || {
            format!("it got the result of {name:?}")
        });
        let outcome = record.outcome.load(SeqCst);
        self.check(outcome == SUCCEEDED, || {
            format!("{name:?} gives a result, not {outcome}")
        });
        record.clone()
    }

    /// Looks at an error; returns which task it is of, where it says so.
    pub(crate) fn look_at_error(&self, error: &TaskError<Failure>) -> Option<Arc<Record>> {
        let record = match (error.kind(), error.call().and_then(named)) {
            (TaskErrorKind::Failed(failure), _) => Some(failure.record.clone()),
            (_, name) => name.and_then(|name| self.record(name)),
        };
        let record = record?;
        let name = record.name;
        let (outcome, attempts) = (record.outcome.load(SeqCst), record.attempts.load(SeqCst));
        let all = record.most_attempts();
        let stopped = self.may_stop() || record.stopping.load(SeqCst);
        let plausible = match error.kind() {
            TaskErrorKind::Failed(_) => {
                // Nor is one tried again whose time is over.
                let late = record.limits.timeout.is_some();
                let last = attempts == all || !record.is_worth_it() || stopped || late;
                outcome == FAILED && last && error.attempts() as usize == attempts
            }
            TaskErrorKind::Panicked(_) => outcome == PANICKED || record.may_fail_to_start(),
            TaskErrorKind::Cancelled => {
                let asked = stopped || record.barred.load(SeqCst);
                outcome == NOTHING && attempts == 0 && asked && error.attempts() == 0
            }
            TaskErrorKind::TimedOut(_) => record.limits.timeout.is_some(),
            TaskErrorKind::PoolBroken(_) => {
                attempts == 0 && self.world.pools[self.pool].may_break()
            }
            TaskErrorKind::Taken => true,
            _ => false,
        };
        self.check(plausible, || {
            let told = error.attempts();
            format!("{name:?} has come to {outcome} after {attempts} of {all} attempts, but after {told}: {error:?}")
        });
        Some(record)
    }

    /// Notes an end of a scope or stream; `in_order` says how it was read, where the order can be known.
    pub(crate) fn note(&self, ended: Ended, in_order: bool) {
        let (index, record) = self.see(ended);
        self.note_index(index);
        if in_order && let Some(place) = record.and_then(|record| record.place) {
            let last = self.seen.lock().unwrap().last_in_order.replace(place);
            self.check(last < Some(place), || {
                format!("{place:?} was yielded after {last:?}")
            });
        }
    }

    /// Notes that the task with this index has had its end.
    pub(crate) fn note_index(&self, index: usize) {
        let new = self.seen.lock().unwrap().indices.insert(index);
        self.check(new, || format!("task {index} has ended twice"));
    }

    /// Compares what a manager says at its end with what the bodies did.
    pub(crate) fn check_counts(&self, completed: usize, failed: usize) {
        let records = self.records.lock().unwrap();
        let count =
            |is: &dyn Fn(&Record) -> bool| records.iter().filter(|record| is(record)).count();
        let ended_as = |outcome| move |record: &Record| record.outcome.load(SeqCst) == outcome;
        // What has timed out counts as failed, whatever it comes to.
        let late = count(&|record| record.limits.timeout.is_some());
        let succeeded = count(&ended_as(SUCCEEDED));
        self.check(
            completed <= succeeded && completed + late >= succeeded,
            || format!("{completed} completed, not {succeeded}"),
        );
        let least = count(&ended_as(FAILED)) + count(&ended_as(PANICKED));
        // A trap may go off for tasks that run and for those that are cancelled; a panic of an input that comes after a stop
        // is nobody's.
        // So does what a broken pool has not started, the rest of an input included.
        let broken = if self.world.pools[self.pool].may_break() {
            records.len() + 1
        } else {
            0
        };
        let most = least
            + late
            + broken
            + count(&Record::may_fail_to_start)
            + self.source_panics.load(SeqCst);
        self.check((least..=most).contains(&failed), || {
            format!("{failed} failed, not {least} to {most}")
        });
    }

    /// The tasks that failed, as far as it is known from their bodies.
    pub(crate) fn failed(&self) -> Vec<Arc<Record>> {
        let records = self.records.lock().unwrap();
        let failed = |record: &&Arc<Record>| {
            let outcome = record.outcome.load(SeqCst);
            // It may have failed after its time was over.
            matches!(outcome, FAILED | PANICKED) && record.limits.timeout.is_none()
        };
        records.iter().filter(failed).cloned().collect()
    }

    /// Checks that no more tasks were started than the rate allows.
    pub(crate) fn check_rate(&self) {
        let elapsed = self.begun.elapsed();
        let records = self.records.lock().unwrap();
        let starts: usize = records
            .iter()
            .map(|record| record.attempts.load(SeqCst))
            .sum();
        let most = elapsed.as_nanos() / RATE.as_nanos() + u128::from(BURST) + 1;
        self.check(starts as u128 <= most, || {
            format!("{starts} starts in {elapsed:?}")
        });
    }
}

impl World {
    /// Compares the failures that were logged with those that were not read.
    pub(crate) fn check_log(&self, logged: &[(u64, usize)]) {
        for site in self.sites() {
            let records = site.records.lock().unwrap();
            for record in &*records {
                let failed = matches!(record.outcome.load(SeqCst), FAILED | PANICKED);
                let quiet = matches!(record.plan.trap, Trap::Keep | Trap::Describe);
                if !failed || quiet || record.limits.timeout.is_some() {
                    continue;
                }
                let logged = logged.iter().filter(|name| **name == record.name).count();
                let seen = record.seen.load(SeqCst) > 0 || record.returned.load(SeqCst);
                let plausible = match site.options.policy {
                    ErrorPolicy::Ignore => logged == 0,
                    ErrorPolicy::Log => logged == 1,
                    ErrorPolicy::Raise => logged == 1 || logged == 0 && seen,
                };
                site.check(plausible, || {
                    let policy = site.options.policy;
                    format!(
                        "{:?} was logged {logged} times under {policy:?}",
                        record.name
                    )
                });
            }
        }
    }
}

impl Site {
    /// Checks what a scope returned.
    pub(crate) fn check_scope(&self, outcome: &Result<(), ScopeError<Failure>>, end: End) {
        let failed = self.failed();
        let error = match outcome {
            Ok(()) => {
                self.check(!matches!(end, End::Fail | End::Panic), || {
                    "a failure was lost".into()
                });
                self.check(
                    self.options.policy != ErrorPolicy::Raise || failed.is_empty(),
                    || format!("{} failures were swallowed under raise", failed.len()),
                );
                return;
            }
            Err(error) => error,
        };
        let errors = error.task_errors();
        let plausible = match error {
            ScopeError::Body(_) => end == End::Fail,
            ScopeError::Task(_) => self.options.policy == ErrorPolicy::Raise && errors.len() == 1,
            ScopeError::Tasks(_) => {
                let enough = errors.len() > 1 && self.options.raise_after > 1;
                self.options.policy == ErrorPolicy::Raise && enough
            }
            ScopeError::Stopped(_) => self.options.token || self.options.deadline.is_some(),
            _ => false,
        };
        self.check(plausible, || format!("{end:?} gave {error:?}"));
        let returned: Vec<_> = errors
            .iter()
            .filter_map(|error| self.look_at_error(error))
            .collect();
        for record in &returned {
            record.returned.store(true, SeqCst);
        }
        if errors.is_empty() || returned.len() < errors.len() {
            return;
        }
        let places: Vec<_> = returned.iter().filter_map(|record| record.place).collect();
        self.check(places.is_sorted(), || {
            format!("{places:?} are not in call order")
        });
        // All that failed is there, or the first of them; but a failure that has cut a retry short is not hidden by that one.
        let missing = failed.iter().find(|record| {
            if record.may_be_cut_short() {
                return false;
            }
            let earlier = record.place.is_some() && record.place < returned[0].place;
            let left_out = self.options.raise_after > 1
                && returned.iter().all(|returned| returned.name != record.name);
            earlier || left_out
        });
        self.check(missing.is_none(), || {
            format!(
                "{:?} is missing in {places:?}",
                missing.map(|record| record.place)
            )
        });
    }
}
