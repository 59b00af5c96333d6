//! Runs a thousand million tasks on two workers: input is pulled as workers become free, so progress
//! shows at once, memory stays flat, and ^C ends the loop within one task.
//!
//! ```text
//! cargo run --example backpressure                                     ^C stops it
//! cargo run --release --example backpressure -- --body trivial         runs them all
//! cargo run --release --example backpressure -- --body trivial --items 1000
//! ```

mod common;

use std::error::Error;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use common::args::Args;
use common::{log, memory};
use futureproof::{Report, StopToken, Stopped, parallel_for};
use tracing::info;

const USAGE: &str = "\
Runs a thousand million tasks on two workers and prints how much memory that took.

Usage: backpressure [--body sleep|trivial] [--items N]

  --body sleep     each task sleeps for 0.1 s (default); ^C stops within one task
  --body trivial   each task is a few instructions, so that all of them can be run
  --items N        how many tasks (default 1000000000)";

/// Sleeps are what tasks that wait for a network or a disk look like.
fn sleep(items: u64, stop: &StopToken) -> Result<Report, Stopped> {
    parallel_for!(
        workers = 2,
        monitor = "1s",
        stop = stop,
        for _ in 0..items {
            thread::sleep(Duration::from_millis(100));
        }
    )
}

/// Cheap bodies are handed out in batches, so that even these are worth sharing out.
fn trivial(items: u64, stop: &StopToken) -> Result<Report, Stopped> {
    let mut sum = 0;
    let report = parallel_for!(
        workers = 2,
        monitor = "1s",
        stop = stop,
        reduce(sum),
        for item in 0..items {
            sum += mix(item) >> 32;
        }
    )?;
    info!("the sum is {sum}");
    Ok(report)
}

/// The finaliser of splitmix64.
fn mix(item: u64) -> u64 {
    let mixed = (item ^ (item >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = Args::new(USAGE);
    let body = args
        .option("--body", "sleep or trivial")
        .unwrap_or(Body::Sleep);
    let items = args
        .option("--items", "a number from 0 up")
        .unwrap_or(1_000_000_000);
    args.rest(0);

    log::init();
    let stop = StopToken::on_ctrl_c()?; // a second ^C does not wait for anything

    info!("{items} tasks on 2 workers; ^C stops");
    let ended = match body {
        Body::Sleep => sleep(items, &stop),
        Body::Trivial => trivial(items, &stop),
    };
    let (report, status) = match &ended {
        Ok(report) => (report, ExitCode::SUCCESS),
        Err(stopped) => {
            println!("{stopped}");
            (stopped.report(), ExitCode::from(130)) // as after any other ^C
        }
    };
    println!("completed: {} of {items} tasks", report.completed());
    println!("elapsed:   {:.3?}", report.elapsed());
    match memory::peak_kib() {
        Some(kib) => println!("peak resident memory: {kib} KiB"),
        None => println!("peak resident memory: this system does not say"),
    }
    Ok(status)
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| log::exit(Err(error)))
}

enum Body {
    Sleep,
    Trivial,
}

impl FromStr for Body {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "sleep" => Ok(Self::Sleep),
            "trivial" => Ok(Self::Trivial),
            _ => Err(()),
        }
    }
}
