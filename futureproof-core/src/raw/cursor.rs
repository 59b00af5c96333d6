//! Hands a range of indices out in order, and through it slices and vectors in disjoint pieces.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::slice;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicUsize, Ordering};
use crate::unwind;

/// Up to this length a cursor that goes half its length past the end does not overflow.
const LONGEST: usize = usize::MAX / 2;

/// Hands out the indices `0..len` as ranges: in order, each index once.
///
/// # Memory ordering
///
/// Relaxed: the claim decides who works on which index. The data itself is shared by the loop's start and collected by
/// its end, which synchronise.
#[derive(Debug)]
pub(crate) struct Cursor {
    next: CachePadded<AtomicUsize>,
    len: usize,
    /// No claim is larger than the rest divided by this, so that the last claims are small (guided self-scheduling,
    /// Polychronopoulos and Kuck 1987), but for those too small to be worth it.
    share: usize,
}

impl Cursor {
    pub(crate) fn new(len: usize, workers: usize) -> Self {
        Self {
            next: CachePadded::new(AtomicUsize::new(0)),
            len,
            share: workers.saturating_mul(2).max(1),
        }
    }

    /// Claims at most `want` of the indices that are left, and at least `least` of them if there are so many.
    #[inline]
    pub(crate) fn claim(&self, want: usize, least: usize) -> Option<Range<usize>> {
        let mut start = self.next.load(Ordering::Relaxed);
        loop {
            let left = self.len.saturating_sub(start);
            if left == 0 {
                return None;
            }
            if want <= left / self.share && self.len <= LONGEST {
                // Many workers at once get further with this than with the exchange below. It may go past the end if
                // others have been quick meanwhile: by half the length at most, since each does so once.
                let start = self.next.fetch_add(want, Ordering::Relaxed);
                let end = self.len.min(start + want);
                return (start < end).then_some(start..end);
            }
            let count = want.min((left / self.share).max(least)).clamp(1, left);
            match self.next.compare_exchange_weak(
                start,
                start + count,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(start..start + count),
                Err(now) => start = now,
            }
        }
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.len
    }
}

/// A mutable slice that is handed out in disjoint pieces.
pub(crate) struct SliceParts<'a, T> {
    start: *mut T,
    cursor: Cursor,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: each element goes to one thread as `&mut T`, which may be sent when `T: Send`; the claim by `cursor`, private
// to this struct, keeps the pieces apart.
unsafe impl<T: Send> Sync for SliceParts<'_, T> {}

impl<'a, T> SliceParts<'a, T> {
    pub(crate) fn new(slice: &'a mut [T], workers: usize) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            cursor: Cursor::new(slice.len(), workers),
            slice: PhantomData,
        }
    }

    /// Takes the next piece of `want` elements at most, and `least` if there are so many, with the index of the first.
    #[inline]
    pub(crate) fn take(&self, want: usize, least: usize) -> Option<(usize, slice::IterMut<'a, T>)> {
        let range = self.cursor.claim(want, least)?;
        // SAFETY: the range is within the slice that `new` was given, so the offset stays in its allocation.
        let first = unsafe { self.start.add(range.start) };
        // SAFETY: the elements are initialised and borrowed mutably for 'a by this struct, and the cursor gives each
        // index out once, so nobody else has a reference to these.
        let piece = unsafe { slice::from_raw_parts_mut(first, range.len()) };
        Some((range.start, piece.iter_mut()))
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.cursor.is_exhausted()
    }
}

/// A vector that is handed out by value in disjoint pieces. Dropping it drops the elements nobody has taken.
pub(crate) struct VecParts<T> {
    start: *mut T,
    capacity: usize,
    cursor: Cursor,
}

// SAFETY: each element goes to one thread by value, so `T: Send` is enough; the cursor keeps the pieces apart.
unsafe impl<T: Send> Sync for VecParts<T> {}
// SAFETY: it owns its elements like the vector it was made of.
unsafe impl<T: Send> Send for VecParts<T> {}

