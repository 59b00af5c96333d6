//! Variables that many workers add to: `reduce(…)`.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::num::Wrapping;
use std::time::Duration;

/// A value that parts made by several workers can be merged into.
///
/// `parallel_for!(reduce(a), …)` gives each batch of items a part of its own, made by [`identity`](Reduce::identity),
/// and merges the parts into `a` in input order. Numbers, arrays and tuples add; `Vec`, `VecDeque`, `LinkedList` and
/// `String` append; sets and heaps unite; maps merge the values of equal keys. Of equal elements of a set, or equal keys, one
/// is kept, not always the first.
///
/// For a result equal to the sequential loop's, [`merge`](Reduce::merge) must be associative, and merging an identity
/// must change nothing.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::Reduce;
///
/// /// The mean of what it has seen.
/// #[derive(Default)]
/// struct Mean {
///     sum: f64,
///     count: u64,
/// }
///
/// impl Reduce for Mean {
///     fn identity(&self) -> Self {
///         Self::default()
///     }
///
///     fn merge(&mut self, later: Self) {
///         self.sum += later.sum;
///         self.count += later.count;
///     }
/// }
///
/// let mut mean = Mean { sum: 10.0, count: 2 };
/// let mut part = mean.identity();
/// part.sum += 2.0;
/// part.count += 1;
/// mean.merge(part);
/// assert_eq!(mean.sum / mean.count as f64, 4.0);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be reduced",
    label = "this variable's type does not say how parts are merged",
    note = "write `reduce(max(x))` or `reduce(min(x))` to keep one value, the largest or smallest; for a map of other values `push` \
            pairs into a `Vec` with `reduce` and make the map after the loop; or implement `futureproof::Reduce` for `{Self}`"
)]
pub trait Reduce {
    /// Does the result depend on the order in which parts are merged? Where it does not, fewer parts are needed.
    const ORDERED: bool = true;

    /// Returns the value that a part starts with, in the shape of `self`.
    #[must_use]
    fn identity(&self) -> Self;

    /// Merges a part that comes later in input order.
    fn merge(&mut self, later: Self);
}

macro_rules! reduce_numbers {
    ($zero:expr => $($number:ty)*) => {$(
        impl Reduce for $number {
            const ORDERED: bool = false;

            #[inline]
            fn identity(&self) -> Self {
                $zero
            }

            #[inline]
            fn merge(&mut self, later: Self) {
                *self += later;
            }
        }
    )*};
}

reduce_numbers!(0 => u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
reduce_numbers!(0.0 => f32 f64);
reduce_numbers!(Wrapping(0) => Wrapping<u8> Wrapping<u16> Wrapping<u32> Wrapping<u64> Wrapping<u128> Wrapping<usize>);
reduce_numbers!(Wrapping(0) => Wrapping<i8> Wrapping<i16> Wrapping<i32> Wrapping<i64> Wrapping<i128> Wrapping<isize>);
reduce_numbers!(Duration::ZERO => Duration);

impl<T: Reduce, const N: usize> Reduce for [T; N] {
    const ORDERED: bool = T::ORDERED;

    fn identity(&self) -> Self {
        std::array::from_fn(|index| self[index].identity())
    }

    fn merge(&mut self, later: Self) {
        for (sum, part) in self.iter_mut().zip(later) {
            sum.merge(part);
        }
    }
}

macro_rules! reduce_tuples {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Reduce),*> Reduce for ($($name,)*) {
            const ORDERED: bool = $($name::ORDERED)||*;

            fn identity(&self) -> Self {
                ($(self.$index.identity(),)*)
            }

            fn merge(&mut self, later: Self) {
                $(self.$index.merge(later.$index);)*
            }
        }
    };
}

reduce_tuples!(A 0);
reduce_tuples!(A 0, B 1);
reduce_tuples!(A 0, B 1, C 2);
reduce_tuples!(A 0, B 1, C 2, D 3);
reduce_tuples!(A 0, B 1, C 2, D 3, E 4);
reduce_tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
reduce_tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
reduce_tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

