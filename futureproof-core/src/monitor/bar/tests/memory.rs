//! A terminal in memory.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

use crate::monitor::screen::Screen;
use crate::sync::Arc;

/// One that takes line feeds as a real one does, and can be made to fail.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    pub(super) term: InMemoryTerm,
    pub(super) fails: Arc<AtomicBool>,
    pub(super) panics: Arc<AtomicBool>,
}

impl Terminal {
    pub(super) fn new(rows: u16, columns: u16) -> (Self, Arc<Screen>) {
        let terminal = Self {
            term: InMemoryTerm::new(rows, columns),
            fails: Arc::default(),
            panics: Arc::default(),
        };
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let screen = Screen::new(target, Box::new(terminal.clone()), false);
        (terminal, Arc::new(screen))
    }

    #[track_caller]
    pub(super) fn shows(&self, expected: &[&str]) {
        assert_eq!(self.lines(), expected);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.term.contents().lines().map(str::to_owned).collect()
    }

    fn check(&self) -> io::Result<()> {
        assert!(!self.panics.load(Ordering::Relaxed), "a terminal panics");
        match self.fails.load(Ordering::Relaxed) {
            true => Err(io::Error::other("a terminal fails")),
            false => Ok(()),
        }
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.term.width()
    }

    fn height(&self) -> u16 {
        self.term.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.term.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.check()?;
        self.term.write_str(&text.replace('\n', "\r\n"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.check()?;
        self.term.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.check()?;
        self.term.flush()
    }
}
