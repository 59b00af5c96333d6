//! A batch that is shared while it fills.
//!
//! One thread, the *filler*, pulls items from a source and lays them on its belt. Until it has finished, any other
//! thread may take the item at the head, so no item waits for the next one to be pulled. When the filler has finished,
//! what is left is its own.
//!
//! | slot | state | who may touch it |
//! |---|---|---|
//! | `head.next..len` while filling | written | whoever holds the lock of `head`, and takes in order |
//! | `head.next..len` afterwards | written | the [`Taken`] alone |
//! | `len..` while filling | vacant | the [`Filler`] alone |
//! | all others | vacant | nobody |
//!
//! At most one [`Filler`] or [`Taken`] exists for a belt at a time: `head.in_use`.

use std::mem::MaybeUninit;
use std::slice;

use crate::sync::{AtomicUsize, Mutex, OnceLock, Ordering, UnsafeCell};
use crate::unwind;

type Slot<T> = UnsafeCell<MaybeUninit<T>>;

/// See the [module](self).
pub(crate) struct Belt<T> {
    slots: OnceLock<Box<[Slot<T>]>>,
    /// How many slots have been filled since the filler began. Stored with `Release` after the slot is written; a taker
    /// loads it with `Acquire` before it reads the slot.
    len: AtomicUsize,
    head: Mutex<Head>,
}

struct Head {
    /// The first slot that nobody has taken.
    next: usize,
    /// The index, in the loop's input, of slot 0.
    base: usize,
    filling: bool,
    in_use: bool,
}

// SAFETY: items move between threads by value, never shared, so `T: Send` is all they need; the table above keeps two
// threads from touching one slot at once.
unsafe impl<T: Send> Sync for Belt<T> {}

impl<T> Belt<T> {
    pub(crate) fn new() -> Self {
        Self {
            slots: OnceLock::new(),
            len: AtomicUsize::new(0),
            head: Mutex::new(Head {
                next: 0,
                base: 0,
                filling: false,
                in_use: false,
            }),
        }
    }

    /// Begins a batch whose first item has the index `base`. The first call fixes the belt's capacity.
    ///
    /// # Panics
    ///
    /// Panics when the belt is in use.
    pub(crate) fn fill(&self, base: usize, capacity: usize) -> Filler<'_, T> {
        let slots = self.slots.get_or_init(|| {
            (0..capacity.max(1))
                .map(|_| UnsafeCell::new(MaybeUninit::uninit()))
                .collect()
        });
        let mut head = self.head.lock();
        assert!(!head.in_use, "a belt has one filler at a time");
        *head = Head {
            next: 0,
            base,
            filling: true,
            in_use: true,
        };
        // Under the lock: a taker that sees `filling` sees the belt empty.
        self.len.store(0, Ordering::Relaxed);
        Filler { belt: self, slots }
    }

    /// Takes the item at the head, with its index, if the belt is being filled and is not empty.
    pub(crate) fn take(&self) -> Option<(usize, T)> {
        let mut head = self.head.lock();
        if !head.filling || head.next == self.len.load(Ordering::Acquire) {
            return None;
        }
        let slot = head.next;
        head.next += 1;
        let index = head.base + slot;
        let slots = self.slots.get().expect("a filled belt has slots");
        // SAFETY: the slot is below `len`, so it was written before the `Release` store that we have acquired; it is
        // not below the old `next`, so nobody has taken it, and the lock keeps others from taking it now.
        let item = unsafe { read(&slots[slot]) };
        Some((index, item))
    }
}

/// Moves the item out of a slot.
///
/// # Safety
///
/// The slot is written, the writing happens before this call, and nobody else reads it, now or later.
#[inline]
unsafe fn read<T>(slot: &Slot<T>) -> T {
    slot.with(|slot| {
        // SAFETY: the pointer comes from a live cell and, by the caller's word, nobody writes to it now.
        let slot = unsafe { slot.read() };
        // SAFETY: written, by the caller's word; and never read again, so the item is not duplicated.
        unsafe { slot.assume_init() }
    })
}

/// Lays items on a [`Belt`].
pub(crate) struct Filler<'a, T> {
    belt: &'a Belt<T>,
    slots: &'a [Slot<T>],
}

