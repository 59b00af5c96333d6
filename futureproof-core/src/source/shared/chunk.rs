//! What a worker holds of a shared source.

use super::{Pull, Pulled, Pulling};
use crate::raw::belt::Taken;
use crate::source::{Chunk, gear};
use crate::sync::{MutexGuard, panic};
use crate::unwind::{self, Payload};

/// A piece of a [`Shared`](super::Shared) source.
pub struct PulledChunk<'a, I: Iterator>(pub(super) Held<'a, I>);

pub(super) enum Held<'a, I: Iterator> {
    One(Option<I::Item>),
    /// What is left of a belt, and the panic of `next()` that ended it.
    Batch {
        taken: Taken<'a, I::Item>,
        panic: Option<Payload>,
        /// When it had been pulled, and how long that took, in nanoseconds of the worker's clock.
        pulled: (u64, u64),
        /// The source, if no other worker runs meanwhile.
        alone_in: Option<&'a Pulled<I>>,
    },
    /// Pulled as it runs.
    Live(Live<'a, I>),
    /// `next()` panicked instead of giving an item.
    Panic(Option<Payload>),
}

pub(super) struct Live<'a, I: Iterator> {
    /// The source, in a loop with one worker, which holds the token with it.
    pub(super) held: Option<MutexGuard<'a, Pull<I>>>,
    /// The index of the item that this chunk pulls next; if another worker has pulled it, the chunk ends.
    pub(super) next: usize,
    pub(super) first: Option<I::Item>,
    pub(super) left: usize,
    pub(super) panic: Option<Payload>,
    pub(super) source: &'a Pulled<I>,
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
        if let Some(pull) = self.held.take() {
            let ended = pull.ended;
            // Whoever takes the token next may want the lock at once.
            drop(pull);
            self.source.pass_on(ended);
        }
    }
}

impl<I: Iterator> Live<'_, I> {
    /// Pulls and runs.
    #[inline]
    fn drive_held(&mut self, run: &mut impl FnMut(I::Item) -> bool) {
        let Some(pull) = &mut self.held else { return };
        let pull = &mut **pull;
        let mut iter = pull.iter.take();
        let (mut in_next, mut ended, mut left) = (false, false, self.left);
        let ran = unwind::catch(|| {
            let Some(iter) = &mut iter else { return };
            while left > 0 {
                left -= 1;
                in_next = true;
                let Some(item) = iter.next() else {
                    ended = true;
                    break;
                };
                in_next = false;
                if !run(item) {
                    break;
                }
            }
        });
        pull.iter = iter;
        // Each step but the one that gave no item gave one.
        pull.next += self.left - left - usize::from(in_next);
        ended |= in_next;
        pull.ended |= ended;
        self.left = if ended { 0 } else { left };
        match ran {
            Ok(()) => {}
            Err(payload) if in_next => self.panic = Some(payload),
            Err(payload) => panic::resume_unwind(payload),
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

impl<I: Iterator> PulledChunk<'_, I> {
    /// Has everything been taken that was laid on the belt?
    pub(super) fn is_spent(&self) -> bool {
        matches!(&self.0, Held::Batch { taken, panic: None, .. } if taken.is_empty())
    }
}

impl<I: Iterator> Chunk for PulledChunk<'_, I> {
    #[inline]
    fn drive(&mut self, mut run: impl FnMut(Self::Item) -> bool) {
        match &mut self.0 {
            Held::Batch { taken, .. } => {
                for item in taken {
                    if !run(item) {
                        break;
                    }
                }
            }
            Held::Live(live) if live.held.is_some() => {
                if let Some(first) = live.first.take()
                    && !run(first)
                {
                    return;
                }
                live.drive_held(&mut run);
            }
            _ => {
                for item in self {
                    if !run(item) {
                        break;
                    }
                }
            }
        }
    }

    fn pulled(&self) -> Option<(u64, u64)> {
        match &self.0 {
            Held::Batch { pulled, .. } => Some(*pulled),
            _ => None,
        }
    }

    fn ran(&mut self, elapsed: u64) {
        if let Held::Batch {
            alone_in: Some(source),
            ..
        } = &self.0
            && gear::is_too_long(elapsed)
        {
            source.run_side_by_side(elapsed);
        }
    }

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
