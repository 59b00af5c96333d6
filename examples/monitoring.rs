//! What is going on shows in the log without a line of code: how much is done, how fast it goes, and
//! which task has got stuck. By hand there is silence until a result comes.
//!
//! ```text
//! cargo run --example monitoring
//! cargo run --example monitoring -- classic    the same with threads and channels by hand
//! ```

mod common;

use std::error::Error;
use std::process::ExitCode;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use common::args::Args;
use common::log;
use futureproof::task_pool;
use tracing::info;

const USAGE: &str = "\
Adds 20 pairs of numbers on two workers; each takes its time, and the last one takes much longer.

Usage: monitoring [classic]

  classic   does the same with threads and channels by hand";

#[task_pool(workers = 2, monitor = "500ms")]
fn delayed_sum(a: u32, b: u32) -> u32 {
    let millis = if a == 19 {
        2500
    } else {
        150 + u64::from(a * 37 % 100)
    };
    thread::sleep(Duration::from_millis(millis));
    a + b
}

fn with_futureproof() -> Result<(), Box<dyn Error>> {
    delayed_sum::scope(|tasks| {
        tasks.map((0..20).map(|a| (a, 1)));
        for done in tasks.as_completed() {
            let task = done?;
            println!("{} + {} = {}", task.args.0, task.args.1, task.result);
        }
        Ok(())
    })?;
    Ok(())
}

fn with_threads_and_channels() -> Result<(), Box<dyn Error>> {
    info!("the results come slowly, and nothing says that things are working");
    let (submit, jobs) = mpsc::channel::<(u32, u32)>();
    for a in 0..20 {
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
                        done.send((a, b, delayed_sum(a, b)))
                            .expect("the results are still there");
                    }
                })?;
        }
        drop(done); // or the results never end
        for (a, b, sum) in results {
            println!("{a} + {b} = {sum}");
        }
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
