//! `std::panic` for what runs under shuttle.
#![allow(unused_imports, reason = "not all programs use all of it")]

pub(crate) use futureproof_core::__shuttle::panic::*;
