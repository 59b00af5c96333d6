//! Sources that are handed out by index, without a lock.

use std::marker::PhantomData;
use std::ops::{Range, RangeInclusive};
use std::{array, slice, vec};

use super::{Ask, Chunk, Handout, Plan, Source};
use crate::raw::cursor::{Cursor, SliceParts, VecParts, VecPiece};
use crate::unwind::Payload;

/// A value that can be looped over by index.
pub trait IntoIndexed {
    /// What the bodies get.
    type Item: Send;
    /// The data, ready to be handed out.
    type Parts: IndexedParts<Item = Self::Item>;

    /// How many items there are.
    fn item_count(&self) -> usize;

    /// Prepares the data for a loop of `workers`.
    fn into_parts(self, workers: usize) -> Self::Parts;
}

/// Data that is handed out by index.
pub trait IndexedParts: Sync {
    /// What the bodies get.
    type Item: Send;
    /// A piece.
    type Piece<'a>: Piece<Item = Self::Item>
    where
        Self: 'a;

    /// Takes the next piece: `want` items at most, and `least` if there are so many.
    fn take(&self, want: usize, least: usize) -> Option<(usize, Self::Piece<'_>)>;

    /// Has everything been taken?
    fn is_exhausted(&self) -> bool;
}

/// Items with consecutive indices, as one worker holds them.
pub trait Piece: Iterator {
    /// Splits the first `count` items off; there are at least as many.
    #[must_use]
    fn split_front(&mut self, count: usize) -> Self;
}

impl<T> Piece for slice::Iter<'_, T> {
    #[inline]
    fn split_front(&mut self, count: usize) -> Self {
        let (front, rest) = self.as_slice().split_at(count);
        *self = rest.iter();
        front.iter()
    }
}

impl<T> Piece for slice::IterMut<'_, T> {
    #[inline]
    fn split_front(&mut self, count: usize) -> Self {
        let (front, rest) = std::mem::take(self).into_slice().split_at_mut(count);
        *self = rest.iter_mut();
        front.iter_mut()
    }
}

impl<T> Piece for VecPiece<'_, T> {
    #[inline]
    fn split_front(&mut self, count: usize) -> Self {
        self.split_off_front(count)
    }
}

impl<T: Integer> Piece for Ints<T> {
    #[inline]
    fn split_front(&mut self, count: usize) -> Self {
        let front = Self {
            next: self.next,
            left: count,
        };
        self.next = self.next.forward(count);
        self.left -= count;
        front
    }
}

/// An indexed source.
#[derive(Debug)]
pub struct Indexed<I>(pub(super) I);

impl<I: IntoIndexed> Source for Indexed<I> {
    type Item = I::Item;
    type Shared = IndexedHandout<I::Parts>;
    type Feed = ();

    const INDEXED: bool = true;

    fn exact_len(&self) -> Option<usize> {
        Some(self.0.item_count())
    }

    fn most(&self) -> Option<usize> {
        Some(self.0.item_count())
    }

    fn open(self, plan: Plan) -> (Self::Shared, ()) {
        (IndexedHandout(self.0.into_parts(plan.workers)), ())
    }

    fn feed<'a>(
        shared: &'a Self::Shared,
        (): &mut (),
        ask: Ask<'_>,
    ) -> Option<(usize, <Self::Shared as Handout>::Chunk<'a>)> {
        shared.take(ask)
    }
}

/// The shared part of an indexed source.
#[derive(Debug)]
pub struct IndexedHandout<P>(P);

/// A piece of an indexed source.
#[derive(Debug)]
pub struct IndexedChunk<C>(C);

impl<P: IndexedParts> Handout for IndexedHandout<P> {
    type Item = P::Item;
    type Chunk<'a>
        = IndexedChunk<P::Piece<'a>>
    where
        P: 'a;

    #[inline]
    fn take(&self, ask: Ask<'_>) -> Option<(usize, Self::Chunk<'_>)> {
        if ask.signals.has_exit() {
            return None;
        }
        let (start, piece) = self.0.take(ask.want, ask.least)?;
        Some((start, IndexedChunk(piece)))
    }

    fn arrive(&self) {}

    fn is_exhausted(&self) -> bool {
        self.0.is_exhausted()
    }

    fn wake(&self) -> Result<(), Payload> {
        Ok(())
    }
}

impl<C: Iterator> Iterator for IndexedChunk<C> {
    type Item = C::Item;

