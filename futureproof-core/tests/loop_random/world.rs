//! Runs a program as loops, and compares.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use futureproof_core::__private::{
    Added, Failure, Flow, Never, Outcome, each, each_plain, workers, workers_plain,
};
use futureproof_core::{
    Ended, IntoSource, ParallelFor, Report, StopCause, StopToken, pull, pull_here,
};

use super::*;

/// Counts the values of a kind that are alive.
struct Counted(Arc<AtomicIsize>);

impl Counted {
    fn new(alive: &Arc<AtomicIsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An error or a payload.
struct Planned {
    code: usize,
    _alive: Counted,
}

/// An item of a source that gives values.
struct Item<'w> {
    index: usize,
    channel: Option<&'w Channel>,
    _alive: Counted,
}

/// An element of a mutable slice.
struct Element {
    index: usize,
    touched: usize,
}

trait HasIndex {
    fn index(&mut self) -> usize;
}

impl HasIndex for usize {
    fn index(&mut self) -> usize {
        *self
    }
}

impl HasIndex for Item<'_> {
    fn index(&mut self) -> usize {
        self.index
    }
}

impl HasIndex for &mut Element {
    fn index(&mut self) -> usize {
        // Not atomic: a sanitizer sees it if another thread has the same element.
        self.touched += 1;
        self.index
    }
}

/// A frontier that the bodies feed. It ends when everything sent has been pulled and dropped.
struct Channel {
    send: mpsc::Sender<Option<usize>>,
    unfinished: AtomicUsize,
}

impl Channel {
    fn send(&self, index: usize) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.send
            .send(Some(index))
            .expect("the source is alive while items are");
    }
}

impl Drop for Item<'_> {
    fn drop(&mut self) {
        if let Some(channel) = self.channel
            && channel.unfinished.fetch_sub(1, Ordering::AcqRel) == 1
        {
            // The loop may be over and the source gone.
            let _ = channel.send.send(None);
        }
    }
}

/// One loop that runs.
struct World<'t> {
    trial: &'t Trial,
    program: &'t Program,
    token: StopToken,
    started: Vec<AtomicUsize>,
    running: AtomicIsize,
    items: Arc<AtomicIsize>,
    codes: Arc<AtomicIsize>,
}

impl<'t> World<'t> {
    fn fault(&self, what: impl std::fmt::Display) {
        let program = self.program;
        self.trial
            .faults
            .lock()
            .unwrap()
            .push(format!("{what}, in {program:#?}"));
    }

    fn planned(&self, code: usize) -> Planned {
        Planned {
            code,
            _alive: Counted::new(&self.codes),
        }
    }

    fn item<'w>(&'w self, index: usize, channel: Option<&'w Channel>) -> Item<'w> {
        let item = Item {
            index,
            channel,
            _alive: Counted::new(&self.items),
        };
        if self.program.input != Input::Vec {
            let pulled = self.items.load(Ordering::Relaxed);
            let bound = self.program.workers * self.program.batch.unwrap_or(1024);
            if pulled > bound as isize {
                self.fault(format!("{pulled} items are pulled and not finished"));
            }
        }
        item
    }

