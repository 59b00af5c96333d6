//! Progress bars: two loops and a pool at once, each with a bar of its own, and log lines that leave the bars in one piece.
//!
//! ```text
//! cargo run --example progress
//! cargo run --example progress 2> progress.log    not a terminal: no bars, only the log
//! ```

mod common;

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use common::args::Args;
use futureproof::{parallel_for, progress, task_pool};
use tracing::info;

const USAGE: &str = "\
Pretends to resize, index and upload photos, all at once.

Usage: progress [--photos N]

  --photos N   how many photos there are; default: 150, which takes three seconds";

/// Its bar counts the failures, and each of them is in the log.
#[task_pool(workers = 3, error_policy = "log", progress = true)]
fn upload(photo: u64) -> Result<u64, Refused> {
    work(90, photo);
    if photo % 40 == 29 {
        Err(Refused)
    } else {
        Ok(1000 + photo)
    }
}

/// The length of the input is known: a bar, with the time left.
fn resize(photos: u64) {
    parallel_for!(
        workers = 2,
        name = "resize",
        progress = true,
        for photo in 0..photos {
            work(40, photo);
            if photo % 50 == 49 {
                info!(photo, "resized to 1024 × 768");
            }
        }
    );
}

/// It is not known here: a spinner, with the rate.
fn index(photos: u64) {
    let of_people = (0..photos).filter(|photo| photo % 5 < 2);
    parallel_for!(
        workers = 2,
        progress = "index",
        for photo in of_people {
            work(70, photo);
        }
    );
}

fn resize_index_and_upload(photos: u64) {
    let mut bytes = 0;
    thread::scope(|threads| {
        threads.spawn(|| resize(photos));
        threads.spawn(|| index(photos));
        for done in upload::as_completed(0..photos / 3 * 2) {
            bytes += done.map_or(0, |task| task.result);
        }
        // What is printed by other means than the log has to ask the bars out of its way.
        progress::suspend(|| println!("{bytes} bytes uploaded"));
    });
}

/// Takes about so many milliseconds.
fn work(millis: u64, seed: u64) {
    thread::sleep(Duration::from_millis(millis / 2 + seed * 37 % millis));
}

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server refused the photo")
    }
}

impl Error for Refused {}

fn main() {
    let mut args = Args::new(USAGE);
    let photos = args.option("--photos", "a number").unwrap_or(150);
    args.rest(0);
    tracing_subscriber::fmt()
        .with_writer(progress::stderr)
        .with_ansi(io::stderr().is_terminal())
        // The bars say what the progress log would.
        .with_env_filter("info,futureproof::monitor=warn")
        .with_target(false)
        .init();
    resize_index_and_upload(photos);
}
