//! The guide: one question a chapter, from the first loop of one's own to what exactly is promised.
#![doc = include_str!("guide/index.md")]

#[doc(alias("for_each", "par_iter"))]
#[doc = include_str!("guide/loops.md")]
pub mod loops {}

#[doc(alias("spawn", "submit"))]
#[doc = include_str!("guide/functions.md")]
pub mod functions {}

#[doc(alias("panic", "retry", "anyhow", "fail fast"))]
#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc(alias("memory", "channel", "queue", "bounded"))]
#[doc = include_str!("guide/backpressure.md")]
pub mod backpressure {}

#[doc(alias("ctrl-c", "cancel", "abort", "deadline", "timeout"))]
#[doc = include_str!("guide/stopping.md")]
pub mod stopping {}

#[doc(alias("deadlock", "recursion"))]
#[doc = include_str!("guide/nesting.md")]
pub mod nesting {}

#[doc(alias("log", "tracing", "progress", "metrics"))]
#[doc = include_str!("guide/visibility.md")]
// docs/timeline.svg as a data URL: rustdoc has no files beside its pages.
#[doc = include_str!("guide/timeline.md")]
#[doc = "\n\nNext: [Workers](crate::guide::workers). All chapters: [the guide](crate::guide)."]
pub mod visibility {}

#[doc(alias("threads", "batch", "num_threads", "thread pool"))]
#[doc = include_str!("guide/workers.md")]
pub mod workers {}

#[doc(alias("async", "await", "tokio", "axum"))]
#[doc = include_str!("guide/blocking.md")]
pub mod blocking {}

#[doc(alias("test", "mock"))]
#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc(alias("benchmark", "overhead", "performance", "speed"))]
#[doc = include_str!("guide/cost.md")]
pub mod cost {}

#[doc(alias("semantics", "guarantees"))]
#[doc = include_str!("guide/rules.md")]
pub mod rules {}

#[doc(alias("cookbook", "examples", "sqlite", "http"))]
#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc(alias("questions", "wasm", "fork"))]
#[doc = include_str!("guide/faq.md")]
pub mod faq {}
