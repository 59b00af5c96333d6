//! Loads URLs in parallel and says how long each page is, as soon as it is there.
//!
//! ```text
//! cargo run --example load_urls                             five pages and a host that does not exist
//! cargo run --example load_urls -- --error-policy log       the failure is a log line
//! cargo run --example load_urls -- https://www.rust-lang.org/ https://crates.io/
//! ```

mod common;

use std::error::Error;
use std::io;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use common::args::Args;
use common::server::Page;
use common::{log, server};
use futureproof::{ErrorPolicy, task_pool};
use ureq::Agent;

const USAGE: &str = "\
Loads URLs in parallel and prints the length of each page.

Usage: load_urls [--error-policy raise|log|ignore] [--workers N] [URL]...

Without a URL it loads five pages from a server inside the process, and one from a host that does
not exist.

  --error-policy raise    stop at the first error and exit with its text (default)
  --error-policy log      write errors to the log and go on
  --error-policy ignore   go on; the program itself prints the errors
  --workers N             load N pages at once (default 5)";

const TIMEOUT: Duration = Duration::from_secs(60);

/// An annotated function stays a function. Under its own name it gains a pool.
#[task_pool(workers = OPTIONS.workers, error_policy = OPTIONS.error_policy)]
fn load_url(url: &str, timeout: Duration) -> Result<Vec<u8>, ureq::Error> {
    let request = OPTIONS
        .agent
        .get(url)
        .config()
        .timeout_global(Some(timeout))
        .build();
    request
        .call()?
        .into_body()
        .into_with_config()
        .limit(u64::MAX)
        .read_to_vec()
}

fn load_all(urls: &[String]) -> Result<(), Box<dyn Error>> {
    load_url::scope(|tasks| {
        for url in urls {
            tasks.submit(url, TIMEOUT);
        }
        for done in tasks.as_completed() {
            match done {
                Ok(page) => println!("{:?} page is {} bytes", page.args.0, page.result.len()),
                Err(error) => match OPTIONS.error_policy {
                    ErrorPolicy::Raise => return Err(error.into()), // what `done?` would do
                    ErrorPolicy::Log => {}                          // it is in the log already
                    ErrorPolicy::Ignore => println!("{error}"),
                },
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn main() -> ExitCode {
    LazyLock::force(&OPTIONS);
    log::init();
    log::exit(match &OPTIONS.urls[..] {
        [] => start_server()
            .map_err(Into::into)
            .and_then(|urls| load_all(&urls)),
        urls => load_all(urls),
    })
}

static OPTIONS: LazyLock<Options> = LazyLock::new(Options::from_args);

struct Options {
    workers: usize,
    error_policy: ErrorPolicy,
    urls: Vec<String>,
    agent: Agent,
}

impl Options {
    fn from_args() -> Self {
        let mut args = Args::new(USAGE);
        let workers = args.option::<NonZero<usize>>("--workers", "a number from 1 up");
        let error_policy = args.option("--error-policy", "raise, log or ignore");
        let urls = args.rest(usize::MAX);
        let mut agent = Agent::config_builder();
        if urls.is_empty() {
            // The server inside the process is not to be looked for behind a proxy.
            agent = agent.proxy(None);
        }
        Self {
            workers: workers.map_or(5, NonZero::get),
            error_policy: error_policy.unwrap_or(ErrorPolicy::Raise),
            urls,
            agent: agent.build().into(),
        }
    }
}

/// Starts a server with five pages; the sixth URL names a host that does not exist.
fn start_server() -> io::Result<Vec<String>> {
    let pages = [
        ("/news", 251_088, 100),
        ("/world", 339_087, 200),
        ("/sport", 991_167, 300),
        ("/science", 970_880, 400),
        ("/weather", 12_345, 500),
    ];
    let address = server::serve(
        pages
            .map(|(path, bytes, delay)| Page {
                path: path.into(),
                links: Vec::new(),
                bytes,
                delay: Duration::from_millis(delay),
            })
            .into(),
    )?;
    let mut urls = pages.map(|(path, ..)| format!("{address}{path}")).to_vec();
    urls.push("http://nowhere.invalid/".into());
    Ok(urls)
}
