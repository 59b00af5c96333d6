//! Says which directories need the most room: a work list that grows while it runs.
//!
//! The loop's input is a channel that the loop's own bodies fill. A directory is read as soon as it is known, with any
//! number of workers, because an item never waits for the input's next one. The loop ends by itself: each directory that
//! waits or is being read holds a sender of the channel, so that the channel ends when none is left.
//!
//! ```text
//! cargo run -p futureproof-recipes --bin walk              this repository
//! cargo run -p futureproof-recipes --bin walk -- --error-policy raise /usr/share /etc
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use clap::Parser;
use futureproof::{ErrorPolicy, parallel_for};
use futureproof_recipes::{at, repository};

/// Adds up the lengths of all files below directories, and prints the largest of their subdirectories
#[derive(Parser)]
struct Args {
    /// Where to look; without any, in this repository
    directories: Vec<PathBuf>,
    /// What a directory that cannot be read does: `raise` ends the program, `log` and `ignore` go on
    #[arg(long, default_value_t = ErrorPolicy::Log, value_name = "POLICY")]
    error_policy: ErrorPolicy,
    /// How many directories are read at once
    #[arg(long, default_value = "8", value_name = "N")]
    workers: NonZero<usize>,
    /// How many subdirectories are printed
    #[arg(long, default_value_t = 10, value_name = "N")]
    top: usize,
}

/// A directory to read, and the way to announce the directories in it.
struct Dir {
    path: PathBuf,
    /// The subdirectory it is printed as; `None` for those that were given.
    part_of: Option<Arc<Path>>,
    list: Sender<Dir>,
}

fn walk(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let (list, dirs) = mpsc::channel();
    let add = |list: &Sender<Dir>, path, part_of| {
        let clone = list.clone();
        // It fails when the loop has been left: then nobody wants to know.
        let _ = list.send(Dir {
            path,
            part_of,
            list: clone,
        });
    };
    for path in args.directories {
        add(&list, path, None);
    }
    drop(list); // from here on only directories hold senders

    let (mut files, mut bytes, mut usage) = (0, 0, BTreeMap::new());
    let report = parallel_for!(
        name = "walk",
        workers = args.workers.get(),
        error_policy = args.error_policy,
        reduce(files, bytes, usage),
        for dir in dirs {
            let mut length = 0;
            for entry in fs::read_dir(&dir.path).map_err(|error| at(&dir.path, error))? {
                let entry = entry.map_err(|error| at(&dir.path, error))?;
                let metadata = entry.metadata().map_err(|error| at(&entry.path(), error))?;
                if metadata.is_dir() {
                    let path = entry.path();
                    let part_of = dir.part_of.clone().unwrap_or_else(|| path.as_path().into());
                    add(&dir.list, path, Some(part_of));
                } else {
                    files += 1;
                    length += metadata.len();
                }
            }
            bytes += length;
            let part_of = dir.part_of.unwrap_or_else(|| dir.path.into());
            *usage.entry(part_of).or_insert(0) += length;
        }
    );

    let mut usage: Vec<_> = usage.into_iter().collect();
    usage.sort_by_key(|&(_, bytes): &(_, u64)| Reverse(bytes)); // stable: equal ones stay sorted by name
    let mut out = io::stdout().lock(); // `println!` would panic when the output goes to `head`
    for (path, bytes) in usage.iter().take(args.top) {
        writeln!(out, "{bytes:>12} {}", path.display())?;
    }
    let (dirs, unread) = (report.completed(), report.failed());
    writeln!(
        out,
        "{bytes} bytes in {files} files, {dirs} directories; {unread} not read"
    )?;
    Ok(ExitCode::from(u8::from(unread > 0)))
}

fn main() -> ExitCode {
    let mut args = Args::parse();
    if args.directories.is_empty() {
        args.directories.push(repository().to_owned());
    }
    futureproof_recipes::init_log();
    walk(args).unwrap_or_else(|error| futureproof_recipes::exit(Err(error)))
}