    #[inline]
    fn next(&mut self) -> Option<C::Item> {
        self.0.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }

    #[inline]
    fn fold<B, F: FnMut(B, C::Item) -> B>(self, init: B, f: F) -> B {
        self.0.fold(init, f)
    }
}

impl<C: Piece> Chunk for IndexedChunk<C> {
    #[inline]
    fn split_front(&mut self, count: usize) -> Option<Self> {
        (self.0.size_hint().0 > count).then(|| Self(self.0.split_front(count)))
    }
}

/// A range of integers that is handed out.
#[derive(Debug)]
pub struct IntParts<T> {
    first: T,
    cursor: Cursor,
}

/// Consecutive integers. Unlike a range it can end at the type's largest value.
#[derive(Debug)]
pub struct Ints<T> {
    next: T,
    left: usize,
}

/// The integers that ranges count with.
///
/// One implementation for all of them lets the type of `0..10` stay open until the body settles it.
pub trait Integer: Copy + Send + Sync + private::Sealed {
    /// How far it is from `self` up to `end`; 0 if `end` comes before.
    fn distance_to(self, end: Self) -> usize;

    /// The integer `count` steps further. Wrapping: an offset may be larger than a signed type's largest value.
    #[must_use]
    fn forward(self, count: usize) -> Self;
}

mod private {
    pub trait Sealed {}
}

macro_rules! integers {
    ($($int:ty, $unsigned:ty);* $(;)?) => {$(
        impl private::Sealed for $int {}

        impl Integer for $int {
            #[inline]
            fn distance_to(self, end: Self) -> usize {
                if self < end {
                    // The distance of two integers fits their unsigned twin; where that is wider than a `usize`, the
                    // loop would not get to the end in centuries.
                    usize::try_from(end.wrapping_sub(self) as $unsigned).unwrap_or(usize::MAX)
                } else {
                    0
                }
            }

            #[inline]
            fn forward(self, count: usize) -> Self {
                self.wrapping_add(count as $int)
            }
        }
    )*};
}

integers! {
    u8, u8; u16, u16; u32, u32; u64, u64; usize, usize;
    i8, u8; i16, u16; i32, u32; i64, u64; isize, usize;
}

impl<T: Integer> IntoIndexed for Range<T> {
    type Item = T;
    type Parts = IntParts<T>;

    fn item_count(&self) -> usize {
        self.start.distance_to(self.end)
    }

    fn into_parts(self, workers: usize) -> IntParts<T> {
        IntParts {
            first: self.start,
            cursor: Cursor::new(self.item_count(), workers),
        }
    }
}

impl<T: Integer + PartialOrd> IntoIndexed for RangeInclusive<T> {
    type Item = T;
    type Parts = IntParts<T>;

    fn item_count(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        self.start().distance_to(*self.end()).saturating_add(1)
    }

    fn into_parts(self, workers: usize) -> IntParts<T> {
        IntParts {
            first: *self.start(),
            cursor: Cursor::new(self.item_count(), workers),
        }
    }
}

impl<T: Integer> IndexedParts for IntParts<T> {
    type Item = T;
    type Piece<'a>
        = Ints<T>
    where
        T: 'a;

    #[inline]
    fn take(&self, want: usize, least: usize) -> Option<(usize, Ints<T>)> {
        let range = self.cursor.claim(want, least)?;
        let next = self.first.forward(range.start);
        Some((
            range.start,
            Ints {
                next,
                left: range.len(),
            },
        ))
    }

    fn is_exhausted(&self) -> bool {
        self.cursor.is_exhausted()
    }
}

impl<T: Integer> Iterator for Ints<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let value = self.next;
        self.next = value.forward(1);
        Some(value)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// A shared slice that is handed out.
#[derive(Debug)]
pub struct SliceRef<'a, T> {
    slice: &'a [T],
    cursor: Cursor,
}

impl<'s, T: Sync> IndexedParts for SliceRef<'s, T> {
    type Item = &'s T;
    type Piece<'a>
        = slice::Iter<'s, T>
    where
        's: 'a;

    #[inline]
    fn take(&self, want: usize, least: usize) -> Option<(usize, slice::Iter<'s, T>)> {
        let range = self.cursor.claim(want, least)?;
        Some((range.start, self.slice[range].iter()))
    }

    fn is_exhausted(&self) -> bool {
        self.cursor.is_exhausted()
    }
}

