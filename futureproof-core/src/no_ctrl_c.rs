//! What the compiler says where the cargo feature `ctrl-c` is missing.

use std::io;

use crate::stop::StopToken;

impl StopToken {
    /// Needs the cargo feature `ctrl-c`.
    #[doc(hidden)]
    pub fn on_ctrl_c() -> io::Result<Self>
    where
        // The lifetime puts the question off to the call; without it rustc would ask it here.
        for<'a> &'a Self: HasCtrlC,
    {
        unreachable!("no token has this feature")
    }
}

/// Implemented by nothing.
#[diagnostic::on_unimplemented(
    message = "`StopToken::on_ctrl_c` needs the cargo feature `ctrl-c`: `cargo add futureproof --features ctrl-c`",
    label = "the feature is not enabled"
)]
pub trait HasCtrlC {}
