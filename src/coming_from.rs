//! The same job in what you know and in futureproof, and what changes.
//!
//! The pages name crates that this one does not depend on, so they are tested in `tests/docs`, which does.
#![cfg_attr(not(doctest), doc = include_str!("coming_from/index.md"))]

#[cfg_attr(not(doctest), doc = include_str!("coming_from/rayon.md"))]
pub mod rayon {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/threads.md"))]
pub mod threads {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/threadpool.md"))]
pub mod threadpool {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/channels.md"))]
pub mod channels {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/tokio.md"))]
pub mod tokio {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/python.md"))]
pub mod python {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/go.md"))]
pub mod go {}

#[cfg_attr(not(doctest), doc = include_str!("coming_from/openmp.md"))]
pub mod openmp {}
