//! Chooses a source's kind at compile time, by the bounds that hold where the loop is written.
//!
//! `(&&&Tag::of(&input)).__kind()`: method look-up tries the receiver as it is, then with one reference less, and each
//! trait below is implemented one reference further in. So the first kind whose bounds hold is taken, in generic code
//! too. See David Tolnay, "Autoref-based stable specialization" (2019).

use std::marker::PhantomData;

use super::Source;
use super::fed::{Fed, PullHere};
use super::indexed::{Indexed, IntoIndexed, TypeOnly};
use super::shared::Shared;

/// Stands for the type of a loop's input.
#[derive(Debug)]
pub struct Tag<I: ?Sized>(TypeOnly<PhantomData<I>>);

impl<I> Tag<I> {
    /// The tag of `input`'s type.
    #[inline]
    pub fn of(_input: &I) -> Self {
        Self(PhantomData)
    }
}

/// First choice.
pub trait ViaIndexed {
    /// The kind.
    #[inline]
    fn __kind(&self) -> IndexedKind {
        IndexedKind
    }
}

/// Second choice.
pub trait SendElsePullHere {
    /// The kind.
    #[inline]
    fn __kind(&self) -> SharedKind {
        SharedKind
    }
}

/// Last choice.
pub trait ViaCaller {
    /// The kind.
    #[inline]
    fn __kind(&self) -> CallerFedKind {
        CallerFedKind
    }
}

impl<I: IntoIndexed> ViaIndexed for &&Tag<I> {}
impl<I: IntoIterator<IntoIter: Send>> SendElsePullHere for &Tag<I> {}
impl<I> ViaCaller for Tag<I> {}

/// The input is handed out by index.
#[derive(Debug, Clone, Copy)]
pub struct IndexedKind;

/// The input is pulled by any worker.
#[derive(Debug, Clone, Copy)]
pub struct SharedKind;

/// The input is pulled by the calling thread alone.
#[derive(Debug, Clone, Copy)]
pub struct CallerFedKind;

impl IndexedKind {
    /// Makes the source.
    #[inline]
    pub fn source<I: IntoIndexed>(self, input: I) -> Indexed<I> {
        Indexed(input)
    }
}

impl SharedKind {
    /// Makes the source.
    #[inline]
    pub fn source<I: IntoIterator>(self, input: I) -> Shared<I::IntoIter> {
        Shared::new(input.into_iter())
    }
}

impl CallerFedKind {
    /// Makes the source.
    #[inline]
    pub fn source<I: IntoIterator>(self, input: I) -> Fed<I::IntoIter> {
        Fed::new(input.into_iter())
    }
}

/// What a loop can be given: an indexed source as it is (integer ranges, slices, arrays, vectors and their iterators), any
/// other iterator wrapped by [`pull`] or [`pull_here`](super::pull_here()).
///
/// `parallel_for!` needs no wrapper: it sees the type.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{IntoSource, ParallelFor, Report, pull};
///
/// /// Takes what a loop takes: ranges, slices and vectors as they are, iterators by `pull`.
/// fn check_all<I: IntoSource<Item = u32>>(numbers: I) -> Report {
///     ParallelFor::new().for_each(numbers, |number| assert!(number < 10))
/// }
///
/// assert_eq!(check_all(0..10).completed(), 10);
/// assert_eq!(check_all(vec![1, 2]).completed(), 2);
/// assert_eq!(check_all(pull((0..10).filter(|n| n % 2 == 0))).completed(), 5);
/// ```
pub trait IntoSource {
    /// What the bodies get.
    type Item: Send;
    /// The source.
    type Source: Source<Item = Self::Item>;

    /// Makes the source.
    fn into_source(self) -> Self::Source;
}

impl<I: IntoIndexed> IntoSource for I {
    type Item = I::Item;
    type Source = Indexed<I>;

    fn into_source(self) -> Indexed<I> {
        Indexed(self)
    }
}

/// Lets any worker pull from an iterator; see [`pull`].
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{ParallelFor, Pull, pull};
///
/// let lines: Pull<std::str::Lines<'_>> = pull("one\ntwo".lines());
/// assert_eq!(ParallelFor::new().for_each(lines, |_| ()).completed(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Pull<I>(I);

/// Lets any worker of a loop pull the next item, one at a time.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::{ParallelFor, pull};
///
/// let text = "three short lines\nof\ntext";
/// let report = ParallelFor::new().for_each(pull(text.lines()), |line| assert!(!line.is_empty()));
/// assert_eq!(report.completed(), 3);
/// ```
pub fn pull<I: IntoIterator>(iter: I) -> Pull<I::IntoIter> {
    Pull(iter.into_iter())
}

impl<I: Iterator<Item: Send> + Send> IntoSource for Pull<I> {
    type Item = I::Item;
    type Source = Shared<I>;

    fn into_source(self) -> Shared<I> {
        Shared::new(self.0)
    }
}

impl<I: Iterator<Item: Send>> IntoSource for PullHere<I> {
    type Item = I::Item;
    type Source = Fed<Self>;

    fn into_source(self) -> Fed<Self> {
        Fed::new(self)
    }
}