impl<T> Reduce for Vec<T> {
    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, mut later: Self) {
        if self.is_empty() && self.capacity() < later.capacity() {
            *self = later;
        } else {
            self.append(&mut later);
        }
    }
}

impl<T> Reduce for VecDeque<T> {
    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, mut later: Self) {
        self.append(&mut later);
    }
}

impl<T> Reduce for LinkedList<T> {
    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, mut later: Self) {
        self.append(&mut later);
    }
}

impl Reduce for String {
    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, later: Self) {
        self.push_str(&later);
    }
}

impl<T: Eq + Hash, S: BuildHasher + Clone> Reduce for HashSet<T, S> {
    const ORDERED: bool = false;

    fn identity(&self) -> Self {
        Self::with_hasher(self.hasher().clone())
    }

    fn merge(&mut self, later: Self) {
        self.extend(later);
    }
}

impl<T: Ord> Reduce for BTreeSet<T> {
    const ORDERED: bool = false;

    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, mut later: Self) {
        self.append(&mut later);
    }
}

impl<T: Ord> Reduce for BinaryHeap<T> {
    const ORDERED: bool = false;

    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, mut later: Self) {
        self.append(&mut later);
    }
}

impl<K: Eq + Hash, V: Reduce, S: BuildHasher + Clone> Reduce for HashMap<K, V, S> {
    const ORDERED: bool = V::ORDERED;

    fn identity(&self) -> Self {
        Self::with_hasher(self.hasher().clone())
    }

    fn merge(&mut self, later: Self) {
        use std::collections::hash_map::Entry;
        for (key, value) in later {
            match self.entry(key) {
                Entry::Occupied(mut entry) => entry.get_mut().merge(value),
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
            }
        }
    }
}

impl<K: Ord, V: Reduce> Reduce for BTreeMap<K, V> {
    const ORDERED: bool = V::ORDERED;

    fn identity(&self) -> Self {
        Self::new()
    }

    fn merge(&mut self, later: Self) {
        use std::collections::btree_map::Entry;
        for (key, value) in later {
            match self.entry(key) {
                Entry::Occupied(mut entry) => entry.get_mut().merge(value),
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
            }
        }
    }
}

/// Keeps the largest value: for use inside collections, `HashMap<Key, Max<u64>>`.
///
/// Of equal values the earlier one is kept. For a plain variable, `reduce(max(x))` does the same.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{Max, Reduce};
///
/// let mut longest = Max("ab".len());
/// longest.merge(Max("abc".len()));
/// longest.merge(Max("a".len()));
/// assert_eq!(longest, Max(3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Max<T>(pub T);

/// Keeps the smallest value: for use inside collections, `HashMap<Key, Min<u64>>`.
///
/// Of equal values the earlier one is kept. For a plain variable, `reduce(min(x))` does the same.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{Min, Reduce};
///
/// let mut first = Min(7);
/// first.merge(Min(3));
/// assert_eq!(first, Min(3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Min<T>(pub T);

impl<T: PartialOrd + Clone> Reduce for Max<T> {
    fn identity(&self) -> Self {
        self.clone()
    }

    fn merge(&mut self, later: Self) {
        if later.0 > self.0 {
            *self = later;
        }
    }
}

impl<T: PartialOrd + Clone> Reduce for Min<T> {
    fn identity(&self) -> Self {
        self.clone()
    }

    fn merge(&mut self, later: Self) {
        if later.0 < self.0 {
            *self = later;
        }
    }
}

/// One reduced variable of a loop, by the way its parts are merged.
pub trait Accumulator {
    /// The variable's type.
    type Part: Send;
    /// See [`Reduce::ORDERED`].
    const ORDERED: bool;

    /// Returns a fresh part.
    fn part(&self) -> Self::Part;

    /// Merges a part that comes later in input order.
    fn merge(&mut self, part: Self::Part);

    /// Merges a later part into an earlier one.
    fn join(part: &mut Self::Part, later: Self::Part);
}

/// `reduce(a)`.
#[derive(Debug)]
pub struct Added<'a, T>(pub &'a mut T);

