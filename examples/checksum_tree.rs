//! Checksums every file below a directory: a lazy source, `?` for whatever the disk says, and
//! results in the order of the input, with nothing but variables on the stack.
//!
//! ```text
//! cargo run --example checksum_tree                 this crate's own sources
//! cargo run --release --example checksum_tree -- /usr/share/doc
//! ```

mod common;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use common::args::Args;
use common::log;
use futureproof::parallel_for;

const USAGE: &str = "\
Prints the CRC-32 of every file below a directory.

Usage: checksum_tree [--workers N] [DIRECTORY]

Hidden entries, links and directories with a CACHEDIR.TAG (such as cargo's target) are skipped.
Without a DIRECTORY it reads the crate's own sources.

  --workers N   how many files to read at once (default: as many as there are cores)";

#[derive(Default)]
struct Tree {
    files: Vec<(PathBuf, u32)>,
    bytes: u64,
    largest: u64,
    elapsed: Duration,
}

fn checksum_tree(root: &Path, workers: usize) -> io::Result<Tree> {
    let table = crc_table(); // bodies borrow it from this stack
    let Tree {
        mut files,
        mut bytes,
        mut largest,
        ..
    } = Tree::default();
    let report = parallel_for!(
        workers = workers,
        name = "checksum",
        reduce(files, bytes, max(largest)),
        local(buffer = vec![0; 64 * 1024]),
        for path in walk(root) {
            let path = path?;
            let (crc, length) =
                checksum(&path, &table, &mut buffer).map_err(|error| at(&path, error))?;
            files.push((path, crc));
            bytes += length;
            largest = largest.max(length);
        }
    );
    Ok(Tree {
        files,
        bytes,
        largest,
        elapsed: report.elapsed(),
    })
}

fn checksum(path: &Path, table: &[u32; 256], buffer: &mut [u8]) -> io::Result<(u32, u64)> {
    let mut file = File::open(path)?;
    let (mut crc, mut length) = (!0, 0);
    loop {
        let read = file.read(buffer)?;
        if read == 0 {
            return Ok((!crc, length));
        }
        crc = crc32(table, crc, &buffer[..read]);
        length += read as u64;
    }
}

/// Adds to an error where it came from.
fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Gives the files below `root`, each directory sorted, one directory at a time.
fn walk(root: &Path) -> impl Iterator<Item = io::Result<PathBuf>> + Send + use<> {
    let mut left = vec![(root.to_owned(), true)];
    std::iter::from_fn(move || {
        while let Some((path, is_dir)) = left.pop() {
            if !is_dir {
                return Some(Ok(path));
            }
            match entries(&path) {
                Ok(entries) => left.extend(entries),
                Err(error) => return Some(Err(at(&path, error))),
            }
        }
        None
    })
}

/// Gives the files and directories in `dir`, and which is which, in the reverse of their order.
fn entries(dir: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if entry.file_name() == "CACHEDIR.TAG" {
            return Ok(Vec::new());
        }
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && (kind.is_file() || kind.is_dir()) {
            entries.push((entry.path(), kind.is_dir()));
        }
    }
    entries.sort_unstable_by(|a, b| b.cmp(a));
    Ok(entries)
}

fn crc32(table: &[u32; 256], crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, &byte| {
        (crc >> 8) ^ table[usize::from(crc as u8 ^ byte)]
    })
}

fn crc_table() -> [u32; 256] {
    std::array::from_fn(|index| {
        (0..8).fold(index as u32, |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut args = Args::new(USAGE);
    let workers = args.option("--workers", "a number from 1 up");
    let workers = match workers.map_or_else(std::thread::available_parallelism, Ok) {
        Ok(workers) => workers.get(),
        Err(_) => 1,
    };
    let root = args
        .rest(1)
        .pop()
        .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&root);

    log::init();
    let tree = checksum_tree(root, workers)?;
    let mut out = io::stdout().lock(); // `println!` would panic when the output goes to `head`
    for (path, crc) in &tree.files {
        let path = path.strip_prefix(root).unwrap_or(path);
        writeln!(out, "{crc:08x}  {}", path.display())?;
    }
    writeln!(
        out,
        "{} files, {} bytes, the largest of {} bytes, on {workers} workers in {:.1?}",
        tree.files.len(),
        tree.bytes,
        tree.largest,
        tree.elapsed
    )?;
    Ok(())
}

fn main() -> ExitCode {
    log::exit(run())
}
