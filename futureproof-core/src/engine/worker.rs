//! A worker of one loop: takes a batch, runs it, records how it went, and takes the next.

use std::time::Duration;

use super::exit::Leave;
use super::merge::Segment;
use super::run::{Exits, Run};
use super::size::BatchSize;
use crate::context::ItemSpan;
use crate::describe::Failure;
use crate::flow::Flow;
use crate::monitor::{At, Done, Sampler};
use crate::policy::ErrorPolicy;
use crate::raw::clock::Clock;
use crate::raw::lend::Lease;
use crate::reduce::{Accumulators, PartRefs};
use crate::source::{Ask, Chunk, Handout, Source};
use crate::stop::{self, Signals, StopCause};
use crate::sync::Ordering;
use crate::unwind::{self, Payload};

/// The items a worker has taken and not run.
struct Hand<C> {
    /// The index of the next one.
    index: usize,
    chunk: C,
}

/// So many bodies that cannot leave the loop run between two looks at the signals. Enough of them to be vectorised, few
/// enough that a stop is seen soon even where they turn out much dearer than they were.
const BLOCK: usize = 256;

/// A chunk, run block by block.
struct Blocks<C> {
    block: C,
    rest: Option<C>,
}

impl<C: Chunk> Blocks<C> {
    #[inline]
    fn new(mut chunk: C, split: bool) -> Self {
        match split.then(|| chunk.split_front(BLOCK)).flatten() {
            Some(block) => Self {
                block,
                rest: Some(chunk),
            },
            None => Self {
                block: chunk,
                rest: None,
            },
        }
    }

    /// Goes on to the next block, if there is one.
    #[inline]
    fn advance(&mut self) -> bool {
        let Some(rest) = self.rest.take() else {
            return false;
        };
        *self = Self::new(rest, true);
        true
    }

    /// How many items are known to be left.
    fn left(&self) -> usize {
        self.block.size_hint().0 + self.rest.as_ref().map_or(0, |rest| rest.size_hint().0)
    }
}

/// Why a run through a chunk paused.
enum Pause<X> {
    /// The chunk is at its end.
    End,
    /// Its next item is behind an exit.
    Past,
    /// The loop is stopped.
    Stopped(StopCause),
    /// Its next item, which has run, failed or left.
    Flow(Flow<X>),
}

/// What keeps the item with this index from being started, if anything does.
#[inline]
fn pause<X>(signals: &Signals, index: usize) -> Option<Pause<X>> {
    if signals.is_past_exit(index) {
        return Some(Pause::Past);
    }
    signals.stop_cause().map(Pause::Stopped)
}

/// One worker of a loop.
pub struct Worker<'r, S: Source, A: Accumulators, E: Exits> {
    run: &'r Run<S, A, E>,
    lease: Option<&'r Lease>,
    feed: Option<&'r mut S::Feed>,
    seat: usize,
    size: BatchSize,
    clock: Clock,
    /// Chooses whose durations are reported.
    sampler: Option<Sampler>,
    /// When the last batch ended.
    last: u64,
    hand: Option<Hand<<S::Shared as Handout>::Chunk<'r>>>,
    /// What the last batch ran, for its parts.
    segment: Option<Segment>,
    completed: u64,
    /// With those that panicked.
    failed: u64,
    panicked: u64,
    /// Items that left the loop with a value.
    left: u64,
    over: bool,
    /// Has each item a span of its own? Then, that of the item in hand, and how it has ended, if it did not just go on.
    traced: bool,
    span: ItemSpan,
    outcome: Option<&'static str>,
}

impl<S: Source, A: Accumulators, E: Exits> std::fmt::Debug for Worker<'_, S, A, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("seat", &self.seat)
            .finish_non_exhaustive()
    }
}