    /// The next item of a source that is pulled.
    fn next<'w>(&'w self, next: &mut usize) -> Option<Item<'w>> {
        let index = *next;
        *next += 1;
        let program = self.program;
        if program.source_nests == Some(index)
            && let Some(inner) = &program.inner
        {
            run(self.trial, inner);
        }
        if program.source_panic == Some(index) {
            let code = program.code(index) + SOURCE;
            resume_unwind(Box::new(self.planned(code)));
        }
        if index > program.count {
            self.fault("a source was asked again after its end");
        }
        (index < program.count).then(|| self.item(index, None))
    }

    /// Runs an item's body.
    fn body(
        &self,
        item: &mut impl HasIndex,
        channel: Option<&Channel>,
        list: Option<&mut Vec<usize>>,
        sum: Option<&mut usize>,
    ) -> Effect {
        struct Running<'a>(&'a AtomicIsize);

        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        let program = self.program;
        let index = item.index();
        if self.started[index].fetch_add(1, Ordering::Relaxed) > 0 {
            self.fault(format!("item {index} was started twice"));
        }
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        let _running = Running(&self.running);
        if running > program.workers as isize {
            self.fault(format!("{running} bodies at once"));
        }
        if let Some(list) = list {
            list.push(index);
        }
        if let Some(sum) = sum {
            *sum += index;
        }
        if let Some(channel) = channel {
            (2 * index + 1..2 * index + 3)
                .filter(|&child| child < program.count)
                .for_each(|child| channel.send(child));
        }
        match index.wrapping_mul(0x9e37_79b9) % 31 {
            0 => std::thread::yield_now(),
            1..4 => (0..index % 3000).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
        match program.deeds.get(&index) {
            Some(Deed::Stop) => self.token.stop(),
            Some(Deed::Nest) => {
                if let Some(inner) = &program.inner {
                    run(self.trial, inner);
                }
            }
            _ => {}
        }
        let effect = program.effect(index);
        if let Some(channel) = channel
            && (self.token.is_stopped() || program.exit(index).is_some())
        {
            // Or the source might wait for ever: what is pulled and not run any more gives it nothing.
            let _ = channel.send.send(None);
        }
        if let Effect::Panic(code) = effect {
            resume_unwind(Box::new(self.planned(code)));
        }
        effect
    }

    fn flow(&self, effect: Effect) -> Flow<Planned> {
        match effect {
            Effect::Next => Flow::Next,
            Effect::Break => Flow::Break,
            Effect::Fail(code) if self.program.policy == ErrorPolicy::Raise => {
                Flow::Exit(self.planned(code))
            }
            Effect::Fail(_) => Flow::Failed(Failure::ignored()),
            Effect::Panic(_) => unreachable!("it has left the body"),
        }
    }

    fn plain_flow(effect: Effect) -> Flow<Never> {
        match effect {
            Effect::Next => Flow::Next,
            Effect::Fail(_) => Flow::Failed(Failure::ignored()),
            Effect::Break | Effect::Panic(_) => unreachable!("the program is plain"),
        }
    }

    /// Runs the loop over `input`.
    fn drive<I: IntoSource<Item: HasIndex>>(
        &self,
        input: I,
        channel: Option<&Channel>,
        list: &mut Vec<usize>,
        sum: &mut usize,
    ) -> Outcome<Planned> {
        /// A loop with the reduced variables `$part`, given their accumulators.
        macro_rules! reducing {
            ($entry:ident, $flow:expr, $accumulators:expr, ($($part:ident),+), $list:expr, $sum:expr) => {
                $entry(self.options(), input.into_source(), $accumulators, |worker| {
                    let ($(mut $part,)+) = worker.parts();
                    loop {
                        let more = worker.batch(|mut item| $flow(self.body(&mut item, channel, $list, $sum)));
                        worker.settle(($(&mut $part,)+));
                        if !more {
                            break;
                        }
                    }
                })
            };
        }

        if self.program.is_plain() {
            let flow = Self::plain_flow;
            return Outcome::Ended(match self.program.sink {
                Sink::Nothing => each_plain(self.options(), input.into_source(), |mut item| {
                    flow(self.body(&mut item, channel, None, None))
                }),
                Sink::List => {
                    reducing!(workers_plain, flow, (Added(list),), (l), Some(&mut l), None)
                }
                Sink::Sum => reducing!(workers_plain, flow, (Added(sum),), (s), None, Some(&mut s)),
                Sink::Both => {
                    reducing!(
                        workers_plain,
                        flow,
                        (Added(list), Added(sum)),
                        (l, s),
                        Some(&mut l),
                        Some(&mut s)
                    )
                }
            });
        }
        let flow = |effect| self.flow(effect);
        match self.program.sink {
            Sink::Nothing => each(self.options(), input.into_source(), |mut item| {
                flow(self.body(&mut item, channel, None, None))
            }),
            Sink::List => reducing!(workers, flow, (Added(list),), (l), Some(&mut l), None),
            Sink::Sum => reducing!(workers, flow, (Added(sum),), (s), None, Some(&mut s)),
            Sink::Both => {
                reducing!(
                    workers,
                    flow,
                    (Added(list), Added(sum)),
                    (l, s),
                    Some(&mut l),
                    Some(&mut s)
                )
            }
        }
    }

    fn options(&self) -> ParallelFor<'t> {
        let program = self.program;
        let mut options = ParallelFor::new()
            .workers(program.workers)
            .error_policy(program.policy);
        if let Some(batch) = program.batch {
            options = options.batch(batch);
        }
        if let Some(pool) = self.trial.pools.get(program.pool) {
            options = options.pool(pool);
        }
        if program.can_stop() {
            options = options.stop(&self.token);
        }
        options
    }

    /// Makes the input and runs the loop.
    fn start(&self, list: &mut Vec<usize>, sum: &mut usize) -> Outcome<Planned> {
        let count = self.program.count;
        match self.program.input {
            Input::Range => self.drive(0..count, None, list, sum),
            Input::Vec => {
                let items: Vec<_> = (0..count).map(|index| self.item(index, None)).collect();
                self.drive(items, None, list, sum)
            }
            Input::MutSlice => {
                let mut elements: Vec<_> = (0..count)
                    .map(|index| Element { index, touched: 0 })
                    .collect();
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    self.drive(&mut elements[..], None, list, sum)
                }));
                for element in &elements {
                    if element.touched != self.started[element.index].load(Ordering::Relaxed) {
                        self.fault("a change to an element was lost");
                    }
                }
                outcome.unwrap_or_else(|payload| resume_unwind(payload))
            }
            Input::Shared | Input::Here => {
                let mut next = 0;
                let items = Hinted {
                    iter: std::iter::from_fn(|| self.next(&mut next)),
                    hint: self.program.hint.then_some(count),
                };
                if self.program.input == Input::Shared {
                    self.drive(pull(items), None, list, sum)
                } else {
                    self.drive(pull_here(items), None, list, sum)
                }
            }
            Input::Channel | Input::ChannelHere => {
                let (send, receive) = mpsc::channel();
                let channel = Channel {
                    send,
                    unfinished: AtomicUsize::new(0),
                };
                if count > 0 {
                    channel.send(0);
                } else {
                    channel.send.send(None).expect("the receiver is there");
                }
                let channel = &channel;
                let items = std::iter::from_fn(move || {
                    let index = receive.recv().expect("the channel outlives the loop")?;
                    Some(self.item(index, Some(channel)))
                });
                if self.program.input == Input::Channel {
                    self.drive(pull(items), Some(channel), list, sum)
                } else {
                    self.drive(pull_here(items), Some(channel), list, sum)
                }
            }
        }
    }

    fn has_started(&self, index: usize) -> bool {
        self.started[index].load(Ordering::Relaxed) > 0
    }

    /// Compares what happened with what may happen.
    fn check(&self, end: End, report: Option<&Report>, list: &[usize], sum: usize) {
        let program = self.program;
        let sequential = program.sequential();
        let stopped = self.token.is_stopped();
        let started: BTreeSet<usize> = (0..program.count)
            .filter(|&index| self.has_started(index))
            .collect();
        let exits: Vec<End> = started
            .iter()
            .filter_map(|&index| program.exit(index))
            .collect();
        let source_end = program
            .source_panic
            .map(|index| End::Panicked(program.code(index) + SOURCE));

        // A panic is never swallowed, so after a stop it may leave the loop from behind items that were not run. Nothing
        // else does.
        let is_panic =
            matches!(end, End::Panicked(_)) && (exits.contains(&end) || Some(end) == source_end);
        let stopped_by_panic = stopped && is_panic;
        let as_sequential = if program.is_channel() {
            match end {
                // A stop ends the frontier too.
                End::Exhausted => exits.is_empty() && (stopped || started.len() == program.count),
                End::Stopped => false,
                end => exits.contains(&end),
            }
        } else {
            end == sequential.end && !stopped_by_panic
        };
        let stopped_early = stopped && end == End::Stopped;
        if !(as_sequential || stopped_by_panic || stopped_early) {
            let expected = sequential.end;
            self.fault(format!(
                "it ended with {end:?} instead of {expected:?}; stopped: {stopped}"
            ));
            return;
        }
        if program.stopped_before && !started.is_empty() {
            self.fault("it was stopped before its start, and items were started");
        }
        if as_sequential
            && !program.is_channel()
            && let Some(missing) = (0..sequential.starts).find(|index| !started.contains(index))
        {
            self.fault(format!("item {missing} was not started"));
        }
        if let Some(report) = report {
            let exactly =
                (report.completed(), report.failed()) == (sequential.completed, sequential.failed);
            if end == End::Exhausted && !program.is_channel() && !exactly {
                self.fault(format!("it says {report}"));
            }
            if report.completed() + report.failed() != started.len() as u64 - exited(&exits) {
                let started = started.len();
                self.fault(format!(
                    "it says {report}, but {started} items were started"
                ));
            }
        }
        if matches!(program.sink, Sink::List | Sink::Both) {
            self.check_list(
                end,
                as_sequential,
                &sequential,
                &started,
                exits.is_empty(),
                list,
            );
        }
        if program.sink == Sink::Both
            && end != End::Stopped
            && as_sequential
            && sum != list.iter().sum::<usize>()
        {
            self.fault(format!("the sum is {sum}, the list {list:?}"));
        }
        // Without order, the sum of a loop that a panic leaves may have what other workers did.
        let ordered = !program.is_plain() || end == End::Exhausted;
        if program.sink == Sink::Sum && ordered && as_sequential && !program.is_channel() {
            let expected: usize = (0..sequential.starts).sum();
            if sum != expected {
                self.fault(format!("the sum is {sum} instead of {expected}"));
            }
        }
    }

    fn check_list(
        &self,
        end: End,
        as_sequential: bool,
        sequential: &Sequential,
        started: &BTreeSet<usize>,
        no_exit: bool,
        list: &[usize],
    ) {
        let right = if self.program.is_channel() {
            let unique: BTreeSet<usize> = list.iter().copied().collect();
            unique.len() == list.len()
                && unique.is_subset(started)
                && (!matches!(end, End::Exhausted | End::Stopped) || !no_exit || unique == *started)
        } else if as_sequential {
            list.iter().copied().eq(0..sequential.starts)
        } else {
            // Stopped: in order; all that was run, unless an item that does not count has left the loop too.
            list.is_sorted_by(|a, b| a < b)
                && list.iter().all(|index| started.contains(index))
                && (!no_exit || end != End::Stopped || list.len() == started.len())
        };
        if !right {
            self.fault(format!(
                "the list is {list:?}, started were {started:?}, it ended with {end:?}"
            ));
        }
    }
}

