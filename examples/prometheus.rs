//! Shows the counters, gauges and durations of a loop and a pool to Prometheus: it takes a recorder, and
//! not a line in the loop or the pool.
//!
//! ```text
//! cargo run --example prometheus                        prints the page when the work is done
//! cargo run --example prometheus -- --port 9464 stay    goes on until ^C; open http://127.0.0.1:9464/metrics
//! ```

mod common;

use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::args::Args;
use common::log;
use futureproof::{parallel_for, task_pool};
use metrics_exporter_prometheus::PrometheusBuilder;

const USAGE: &str = "\
Counts primes in a loop and checks blocks in a pool, and shows the metrics of both on 127.0.0.1.

Usage: prometheus [--port N] [stay]

  --port N   where to listen (default 0: any port that is free)
  stay       works again every five seconds until ^C, and does not print the page";

/// Upper bounds of the histogram's buckets in seconds. Without any, the exporter shows quantiles instead, which cannot be
/// added up over several programs.
const BUCKETS: [f64; 8] = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// The recorder has to be there before the loops that it is to hear of.
fn listen(port: u16) -> Result<String, Box<dyn Error>> {
    let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if port == 0 {
        // The exporter does not say which port it was given.
        address = TcpListener::bind(address)?.local_addr()?;
    }
    PrometheusBuilder::new()
        .with_http_listener(address)
        .set_buckets(&BUCKETS)?
        .install()?;
    Ok(format!("http://{address}/metrics"))
}

fn is_prime(n: u32) -> bool {
    n >= 2
        && (2..)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
}

/// Cheap bodies are counted a batch at a time, and few of them are timed.
fn count_primes() -> u32 {
    let mut primes = 0;
    parallel_for!(
        workers = 2,
        name = "primes",
        reduce(primes),
        for n in 0..100_000 {
            primes += u32::from(is_prime(n));
        }
    );
    primes
}

/// Block 7 is locked when it is first read, and blocks 10 and 20 are damaged.
#[task_pool(
    workers = 2,
    error_policy = "ignore",
    retry = 3,
    retry_if = |error| matches!(error, Bad::Locked),
)]
fn check_block(block: u32, locked: &AtomicBool) -> Result<u32, Bad> {
    thread::sleep(Duration::from_millis(5)); // reads it
    match block {
        7 if locked.swap(false, Ordering::Relaxed) => Err(Bad::Locked),
        10 | 20 => Err(Bad::Damaged),
        _ => Ok((0..block).fold(block, |sum, byte| sum.rotate_left(5) ^ byte)),
    }
}

fn check_blocks() -> Result<usize, Box<dyn Error>> {
    let locked = AtomicBool::new(true);
    let good = check_block::scope(|tasks| {
        for block in 0..30 {
            tasks.submit(block, &locked);
        }
        Ok(tasks.as_completed().flatten().count())
    })?;
    Ok(good)
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut args = Args::new(USAGE);
    let port = args
        .option("--port", "a port from 0 to 65535")
        .unwrap_or_default();
    let stay = args.word("stay");

    log::init();
    let page = listen(port)?;
    println!("listening on {page}");
    loop {
        println!("{} primes", count_primes());
        println!("{} good blocks of 30", check_blocks()?);
        if !stay {
            print!("{}", ureq::get(&page).call()?.body_mut().read_to_string()?);
            return Ok(());
        }
        thread::sleep(Duration::from_secs(5));
    }
}

fn main() -> ExitCode {
    log::exit(run())
}

#[derive(Debug)]
enum Bad {
    Locked,
    Damaged,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "the block is locked",
            Self::Damaged => "the block is damaged",
        })
    }
}

impl Error for Bad {}
