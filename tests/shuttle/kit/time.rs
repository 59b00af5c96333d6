//! `std::time` for what runs under shuttle: virtual.
#![allow(unused_imports, reason = "not all programs use all of it")]

pub(crate) use futureproof_core::__shuttle::Instant;
pub(crate) use real::time::Duration;
