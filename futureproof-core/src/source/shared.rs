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
//! A worker that finds neither token nor item waits awake for a moment where a belt is being filled, which is soon full, and
//! then sleeps until the token is passed on. The filler wakes nobody, so that laying an item costs a store and a load.
//! If the same belt is still being filled after that moment, or when one of the sleepers, the *watcher*, looks again, its
//! filler seems to be stuck in a slow `next()`. It is told to stop reading ahead, and whoever is awake takes what lies
//! on the belt and wakes the next sleeper for the rest.
//!
//! Where bodies cost next to nothing, it may be fastest that one worker takes every batch *alone* (see
//! [`gear`](super::gear)). It passes the token on as always, but wakes nobody, and nobody else takes the token until a
//! watcher finds that nothing has moved: then the worker is in a body that has turned out slow.

mod chunk;

use std::time::Duration;

use crossbeam_utils::CachePadded;

use self::chunk::{Held, Live, PulledChunk};
use super::gear::{self, Gear};
use super::{Ask, Handout, Plan, Source};
use crate::raw::belt::Belt;
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, OnceLock, Ordering, spin_for};
use crate::unwind::{self, Payload};

/// A belt is no larger than this, in bytes, whatever `batch` allows: its slots are allocated at once.
const LARGEST_BELT: usize = 256 * 1024;
/// A watcher first looks after this long whether the holder of the token is stuck.
const FIRST_LOOK: Duration = Duration::from_millis(1);
/// It looks after four times as long each time, but no later than this.
const LAST_LOOK: Duration = Duration::from_millis(16);
/// The same once the holder has been told: then nothing should be found any more.
const LAST_LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A belt is full sooner than this, or its filler is stuck: that is not worth sleeping for.
const SOON: Duration = Duration::from_micros(30);
/// So often a worker waits for that before it holds the filler for stuck.
const SPINS: u32 = 4;
/// Other workers may be quicker to take the token: so often a worker waits for it without sleeping.
const MOST_SPINS: u32 = 16;

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
                pull: CachePadded::new(Mutex::new(Pull {
                    next: 0,
                    cost: 0,
                    ended: false,
                    alone: false,
                    iter: Some(self.0),
                    gear: Gear::new(),
                })),
                hub: CachePadded::new(Hub {
                    free: AtomicBool::new(true),
                    finish: AtomicBool::new(false),
                    state: Mutex::new(State {
                        holder: Holder::Nobody,
                        alone: None,
                        turns: 0,
                        ended: false,
                        present: 0,
                        sleepers: 0,
                        waking: false,
                        watched: false,
                        told: false,
                        dear: None,
                        ending: false,
                    }),
                    passed_on: Condvar::new(),
                }),
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
    pull: CachePadded<Mutex<Pull<I>>>,
    hub: CachePadded<Hub>,
    belts: OnceLock<Box<[Belt<I::Item>]>>,
    plan: Plan,
}

/// What changes hands with the token. What is used each time comes first: a cache line less to pass on.
#[repr(C)]
struct Pull<I> {
    /// The index of the item that the next `next()` gives.
    next: usize,
    /// What it took to pull an item of the last batch, in picoseconds.
    cost: u64,
    ended: bool,
    /// Did the last batch run alone?
    alone: bool,
    /// Only taken out while the holder of the token pulls a batch: a local variable is pulled from faster.
    iter: Option<I>,
    gear: Gear,
}

/// Where workers meet: all of it in as few cache lines as it takes.
struct Hub {
    /// Is the token free? For those who look without the lock: a hint, so relaxed.
    free: AtomicBool,
    /// The filler of a belt should finish: it seems to be stuck, or the loop is ending. Relaxed, as it carries nothing;
    /// changed under the lock of `state`.
    finish: AtomicBool,
    state: Mutex<State>,
    /// Signalled when the token is passed on or the loop is ending.
    passed_on: Condvar,
}

/// Who holds the token, as far as others need to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Nobody,
    /// Somebody who will pass it on, with a wake, as soon as `next()` has returned.
    OneItem,
    /// Somebody who fills the belt of this seat.
    Belt(usize),
}

struct State {
    holder: Holder,
    /// The seat of the worker that runs alone.
    alone: Option<usize>,
    /// How often a belt has been filled.
    turns: usize,
    /// Has the source said that there is nothing more?
    ended: bool,
    /// Workers that have come.
    present: usize,
    sleepers: usize,
    /// Has a sleeper been signalled that has not woken yet?
    waking: bool,
    /// Is one of the sleepers the watcher?
    watched: bool,
    /// Has whoever began the last turn been told that it seems to be stuck?
    told: bool,
    /// How many nanoseconds a batch took that was run alone, if it met a dear body.
    dear: Option<u64>,
    ending: bool,
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
        match unwind::catch(|| self.iter.as_mut()?.next()) {
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
        let mut state = self.hub.state.lock();
        state.ended = true;
        self.hub.passed_on.notify_all();
    }

