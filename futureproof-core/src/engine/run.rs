//! What the workers of one loop share, and how it ends.

use std::time::Duration;

use super::exit::{ExitCell, Leave};
use super::merge::Merge;
use super::options::Settings;
use crate::context::Context;
use crate::describe::Failure;
use crate::flow::{Never, Outcome};
use crate::monitor::{Progress, Watch};
use crate::policy::ErrorPolicy;
use crate::raw::clock;
use crate::reduce::Accumulators;
use crate::report::{Ended, Report};
use crate::source::{Handout, Source};
use crate::stop::{Signals, StopCause};
use crate::sync::{Arc, AtomicU64, AtomicUsize, Instant, Mutex, Ordering, panic};
use crate::unwind::{self, Payload};

/// Where a loop is shorter than this, its length is worth no exact reading.
const SHORT: Duration = Duration::from_millis(1);

/// Can items leave the loop, and with what?
pub trait Exits {
    /// What leaves.
    type Value: Send;
    /// Where nothing can leave, items need no check before each of them.
    const POSSIBLE: bool;
}

impl Exits for Never {
    type Value = Never;
    const POSSIBLE: bool = false;
}

/// Items can leave with an `X`.
#[derive(Debug)]
pub struct Leaves<X>(std::marker::PhantomData<X>);

impl<X: Send> Exits for Leaves<X> {
    type Value = X;
    const POSSIBLE: bool = true;
}

/// One loop, shared by its workers.
pub(super) struct Run<S: Source, A: Accumulators, E: Exits> {
    pub(super) source: S::Shared,
    pub(super) settings: Settings,
    pub(super) signals: Arc<Signals>,
    pub(super) merge: Mutex<Merge<A>>,
    pub(super) progress: Option<Arc<Progress>>,
    pub(super) context: Context,
    /// The next free seat; 0 is the caller's.
    pub(super) seats: AtomicUsize,
    /// Workers that may still be sent for.
    pub(super) absent: AtomicUsize,
    exit: ExitCell<E::Value>,
    stopped: Mutex<Option<StopCause>>,
    /// The lowest index that was handed out and, because of a stop, not run.
    skipped: AtomicUsize,
    /// The first panic out of the drop of something that was not run.
    drop_panic: Mutex<Option<Payload>>,
    completed: AtomicU64,
    failed: AtomicU64,
    started: Instant,
}

impl<S: Source, A: Accumulators, E: Exits> Run<S, A, E> {
    pub(super) fn new(
        source: S::Shared,
        settings: Settings,
        signals: Arc<Signals>,
        accumulators: A,
        progress: Option<Arc<Progress>>,
        context: &Context,
    ) -> Self {
        Self {
            source,
            signals,
            merge: Mutex::new(Merge::new(accumulators)),
            progress,
            context: context.clone(),
            seats: AtomicUsize::new(1),
            absent: AtomicUsize::new(settings.workers - 1),
            exit: ExitCell::new(),
            stopped: Mutex::new(None),
            skipped: AtomicUsize::new(usize::MAX),
            drop_panic: Mutex::new(None),
            completed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            started: settings.started,
            settings,
        }
    }

    /// An item leaves the loop.
    #[cold]
    pub(super) fn leave(&self, index: usize, leave: Leave<E::Value>) {
        if let Some(other) = self.exit.record(&self.signals, index, leave) {
            other.discard();
        }
        self.publish_ending();
        self.wake();
    }

    fn publish_ending(&self) {
        if let Some(progress) = &self.progress {
            progress.publish_ending();
        }
    }

    /// An item fails and the policy says to go on.
    #[cold]
    pub(super) fn fail(&self, index: usize, failure: &Failure) {
        if self.settings.policy == ErrorPolicy::Log {
            tracing::error!(
                target: "futureproof",
                name = %self.settings.name,
                index,
                error = %failure,
                "item {index} failed: {failure}"
            );
        }
    }

    /// An item that was handed out is not run because the loop is stopped.
    pub(super) fn skip(&self, index: usize, cause: StopCause) {
        self.skipped.fetch_min(index, Ordering::Relaxed);
        self.stop(cause);
    }

