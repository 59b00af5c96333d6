//! What `tests/editor` asks an editor about: loops with all kinds of options, and functions with a pool.

#![deny(missing_docs)]

pub mod loops;
pub mod tasks;