impl<'r, S: Source, A: Accumulators, E: Exits> Worker<'r, S, A, E> {
    /// Takes a seat and works for the loop until there is nothing left to do; returns how long it took until its last item
    /// had run.
    pub(super) fn attend(
        run: &'r Run<S, A, E>,
        lease: Option<&'r Lease>,
        feed: Option<&'r mut S::Feed>,
        work: &impl Fn(&mut Worker<'_, S, A, E>),
    ) -> Duration {
        // The calling thread has seat 0 whenever it comes.
        let seat = match feed {
            Some(_) => 0,
            None => run.seats.fetch_add(1, Ordering::Relaxed),
        };
        let clock = Clock::new();
        let came = clock.now();
        run.source.arrive();
        let mut worker = Worker {
            run,
            lease,
            feed,
            seat,
            size: BatchSize::new(run.settings.batch),
            clock,
            sampler: (run.progress.as_ref()).and_then(|progress| progress.sampler(came)),
            last: came,
            hand: None,
            segment: None,
            completed: 0,
            failed: 0,
            panicked: 0,
            left: 0,
            over: false,
            traced: run.context.is_traced(),
            span: ItemSpan::default(),
            outcome: None,
        };
        let attended = unwind::catch(|| {
            while worker.take() {
                // Bodies are caught one by one. What comes through to here is the panic of a local: of its expression,
                // which counts as the item's in hand, or of its drop.
                match unwind::catch(|| work(&mut worker)) {
                    Err(payload) if worker.hand.is_some() => worker.first_panicked(payload),
                    Err(payload) => run.keep_drop_panic(payload),
                    Ok(()) => {}
                }
            }
        });
        if let Err(payload) = attended {
            // Nothing that is known to unwind gets here; if something does, no item is lost without a word.
            let index = worker
                .hand
                .as_ref()
                .map_or(usize::MAX - 1, |hand| hand.index);
            run.leave(index, Leave::Panic(payload));
        }
        if let Some(hand) = worker.hand.take() {
            worker.drop_rest(hand.chunk);
        }
        worker.publish(At::Nothing);
        run.count(worker.completed, worker.failed);
        Duration::from_nanos(worker.last.saturating_sub(came))
    }

    /// Makes sure that there is a batch in hand.
    fn take(&mut self) -> bool {
        if self.hand.is_some() {
            return true;
        }
        if self.over {
            return false;
        }
        let (run, lease) = (self.run, self.lease);
        stop::set_place(usize::MAX);
        self.publish(At::Source);
        let stop = run.signals.stop_cause();
        let taken = if stop.is_some() {
            None
        } else {
            let ask = Ask {
                seat: self.seat,
                want: self.size.get(),
                least: self.size.least(run.seats.load(Ordering::Relaxed) == 1),
                each: self.size.each(),
                clock: self.clock,
                signals: &run.signals,
                send_for: &|| recruit(run, lease),
            };
            match &mut self.feed {
                Some(feed) => S::feed(&run.source, feed, ask),
                None => run.source.take(ask),
            }
        };
        let Some((index, chunk)) = taken else {
            self.over = true;
            if !run.signals.has_exit()
                && let Some(cause) = run.signals.stop_cause()
                && !run.source.is_exhausted()
            {
                run.stop(cause);
            }
            return false;
        };
        stop::set_place(index);
        self.publish(At::Batch(index, chunk.size_hint().0));
        self.hand = Some(Hand { index, chunk });
        recruit(run, lease);
        true
    }

    /// May parts be merged in any order? Nothing leaves such a loop but a panic.
    const UNORDERED: bool = !A::ORDERED && !E::POSSIBLE;

    /// Tells the monitor what this worker is at.
    #[inline]
    fn publish(&self, at: At) {
        if let Some(progress) = &self.run.progress {
            let done = Done {
                completed: self.completed,
                errors: self.failed - self.panicked,
                panicked: self.panicked,
                left: self.left,
            };
            progress.publish(self.seat, at, done);
        }
    }

    /// Returns fresh parts for the reduced variables.
    pub fn parts(&mut self) -> A::Parts {
        self.run.merge.lock().fresh()
    }

    /// Runs the next batch; false when there is none left for this worker.
    #[inline]
    pub fn batch(&mut self, mut body: impl FnMut(S::Item) -> Flow<E::Value>) -> bool {
        if !self.take() {
            return false;
        }
        let Some(Hand {
            index: start,
            chunk,
        }) = self.hand.take()
        else {
            return false;
        };
        let mut chunk = Blocks::new(chunk, S::INDEXED && !E::POSSIBLE);
        let mut index = start;
        let mut last = false;
        // Not since the last batch: to wait for the source does not make a body dear.
        let timed = self.size.varies()
            || (self.sampler.as_ref()).is_some_and(|sampler| sampler.wants(self.size.get()));
        let (began, pulled_in) = match chunk.block.pulled() {
            Some(pulled) => pulled,
            None if timed => (self.clock.now(), 0),
            None => (0, 0),
        };
        if self.traced {
            self.enter_item(start);
        }
        loop {
            let paused = self.run_chunk(&mut chunk.block, &mut index, &mut body);
            let ran = match paused {
                Ok(Pause::End) if chunk.advance() => continue,
                Ok(Pause::End) => {
                    if let Some(payload) = chunk.block.source_panic() {
                        self.run.leave(index, Leave::Panic(payload));
                        last = true;
                    }
                    break;
                }
                Ok(Pause::Past) => break,
                Ok(Pause::Stopped(cause)) => {
                    let left = chunk.left();
                    if left > 0 {
                        self.run.skip(index, cause);
                    }
                    if let Some(payload) = chunk.block.source_panic() {
                        self.run.leave(index + left, Leave::Panic(payload));
                        last = true;
                    }
                    break;
                }
                Ok(Pause::Flow(flow)) => self.conclude(index, flow),
                Err(payload) => self.panicked(index, payload),
            };
            index += 1;
            if !ran {
                last = true;
                break;
            }
        }
        if self.traced {
            self.leave_item(index > start);
        }
        let (mut elapsed, mut now) = (0, 0);
        if index > start && timed {
            now = self.clock.now();
            elapsed = now.saturating_sub(began);
            if self.size.varies() {
                chunk.block.ran(elapsed);
                self.size
                    .learn(index - start, elapsed.saturating_add(pulled_in));
                self.last = now;
            }
        }
        if let Some(sampler) = &mut self.sampler
            && index > start
        {
            sampler.ran(index - start, elapsed, now);
        }
        self.drop_rest(chunk.block);
        chunk.rest.into_iter().for_each(|rest| self.drop_rest(rest));
        self.segment = Some(Segment {
            start,
            end: index,
            last,
        });
        self.over |= last;
        !self.over
    }

    #[cold]
    fn enter_item(&mut self, index: usize) {
        self.outcome = None;
        self.span = ItemSpan::enter(&self.run.context, &self.run.settings.name, index, 1);
    }

    #[cold]
    fn leave_item(&mut self, ran: bool) {
        let outcome = match self.outcome {
            None if !ran => "skipped",
            outcome => outcome.unwrap_or("completed"),
        };
        std::mem::take(&mut self.span).end(|| outcome);
    }

    /// Runs items until the chunk ends or something happens. `index` is that of the item at which it paused.
    #[inline]
    fn run_chunk(
        &mut self,
        chunk: &mut <S::Shared as Handout>::Chunk<'r>,
        index: &mut usize,
        body: &mut impl FnMut(S::Item) -> Flow<E::Value>,
    ) -> Result<Pause<E::Value>, Payload> {
        /// Counts in a register and writes the count back however the chunk is left.
        struct Count<'a> {
            index: &'a mut usize,
            at: usize,
        }

        impl Drop for Count<'_> {
            fn drop(&mut self) {
                *self.index = self.at;
            }
        }