    /// Passes the token on.
    fn pass_on(&self, ended: bool) {
        let mut state = self.hub.state.lock();
        state.holder = Holder::Nobody;
        self.hub.free.store(true, Ordering::Relaxed);
        state.ended |= ended;
        // The notifications are not sent under the lock, which is the first thing the woken want.
        let wake = state.alone.is_none() || state.told || !state.watched;
        if state.ended && state.sleepers > 0 {
            drop(state);
            self.hub.passed_on.notify_all();
        } else if wake && state.sleepers > 0 && !state.waking {
            state.waking = true;
            drop(state);
            self.hub.passed_on.notify_one();
        }
    }

    /// Says that a belt is going to be filled, so that idle workers look there.
    fn show_belt(&self, state: &mut State, seat: usize) {
        self.hub.finish.store(state.ending, Ordering::Relaxed);
        state.holder = Holder::Belt(seat);
        state.turns += 1;
        state.told = false;
        self.leave_watch_to_another(state);
    }

    fn run_alone(&self, seat: Option<usize>) {
        let mut state = self.hub.state.lock();
        state.alone = seat;
        self.leave_watch_to_another(&mut state);
    }

    /// Tells the filler of the belt that it seems to be stuck.
    ///
    /// It sees that when its `next()` or its body returns. Until then what it holds is anybody's.
    fn tell_filler(&self, state: &mut State) {
        self.hub.finish.store(true, Ordering::Relaxed);
        state.told = true;
    }

    /// Hears that a batch took long that was run alone.
    #[cold]
    fn run_side_by_side(&self, elapsed: u64) {
        // Not under the lock of `pull`: whoever holds the token by now may be in a `next()` that takes long.
        let mut state = self.hub.state.lock();
        state.dear = Some(elapsed);
        state.alone = None;
        if state.sleepers > 0 && !state.waking {
            state.waking = true;
            self.hub.passed_on.notify_one();
        }
    }

    fn leave_watch_to_another(&self, state: &mut State) {
        if state.sleepers > 0 && !state.watched && !state.waking {
            state.waking = true;
            self.hub.passed_on.notify_one();
        }
    }
}

/// What the holder of the token should know.
struct Turn {
    /// How many workers have come.
    present: usize,
    /// A batch that was run alone took so many nanoseconds.
    dear: Option<u64>,
}

/// What a worker found when it looked for something to do.
enum Found<T> {
    Token(Turn),
    Item(usize, T),
    Nothing,
}

