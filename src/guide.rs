//! The guide: one question a chapter, from the first loop of one's own to what exactly is promised.
#![doc = include_str!("guide/index.md")]

#[doc = include_str!("guide/loops.md")]
pub mod loops {}

#[doc = include_str!("guide/functions.md")]
pub mod functions {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/backpressure.md")]
pub mod backpressure {}

#[doc = include_str!("guide/stopping.md")]
pub mod stopping {}

#[doc = include_str!("guide/nesting.md")]
pub mod nesting {}

#[doc = include_str!("guide/visibility.md")]
// docs/timeline.svg as a data URL: rustdoc has no files beside its pages.
#[doc = include_str!("guide/timeline.md")]
pub mod visibility {}

#[doc = include_str!("guide/workers.md")]
pub mod workers {}

#[doc = include_str!("guide/blocking.md")]
pub mod blocking {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/cost.md")]
pub mod cost {}

#[doc = include_str!("guide/rules.md")]
pub mod rules {}

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/faq.md")]
pub mod faq {}
