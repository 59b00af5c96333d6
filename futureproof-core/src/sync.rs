//! The primitives that hand-written protocols are built from: the standard library's, or loom's under `cfg(loom)`, or
//! shuttle's under `cfg(futureproof_shuttle)`.

#[cfg(all(test, loom))]
mod of_loom;
#[cfg(futureproof_shuttle)]
pub(crate) mod of_shuttle;
#[cfg(not(any(all(test, loom), futureproof_shuttle)))]
mod of_std;

#[cfg(all(test, loom))]
pub(crate) use of_loom::*;
#[cfg(futureproof_shuttle)]
pub(crate) use of_shuttle::*;
#[cfg(not(any(all(test, loom), futureproof_shuttle)))]
pub(crate) use of_std::*;