impl<I: Iterator<Item: Send> + Send> Pulled<I> {
    /// Waits for an item on somebody's belt or for the token.
    fn find(&self, ask: Ask<'_>) -> Found<I::Item> {
        let mut state = self.hub.state.lock();
        // How often this worker has waited awake, in all and before the turn that it saw last.
        let (mut spins, mut since, mut turn) = (0, 0, usize::MAX);
        let (mut look, mut look_again, mut looked_at) = (FIRST_LOOK, FIRST_LOOK, usize::MAX);
        loop {
            if ask.signals.has_exit() || ask.signals.stop_cause().is_some() {
                return Found::Nothing;
            }
            let welcome = state.told || state.alone.is_none_or(|seat| seat == ask.seat);
            let filling = match state.holder {
                Holder::Nobody if state.ended => {
                    // For those who wait awake.
                    self.hub.free.store(true, Ordering::Relaxed);
                    return Found::Nothing;
                }
                Holder::Nobody if welcome => {
                    let mut turn = Turn {
                        present: state.present,
                        dear: None,
                    };
                    self.hub.free.store(false, Ordering::Relaxed);
                    if ask.want > 1 && turn.present > 1 {
                        turn.dear = state.dear.take();
                        self.show_belt(&mut state, ask.seat);
                    } else {
                        state.holder = Holder::OneItem;
                    }
                    return Found::Token(turn);
                }
                Holder::Belt(seat) if welcome => self.belts.get().and_then(|belts| belts.get(seat)),
                _ => None,
            };
            if filling.is_some() && !state.told && spins < MOST_SPINS {
                if turn != state.turns {
                    (turn, since) = (state.turns, spins);
                }
                if spins - since < SPINS {
                    // The belt is full soon; to take its items one by one costs more than to wait for that.
                    spins += 1;
                    drop(state);
                    // One at a time comes to lock the state.
                    let free = &self.hub.free;
                    spin_for(SOON, || {
                        free.load(Ordering::Relaxed) && free.swap(false, Ordering::Relaxed)
                    });
                    state = self.hub.state.lock();
                    continue;
                }
                self.tell_filler(&mut state);
            }
            if state.told
                && let Some((index, item)) = filling.and_then(Belt::take)
            {
                self.leave_watch_to_another(&mut state);
                return Found::Item(index, item);
            }
            state.sleepers += 1;
            // A belt may be shown that does not exist yet.
            let to_watch = state.alone.is_some() || state.holder != Holder::OneItem;
            if state.told && state.holder != Holder::OneItem {
                if looked_at != state.turns {
                    (look_again, looked_at) = (FIRST_LOOK, state.turns);
                }
                // The filler lays items until it sees that it should finish. That takes it no time on real machines, but
                // the memory model sets no limit.
                (state, _) = self.hub.passed_on.wait_timeout(state, look_again);
                look_again = (look_again * 4).min(LAST_LOOK_AGAIN);
            } else if to_watch && !state.watched && !state.told {
                state.watched = true;
                let seen = state.turns;
                let timed_out;
                (state, timed_out) = self.hub.passed_on.wait_timeout(state, look);
                state.watched = false;
                if timed_out && seen == state.turns {
                    self.tell_filler(&mut state);
                }
                if timed_out {
                    look = (look * 4).min(LAST_LOOK);
                }
            } else {
                state = self.hub.passed_on.wait(state);
            }
            state.sleepers -= 1;
            state.waking = false;
            (spins, turn) = (0, usize::MAX);
        }
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

    /// Takes several items, the way that is fastest where they are cheap.
    fn take_several(&self, ask: Ask<'_>, turn: Turn) -> Option<(usize, PulledChunk<'_, I>)> {
        if self.plan.workers == 1 {
            return self.take_live(self.pull.lock(), ask.want);
        }
        let mut pull = self.pull.lock();
        if turn.present == 1 {
            // Nothing is read ahead: nobody else would take it while `next()` blocks.
            return self.take_live(pull, ask.want);
        }
        let now = ask.clock.now();
        let (next, cost, before) = (pull.next, pull.cost, pull.alone);
        if let Some(elapsed) = turn.dear {
            pull.gear.took_long(now, next, elapsed);
        }
        let alone = gear::is_in_question(cost, ask.each) && pull.gear.choose(now, next, ask.each);
        if alone || before {
            pull.alone = alone;
            self.run_alone(alone.then_some(ask.seat));
        }
        self.take_batch(pull, ask, now, alone)
    }

    fn take_batch<'a>(
        &'a self,
        mut guard: MutexGuard<'a, Pull<I>>,
        ask: Ask<'_>,
        began: u64,
        alone: bool,
    ) -> Option<(usize, PulledChunk<'a, I>)> {
        let belts = self
            .belts
            .get_or_init(|| (0..self.plan.workers).map(|_| Belt::new()).collect());
        let pull = &mut *guard;
        let most = (LARGEST_BELT / size_of::<I::Item>().max(1)).max(16);
        let mut filler = belts[ask.seat].fill(pull.next, self.plan.batch.min(most));
        let mut iter = pull.iter.take();
        let mut ended = false;
        let stoppable = ask.signals.is_stoppable();
        let laid = unwind::catch(|| {
            let Some(iter) = &mut iter else { return };
            if pull.ended {
                return;
            }
            filler.lay(ask.want, || {
                if self.hub.finish.load(Ordering::Relaxed)
                    || stoppable && ask.signals.is_token_stopped()
                {
                    return None;
                }
                let item = iter.next();
                ended = item.is_none();
                item
            });
        });
        pull.iter = iter;
        pull.ended |= ended || laid.is_err();
        let now = ask.clock.now();
        let (count, pulled_in) = (filler.len(), now.saturating_sub(began));
        pull.next += count;
        pull.cost = pulled_in.saturating_mul(1000) / count.max(1) as u64;
        let ended = pull.ended;
        drop(guard);
        let taken = filler.finish();
        self.pass_on(ended);
        let start = taken.start();
        let batch = Held::Batch {
            taken,
            panic: laid.err(),
            pulled: (now, pulled_in),
            alone_in: alone.then_some(self),
        };
        Some((start, PulledChunk(batch)))
    }

    /// Takes a chunk that pulls each item just before it runs.
    fn take_live<'a>(
        &'a self,
        mut pull: MutexGuard<'a, Pull<I>>,
        want: usize,
    ) -> Option<(usize, PulledChunk<'a, I>)> {
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
        let mut turn;
        loop {
            match self.find(ask) {
                Found::Nothing => return None,
                Found::Item(index, item) => {
                    return Some((index, PulledChunk(Held::One(Some(item)))));
                }
                Found::Token(found) => turn = found,
            }
            let taken = if ask.want == 1 && self.plan.workers > 1 {
                self.take_one()
            } else {
                self.take_several(ask, turn)
            };
            match &taken {
                // Others were quicker and took the whole batch off the belt.
                Some((_, chunk)) if chunk.is_spent() => {}
                _ => return taken,
            }
        }
    }

    fn arrive(&self) {
        self.hub.state.lock().present += 1;
    }

    fn is_exhausted(&self) -> bool {
        self.hub.state.lock().ended
    }

    fn wake(&self) -> Result<(), Payload> {
        // Under the lock, so that a worker is either before its look at the signals or already asleep.
        let mut state = self.hub.state.lock();
        state.ending = true;
        self.hub.finish.store(true, Ordering::Relaxed);
        self.hub.passed_on.notify_all();
        let belt = match state.holder {
            Holder::Belt(seat) => self.belts.get().and_then(|belts| belts.get(seat)),
            _ => None,
        };
        let items: Vec<_> = belt
            .into_iter()
            .flat_map(|belt| std::iter::from_fn(|| belt.take()))
            .collect();
        drop(state);
        unwind::drop_all(items)
    }
}

impl<I: Iterator> std::fmt::Debug for Pulled<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pulled")
    }
}
