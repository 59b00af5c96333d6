//! Sources that any worker pulls from: iterators that are `Send`.
//!
//! One worker at a time holds the *token*, which is the right to call `next()`. What it does with it:
//!
//! 1. It wants one item (bodies are slow, or not measured yet): it pulls one, passes the token on, runs the item.
//! 2. It wants several (bodies are cheap): it lays them on its belt as it pulls them. Until it has finished, idle workers
//!    take from the belt's head, so no item waits for the next `next()`; then the rest is its own and the token is
//!    passed on.
//! 3. Bodies are cheap but no other worker has come (yet): its chunk pulls each item just before it runs. In a loop that
//!    will have no other worker it keeps the token meanwhile. Otherwise it passes the token on at once and goes on pulling
//!    only as long as nobody else does, so that a body that turns out slow keeps nobody from the source.
//!
//! A worker that finds neither token nor item sleeps until the token is passed on. While a belt is being filled, one of
//! the sleepers, the *watcher*, looks again after a while: the filler wakes nobody, so that laying an item costs a store
//! and a load. A watcher that finds an item there takes it and leaves the watch to the next sleeper; one that has to
//! look tells the filler, who seems to be stuck in a slow `next()`, to stop reading ahead.

use std::sync::OnceLock;
use std::time::Duration;

use super::{Ask, Chunk, Handout, Plan, Source};
use crate::raw::belt::{Belt, Taken};
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering};
use crate::unwind::{self, Payload};

/// A belt has no more slots than this, whatever `batch` allows: they are allocated at once.
const MOST_ON_BELT: usize = 4096;
/// A watcher first looks after this long whether the worker that fills a belt is stuck.
const FIRST_LOOK: Duration = Duration::from_millis(1);
/// It looks so many times, each time after four times as long.
const LOOKS: u32 = 4;

/// A shared source.
#[derive(Debug)]
pub struct Shared<I>(I);

impl<I> Shared<I> {
    pub(crate) fn new(iter: I) -> Self {
        Self(iter)
    }
}

impl<I: Iterator<Item: Send> + Send> Source for Shared<I> {
    type Item = I::Item;
    type Shared = Pulled<I>;
    type Feed = ();

    fn exact_len(&self) -> Option<usize> {
        exact_len(&self.0)
    }

    fn most(&self) -> Option<usize> {
        size_hint(&self.0).1
    }

    fn open(self, plan: Plan) -> (Pulled<I>, ()) {
        (
            Pulled {
                pull: Mutex::new(Pull {
                    iter: self.0,
                    next: 0,
                    ended: false,
                }),
                state: Mutex::new(State {
                    pulling: false,
                    belt: None,
                    ended: false,
                    present: 0,
                    sleepers: 0,
                    watched: false,
                }),
                passed_on: Condvar::new(),
                stuck: AtomicBool::new(false),
                belts: OnceLock::new(),
                plan,
            },
            (),
        )
    }

    fn feed<'a>(
        shared: &'a Pulled<I>,
        (): &mut (),
        ask: Ask<'_>,
    ) -> Option<(usize, PulledChunk<'a, I>)> {
        shared.take(ask)
    }
}

/// The exact number of items, if the iterator says so. It is only shown, never relied on.
pub(super) fn exact_len<I: Iterator>(iter: &I) -> Option<usize> {
    match size_hint(iter) {
        (low, Some(high)) if low == high => Some(low),
        _ => None,
    }
}

/// The iterator's size hint; one that panics says nothing, as a `for` loop would not have asked it.
pub(super) fn size_hint<I: Iterator>(iter: &I) -> (usize, Option<usize>) {
    unwind::catch(|| iter.size_hint()).unwrap_or_else(|payload| {
        unwind::discard(payload);
        (0, None)
    })
}

/// The shared part of a [`Shared`] source.
pub struct Pulled<I: Iterator> {
    /// Locked by the holder of the token, and without the token only if it is free at once.
    pull: Mutex<Pull<I>>,
    state: Mutex<State>,
    /// Signalled when the token is passed on or the loop is ending.
    passed_on: Condvar,
    /// Set by a watcher: whoever fills a belt should finish. A hint, so relaxed.
    stuck: AtomicBool,
    belts: OnceLock<Box<[Belt<I::Item>]>>,
    plan: Plan,
}

struct Pull<I> {
    iter: I,
    /// The index of the item that the next `next()` gives.
    next: usize,
    ended: bool,
}

struct State {
    /// Does somebody hold the token?
    pulling: bool,
    /// The seat whose belt is being filled.
    belt: Option<usize>,
    /// Has the source said that there is nothing more?
    ended: bool,
    /// Workers that have come and not been sent away.
    present: usize,
    sleepers: usize,
    /// Is one of the sleepers the watcher?
    watched: bool,
}

/// What one call of `next()` gave.
enum Pulling<T> {
    Item(T),
    End,
    Panicked(Payload),
}

