//! What the examples share. None of it is about parallelism: read the examples first.

#![allow(dead_code)] // Each example uses a part.

pub(crate) mod args;
pub(crate) mod log;
pub(crate) mod memory;
pub(crate) mod server;
