//! Sources that the calling thread alone pulls from: iterators that are not `Send`.
//!
//! The caller pulls; what it pulls it lays into a queue when another worker is free to take it, and runs itself
//! otherwise. While bodies are cheap it reads ahead, within the bound of workers × batch items that are pulled but not
//! finished, so that the others have work while it runs a body. Before it calls `next()` it leaves nothing in the queue
//! that no worker is about to take, unless bodies are cheap and the others come back soon.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::time::Duration;

use super::shared::{exact_len, size_hint};
use super::{Ask, Chunk, Handout, Plan, Source};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::unwind::{self, Payload};

/// How long the caller waits for a worker that has been sent for before it runs the item itself.
const ARRIVAL: Duration = Duration::from_micros(200);

/// A caller-fed source.
#[derive(Debug)]
pub struct Fed<I>(I);

impl<I> Fed<I> {
    pub(crate) fn new(iter: I) -> Self {
        Self(iter)
    }
}

/// Makes a loop pull its items on the calling thread alone; see [`pull_here`].
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::rc::Rc;
/// use futureproof::{ParallelFor, PullHere, pull_here};
///
/// let words = Rc::new(["one", "two"]); // not `Send`: no other thread may pull
/// let lengths = words.iter().map(|word| word.len());
/// let lengths: PullHere<_> = pull_here(lengths);
/// assert_eq!(ParallelFor::new().for_each(lengths, |length| assert_eq!(length, 3)).completed(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct PullHere<I>(I, PhantomData<*const ()>);

/// Makes a loop pull its items on the calling thread alone, whatever the iterator's type.
///
/// Loops choose this by themselves for iterators that are not [`Send`]. It has to be said by hand where the compiler
/// learns too late that an iterator is not `Send`, as with a closure that captures an `Rc`, and where `next()` must run
/// on this thread for reasons of its own.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::cell::Cell;
/// use futureproof::{ParallelFor, pull_here};
///
/// let pulled = Cell::new(0);
/// let numbers = (0..100).inspect(|_| pulled.set(pulled.get() + 1));
/// ParallelFor::new().for_each(pull_here(numbers), |n| assert!(n < 100));
/// assert_eq!(pulled.get(), 100);
/// ```
pub fn pull_here<I: IntoIterator>(iter: I) -> PullHere<I::IntoIter> {
    PullHere(iter.into_iter(), PhantomData)
}

impl<I: Iterator> Iterator for PullHere<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<I: Iterator<Item: Send>> Source for Fed<I> {
    type Item = I::Item;
    type Shared = Queue<I::Item>;
    type Feed = Feed<I>;

    fn exact_len(&self) -> Option<usize> {
        exact_len(&self.0)
    }

    fn most(&self) -> Option<usize> {
        size_hint(&self.0).1
    }

    fn open(self, plan: Plan) -> (Queue<I::Item>, Feed<I>) {
        (
            Queue {
                state: Mutex::new(State {
                    items: VecDeque::new(),
                    next: 0,
                    unfinished: 0,
                    present: 0,
                    idle: 0,
                    waking: 0,
                    caller_waits: false,
                    ended: false,
                }),
                laid: Condvar::new(),
                changed: Condvar::new(),
                plan,
            },
            Feed {
                iter: self.0,
                patient: true,
                panic: None,
            },
        )
    }

    fn feed<'a>(
        shared: &'a Queue<I::Item>,
        feed: &mut Feed<I>,
        ask: Ask<'_>,
    ) -> Option<(usize, FedChunk<'a, I::Item>)> {
        loop {
            let state = shared.state.lock();
            if ask.signals.has_exit() || ask.signals.stop_cause().is_some() {
                return None;
            }
            if state.ended && state.items.is_empty() {
                // Not before every item that was pulled is in somebody's hands: they come first.
                let (index, payload) = feed.panic.take()?;
                drop(state);
                return Some((index, shared.chunk(VecDeque::new(), Some(payload))));
            }
            if state.ended {
                return shared.front(state, ask.want);
            }
            let room = shared.plan.workers.saturating_mul(ask.want);
            if state.unfinished >= room {
                if !state.items.is_empty() {
                    return shared.front(state, ask.want);
                }
                // All that is pulled is with other workers; one of them will be done.
                let mut state = state;
                state.caller_waits = true;
                drop(shared.changed.wait(state));
                continue;
            }
            let read_ahead = ask.want > 1 && state.present > 1;
            if !read_ahead && state.items.len() > state.idle {
                return shared.front(state, 1);
            }
            let index = state.next;
            drop(state);

            let item = match unwind::catch(|| feed.iter.next()) {
                Ok(Some(item)) => item,
                Ok(None) => {
                    shared.end();
                    continue;
                }
                Err(payload) => {
                    shared.end();
                    feed.panic = Some((index, payload));
                    continue;
                }
            };
            let mut state = shared.state.lock();
            state.next += 1;
            state.unfinished += 1;
            state.items.push_back(item);
            if state.idle > 0 {
                // One for each item, but no more than there are sleepers.
                if state.waking < state.idle.min(state.items.len()) {
                    state.waking += 1;
                    drop(state);
                    shared.laid.notify_one();
                }
            } else if ask.want == 1 && feed.patient && state.present < shared.plan.workers {
                // Bodies may be slow: better two bodies at once, when a worker comes, than one now.
                drop(state);
                (ask.send_for)();
                let mut state = shared.state.lock();
                if state.idle == 0 {
                    state.caller_waits = true;
                    let (_state, late) = shared.changed.wait_timeout(state, ARRIVAL);
                    feed.patient = !late;
                }
            }
        }
    }

    fn unraised(feed: &mut Feed<I>) -> Option<(usize, Payload)> {
        feed.panic.take()
    }
}