/// `reduce(max(a))`.
#[derive(Debug)]
pub struct Largest<'a, T>(pub &'a mut T);

/// `reduce(min(a))`.
#[derive(Debug)]
pub struct Smallest<'a, T>(pub &'a mut T);

impl<T: Reduce + Send> Accumulator for Added<'_, T> {
    type Part = T;
    const ORDERED: bool = T::ORDERED;

    #[inline]
    fn part(&self) -> T {
        self.0.identity()
    }

    #[inline]
    fn merge(&mut self, part: T) {
        self.0.merge(part);
    }

    fn join(part: &mut T, later: T) {
        part.merge(later);
    }
}

impl<T: PartialOrd + Clone + Send> Accumulator for Largest<'_, T> {
    type Part = T;
    const ORDERED: bool = true;

    #[inline]
    fn part(&self) -> T {
        self.0.clone()
    }

    #[inline]
    fn merge(&mut self, part: T) {
        Self::join(self.0, part);
    }

    fn join(part: &mut T, later: T) {
        if later > *part {
            *part = later;
        }
    }
}

impl<T: PartialOrd + Clone + Send> Accumulator for Smallest<'_, T> {
    type Part = T;
    const ORDERED: bool = true;

    #[inline]
    fn part(&self) -> T {
        self.0.clone()
    }

    #[inline]
    fn merge(&mut self, part: T) {
        Self::join(self.0, part);
    }

    fn join(part: &mut T, later: T) {
        if later < *part {
            *part = later;
        }
    }
}

/// All reduced variables of a loop: a tuple of [`Accumulator`]s.
pub trait Accumulators: Send {
    /// A part of each.
    type Parts: Send;
    /// Is there none?
    const EMPTY: bool;
    /// Is one of them [ordered](Reduce::ORDERED)?
    const ORDERED: bool;

    /// Returns fresh parts.
    fn parts(&self) -> Self::Parts;

    /// Merges parts that come later in input order.
    fn merge(&mut self, parts: Self::Parts);

    /// Merges later parts into earlier ones.
    fn join(parts: &mut Self::Parts, later: Self::Parts);
}

/// Where a worker keeps its parts: a tuple of references.
pub trait PartRefs {
    /// The parts.
    type Parts;

    /// Takes the parts and leaves fresh ones.
    fn replace(self, fresh: Self::Parts) -> Self::Parts;
}

macro_rules! accumulators {
    ($empty:expr; $($name:ident $index:tt),*) => {
        #[allow(unused_variables, clippy::unused_unit)]
        impl<$($name: Accumulator + Send),*> Accumulators for ($($name,)*) {
            type Parts = ($($name::Part,)*);
            const EMPTY: bool = $empty;
            const ORDERED: bool = false $(|| $name::ORDERED)*;

            #[inline]
            fn parts(&self) -> Self::Parts {
                ($(self.$index.part(),)*)
            }

            #[inline]
            fn merge(&mut self, parts: Self::Parts) {
                $(self.$index.merge(parts.$index);)*
            }

            fn join(parts: &mut Self::Parts, later: Self::Parts) {
                $($name::join(&mut parts.$index, later.$index);)*
            }
        }

        #[allow(unused_variables, clippy::unused_unit)]
        impl<$($name),*> PartRefs for ($(&mut $name,)*) {
            type Parts = ($($name,)*);

            #[inline]
            fn replace(self, fresh: Self::Parts) -> Self::Parts {
                ($(std::mem::replace(self.$index, fresh.$index),)*)
            }
        }
    };
}

accumulators!(true; );
accumulators!(false; A 0);
accumulators!(false; A 0, B 1);
accumulators!(false; A 0, B 1, C 2);
accumulators!(false; A 0, B 1, C 2, D 3);
accumulators!(false; A 0, B 1, C 2, D 3, E 4);
accumulators!(false; A 0, B 1, C 2, D 3, E 4, F 5);
accumulators!(false; A 0, B 1, C 2, D 3, E 4, F 5, G 6);
accumulators!(false; A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