    /// A worker sees the stop before the end of the source.
    #[cold]
    pub(super) fn stop(&self, cause: StopCause) {
        self.stopped.lock().get_or_insert(cause);
        self.publish_ending();
        self.wake();
    }

    fn wake(&self) {
        if let Err(payload) = self.source.wake() {
            self.keep_drop_panic(payload);
        }
    }

    #[cold]
    pub(super) fn keep_drop_panic(&self, payload: Payload) {
        let mut kept = self.drop_panic.lock();
        if kept.is_none() {
            *kept = Some(payload);
        } else {
            drop(kept);
            unwind::discard(payload);
        }
    }

    pub(super) fn count(&self, completed: u64, failed: u64) {
        self.completed.fetch_add(completed, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
    }

    /// Ends the loop on the calling thread, which took so long until its last item had run, after all workers have left it.
    ///
    /// # Panics
    ///
    /// Resumes the panic that left the loop, or that dropping its input raised.
    pub(super) fn finish(
        self,
        mut feed: S::Feed,
        watch: Option<Watch>,
        took: Duration,
    ) -> Outcome<E::Value> {
        let stopped = self.stopped.into_inner().or(self.signals.heeded_stop());
        if let Some((index, payload)) = S::unraised(&mut feed)
            && let Some(other) = self
                .exit
                .record(&self.signals, index, Leave::Panic(payload))
        {
            other.discard();
        }
        let exit = self.exit.into_inner();
        let skipped = self.skipped.into_inner();
        let mut drop_panic = self.drop_panic.into_inner();
        let mut keep_first = |result: Result<(), Payload>| match result {
            Err(payload) if drop_panic.is_none() => drop_panic = Some(payload),
            Err(payload) => unwind::discard(payload),
            Ok(()) => {}
        };
        let mut merge = self.merge.into_inner();
        if stopped.is_some() {
            keep_first(unwind::catch(|| merge.finish()));
        }
        keep_first(unwind::drop_caught(merge));
        keep_first(unwind::drop_caught(self.source));
        keep_first(unwind::drop_caught(feed));

        // To read the exact clock costs as much as some bodies do.
        let was_alone = self.seats.into_inner() == 1 && S::INDEXED;
        let elapsed = if was_alone && !took.is_zero() && took < SHORT {
            took
        } else {
            self.started.elapsed()
        };
        clock::calibrate();
        let report = |ended| Report {
            completed: self.completed.into_inner(),
            failed: self.failed.into_inner(),
            cancelled: 0,
            elapsed,
            ended,
        };
        // An exit counts if the stop has not kept an earlier item from running: then it is what the sequential loop
        // would have done. A panic is never swallowed.
        let exit = match (exit, stopped) {
            (Some((index, leave)), Some(cause)) if index > skipped => match leave {
                Leave::Panic(payload) => Err(Leave::Panic(payload)),
                other => {
                    other.discard();
                    Ok(Ended::Stopped(cause))
                }
            },
            (Some((_, leave)), _) => Err(leave),
            (None, Some(cause)) => Ok(Ended::Stopped(cause)),
            (None, None) => Ok(Ended::Exhausted),
        };
        if let Some(watch) = watch {
            let (how, ended) = match &exit {
                Ok(Ended::Stopped(cause)) => ("stopped", Ended::Stopped(*cause)),
                Ok(_) => ("finished", Ended::Exhausted),
                Err(Leave::Break) => ("break", Ended::Broke),
                Err(Leave::Exit(_)) => ("left", Ended::Left),
                Err(Leave::Panic(_)) => ("panic", Ended::Left),
            };
            watch.end(how, ended);
        }
        let outcome = match exit {
            Ok(ended) => Outcome::Ended(report(ended)),
            Err(Leave::Break) => Outcome::Ended(report(Ended::Broke)),
            Err(Leave::Exit(value)) => Outcome::Exited(value),
            Err(Leave::Panic(payload)) => {
                if let Some(other) = drop_panic {
                    unwind::discard(other);
                }
                panic::resume_unwind(payload)
            }
        };
        if let Some(payload) = drop_panic {
            // Before the unwinding: a second panic would abort.
            if let Err(other) = unwind::drop_caught(outcome) {
                unwind::discard(other);
            }
            panic::resume_unwind(payload);
        }
        outcome
    }
}
