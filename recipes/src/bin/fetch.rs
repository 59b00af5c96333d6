//! A command-line tool as people expect one to be: an error policy, a progress bar, ^C and an exit status.
//!
//! ```text
//! cargo run -p futureproof-recipes --bin fetch                       a thousand URLs of a server inside the process
//! cargo run -p futureproof-recipes --bin fetch -- --error-policy raise https://www.rust-lang.org/ https://crates.io/
//! cargo run -p futureproof-recipes --bin fetch -- - < urls.txt
//! ```
//!
//! | exit status | |
//! |---|---|
//! | 0 | everything was fetched |
//! | 1 | something failed |
//! | 2 | the arguments make no sense |
//! | 130 | ^C: the first one lets what is under way come to its end and starts nothing more, the second ends the program |

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use futureproof::{ErrorPolicy, StopToken, parallel_for, progress};
use futureproof_recipes::server::{Answer, serve};
use ureq::{Agent, Proxy};

/// Fetches URLs in parallel and says for each, in order, what came of it
#[derive(Parser)]
struct Args {
    /// What to fetch; `-` for a list on stdin; without any, a thousand URLs of a server inside the process
    urls: Vec<String>,
    /// What a failure does: `raise` ends the program, `log` reports it and goes on, `ignore` goes on
    #[arg(long, default_value_t = ErrorPolicy::Log, value_name = "POLICY")]
    error_policy: ErrorPolicy,
    /// How many URLs are fetched at once
    #[arg(long, default_value = "16", value_name = "N")]
    workers: NonZero<usize>,
    /// How many seconds one may take
    #[arg(long, default_value = "30", value_name = "SECONDS")]
    timeout: NonZero<u64>,
    /// No progress bar, and no list
    #[arg(long)]
    quiet: bool,
}

fn fetch_all(args: &Args, agent: &Agent, urls: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let stop = StopToken::on_ctrl_c()?;
    stop.on_stop(|| {
        let text = "finishing what is under way; another ^C ends the program at once";
        _ = writeln!(progress::stderr(), "{text}"); // above the bar
    });
    let (mut tried, mut pages) = (Vec::new(), Vec::new());
    // In a closure, which is what `?` leaves under the policy raise: the list is printed all the same. As if the URLs had been
    // fetched one by one, it then ends with the one that failed; what came of those behind it is dropped.
    let outcome = (|| -> Result<_, String> {
        Ok(parallel_for!(
            name = "fetch",
            workers = args.workers.get(),
            error_policy = args.error_policy,
            progress = !args.quiet,
            stop = &stop,
            reduce(tried, pages),
            for (index, url) in urls.iter().enumerate() {
                tried.push(index);
                pages.push((index, fetch(agent, url)?));
            }
        ))
    })();

    // Both are sorted: what workers have pushed is put together in the order of the input.
    let failed = tried.len() - pages.len();
    let left = urls.len() - tried.len();
    let mut out = BufWriter::new(io::stdout().lock());
    if !args.quiet {
        for (index, url) in urls.iter().enumerate() {
            match pages.binary_search_by_key(&index, |&(index, _)| index) {
                Ok(at) => writeln!(out, "{url}: {} bytes", pages[at].1)?,
                Err(_) if tried.binary_search(&index).is_ok() => writeln!(out, "{url}: failed")?,
                Err(_) => writeln!(out, "{url}: not fetched")?,
            }
        }
    }
    writeln!(
        out,
        "{} fetched, {failed} failed, {left} not fetched",
        pages.len()
    )?;
    out.flush()?;
    Ok(match outcome? {
        Ok(_) => ExitCode::from(u8::from(failed > 0)),
        Err(stopped) => {
            eprintln!("{stopped}");
            ExitCode::from(130) // as after any other ^C
        }
    })
}

/// Gives the length of a page.
fn fetch(agent: &Agent, url: &str) -> Result<u64, String> {
    let failed = |error: ureq::Error| format!("{url}: {error}");
    let page = agent.get(url).call().map_err(failed)?;
    let length = io::copy(&mut page.into_body().into_reader(), &mut io::sink());
    length.map_err(|error| failed(error.into()))
}

/// Starts a server and gives a thousand URLs of it, ten of which are dead.
fn start_server() -> io::Result<Vec<String>> {
    let address = serve(|path| {
        let page = path
            .trim_start_matches("/page/")
            .parse::<u64>()
            .unwrap_or_default();
        thread::sleep(Duration::from_millis(5 + page * 37 % 20)); // it has to think
        match page % 100 {
            42 => Answer::new("404 Not Found", ""),
            _ => Answer::new("200 OK", ".".repeat(1000 + page as usize)),
        }
    })?;
    Ok((0..1000)
        .map(|page| format!("{address}/page/{page}"))
        .collect())
}

fn run(mut args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let mut proxy = Proxy::try_from_env();
    let urls = match &mut args.urls {
        urls if urls.is_empty() => {
            proxy = None; // none leads to what is in this process
            start_server()?
        }
        urls if *urls == ["-"] => io::stdin().lines().collect::<io::Result<_>>()?,
        urls => std::mem::take(urls),
    };
    let limit = Some(Duration::from_secs(args.timeout.get()));
    let agent = Agent::config_builder()
        .proxy(proxy)
        .timeout_global(limit)
        .build();
    fetch_all(&args, &agent.into(), &urls)
}

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(progress::stderr) // or the bar is torn
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter("info,futureproof::monitor=warn") // the bar says what the progress log would
        .with_target(false)
        .init();
    run(args).unwrap_or_else(|error| futureproof_recipes::exit(Err(error)))
}