/// A mutable slice that is handed out.
pub struct SliceMut<'a, T>(SliceParts<'a, T>);

impl<T> std::fmt::Debug for SliceMut<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SliceMut")
    }
}

impl<'s, T: Send> IndexedParts for SliceMut<'s, T> {
    type Item = &'s mut T;
    type Piece<'a>
        = slice::IterMut<'s, T>
    where
        's: 'a;

    #[inline]
    fn take(&self, want: usize, least: usize) -> Option<(usize, slice::IterMut<'s, T>)> {
        self.0.take(want, least)
    }

    fn is_exhausted(&self) -> bool {
        self.0.is_exhausted()
    }
}

/// A vector that is handed out.
pub struct VecOwned<T>(VecParts<T>);

impl<T> std::fmt::Debug for VecOwned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VecOwned")
    }
}

impl<T: Send> IndexedParts for VecOwned<T> {
    type Item = T;
    type Piece<'a>
        = VecPiece<'a, T>
    where
        T: 'a;

    #[inline]
    fn take(&self, want: usize, least: usize) -> Option<(usize, VecPiece<'_, T>)> {
        self.0.take(want, least)
    }

    fn is_exhausted(&self) -> bool {
        self.0.is_exhausted()
    }
}

/// Implements [`IntoIndexed`] through a slice, a mutable slice or a vector.
macro_rules! indexed_by {
    (slice: $([$($generics:tt)*] $type:ty => $this:ident $to_slice:expr;)*) => {$(
        impl<'a, T: Sync, $($generics)*> IntoIndexed for $type {
            type Item = &'a T;
            type Parts = SliceRef<'a, T>;

            fn item_count(&self) -> usize {
                let $this = Clone::clone(self);
                let slice: &[T] = $to_slice;
                slice.len()
            }

            fn into_parts(self, workers: usize) -> SliceRef<'a, T> {
                let $this = self;
                let slice: &'a [T] = $to_slice;
                SliceRef { slice, cursor: Cursor::new(slice.len(), workers) }
            }
        }
    )*};
    (mutable: $([$($generics:tt)*] $type:ty => $this:ident $len:expr, $to_slice:expr;)*) => {$(
        impl<'a, T: Send, $($generics)*> IntoIndexed for $type {
            type Item = &'a mut T;
            type Parts = SliceMut<'a, T>;

            fn item_count(&self) -> usize {
                let $this = self;
                $len
            }

            fn into_parts(self, workers: usize) -> SliceMut<'a, T> {
                let $this = self;
                SliceMut(SliceParts::new($to_slice, workers))
            }
        }
    )*};
    (owned: $([$($generics:tt)*] $type:ty => $this:ident $len:expr, $to_vec:expr;)*) => {$(
        impl<T: Send, $($generics)*> IntoIndexed for $type {
            type Item = T;
            type Parts = VecOwned<T>;

            fn item_count(&self) -> usize {
                let $this = self;
                $len
            }

            fn into_parts(self, workers: usize) -> VecOwned<T> {
                let $this = self;
                VecOwned(VecParts::new($to_vec, workers))
            }
        }
    )*};
}

indexed_by! { slice:
    [] &'a [T] => slice slice;
    [const N: usize] &'a [T; N] => array array;
    [] &'a Vec<T> => vec vec;
    [] &'a Box<[T]> => boxed boxed;
    [] slice::Iter<'a, T> => iter iter.as_slice();
}

indexed_by! { mutable:
    [] &'a mut [T] => slice slice.len(), slice;
    [const N: usize] &'a mut [T; N] => array array.len(), array;
    [] &'a mut Vec<T> => vec vec.len(), vec;
    [] &'a mut Box<[T]> => boxed boxed.len(), boxed;
    [] slice::IterMut<'a, T> => iter iter.as_slice().len(), iter.into_slice();
}

indexed_by! { owned:
    [] Vec<T> => vec vec.len(), vec;
    [] Box<[T]> => boxed boxed.len(), boxed.into_vec();
    [const N: usize] [T; N] => array array.len(), Vec::from(array);
    [] vec::IntoIter<T> => iter iter.as_slice().len(), iter.collect();
    [const N: usize] array::IntoIter<T, N> => iter iter.as_slice().len(), iter.collect();
}

/// Keeps `T` out of a tag's drop check.
pub(super) type TypeOnly<T> = PhantomData<fn() -> T>;
