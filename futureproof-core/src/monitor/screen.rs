//! What all bars share: the terminal, and whose turn it is to write to it.
//!
//! No foreign code runs under the lock. indicatif's own `suspend` holds its lock while the caller's code runs, so that a log line
//! or a loop in there would wait for ever; here there is only a count of those who want the bars out of their way.

#[cfg(unix)]
mod tty;

use std::cell::Cell;
use std::io;
use std::mem;
use std::sync::LazyLock;
use std::thread;

use console::{Term, is_dumb};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::sync::{Arc, Mutex};
use crate::unwind;

/// Frames a second at most, however many bars there are.
const FRAMES: u8 = 20;
/// So many lines leave no room for those of loops within bodies.
const ENOUGH: usize = 8;

thread_local! {
    /// Is this thread at the terminal? Then what is called from here, such as a panic hook, must not wait for its turn.
    static DRAWING: Cell<bool> = const { Cell::new(false) };
}

/// The measures of the terminal at this moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) width: usize,
    /// The width of the longest label, so that bars stand one below the other.
    pub(super) labels: usize,
    pub(super) colors: bool,
}

/// What decides on the place of a bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) nested: bool,
    pub(super) label: usize,
}

/// The key of a bar that is on the screen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown(u64);

/// A terminal with bars at its end.
pub(super) struct Screen {
    term: Box<dyn TermLike>,
    colors: bool,
    state: Mutex<State>,
}

struct State {
    multi: MultiProgress,
    /// From top to bottom: those of loops within bodies come last.
    lines: Vec<BarLine>,
    next: u64,
    /// How many want the bars out of their way.
    suspended: usize,
    /// Has somebody written the beginning of a line?
    begun: bool,
    /// Has drawing panicked? Then nothing is drawn any more.
    broken: bool,
}

struct BarLine {
    key: u64,
    place: Place,
    bar: ProgressBar,
}

