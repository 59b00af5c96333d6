//! Where a loop's items come from: three kinds of source behind one trait.
//!
//! | kind | type | who takes |
//! |---|---|---|
//! | indexed | [`Indexed`]: ranges, slices, vectors, arrays | any worker, by index, without a lock |
//! | shared | [`Shared`]: any other iterator that is `Send` | any worker, one at a time; see [`shared`] |
//! | caller-fed | [`Fed`]: any other iterator | the calling thread pulls and feeds the others; see [`fed`] |
//!
//! All hand out in input order, so when an item with index k is in somebody's hands, so is every item before it.

mod fed;
mod gear;
mod indexed;
mod kind;
mod shared;

pub use self::fed::{Fed, PullHere, pull_here};
pub use self::indexed::{Indexed, IntoIndexed};
pub use self::kind::{
    CallerFedKind, IndexedKind, IntoSource, Pull, SendElsePullHere, SharedKind, Tag, ViaCaller,
    ViaIndexed, pull,
};
pub use self::shared::Shared;

use crate::raw::clock::Clock;
use crate::stop::Signals;
use crate::unwind::Payload;

/// A piece of a source that one worker holds: items with consecutive indices.
pub trait Chunk: Iterator {
    /// Gives the items to `run` until it says that it wants no more or the chunk is at its end.
    ///
    /// A panic of `run` goes through; the chunk then holds what has not been given.
    #[inline]
    fn drive(&mut self, mut run: impl FnMut(Self::Item) -> bool)
    where
        Self: Sized,
    {
        for item in self {
            if !run(item) {
                break;
            }
        }
    }

    /// The panic of the source's own `next`, if that is what ended this chunk.
    #[inline]
    fn source_panic(&mut self) -> Option<Payload> {
        None
    }

    /// Splits the first `count` items off, if there are more than that and the chunk can be split.
    #[inline]
    fn split_front(&mut self, _count: usize) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// When the items had been pulled, and how long that took, for chunks that are pulled before they run; in nanoseconds of
    /// the worker's clock.
    #[inline]
    fn pulled(&self) -> Option<(u64, u64)> {
        None
    }

    /// Hears how long its items took to run, in nanoseconds.
    #[inline]
    fn ran(&mut self, _elapsed: u64) {}
}

/// What a source is told when its loop starts.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many workers the loop has at most, the calling thread included.
    pub workers: usize,
    /// How many items a worker may hold at most; at least 1.
    pub batch: usize,
}

/// What a worker says when it takes.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The worker's seat: 0 is the calling thread's, the others count up; below [`Plan::workers`].
    pub(crate) seat: usize,
    /// How many items it wants at most; at least 1, at most [`Plan::batch`].
    pub(crate) want: usize,
    /// How many items are not worth dividing among workers; at least 1, at most `want`.
    pub(crate) least: usize,
    /// What an item costs, to pull and to run, in picoseconds; 0 while that is not known.
    pub(crate) each: u64,
    /// The worker's clock.
    pub(crate) clock: Clock,
    pub(crate) signals: &'a Signals,
    /// Sends for more workers, if there are any to send for.
    pub(crate) send_for: &'a dyn Fn(),
}

impl std::fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask")
            .field("seat", &self.seat)
            .field("want", &self.want)
            .finish_non_exhaustive()
    }
}

/// A source of items, before its loop starts.
pub trait Source: Sized {
    /// What the bodies get.
    type Item: Send;
    /// The part that all workers share.
    type Shared: Handout<Item = Self::Item>;
    /// The part that stays with the calling thread.
    type Feed;

    /// Are chunks handed out by index, so that one is worth little time however its items are got?
    const INDEXED: bool = false;

    /// How many items there are, where that is known.
    fn exact_len(&self) -> Option<usize>;

    /// How many items there are at most, where that is known. More workers than that are not sent for; a source that says too
    /// little loses nothing but speed.
    fn most(&self) -> Option<usize>;

    /// Splits the source for a loop.
    fn open(self, plan: Plan) -> (Self::Shared, Self::Feed);

    /// Takes the next chunk on the calling thread. `None` when there is nothing left or the loop is ending.
    fn feed<'a>(
        shared: &'a Self::Shared,
        feed: &mut Self::Feed,
        ask: Ask<'_>,
    ) -> Option<(usize, <Self::Shared as Handout>::Chunk<'a>)>;

    /// The panic of `next()` that the loop ended too early to hear of, and the index of the item it did not give.
    fn unraised(_feed: &mut Self::Feed) -> Option<(usize, Payload)> {
        None
    }
}

/// The shared part of a source.
pub trait Handout: Sync {
    /// What the bodies get.
    type Item: Send;
    /// What a worker takes.
    type Chunk<'a>: Chunk<Item = Self::Item>
    where
        Self: 'a;

    /// Takes the next chunk with the index of its first item. `None` when there is nothing left or the loop is ending.
    ///
    /// Waits while another thread may still find an item.
    fn take(&self, ask: Ask<'_>) -> Option<(usize, Self::Chunk<'_>)>;

    /// Hears that one more worker has come.
    fn arrive(&self);

    /// Is it known that every item has been handed out?
    fn is_exhausted(&self) -> bool;

    /// Wakes the workers that wait in [`take`](Handout::take), and drops what has been pulled and not taken: the loop is
    /// ending. A source may be waiting for those items to be gone.
    ///
    /// # Errors
    ///
    /// The panic of an item's drop.
    fn wake(&self) -> Result<(), Payload>;
}
