//! Other output on a terminal with progress bars.
//!
//! A bar is drawn at the end of the terminal again and again. What the program writes in between has to go above it, or the next
//! frame wipes it out. So log through [`stderr`], and print within [`suspend`]:
//!
//! ```text
//! tracing_subscriber::fmt().with_writer(futureproof::progress::stderr).init();
//! ```
//!
//! ```
//! # use futureproof_core as futureproof;
//! futureproof::progress::suspend(|| println!("four fifths done"));
//! ```
//!
//! The message of a panic comes from the panic hook. A program that shows several bars and expects panics wraps it:
//!
//! ```
//! # use futureproof_core as futureproof;
//! let hook = std::panic::take_hook();
//! std::panic::set_hook(Box::new(move |panic| futureproof::progress::suspend(|| hook(panic))));
//! ```
//!
//! Bars are drawn on stderr, and only if it is a terminal (one with `TERM=dumb` is not). Otherwise this module does nothing but pass
//! on what it is given. `NO_COLOR` is heeded.

use std::io::{self, Write};

use super::screen::Screen;

/// Returns a writer to stderr whose lines go above the progress bars, for loggers and everything else that writes to an
/// [`io::Write`].
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::io::Write;
///
/// writeln!(futureproof::progress::stderr(), "{} of {}", 4, 5)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn stderr() -> Stderr {
    Stderr { line: Vec::new() }
}

/// A writer to stderr, made by [`stderr`].
///
/// On a terminal it keeps a line together: what has no line break yet is written with the next one, by `flush`, or when this is
/// dropped.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use std::io::Write;
///
/// let mut out = futureproof::progress::stderr();
/// write!(out, "one line, ")?;
/// writeln!(out, "written at once")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Stderr {
    line: Vec<u8>,
}

impl Stderr {
    /// Writes the lines that are complete, and keeps the rest.
    pub(super) fn write_lines(&mut self, screen: &Screen, bytes: &[u8]) -> io::Result<()> {
        let lines = bytes.iter().rposition(|byte| *byte == b'\n');
        let (lines, rest) = bytes.split_at(lines.map_or(0, |at| at + 1));
        if !lines.is_empty() {
            self.line.extend_from_slice(lines);
            self.write_line(screen)?;
        }
        self.line.extend_from_slice(rest);
        Ok(())
    }

    pub(super) fn write_line(&mut self, screen: &Screen) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(());
        }
        screen
            .write(&line)
            .unwrap_or_else(|| io::stderr().write_all(&line))
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(screen) = Screen::stderr() else {
            return io::stderr().write(bytes);
        };
        self.write_lines(screen, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match Screen::stderr() {
            Some(screen) => self.write_line(screen),
            None => io::stderr().flush(),
        }
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        // As with the standard writers, there is nobody left to tell.
        _ = self.flush();
    }
}

/// Takes the progress bars off the terminal while `f` runs, so that it can print, or ask a question.
///
/// Loops go on meanwhile, other threads may log, and `f` may do all of this itself. Lines that `f` prints should be complete.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// futureproof::progress::suspend(|| println!("a line of its own"));
/// ```
pub fn suspend<R>(f: impl FnOnce() -> R) -> R {
    let _suspended = Screen::stderr().map(|screen| screen.suspend());
    f()
}