        // A local, so that it is not looked up for each item.
        let signals: &Signals = &self.run.signals;
        let before = *index;
        let result = unwind::catch(|| {
            let mut count = Count { at: *index, index };
            if S::INDEXED && !E::POSSIBLE {
                // Looking once a block leaves a loop that can be vectorised.
                if let Some(paused) = pause(signals, count.at) {
                    return paused;
                }
                for item in chunk {
                    match body(item) {
                        Flow::Next => count.at += 1,
                        flow => return Pause::Flow(flow),
                    }
                }
                return Pause::End;
            }
            let mut paused = match pause(signals, count.at) {
                None => Pause::End,
                Some(paused) => return paused,
            };
            chunk.drive(|item| {
                let flow = body(item);
                let Flow::Next = flow else {
                    paused = Pause::Flow(flow);
                    return false;
                };
                count.at += 1;
                match pause(signals, count.at) {
                    None => true,
                    Some(pause) => {
                        paused = pause;
                        false
                    }
                }
            });
            paused
        });
        self.completed += (*index - before) as u64;
        result
    }

    /// Records how an item ended that did not just go on; false when it left the loop.
    #[cold]
    fn conclude(&mut self, index: usize, flow: Flow<E::Value>) -> bool {
        self.outcome = Some(flow.outcome());
        match flow {
            Flow::Next => self.completed += 1,
            Flow::Failed(failure) => {
                self.failed += 1;
                self.report_failure(index, &failure);
            }
            Flow::Break => {
                self.completed += 1;
                self.run.leave(index, Leave::Break);
                return false;
            }
            Flow::Exit(value) => {
                self.left += 1;
                self.run.leave(index, Leave::Exit(value));
                return false;
            }
        }
        true
    }

    /// Records that an item's body panicked; false when that ends the loop.
    #[cold]
    fn panicked(&mut self, index: usize, payload: Payload) -> bool {
        self.outcome = Some("panicked");
        self.failed += 1;
        self.panicked += 1;
        if self.run.settings.policy == ErrorPolicy::Raise {
            self.run.leave(index, Leave::Panic(payload));
            return false;
        }
        let message = format!("panicked: {}", unwind::message(&payload));
        unwind::discard(payload);
        self.report_failure(index, &Failure::from_message(message));
        true
    }

    fn report_failure(&mut self, index: usize, failure: &Failure) {
        // A subscriber that panics must not take the worker with it.
        if let Err(payload) = unwind::catch(|| self.run.fail(index, failure)) {
            self.run.keep_drop_panic(payload);
        }
    }

    /// A local's expression failed or left: that counts as the item's in hand, which does not run.
    #[cold]
    pub fn failed(&mut self, flow: Flow<E::Value>) {
        self.first_ended(|worker, index| worker.conclude(index, flow));
    }

    #[cold]
    fn first_panicked(&mut self, payload: Payload) {
        self.first_ended(|worker, index| worker.panicked(index, payload));
    }

    fn first_ended(&mut self, conclude: impl FnOnce(&mut Self, usize) -> bool) {
        let Some(mut hand) = self.hand.take() else {
            // The expression is evaluated with a batch in hand; nothing else calls this.
            return;
        };
        let index = hand.index;
        // The item is gone, as it is in a loop whose body leaves before it uses it.
        match unwind::catch(|| hand.chunk.next().map(drop)) {
            Ok(Some(())) => {}
            Ok(None) => {
                // A live or panicked chunk that gives no item after all: the source's own end comes first.
                if let Some(payload) = hand.chunk.source_panic() {
                    self.run.leave(index, Leave::Panic(payload));
                    self.over = true;
                }
                return;
            }
            Err(payload) => self.run.keep_drop_panic(payload),
        }
        let goes_on = conclude(self, index);
        let mut goes_on = goes_on;
        if !A::EMPTY && !Self::UNORDERED {
            let segment = Segment {
                start: index,
                end: index + 1,
                last: !goes_on,
            };
            // The segment may be what waiting parts need to be merged.
            let run = self.run;
            if let Err(payload) = unwind::catch(|| run.merge.lock().put(segment, None)) {
                run.leave(index, Leave::Panic(payload));
                goes_on = false;
            }
        }
        hand.index += 1;
        // What is in hand has at least one item, so that the next local is made for one.
        if goes_on && hand.chunk.size_hint().0 > 0 {
            self.hand = Some(hand);
        } else {
            self.drop_rest(hand.chunk);
            self.over = !goes_on;
        }
    }

    /// Drops items that are not run; their `Drop` may panic.
    fn drop_rest(&self, chunk: <S::Shared as Handout>::Chunk<'r>) {
        if let Err(payload) = unwind::drop_caught(chunk) {
            self.run.keep_drop_panic(payload);
        }
    }

    /// Hands in the parts of the last batch, and leaves fresh ones in their place.
    pub fn settle(&mut self, refs: impl PartRefs<Parts = A::Parts>) {
        if A::EMPTY {
            return;
        }
        let unordered = Self::UNORDERED;
        let segment = self.segment.take();
        // Where order does not matter, the parts are kept until this worker is done.
        if unordered && !self.over {
            return;
        }
        if !unordered && segment.is_none() {
            return;
        }
        let run = self.run;
        let settled = unwind::catch(|| {
            let fresh = run.merge.lock().fresh();
            let parts = refs.replace(fresh);
            let mut merge = run.merge.lock();
            match segment {
                Some(segment) if !unordered => merge.put(segment, Some(parts)),
                _ => merge.add(parts),
            }
        });
        if let Err(payload) = settled {
            let index = segment.map_or(0, |segment| segment.start);
            run.leave(index, Leave::Panic(payload));
            self.over = true;
        }
    }
}

/// Sends for two more workers: each that comes sends for two, so all are there after few rounds, and the caller is not
/// held up.
fn recruit<S: Source, A: Accumulators, E: Exits>(run: &Run<S, A, E>, lease: Option<&Lease>) {
    let Some(lease) = lease else { return };
    if run.absent.load(Ordering::Relaxed) == 0 {
        return;
    }
    let before = run
        .absent
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |absent| {
            Some(absent.saturating_sub(2))
        })
        .unwrap_or(0);
    if before > 0 {
        lease.request(before.min(2));
    }
}
