//! The first failure stops everything and reaches the caller. By hand, failures wait until somebody
//! looks at the results, and everything runs until then.
//!
//! ```text
//! cargo run --example fail_fast
//! cargo run --example fail_fast -- classic    the same with threads and channels by hand
//! ```

mod common;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use common::args::Args;
use common::log;
use futureproof::task_pool;
use tracing::info;

const USAGE: &str = "\
Adds 50 pairs of numbers on two workers, where some additions fail.

Usage: fail_fast [classic]

  classic   does the same with threads and channels by hand";

static STARTED: AtomicU32 = AtomicU32::new(0);

#[task_pool(workers = 2)]
fn flaky_sum(a: u32, b: u32) -> Result<u32, CannotAdd> {
    STARTED.fetch_add(1, Ordering::Relaxed);
    thread::sleep(Duration::from_millis(20 + u64::from(a * 37 % 60)));
    if a % 5 == 4 {
        return Err(CannotAdd(a, b));
    }
    info!("{a} + {b} = {}", a + b);
    Ok(a + b)
}

fn with_futureproof() -> Result<(), Box<dyn Error>> {
    flaky_sum::scope(|tasks| {
        for a in 0..50 {
            tasks.submit(a, 1);
        }
    })?; // the first failure comes out here
    Ok(())
}

fn with_threads_and_channels() -> Result<(), Box<dyn Error>> {
    let (submit, jobs) = mpsc::channel::<(u32, u32)>();
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
        for a in 0..50 {
            submit.send((a, 1)).expect("the workers are still there");
        }
        drop(submit); // or the workers wait for ever
        drop(done); // or the results never end
        Ok(())
    })?;
    info!("everything ran and no failure has been seen, until somebody looks at the results");
    for result in results {
        result?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let classic = Args::new(USAGE).word("classic");
    log::init();
    let outcome = if classic {
        with_threads_and_channels()
    } else {
        with_futureproof()
    };
    println!(
        "{} of 50 additions were started",
        STARTED.load(Ordering::Relaxed)
    );
    log::exit(outcome)
}

#[derive(Debug)]
struct CannotAdd(u32, u32);

impl fmt::Display for CannotAdd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot add {} and {}", self.0, self.1)
    }
}

impl Error for CannotAdd {}