impl<I: Iterator> Pull<I> {
    fn pull(&mut self) -> Pulling<I::Item> {
        if self.ended {
            return Pulling::End;
        }
        match unwind::catch(|| self.iter.next()) {
            Ok(Some(item)) => {
                self.next += 1;
                Pulling::Item(item)
            }
            Ok(None) => {
                self.ended = true;
                Pulling::End
            }
            Err(payload) => {
                self.ended = true;
                Pulling::Panicked(payload)
            }
        }
    }
}

impl<I: Iterator> Pulled<I> {
    /// Says, without the token, that the source has ended.
    fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        self.passed_on.notify_all();
    }

    /// Passes the token on.
    fn pass_on(&self, ended: bool) {
        let mut state = self.state.lock();
        state.pulling = false;
        state.belt = None;
        state.ended |= ended;
        if state.sleepers == 0 {
            return;
        }
        if state.ended {
            self.passed_on.notify_all();
        } else {
            self.passed_on.notify_one();
        }
    }
}

/// What a worker found when it looked for something to do.
enum Found<T> {
    Token,
    Item(usize, T),
    Nothing,
}

impl<I: Iterator<Item: Send> + Send> Pulled<I> {
    /// Waits for an item on somebody's belt or for the token.
    fn find(&self, ask: Ask<'_>) -> Found<I::Item> {
        let mut state = self.state.lock();
        let mut looks = 0;
        loop {
            if ask.signals.has_exit() || ask.signals.stop_cause().is_some() {
                return Found::Nothing;
            }
            if !state.pulling {
                if state.ended {
                    return Found::Nothing;
                }
                state.pulling = true;
                return Found::Token;
            }
            let filling = state.belt.and_then(|seat| self.belts.get()?.get(seat));
            if let Some((index, item)) = filling.and_then(Belt::take) {
                self.leave_watch_to_another(&state);
                return Found::Item(index, item);
            }
            state.sleepers += 1;
            if filling.is_some() && !state.watched {
                state.watched = true;
                if looks < LOOKS {
                    let timed_out;
                    (state, timed_out) = self
                        .passed_on
                        .wait_timeout(state, FIRST_LOOK * 4_u32.pow(looks));
                    if timed_out {
                        self.stuck.store(true, Ordering::Relaxed);
                        looks += 1;
                    }
                } else {
                    // By now the filler sees that it should finish, whenever its `next()` returns.
                    state = self.passed_on.wait(state);
                    looks = 0;
                }
                state.watched = false;
            } else {
                state = self.passed_on.wait(state);
            }
            state.sleepers -= 1;
        }
    }

    fn is_alone(&self) -> bool {
        self.state.lock().present <= 1
    }

    fn leave_watch_to_another(&self, state: &State) {
        if state.sleepers > 0 && !state.watched {
            self.passed_on.notify_one();
        }
    }

    /// Says that a belt is being filled from now on, so that idle workers look there.
    fn show_belt(&self, seat: usize) {
        let mut state = self.state.lock();
        state.belt = Some(seat);
        self.leave_watch_to_another(&state);
    }

    fn take_one(&self) -> Option<(usize, PulledChunk<'_, I>)> {
        let mut pull = self.pull.lock();
        let index = pull.next;
        let pulled = pull.pull();
        drop(pull);
        self.pass_on(!matches!(pulled, Pulling::Item(_)));
        match pulled {
            Pulling::Item(item) => Some((index, PulledChunk(Held::One(Some(item))))),
            Pulling::End => None,
            Pulling::Panicked(payload) => Some((index, PulledChunk(Held::Panic(Some(payload))))),
        }
    }

    fn take_batch(&self, ask: Ask<'_>) -> Option<(usize, PulledChunk<'_, I>)> {
        let belts = self
            .belts
            .get_or_init(|| (0..self.plan.workers).map(|_| Belt::new()).collect());
        let mut pull = self.pull.lock();
        let mut filler = belts[ask.seat].fill(pull.next, self.plan.batch.min(MOST_ON_BELT));
        self.stuck.store(false, Ordering::Relaxed);
        self.show_belt(ask.seat);
        let mut panic = None;
        while filler.len() < ask.want && !filler.is_full() {
            match pull.pull() {
                Pulling::Item(item) => filler.push(item),
                Pulling::End => break,
                Pulling::Panicked(payload) => {
                    panic = Some(payload);
                    break;
                }
            }
            let ending = ask.signals.has_exit() || ask.signals.is_token_stopped();
            if ending || self.stuck.load(Ordering::Relaxed) {
                break;
            }
        }
        let ended = pull.ended;
        drop(pull);
        let taken = filler.finish();
        self.pass_on(ended);
        Some((taken.start(), PulledChunk(Held::Batch { taken, panic })))
    }

    /// For a worker that is alone: the chunk pulls each item just before it runs.
    fn take_live(&self, want: usize) -> Option<(usize, PulledChunk<'_, I>)> {
        let mut pull = self.pull.lock();
        let index = pull.next;
        // The first item is pulled here: a chunk has at least one.
        let first = match pull.pull() {
            Pulling::Item(item) => item,
            pulled => {
                drop(pull);
                self.pass_on(true);
                return match pulled {
                    Pulling::Panicked(payload) => {
                        Some((index, PulledChunk(Held::Panic(Some(payload)))))
                    }
                    Pulling::Item(_) | Pulling::End => None,
                };
            }
        };
        let next = pull.next;
        let held = (self.plan.workers == 1).then_some(pull);
        if held.is_none() {
            self.pass_on(false);
        }
        let live = Live {
            held,
            next,
            first: Some(first),
            left: want - 1,
            panic: None,
            source: self,
        };
        Some((index, PulledChunk(Held::Live(live))))
    }
}

