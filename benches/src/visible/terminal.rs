//! A pseudo terminal in the place of stderr, so that bars are drawn as for a person.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use libc::{STDERR_FILENO, winsize};

/// The one terminal of this process: bars keep the one that they have first seen.
struct Terminal {
    tty: OwnedFd,
    drawn: AtomicUsize,
}

static TERMINAL: OnceLock<Terminal> = OnceLock::new();

/// Makes stderr a terminal of 24 lines, for as long as this is there.
pub struct Stderr {
    /// What it was before.
    before: OwnedFd,
}

impl Stderr {
    /// # Errors
    ///
    /// That of the system if there are no pseudo terminals.
    pub fn as_terminal() -> io::Result<Self> {
        let terminal = match TERMINAL.get() {
            Some(terminal) => terminal,
            None => {
                let (screen, tty) = open()?;
                let drawn = AtomicUsize::new(0);
                let terminal = TERMINAL.get_or_init(|| Terminal { tty, drawn });
                thread::spawn(move || {
                    let mut screen = File::from(screen);
                    let mut frame = [0; 4096];
                    while let Ok(bytes @ 1..) = screen.read(&mut frame) {
                        terminal.drawn.fetch_add(bytes, Ordering::Relaxed);
                    }
                });
                terminal
            }
        };
        let before = io::stderr().as_fd().try_clone_to_owned()?;
        // SAFETY: both are open.
        result(unsafe { libc::dup2(terminal.tty.as_raw_fd(), STDERR_FILENO) })?;
        Ok(Self { before })
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        // SAFETY: both are open.
        _ = unsafe { libc::dup2(self.before.as_raw_fd(), STDERR_FILENO) };
    }
}

/// How many bytes have been drawn so far.
pub fn drawn() -> usize {
    (TERMINAL.get()).map_or(0, |terminal| terminal.drawn.load(Ordering::Relaxed))
}

/// Opens a pseudo terminal: the end of its screen and that of the programs.
fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    let (mut screen, mut tty) = (-1, -1);
    let mut size = winsize {
        ws_row: 24,
        ws_col: 120,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the places for the descriptors and the size are valid; name and settings may be null.
    result(unsafe {
        libc::openpty(
            &raw mut screen,
            &raw mut tty,
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut size,
        )
    })?;
    // SAFETY: the descriptor is new and nobody else's.
    let screen = unsafe { OwnedFd::from_raw_fd(screen) };
    // SAFETY: as above.
    let tty = unsafe { OwnedFd::from_raw_fd(tty) };
    Ok((screen, tty))
}

fn result(status: libc::c_int) -> io::Result<libc::c_int> {
    match status {
        -1 => Err(io::Error::last_os_error()),
        other => Ok(other),
    }
}
