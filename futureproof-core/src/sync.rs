//! The primitives that hand-written protocols are built from: the standard library's, or loom's under `cfg(loom)`, or
//! shuttle's under `cfg(shuttle)`.

#[cfg(loom)]
mod of_loom;
#[cfg(shuttle)]
pub(crate) mod of_shuttle;
#[cfg(not(any(loom, shuttle)))]
mod of_std;

#[cfg(loom)]
pub(crate) use of_loom::*;
#[cfg(shuttle)]
pub(crate) use of_shuttle::*;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use of_std::*;
