//! What a failure does besides being counted is a policy: raise, log or ignore. By hand, each place
//! that reads results has to decide, and nothing happens where it forgets.
//!
//! ```text
//! cargo run --example error_policy
//! cargo run --example error_policy -- classic    the same with threads and channels by hand
//! ```

mod common;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use common::args::Args;
use common::log;
use futureproof::{ErrorPolicy, parallel_for, task_pool};
use tracing::{info, warn};

const USAGE: &str = "\
Adds ten pairs of numbers on two workers under each error policy; two additions fail.

Usage: error_policy [classic]

  classic   does the same with threads and channels by hand";

#[task_pool(workers = 2, error_policy = "ignore")]
fn flaky_sum(a: u32, b: u32) -> Result<u32, CannotAdd> {
    thread::sleep(Duration::from_millis(20 + u64::from(a * 37 % 60)));
    if a % 5 == 4 {
        Err(CannotAdd(a, b))
    } else {
        Ok(a + b)
    }
}

/// A loop: the policy decides what its `?` does.
fn sums(error_policy: ErrorPolicy) -> Result<(), CannotAdd> {
    let mut sums = Vec::new();
    let report = parallel_for!(
        workers = 2,
        name = "sums",
        error_policy = error_policy,
        reduce(sums),
        for a in 0..10 {
            sums.push(flaky_sum(a, 1)?);
        }
    );
    println!(
        "  the sums are {sums:?}, and {} additions failed",
        report.failed()
    );
    Ok(())
}

/// Tasks: whatever the policy, each failure also is a value in its place among the results.
fn sums_and_failures() -> Result<(), Box<dyn Error>> {
    let mut sums = Vec::new();
    flaky_sum::scope(|tasks| {
        tasks.map((0..10).map(|a| (a, 1)));
        for done in tasks.in_order() {
            match done {
                Ok(task) => sums.push(task.result),
                Err(error) => println!("  {error}"),
            }
        }
    })?;
    println!("  the sums are {sums:?}");
    Ok(())
}

fn with_futureproof() -> Result<(), Box<dyn Error>> {
    println!("a loop under raise:");
    match sums(ErrorPolicy::Raise) {
        Ok(()) => unreachable!("two additions fail"),
        Err(error) => println!("  the function returned the error: {error}"),
    }
    println!("a loop under log:");
    sums(ErrorPolicy::Log)?;
    println!("a loop under ignore:");
    sums(ErrorPolicy::Ignore)?;
    println!("tasks under ignore:");
    sums_and_failures()
}

fn with_threads_and_channels() -> Result<(), Box<dyn Error>> {
    let (submit, jobs) = mpsc::channel::<(u32, u32)>();
    for a in 0..10 {
        submit.send((a, 1)).expect("the workers are still there");
    }
    drop(submit); // or the workers wait for ever
    let jobs = Mutex::new(jobs);
    let (done, results) = mpsc::channel();
    thread::scope(|scope| -> std::io::Result<()> {
        for worker in 0..2 {
            let (jobs, done) = (&jobs, done.clone());
            thread::Builder::new()
                .name(format!("classic-{worker}"))
                .spawn_scoped(scope, move || {
                    loop {
                        let job = jobs.lock().expect("no worker panics with the lock").recv();
                        let Ok((a, b)) = job else { break };
                        done.send(flaky_sum(a, b))
                            .expect("the results are still there");
                    }
                })?;
        }
        drop(done); // or the results never end
        let mut sums = Vec::new();
        for result in results {
            info!("checking a result");
            match result {
                Ok(sum) => sums.push(sum),
                Err(error) => warn!("{error}"),
            }
        }
        println!("the sums are {sums:?}");
        Ok(())
    })?;
    Ok(())
}

fn main() -> ExitCode {
    let classic = Args::new(USAGE).word("classic");
    log::init();
    log::exit(if classic {
        with_threads_and_channels()
    } else {
        with_futureproof()
    })
}

#[derive(Debug)]
struct CannotAdd(u32, u32);

impl fmt::Display for CannotAdd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot add {} and {}", self.0, self.1)
    }
}

impl Error for CannotAdd {}
