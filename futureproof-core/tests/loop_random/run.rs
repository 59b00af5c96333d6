//! Runs a program as loops.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use futureproof_core::__private::{
    Added, Largest, Outcome, Smallest, each, each_plain, workers, workers_plain,
};
use futureproof_core::{Ended, IntoSource, ParallelFor, StopCause, pull, pull_here};

use crate::program::{Input, Program, Sink, Stop};
use crate::sequence::End;
use crate::source::{Channel, Element, Feed, HasIndex};
use crate::values::{Parts, Planned, Totals};
use crate::world::{Trial, World};

/// Later than any program ends.
const FAR: Duration = Duration::from_secs(3600);

impl<'t> World<'t> {
    /// Runs the loop over `input`.
    fn drive<I: IntoSource<Item: HasIndex>>(
        &self,
        input: I,
        channel: Option<&Channel>,
        totals: &mut Totals,
    ) -> Outcome<Planned> {
        /// A loop with every kind of reduced variable, with some, and with a local.
        macro_rules! entries {
            ($each:ident, $workers:ident, $flow:expr) => {
                match self.program.sink {
                    Sink::Nothing => $each(self.options(), input.into_source(), |item| {
                        $flow(self.body(item, channel, None, None, None))
                    }),
                    Sink::Sum => {
                        let accumulators = (Added(&mut totals.sum),);
                        $workers(
                            self.options(),
                            input.into_source(),
                            accumulators,
                            |worker| {
                                let (mut sum,) = worker.parts();
                                loop {
                                    let more = worker.batch(|item| {
                                        $flow(self.body(item, channel, None, None, Some(&mut sum)))
                                    });
                                    worker.settle((&mut sum,));
                                    if !more {
                                        break;
                                    }
                                }
                            },
                        )
                    }
                    Sink::Local => $workers(self.options(), input.into_source(), (), |worker| {
                        let mut local = self.local();
                        while worker.batch(|item| {
                            $flow(self.body(item, channel, Some(&mut local), None, None))
                        }) {}
                    }),
                    Sink::All => {
                        let accumulators = (
                            Added(&mut totals.list),
                            Added(&mut totals.sum),
                            Largest(&mut totals.largest),
                            Smallest(&mut totals.smallest),
                            Added(&mut totals.by_digit),
                            Added(&mut totals.order),
                        );
                        $workers(
                            self.options(),
                            input.into_source(),
                            accumulators,
                            |worker| {
                                let (mut a, mut b, mut c, mut d, mut e, mut f) = worker.parts();
                                let mut local = self.program.local.then(|| self.local());
                                loop {
                                    let more = worker.batch(|item| {
                                        let parts = Parts {
                                            list: &mut a,
                                            sum: &mut b,
                                            largest: &mut c,
                                            smallest: &mut d,
                                            by_digit: &mut e,
                                            order: &mut f,
                                        };
                                        $flow(self.body(
                                            item,
                                            channel,
                                            local.as_mut(),
                                            Some(parts),
                                            None,
                                        ))
                                    });
                                    worker.settle((&mut a, &mut b, &mut c, &mut d, &mut e, &mut f));
                                    if !more {
                                        break;
                                    }
                                }
                            },
                        )
                    }
                }
            };
        }

        if self.program.is_plain() {
            Outcome::Ended(entries!(each_plain, workers_plain, Self::plain_flow))
        } else {
            entries!(each, workers, |effect| self.flow(effect))
        }
    }

    fn options(&self) -> ParallelFor<'t> {
        let program = self.program;
        let mut options = ParallelFor::new().error_policy(program.policy);
        if let Some(workers) = program.workers {
            options = options.workers(workers);
        }
        if let Some(batch) = program.batch {
            options = options.batch(batch);
        }
        if let Some(pool) = self.trial.pools.get(program.pool) {
            options = options.pool(pool);
        }
        if program.uses_token() {
            options = options.stop(&self.token);
        }
        match program.stop {
            Stop::Deadline(after) => options.deadline(Duration::from_micros(after)),
            Stop::FarDeadline => options.deadline(FAR),
            Stop::Never | Stop::Before => options,
        }
    }

    /// Makes the input and runs the loop.
    fn start(&self, totals: &mut Totals) -> Outcome<Planned> {
        let count = self.program.count;
        match self.program.input {
            Input::Range => self.drive(0..count, None, totals),
            Input::Vec => {
                let items: Vec<_> = (0..count).map(|index| self.item(index, None)).collect();
                self.drive(items, None, totals)
            }
            Input::MutSlice => {
                let mut elements: Vec<_> = (0..count)
                    .map(|index| Element { index, touched: 0 })
                    .collect();
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    self.drive(&mut elements[..], None, totals)
                }));
                for element in &elements {
                    if element.touched != self.started[element.index].load(Ordering::Relaxed) {
                        self.fault("a change to an element was lost");
                    }
                }
                outcome.unwrap_or_else(|payload| resume_unwind(payload))
            }
            Input::Shared => self.drive(pull(Feed::new(self, None)), None, totals),
            Input::Here => self.drive(pull_here(Feed::new(self, None)), None, totals),
            Input::Channel | Input::ChannelHere => {
                let (channel, receive) = Channel::new();
                if count > 0 {
                    channel.send(0);
                } else {
                    channel.end();
                }
                let feed = Feed::new(self, Some((&channel, receive)));
                if self.program.input == Input::Channel {
                    self.drive(pull(feed), Some(&channel), totals)
                } else {
                    self.drive(pull_here(feed), Some(&channel), totals)
                }
            }
        }
    }

    /// Runs the loop; `None` says that it ended as no loop does.
    fn end(&self, totals: &mut Totals) -> Option<(End, Option<futureproof_core::Report>)> {
        match catch_unwind(AssertUnwindSafe(|| self.start(totals))) {
            Ok(Outcome::Exited(planned)) => Some((End::Exited(planned.code), None)),
            Ok(Outcome::Ended(report)) => {
                let end = match report.ended() {
                    Ended::Exhausted => End::Exhausted,
                    Ended::Broke => End::Broke,
                    Ended::Stopped(StopCause::Token) if self.token.is_stopped() => End::Stopped,
                    Ended::Stopped(StopCause::Deadline(_))
                        if matches!(self.program.stop, Stop::Deadline(_)) =>
                    {
                        End::Stopped
                    }
                    other => {
                        self.fault(format!("it ended with {other:?}"));
                        return None;
                    }
                };
                Some((end, Some(report)))
            }
            Err(payload) => match payload.downcast::<Planned>() {
                Ok(mut planned) => {
                    planned.armed = false;
                    Some((End::Panicked(planned.code), None))
                }
                Err(payload) => {
                    let text = payload.downcast_ref::<&str>().copied();
                    let text = text.map(str::to_owned);
                    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
                    self.fault(format!("it panicked: {}", text.unwrap_or_default()));
                    None
                }
            },
        }
    }
}

/// Runs a program and checks it; its end is of no interest to the loop around it, which knows what to expect.
pub(crate) fn run(trial: &Trial, program: &Program) {
    let world = World::new(trial, program);
    let mut totals = Totals::new(&world.calls);
    if let Some((end, report)) = world.end(&mut totals) {
        world.check(end, report.as_ref(), &totals);
    }
    drop(totals);
    for helper in std::mem::take(&mut *world.helpers.lock().unwrap()) {
        helper.join().unwrap();
    }
    world.check_leaks();
}
