//! A token that Ctrl-C stops.

use std::io;
use std::mem;
use std::process;
use std::thread;

use crate::stop::StopToken;
use crate::sync::Mutex;

/// The token of all callers, once the handler is set.
static TOKEN: Mutex<Option<StopToken>> = Mutex::new(None);

/// How shells report a program that ^C has ended: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

impl StopToken {
    /// Returns the token that Ctrl-C stops; needs the cargo feature `ctrl-c`.
    ///
    /// The first ^C stops the token. The second ends the process at once with status 130, whatever is running, so a body
    /// that never returns cannot keep anybody from leaving. All calls return clones of one token.
    ///
    /// - **A loop** with `stop = &token` starts no further item, waits for the bodies that are running, which can ask
    ///   [`is_stopping`](crate::is_stopping), and evaluates to an error, [`Stopped`](crate::Stopped).
    /// - **A scope** of `f::configure().stop(&token)` cancels the tasks that have not started, joins those that are running, and
    ///   returns an error.
    /// - **A program** goes on after that, and ends with the status of its choice: nothing but the token has changed.
    ///   Code that holds no token and does not ask [`is_stopped`](Self::is_stopped) takes no notice of the first ^C.
    /// - **A library** should not call this, as ^C belongs to the program. It takes a `&StopToken` from its caller.
    ///
    /// Ctrl-C is the signal SIGINT, whoever sends it, also where the process was started with SIGINT ignored, as shells do
    /// with the background jobs of a script. On Windows it is Ctrl-C and Ctrl-Break. SIGTERM is left alone, unless something
    /// else in the program turns on the feature `termination` of the crate `ctrlc`, which does the work.
    ///
    /// # Errors
    ///
    /// - [`AlreadyExists`](io::ErrorKind::AlreadyExists): the program has a handler of its own. Let that one call
    ///   [`stop`](Self::stop). (On Unix systems other than Linux it is also this error if SIGINT is ignored; on Windows only
    ///   handlers set with the crate `ctrlc` are noticed.)
    /// - What the operating system gives if the handler, or its thread, cannot be had.
    ///
    /// A program that can do without says `StopToken::on_ctrl_c().unwrap_or_default()`: the default is a token that nobody
    /// has stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use futureproof::{ParallelFor, StopToken};
    ///
    /// let stop = StopToken::on_ctrl_c()?;
    /// let outcome = ParallelFor::new().stop(&stop).for_each(0..1000, |n| {
    ///     println!("{n}");
    /// });
    /// match outcome.or_stopped() {
    ///     Ok(report) => println!("all {} done", report.completed()),
    ///     Err(stopped) => println!("{stopped}"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "ctrl-c")))]
    pub fn on_ctrl_c() -> io::Result<Self> {
        let mut shared = TOKEN.lock();
        if let Some(token) = &*shared {
            return Ok(token.clone());
        }
        let token = Self::new();
        let outcome = match ctrlc::try_set_handler(handler(&token)) {
            Err(ctrlc::Error::MultipleHandlers) if is_ignored() => {
                ctrlc::set_handler(handler(&token))
            }
            outcome => outcome,
        };
        outcome.map_err(|error| match error {
            ctrlc::Error::MultipleHandlers => io::Error::new(
                io::ErrorKind::AlreadyExists,
                "this program has a Ctrl-C handler of its own already: let that one stop a `StopToken`",
            ),
            ctrlc::Error::System(error) => error,
            other => io::Error::other(other),
        })?;
        *shared = Some(token.clone());
        Ok(token)
    }
}

/// What is called, on a thread of its own, for each ^C.
fn handler(token: &StopToken) -> impl FnMut() + Send + use<> {
    let token = token.clone();
    let mut pressed = false;
    move || {
        // Not `is_stopped`: the program may have stopped the token itself.
        if mem::replace(&mut pressed, true) {
            process::exit(INTERRUPTED);
        }
        // A stop cancels tasks, and so may call code that hangs: not on the thread that has to hear of the second ^C.
        let stopping = token.clone();
        let thread = thread::Builder::new().name("ctrl-c-stop".into());
        if thread.spawn(move || stopping.stop()).is_err() {
            token.stop();
        }
    }
}

/// Was this process started with SIGINT ignored? To `ctrlc` that looks like a handler.
fn is_ignored() -> bool {
    const SIGINT: u64 = 1 << (2 - 1);
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false; // not Linux
    };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & SIGINT != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ctrl_c_ends_nothing_where_the_program_has_stopped_the_token() {
        let token = StopToken::new();
        token.stop();
        handler(&token)();
        assert!(token.is_stopped());
    }
}