/// How many items have left by `Exit`, which a report does not count.
fn exited(exits: &[End]) -> u64 {
    exits
        .iter()
        .filter(|exit| matches!(exit, End::Exited(_)))
        .count() as u64
}

/// An iterator that may say how long it is.
struct Hinted<I> {
    iter: I,
    hint: Option<usize>,
}

impl<I: Iterator> Iterator for Hinted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.iter.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.hint.unwrap_or(0), self.hint)
    }
}

/// Runs a program and checks it; its end is of no interest to the loop around it, which knows what to expect.
pub(crate) fn run(trial: &Trial, program: &Program) {
    let world = World {
        trial,
        program,
        token: StopToken::new(),
        started: (0..program.count).map(|_| AtomicUsize::new(0)).collect(),
        running: AtomicIsize::new(0),
        items: Arc::default(),
        codes: Arc::default(),
    };
    if program.stopped_before {
        world.token.stop();
    }
    let (mut list, mut sum) = (Vec::new(), 0);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.start(&mut list, &mut sum)));
    let (end, report) = match outcome {
        Ok(Outcome::Exited(planned)) => (End::Exited(planned.code), None),
        Ok(Outcome::Ended(report)) => {
            let end = match report.ended() {
                Ended::Exhausted => End::Exhausted,
                Ended::Broke => End::Broke,
                Ended::Stopped(StopCause::Token) => End::Stopped,
                other => return world.fault(format!("it ended with {other:?}")),
            };
            (end, Some(report))
        }
        Err(payload) => match payload.downcast::<Planned>() {
            Ok(planned) => (End::Panicked(planned.code), None),
            Err(payload) => resume_unwind(payload),
        },
    };
    world.check(end, report.as_ref(), &list, sum);
    let alive = (
        world.items.load(Ordering::Relaxed),
        world.codes.load(Ordering::Relaxed),
    );
    if alive != (0, 0) {
        world.fault(format!(
            "{alive:?} items and errors are alive after the loop"
        ));
    }
}