/// The calling thread's part of a [`Fed`] source.
#[derive(Debug)]
pub struct Feed<I> {
    iter: I,
    /// Is it worth waiting for workers that have been sent for?
    patient: bool,
    /// The panic of `next()`, and the index of the item it did not give.
    panic: Option<(usize, Payload)>,
}

/// The shared part of a [`Fed`] source.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    /// Signalled when an item is laid into the queue.
    laid: Condvar,
    /// Signalled to the caller when a worker arrives or finishes something.
    changed: Condvar,
    plan: Plan,
}

struct State<T> {
    items: VecDeque<T>,
    /// How many items have been pulled; so the front of `items` has the index `next - items.len()`.
    next: usize,
    /// Pulled, but not finished.
    unfinished: usize,
    /// Workers that have come, the caller included.
    present: usize,
    /// Workers that wait for an item.
    idle: usize,
    /// How many of those have been notified and have not woken yet.
    waking: usize,
    /// Does the caller wait for a worker to arrive or to finish something?
    caller_waits: bool,
    ended: bool,
}

impl<T> Queue<T> {
    fn end(&self) {
        self.state.lock().ended = true;
        self.laid.notify_all();
    }

    /// Lets the caller know of a worker that has arrived or finished something, if it waits for one.
    fn tell_caller(&self, state: &mut State<T>) {
        if std::mem::take(&mut state.caller_waits) {
            self.changed.notify_one();
        }
    }

    fn chunk(&self, items: VecDeque<T>, panic: Option<Payload>) -> FedChunk<'_, T> {
        FedChunk {
            held: items.len(),
            items,
            panic,
            queue: self,
        }
    }

    /// Takes at most `want` items from the queue's front.
    fn front(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        want: usize,
    ) -> Option<(usize, FedChunk<'_, T>)> {
        if state.items.is_empty() {
            return None;
        }
        let index = state.next - state.items.len();
        // Leave the others their part.
        let fair = state.items.len().div_ceil(self.plan.workers);
        let count = want.min(fair).clamp(1, state.items.len());
        let rest = state.items.split_off(count);
        let items = std::mem::replace(&mut state.items, rest);
        drop(state);
        Some((index, self.chunk(items, None)))
    }
}

impl<T: Send> Handout for Queue<T> {
    type Item = T;
    type Chunk<'a>
        = FedChunk<'a, T>
    where
        T: 'a;

    fn take(&self, ask: Ask<'_>) -> Option<(usize, FedChunk<'_, T>)> {
        let mut state = self.state.lock();
        loop {
            if ask.signals.has_exit() || ask.signals.stop_cause().is_some() {
                return None;
            }
            if !state.items.is_empty() {
                return self.front(state, ask.want);
            }
            if state.ended {
                return None;
            }
            state.idle += 1;
            self.tell_caller(&mut state);
            state = self.laid.wait(state);
            state.idle -= 1;
            state.waking = state.waking.saturating_sub(1);
        }
    }

    fn arrive(&self) {
        self.state.lock().present += 1;
    }

    fn is_exhausted(&self) -> bool {
        let state = self.state.lock();
        state.ended && state.items.is_empty()
    }

    fn wake(&self) -> Result<(), Payload> {
        // Under the lock, so that a worker is either before its look at the signals or already asleep.
        let mut state = self.state.lock();
        let items = std::mem::take(&mut state.items);
        state.unfinished -= items.len();
        self.laid.notify_all();
        self.changed.notify_all();
        drop(state);
        unwind::drop_all(items)
    }
}

/// A piece of a [`Fed`] source.
pub struct FedChunk<'a, T> {
    items: VecDeque<T>,
    held: usize,
    panic: Option<Payload>,
    queue: &'a Queue<T>,
}

impl<T> Iterator for FedChunk<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.items.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.items.len(), Some(self.items.len()))
    }
}

impl<T> Chunk for FedChunk<'_, T> {
    fn source_panic(&mut self) -> Option<Payload> {
        self.panic.take()
    }
}

impl<T> Drop for FedChunk<'_, T> {
    fn drop(&mut self) {
        if self.held > 0 {
            let mut state = self.queue.state.lock();
            state.unfinished -= self.held;
            self.queue.tell_caller(&mut state);
        }
    }
}

impl<T> std::fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

impl<T> std::fmt::Debug for FedChunk<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FedChunk")
    }
}
