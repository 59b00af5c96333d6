//! The pages of `futureproof::coming_from`, whose examples name crates that the product does not depend on.
#![doc(test(attr(deny(warnings))))]

#[doc = include_str!("../../../src/coming_from/index.md")]
pub mod index {}
#[doc = include_str!("../../../src/coming_from/rayon.md")]
pub mod rayon {}
#[doc = include_str!("../../../src/coming_from/threads.md")]
pub mod threads {}
#[doc = include_str!("../../../src/coming_from/threadpool.md")]
pub mod threadpool {}
#[doc = include_str!("../../../src/coming_from/channels.md")]
pub mod channels {}
#[doc = include_str!("../../../src/coming_from/tokio.md")]
pub mod tokio {}
#[doc = include_str!("../../../src/coming_from/python.md")]
pub mod python {}
#[doc = include_str!("../../../src/coming_from/go.md")]
pub mod go {}
#[doc = include_str!("../../../src/coming_from/openmp.md")]
pub mod openmp {}
