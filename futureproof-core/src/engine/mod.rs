//! The engine: one loop from its start to its end.
//!
//! The calling thread opens the source, becomes worker 0 and starts to work at once; the first batch it gets sends for
//! the other workers. A worker runs a flat loop (take, run, record), so the stack does not grow with the number of
//! items, and it runs nothing but this loop's items, so loops nest freely. The caller leaves last: it waits until every
//! other worker has gone, and only then does the loop return, raise or resume.

mod exit;
mod merge;
mod options;
mod run;
mod size;
mod worker;

use std::panic::Location;

pub use self::options::ParallelFor;
use self::run::Run;
pub use self::run::{Exits, Leaves};
pub use self::worker::Worker;
use crate::context::{Context, Described};
use crate::flow::{Flow, Never, Outcome};
use crate::monitor::{self, Subject};
use crate::raw::lend::{Lease, Purpose, Visit, lend};
use crate::reduce::Accumulators;
use crate::report::Report;
use crate::source::{Plan, Source};
use crate::stop::{Entered, Signals};
use crate::sync::Arc;

/// Runs a loop whose items can leave it.
#[track_caller]
pub fn each<S, X, F>(options: ParallelFor<'_>, source: S, body: F) -> Outcome<X>
where
    S: Source,
    X: Send,
    F: Fn(S::Item) -> Flow<X> + Sync,
{
    run::<S, (), Leaves<X>>(options, source, (), Location::caller(), |worker| {
        while worker.batch(&body) {}
    })
}

/// Runs a loop whose items cannot leave it.
#[track_caller]
pub fn each_plain<S, F>(options: ParallelFor<'_>, source: S, body: F) -> Report
where
    S: Source,
    F: Fn(S::Item) -> Flow<Never> + Sync,
{
    options::report(run::<S, (), Never>(
        options,
        source,
        (),
        Location::caller(),
        |worker| while worker.batch(&body) {},
    ))
}

/// Runs a loop with reduced variables or locals whose items can leave it.
#[track_caller]
pub fn workers<S, A, X, F>(
    options: ParallelFor<'_>,
    source: S,
    accumulators: A,
    work: F,
) -> Outcome<X>
where
    S: Source,
    A: Accumulators,
    X: Send,
    F: Fn(&mut Worker<'_, S, A, Leaves<X>>) + Sync,
{
    run::<S, A, Leaves<X>>(options, source, accumulators, Location::caller(), work)
}

/// Runs a loop with reduced variables or locals whose items cannot leave it.
#[track_caller]
pub fn workers_plain<S, A, F>(
    options: ParallelFor<'_>,
    source: S,
    accumulators: A,
    work: F,
) -> Report
where
    S: Source,
    A: Accumulators,
    F: Fn(&mut Worker<'_, S, A, Never>) + Sync,
{
    options::report(run::<S, A, Never>(
        options,
        source,
        accumulators,
        Location::caller(),
        work,
    ))
}

fn run<S: Source, A: Accumulators, E: Exits>(
    options: ParallelFor<'_>,
    source: S,
    accumulators: A,
    place: &'static Location<'static>,
    work: impl Fn(&mut Worker<'_, S, A, E>) + Sync,
) -> Outcome<E::Value> {
    let (mut settings, pool) = options.settle(&source, place);
    let context = Context::of_loop(&Described {
        name: &settings.name,
        workers: settings.workers,
        policy: settings.policy,
    });
    if context.is_traced() {
        // The span of an item goes around the batch.
        settings.batch = 1;
    }
    let subject = Subject {
        kind: "loop",
        workers: settings.workers,
        total: source.exact_len(),
        policy: settings.policy,
        interval: settings.monitor,
        live: settings.live.as_ref(),
        #[cfg(feature = "progress")]
        bar: &settings.bar,
        context: &context,
    };
    let watch = monitor::watch(&subject, || settings.name.to_string());
    let mut signals = Signals::new(settings.token.clone(), settings.limit).nested();
    if let Some(pool) = pool {
        signals = signals.on(pool.shared());
    }
    let signals = Arc::new(signals);
    let plan = Plan {
        workers: settings.workers,
        batch: settings.batch,
    };
    let (shared, mut feed) = source.open(plan);
    let progress = watch.as_ref().map(|watch| watch.progress().clone());
    let run = Run::<S, A, E>::new(shared, settings, signals, accumulators, progress, &context);
    let attend = |lease: Option<&Lease>, feed: Option<&mut S::Feed>| {
        let _entered = Entered::new(&run.signals);
        Worker::attend(&run, lease, feed, &work)
    };
    let took = match pool {
        None => context.enter_here(|| attend(None, Some(&mut feed))),
        Some(pool) => {
            let help = |lease: &Lease, _: Visit| context.enter(|| _ = attend(Some(lease), None));
            lend(pool.shared(), Purpose::Loop, &help, |lease| {
                context.enter_here(|| attend(Some(lease), Some(&mut feed)))
            })
        }
    };
    // The caller's part of the source goes on the caller's thread, and its panic is the loop's.
    run.finish(feed, watch, took)
}
