//! The terminal that is stderr, past the standard library's lock.
//!
//! Somebody may hold that lock while a loop runs, and end the loop before it lets go of it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;

use console::Term;
use indicatif::TermLike;

use crate::sync::{Arc, Mutex};

/// What is written is put together and goes out in one piece with `flush`.
#[derive(Debug, Clone)]
pub(super) struct Tty(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    /// Knows the size.
    term: Term,
    written: Mutex<String>,
}

impl Tty {
    pub(super) fn stderr() -> io::Result<Self> {
        let file = io::stderr().as_fd().try_clone_to_owned()?;
        Ok(Self(Arc::new(Inner {
            file: File::from(file),
            term: Term::stderr(),
            written: Mutex::default(),
        })))
    }

    /// Moves the cursor by `n` in a direction.
    fn move_cursor(&self, n: usize, direction: char) -> io::Result<()> {
        if n > 0 {
            _ = write!(self.0.written.lock(), "\x1b[{n}{direction}");
        }
        Ok(())
    }
}

impl TermLike for Tty {
    fn width(&self) -> u16 {
        self.0.term.size().1
    }

    fn height(&self) -> u16 {
        self.0.term.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.written.lock().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let mut written = self.0.written.lock();
        let result = (&self.0.file).write_all(written.as_bytes());
        // What could not be written is no more to be written later: by then it would be in the wrong place.
        written.clear();
        result
    }
}
