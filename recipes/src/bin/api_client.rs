//! Calls an HTTP API that limits its clients and is busy at times: no more calls a second than allowed, more attempts where
//! the error may pass, and a limit to how long one may take.
//!
//! ```text
//! cargo run -p futureproof-recipes --bin api_client                    an API inside the process
//! cargo run -p futureproof-recipes --bin api_client -- --rate 2/s https://crates.io/api/v1/crates/futureproof
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futureproof::{RateLimit, Retry, task_pool};
use futureproof_recipes::api;
use ureq::{Agent, Proxy};

/// Calls an HTTP API that allows so many calls a second and is busy at times
#[derive(Parser)]
struct Args {
    /// What to call; without any, forty items of an API inside the process
    urls: Vec<String>,
    /// How many attempts may start in which time: `10/s`, `5/100ms`, `600/min burst 10`
    #[arg(long, default_value = "200/s burst 10", value_name = "RATE")]
    rate: RateLimit,
    /// How often one item is tried
    #[arg(long, default_value = "5", value_name = "N")]
    attempts: NonZero<u32>,
}

/// A task that waits for its next attempt, or for its turn, takes no worker: eight are enough for any number of them.
///
/// A `Retry-After` in an answer is not heeded: how long to wait does not depend on the error. Let `backoff`, the wait after
/// the first attempt, be about what the API asks for.
#[task_pool(
    workers = 8,
    error_policy = "ignore", // failures come with the results
    retry = Retry::attempts(5).backoff(BACKOFF),
    retry_if = may_pass,
    rate_limit = "200/s burst 10",
    timeout = LIMIT
)]
fn get(api: &Api, item: &str) -> Result<String, ureq::Error> {
    let url = format!("{}{item}", api.address);
    api.agent.get(url).call()?.body_mut().read_to_string()
}

const BACKOFF: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(10);

/// Whether another attempt is worth it. What is left are mistakes of the client's, such as 404.
fn may_pass(error: &ureq::Error) -> bool {
    use ureq::Error::{ConnectionFailed, Io, StatusCode, Timeout};
    matches!(
        error,
        StatusCode(429 | 500 | 502..=504) | Io(_) | ConnectionFailed | Timeout(_)
    )
}

/// Prints what came of each item, in order; gives how many failed.
fn get_all(api: &Api, items: &[String], args: &Args) -> Result<usize, Box<dyn Error>> {
    // What the attribute says holds unless it is said otherwise for one use.
    let calls = get::configure()
        .rate_limit(args.rate)
        .retry(Retry::attempts(args.attempts.get()).backoff(BACKOFF));
    let mut out = io::stdout().lock();
    let (mut answers, mut failures, mut again) = (0, 0, 0);
    calls.scope(|tasks| {
        tasks.map(items.iter().map(|item| (api, item.as_str())));
        for done in tasks.in_order() {
            match done {
                Ok(task) => {
                    answers += 1;
                    again += task.attempts - 1;
                    writeln!(out, "{}: {} bytes", task.args.1, task.result.len())?;
                }
                Err(error) => {
                    failures += 1;
                    again += error.attempts().saturating_sub(1);
                    writeln!(out, "{}: {error}", items[error.index()])?;
                }
            }
        }
        Ok(())
    })?;
    writeln!(
        out,
        "{answers} answers, {failures} failures, {again} attempts were not the first"
    )?;
    Ok(failures)
}

/// An API, and what keeps connections to it. It has no `Debug`, so error messages leave it out.
struct Api {
    agent: Agent,
    address: String,
}

impl Api {
    fn new(address: String, proxy: Option<Proxy>) -> Self {
        // `timeout` can only report a call that takes too long; this ends it.
        let config = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .proxy(proxy);
        let agent = config.build().into();
        Self { agent, address }
    }
}

fn run(mut args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let failures = if args.urls.is_empty() {
        let (address, counts) = api::start()?;
        let items: Vec<_> = (0..40).map(|item| format!("/items/{item}")).collect();
        let api = Api::new(address, None); // no proxy leads to what is in this process
        let failures = get_all(&api, &items, &args)?;
        let counts = counts.lock().expect("nothing panics with the lock");
        for calls in 1..=args.attempts.get() {
            let items = counts.values().filter(|&&count| count == calls).count();
            println!("{items:>3} items were asked for {calls} times");
        }
        failures
    } else {
        let urls = std::mem::take(&mut args.urls);
        get_all(
            &Api::new(String::new(), Proxy::try_from_env()),
            &urls,
            &args,
        )?
    };
    Ok(ExitCode::from(u8::from(failures > 0)))
}

fn main() -> ExitCode {
    let args = Args::parse();
    futureproof_recipes::init_log();
    run(args).unwrap_or_else(|error| futureproof_recipes::exit(Err(error)))
}
