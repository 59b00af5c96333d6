//! What the recipes share. None of it is about parallelism: read the programs in `src/bin` first.

pub mod api;
pub mod blocks;
pub mod server;

#[path = "../../examples/common/log.rs"]
mod log;

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Shows log lines of level INFO and above on stderr, or what `RUST_LOG` asks for.
pub fn init_log() {
    log::init();
}

/// Turns the outcome of a program into its exit status, with the error and its sources in words.
pub fn exit(outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    log::exit(outcome)
}

/// The directory of this repository: the data of those who give none.
pub fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Adds to an error which path it is about.
pub fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Gives the Adler-32 checksum of what `reader` has.
pub fn adler32(reader: impl Read) -> io::Result<u32> {
    let mut reader = BufReader::new(reader);
    let (mut a, mut b) = (1, 0);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(b << 16 | a);
        }
        for &byte in bytes {
            a = (a + u32::from(byte)) % 65521;
            b = (b + a) % 65521;
        }
        let length = bytes.len();
        reader.consume(length);
    }
}

/// What a directory holds.
#[derive(Debug, Default)]
pub struct Entries {
    /// Its files, sorted.
    pub files: Vec<PathBuf>,
    /// Its directories, sorted.
    pub dirs: Vec<PathBuf>,
}

/// Lists one directory, without links, hidden entries and cargo's `target`.
pub fn entries(dir: &Path) -> io::Result<Entries> {
    let mut found = Entries::default();
    for entry in fs::read_dir(dir).map_err(|error| at(dir, error))? {
        let entry = entry.map_err(|error| at(dir, error))?;
        let name = entry.file_name();
        let kind = entry.file_type().map_err(|error| at(dir, error))?;
        if name.as_encoded_bytes().starts_with(b".") || name == "target" {
            continue;
        }
        if kind.is_file() {
            found.files.push(entry.path());
        } else if kind.is_dir() {
            found.dirs.push(entry.path());
        }
    }
    found.files.sort_unstable();
    found.dirs.sort_unstable();
    Ok(found)
}

/// Gives all files below `root`, one directory at a time, in the same order every time.
pub fn files(root: &Path) -> impl Iterator<Item = io::Result<PathBuf>> + Send + use<> {
    let (mut files, mut dirs) = (Vec::new().into_iter(), vec![root.to_owned()]);
    std::iter::from_fn(move || {
        loop {
            if let Some(file) = files.next() {
                return Some(Ok(file));
            }
            match entries(&dirs.pop()?) {
                Ok(found) => {
                    files = found.files.into_iter();
                    dirs.extend(found.dirs.into_iter().rev());
                }
                Err(error) => return Some(Err(error)),
            }
        }
    })
}