impl Screen {
    /// The terminal that is stderr, if it is one.
    pub(super) fn stderr() -> Option<&'static Arc<Self>> {
        static SCREEN: LazyLock<Option<Arc<Screen>>> = LazyLock::new(|| {
            if !Term::stderr().is_term() || is_dumb() {
                return None;
            }
            #[cfg(unix)]
            let term = tty::Tty::stderr().ok()?;
            #[cfg(not(unix))]
            let term = Term::buffered_stderr();
            let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), FRAMES);
            let colors = console::colors_enabled_stderr();
            Some(Arc::new(Screen::new(target, Box::new(term), colors)))
        });
        SCREEN.as_ref()
    }

    /// A screen that draws bars to `target`, and writes text to `term`, which is the same terminal.
    pub(super) fn new(target: ProgressDrawTarget, term: Box<dyn TermLike>, colors: bool) -> Self {
        let state = State {
            multi: MultiProgress::with_draw_target(target),
            lines: Vec::new(),
            next: 0,
            suspended: 0,
            begun: false,
            broken: false,
        };
        Self {
            term,
            colors,
            state: Mutex::new(state),
        }
    }

    /// Shows a bar, which first has to get a line of its own; there may be no room for that.
    pub(super) fn show(
        &self,
        shown: &mut Option<Shown>,
        place: Place,
        text: impl FnOnce(Page) -> String + Send,
    ) {
        self.draw(|state| -> io::Result<()> {
            if shown.is_none() {
                *shown = state.add(place, usize::from(self.term.height()));
            }
            let Some(key) = shown else {
                return Ok(());
            };
            let page = Page {
                width: usize::from(self.term.width()),
                labels: state.lines.iter().map(|l| l.place.label).max().unwrap_or(0),
                colors: self.colors,
            };
            let Some(line) = state.lines.iter().find(|line| line.key == key.0) else {
                return Ok(());
            };
            // This way nothing is drawn before `tick`.
            let bar = line.bar.clone().with_message(text(page));
            if state.suspended == 0 {
                if mem::take(&mut state.begun) {
                    self.term.write_str("\n")?;
                }
                bar.tick();
            }
            Ok(())
        });
    }

    /// Takes a bar off the screen, and leaves `text` in its place.
    pub(super) fn remove(&self, shown: Option<Shown>, text: Option<&str>) {
        self.draw(|state| {
            // Where a bar only goes, and others stay, the next frame does it.
            let cleared = match text {
                None if state.lines.len() > 1 => Ok(()),
                _ => state.multi.clear(),
            };
            if let Some(Shown(key)) = shown {
                state.take(key);
            }
            cleared?;
            if let Some(text) = text {
                if mem::take(&mut state.begun) {
                    self.term.write_str("\n")?;
                }
                self.term.write_str(text)?;
            }
            state.redraw();
            self.term.flush()
        });
    }

    /// Writes above the bars. Says `None` where this thread must not, or nothing is drawn any more.
    pub(super) fn write(&self, text: &[u8]) -> Option<io::Result<()>> {
        self.draw(|state| {
            state.multi.clear()?;
            self.term.write_str(&String::from_utf8_lossy(text))?;
            state.begun = text.last().is_some_and(|last| *last != b'\n');
            if state.begun && state.suspended == 0 && !state.lines.is_empty() {
                // A line that goes on later cannot go on behind a bar.
                state.begun = false;
                self.term.write_str("\n")?;
            }
            state.redraw();
            self.term.flush()
        })
    }

    /// Takes all bars off the screen until the guard is dropped.
    pub(super) fn suspend(&self) -> Suspended<'_> {
        let done = self.draw(|state| {
            state.suspended += 1;
            state.multi.clear()
        });
        Suspended(done.map(|_| self))
    }

    /// Lets `f` draw. What goes wrong in there is no concern of the loop: after a panic nothing is drawn any more.
    fn draw<R: Send>(&self, f: impl FnOnce(&mut State) -> R + Send) -> Option<R> {
        if DRAWING.get() {
            return None;
        }
        if thread::panicking() {
            // indicatif draws nothing on a thread that panics, so another one has to.
            return thread::scope(|scope| {
                let other = thread::Builder::new().spawn_scoped(scope, || self.draw(f));
                other.ok()?.join().ok()?
            });
        }
        let mut state = self.state.lock();
        if state.broken {
            return None;
        }
        DRAWING.set(true);
        let result = unwind::catch(|| f(&mut state));
        if result.is_err() {
            state.broken = true;
            // To drop a bar is to draw.
            mem::forget(mem::take(&mut state.lines));
        }
        drop(state);
        DRAWING.set(false);
        result.map_err(unwind::discard).ok()
    }
}

impl State {
    /// Gives a bar a line, if there is room for one.
    fn add(&mut self, place: Place, height: usize) -> Option<Shown> {
        let outer = self.lines.iter().filter(|l| !l.place.nested).count();
        let (at, room) = if place.nested {
            (self.lines.len(), ENOUGH.min(height / 2))
        } else {
            (outer, height.saturating_sub(1).max(1))
        };
        if self.lines.len() >= room {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        let bar = self.multi.insert(at, bar);
        let key = self.next;
        self.next += 1;
        self.lines.insert(at, BarLine { key, place, bar });
        Some(Shown(key))
    }

    fn take(&mut self, key: u64) {
        if let Some(at) = self.lines.iter().position(|line| line.key == key) {
            self.multi.remove(&self.lines.remove(at).bar);
        }
    }

    /// Draws all bars, if nobody wants them out of the way.
    fn redraw(&self) {
        if let Some(line) = self.lines.first().filter(|_| self.suspended == 0) {
            line.bar.force_draw();
        }
    }
}

/// For as long as this is there, no bar is.
pub(super) struct Suspended<'a>(Option<&'a Screen>);

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        if let Some(screen) = self.0 {
            screen.draw(|state| {
                state.suspended -= 1;
                state.redraw();
            });
        }
    }
}
