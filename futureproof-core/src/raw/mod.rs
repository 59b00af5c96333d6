//! The crate's only `unsafe` code: four small pieces with safe interfaces.
//!
//! - [`lend`]: lends a borrowed closure to pool threads and takes it back before the borrow ends.
//! - [`clock`]: reads the processor's time-stamp counter.
//! - [`belt`]: a batch that one thread fills while others take from it.
//! - [`cursor`]: hands a mutable slice or a vector out in disjoint pieces.

#![allow(unsafe_code)]

pub(crate) mod belt;
pub(crate) mod clock;
pub(crate) mod cursor;
pub(crate) mod lend;
// No part of the crate; what `models` have instead of data.
#[cfg(all(test, loom))]
pub(crate) mod watched;
