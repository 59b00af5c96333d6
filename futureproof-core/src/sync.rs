//! The primitives that hand-written protocols are built from: the standard library's, or loom's under `cfg(loom)`.

#[cfg(loom)]
mod of_loom;
#[cfg(not(loom))]
mod of_std;

#[cfg(loom)]
pub(crate) use of_loom::*;
#[cfg(not(loom))]
pub(crate) use of_std::*;