impl<T> VecParts<T> {
    pub(crate) fn new(vec: Vec<T>, workers: usize) -> Self {
        let mut vec = ManuallyDrop::new(vec);
        Self {
            start: vec.as_mut_ptr(),
            capacity: vec.capacity(),
            cursor: Cursor::new(vec.len(), workers),
        }
    }

    /// Takes the next piece of `want` elements at most, and `least` if there are so many, with the index of the first.
    #[inline]
    pub(crate) fn take(&self, want: usize, least: usize) -> Option<(usize, VecPiece<'_, T>)> {
        let range = self.cursor.claim(want, least)?;
        let start = range.start;
        Some((start, VecPiece { parts: self, range }))
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.cursor.is_exhausted()
    }

    /// Moves an element out.
    ///
    /// # Safety
    ///
    /// `index` was claimed from the cursor by the caller, who calls this once for it.
    #[inline]
    unsafe fn read(&self, index: usize) -> T {
        // SAFETY: a claimed index is within the vector's length, so the offset stays in its allocation.
        let element = unsafe { self.start.add(index) };
        // SAFETY: the element is initialised, and by the caller's word it is read this once; the vector that it came
        // from was forgotten, so nobody drops it there.
        unsafe { element.read() }
    }
}

impl<T> Drop for VecParts<T> {
    fn drop(&mut self) {
        /// Frees the memory even when an element's drop panics.
        struct Free<T>(*mut T, usize);

        impl<T> Drop for Free<T> {
            fn drop(&mut self) {
                // SAFETY: pointer and capacity are those of the forgotten vector; its elements are gone.
                drop(unsafe { Vec::from_raw_parts(self.0, 0, self.1) });
            }
        }

        let _free = Free(self.start, self.capacity);
        let pieces = std::iter::from_fn(|| self.take(usize::MAX, usize::MAX));
        unwind::drop_all_or_unwind(pieces.map(|(_, piece)| piece));
    }
}

/// A piece of a vector: an iterator over its elements. Dropping it drops what is left.
#[allow(unreachable_pub)] // named by a hidden associated type
pub struct VecPiece<'a, T> {
    parts: &'a VecParts<T>,
    range: Range<usize>,
}

impl<T> VecPiece<'_, T> {
    /// Splits the first `count` elements off.
    pub(crate) fn split_off_front(&mut self, count: usize) -> Self {
        let middle = self.range.end.min(self.range.start + count);
        let front = self.range.start..middle;
        // The two ranges share no index, so each is still read once.
        self.range.start = middle;
        Self {
            parts: self.parts,
            range: front,
        }
    }
}

impl<T> Iterator for VecPiece<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        let index = self.range.next()?;
        // SAFETY: the range was claimed by this piece, and iterating gives each of its indices once.
        Some(unsafe { self.parts.read(index) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T> FusedIterator for VecPiece<'_, T> {}

impl<T> fmt::Debug for VecPiece<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VecPiece")
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

impl<T> Drop for VecPiece<'_, T> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<T>() {
            unwind::drop_all_or_unwind(self);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn claims_are_in_order_and_cover_every_index_once() {
        let cursor = Cursor::new(100, 3);
        let mut next = 0;
        while let Some(range) = cursor.claim(7, 1) {
            assert_eq!(range.start, next);
            assert!((1..=7).contains(&range.len()));
            next = range.end;
        }
        assert_eq!(next, 100);
        assert!(cursor.is_exhausted());
    }

    #[test]
    fn a_vector_drops_every_element_once_wherever_it_is() {
        let element = Rc::new(());
        let parts = VecParts::new(vec![element.clone(); 50], 1);
        let (start, mut piece) = parts.take(10, 1).unwrap();
        assert_eq!(start, 0);
        drop(piece.next());
        drop(piece);
        assert_eq!(Rc::strong_count(&element), 41);
        drop(parts);
        assert_eq!(Rc::strong_count(&element), 1);
    }
}