impl<'a, T> Filler<'a, T> {
    /// Lays what `next` gives on the belt, where others can take it at once, until it gives nothing more or has given
    /// `limit` items or as many as the belt holds. To be called once.
    ///
    /// A panic of `next` goes through; what has been laid is on the belt.
    #[inline]
    pub(crate) fn lay(&mut self, limit: usize, mut next: impl FnMut() -> Option<T>) {
        assert_eq!(self.len(), 0, "a belt is filled from its start");
        let slots = &self.slots[..limit.min(self.slots.len())];
        for (before, slot) in slots.iter().enumerate() {
            let Some(item) = next() else { break };
            slot.with_mut(|slot| {
                // SAFETY: slots from `len` on are vacant and, while the belt is being filled, the filler's alone.
                unsafe { slot.write(MaybeUninit::new(item)) }
            });
            self.belt.len.store(before + 1, Ordering::Release);
        }
    }

    /// How many items have been laid.
    pub(crate) fn len(&self) -> usize {
        // This thread stored it.
        self.belt.len.load(Ordering::Relaxed)
    }

    /// Ends the batch: what has not been taken is the filler's own.
    pub(crate) fn finish(self) -> Taken<'a, T> {
        let (belt, slots) = (self.belt, self.slots);
        // The filler's own drop would end the use of the belt, which goes on.
        std::mem::forget(self);
        Taken::close(belt, slots)
    }
}

impl<T> Drop for Filler<'_, T> {
    fn drop(&mut self) {
        drop(Taken::close(self.belt, self.slots));
    }
}

/// The rest of a batch: an iterator over the items nobody else has taken. Dropping it drops what is left.
pub(crate) struct Taken<'a, T> {
    belt: &'a Belt<T>,
    rest: slice::Iter<'a, Slot<T>>,
    /// The index of the first item that nobody else has taken.
    start: usize,
}

impl<'a, T> Taken<'a, T> {
    fn close(belt: &'a Belt<T>, slots: &'a [Slot<T>]) -> Self {
        let mut head = belt.head.lock();
        head.filling = false;
        // This thread stored the length.
        let end = belt.len.load(Ordering::Relaxed);
        Self {
            belt,
            rest: slots[head.next..end].iter(),
            start: head.base + head.next,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.len() == 0
    }

    /// The index that the first item had.
    pub(crate) fn start(&self) -> usize {
        self.start
    }
}

impl<T> Iterator for Taken<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        let slot = self.rest.next()?;
        // SAFETY: this thread wrote the slot; the belt is no longer being filled, so nobody else takes from it, and
        // `rest` has moved on, so neither do we.
        Some(unsafe { read(slot) })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        /// Frees the belt even when an item's drop panics.
        struct Free<'a, T>(&'a Belt<T>);

        impl<T> Drop for Free<'_, T> {
            fn drop(&mut self) {
                self.0.head.lock().in_use = false;
            }
        }

        let _free = Free(self.belt);
        unwind::drop_all_or_unwind(self);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_is_the_fillers() {
        let belt = Belt::new();
        let mut filler = belt.fill(10, 4);
        let mut items = ["a", "b", "c"].into_iter();
        filler.lay(4, || items.next());
        assert_eq!(belt.take(), Some((10, "a")));
        let mut taken = filler.finish();
        assert_eq!(belt.take(), None, "a finished batch is closed to others");
        assert_eq!((taken.start(), taken.next()), (11, Some("b")));
        drop(taken);
        let mut filler = belt.fill(13, 4);
        filler.lay(9, || Some("d"));
        assert_eq!(
            filler.len(),
            4,
            "the belt can be used again, up to its capacity"
        );
    }

    #[test]
    fn every_item_is_dropped_once() {
        let item = std::rc::Rc::new(());
        let belt = Belt::new();
        let mut filler = belt.fill(0, 8);
        filler.lay(6, || Some(item.clone()));
        drop(belt.take());
        let mut taken = filler.finish();
        drop(taken.next());
        drop(taken);
        belt.fill(6, 8).lay(1, || Some(item.clone()));
        assert_eq!(std::rc::Rc::strong_count(&item), 1);
    }
}