impl<I: Iterator<Item: Send> + Send> Handout for Pulled<I> {
    type Item = I::Item;
    type Chunk<'a>
        = PulledChunk<'a, I>
    where
        I: 'a;

    fn take(&self, ask: Ask<'_>) -> Option<(usize, PulledChunk<'_, I>)> {
        loop {
            match self.find(ask) {
                Found::Nothing => return None,
                Found::Item(index, item) => {
                    return Some((index, PulledChunk(Held::One(Some(item)))));
                }
                Found::Token => {}
            }
            let taken = if ask.want == 1 && self.plan.workers > 1 {
                self.take_one()
            } else if self.is_alone() {
                // Nothing is read ahead: nobody else would take it while `next()` blocks.
                self.take_live(ask.want)
            } else {
                self.take_batch(ask)
            };
            match taken {
                // Others were quicker and took the whole batch off the belt.
                Some((_, PulledChunk(Held::Batch { taken, panic: None }))) if taken.is_empty() => {}
                taken => return taken,
            }
        }
    }

    fn arrive(&self) {
        self.state.lock().present += 1;
    }

    fn is_exhausted(&self) -> bool {
        self.state.lock().ended
    }

    fn wake(&self) -> Result<(), Payload> {
        // Under the lock, so that a worker is either before its look at the signals or already asleep.
        let state = self.state.lock();
        self.passed_on.notify_all();
        let belt = state.belt.and_then(|seat| self.belts.get()?.get(seat));
        let items: Vec<_> = belt
            .into_iter()
            .flat_map(|belt| std::iter::from_fn(|| belt.take()))
            .collect();
        drop(state);
        unwind::drop_all(items)
    }
}

/// A piece of a [`Shared`] source.
pub struct PulledChunk<'a, I: Iterator>(Held<'a, I>);

enum Held<'a, I: Iterator> {
    One(Option<I::Item>),
    /// What is left of a belt, and the panic of `next()` that ended it.
    Batch {
        taken: Taken<'a, I::Item>,
        panic: Option<Payload>,
    },
    /// Pulled as it runs.
    Live(Live<'a, I>),
    /// `next()` panicked instead of giving an item.
    Panic(Option<Payload>),
}

struct Live<'a, I: Iterator> {
    /// The source, in a loop with one worker, which holds the token with it.
    held: Option<MutexGuard<'a, Pull<I>>>,
    /// The index of the item that this chunk pulls next; if another worker has pulled it, the chunk ends.
    next: usize,
    first: Option<I::Item>,
    left: usize,
    panic: Option<Payload>,
    source: &'a Pulled<I>,
}

impl<I: Iterator> Live<'_, I> {
    #[inline]
    fn pull(&mut self) -> Pulling<I::Item> {
        if let Some(pull) = &mut self.held {
            return pull.pull();
        }
        let Some(mut pull) = self.source.pull.try_lock() else {
            return Pulling::End;
        };
        if pull.next != self.next {
            return Pulling::End;
        }
        let pulled = pull.pull();
        let ended = pull.ended;
        drop(pull);
        if ended {
            self.source.end();
        }
        self.next += 1;
        pulled
    }
}

impl<I: Iterator> Drop for Live<'_, I> {
    fn drop(&mut self) {
        if let Some(pull) = &self.held {
            self.source.pass_on(pull.ended);
        }
    }
}

impl<I: Iterator> Iterator for PulledChunk<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Held::One(item) => item.take(),
            Held::Batch { taken, .. } => taken.next(),
            Held::Live(live) => {
                if live.first.is_some() {
                    return live.first.take();
                }
                live.left = live.left.checked_sub(1)?;
                match live.pull() {
                    Pulling::Item(item) => Some(item),
                    Pulling::End => None,
                    Pulling::Panicked(payload) => {
                        live.panic = Some(payload);
                        None
                    }
                }
            }
            Held::Panic(_) => None,
        }
    }

    /// The lower bound counts the items that have been pulled.
    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Held::One(item) => (usize::from(item.is_some()), None),
            Held::Batch { taken, .. } => (taken.size_hint().0, None),
            Held::Live(live) => (usize::from(live.first.is_some()), None),
            Held::Panic(_) => (0, None),
        }
    }
}

impl<I: Iterator> Chunk for PulledChunk<'_, I> {
    fn source_panic(&mut self) -> Option<Payload> {
        match &mut self.0 {
            Held::One(_) => None,
            Held::Batch { panic, .. } => panic.take(),
            Held::Live(live) => live.panic.take(),
            Held::Panic(payload) => payload.take(),
        }
    }
}

impl<I: Iterator> std::fmt::Debug for PulledChunk<'_, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PulledChunk")
    }
}

impl<I: Iterator> std::fmt::Debug for Pulled<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pulled")
    }
}
