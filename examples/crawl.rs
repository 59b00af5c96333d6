//! Visits every page of a site: the loop's input is a channel that the loop's own bodies fill.
//!
//! A page starts as soon as it is known, with any number of workers, because an item never waits for
//! the source's next one. And the loop ends by itself: each page that waits or is being visited holds
//! a sender of the channel, so the channel itself counts what is in flight, and ends when nothing is
//! left that could still find a page.
//!
//! ```text
//! cargo run --example crawl                     a site inside this process
//! cargo run --example crawl -- --workers 1
//! ```

mod common;

use std::collections::HashSet;
use std::error::Error;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use common::args::Args;
use common::server::Page;
use common::{log, server};
use futureproof::parallel_for;
use tracing::info;
use ureq::Agent;

const USAGE: &str = "\
Visits every page of a site that runs inside this process.

Usage: crawl [--workers N]

  --workers N   visit N pages at once (default 8)";

/// A page to visit, and the way to announce the pages it links to.
struct Visit {
    path: String,
    frontier: Sender<Visit>,
}

fn crawl(site: &str, workers: usize) -> Result<(), Box<dyn Error>> {
    // The site is in this process: no proxy leads to it.
    let agent: Agent = Agent::config_builder().proxy(None).build().into();
    let (frontier, visits) = mpsc::channel();
    let seen = Mutex::new(HashSet::from(["/".to_owned()]));
    frontier.send(Visit {
        path: "/".into(),
        frontier: frontier.clone(),
    })?;
    drop(frontier); // from here on only visits hold senders

    let (mut pages, mut bytes) = (0, 0);
    let report = parallel_for!(
        workers = workers,
        name = "crawl",
        error_policy = "log",
        reduce(pages, bytes),
        for visit in visits {
            let html = agent
                .get(format!("{site}{}", visit.path))
                .call()?
                .body_mut()
                .read_to_string()?;
            pages += 1;
            bytes += html.len();
            let new: Vec<_> = {
                let mut seen = seen.lock().expect("no body panics with the lock");
                links(&html)
                    .filter(|&path| seen.insert(path.to_owned()))
                    .collect()
            };
            for &path in &new {
                let (path, frontier) = (path.to_owned(), visit.frontier.clone());
                visit.frontier.send(Visit { path, frontier })?;
            }
            info!(
                "{} has {} bytes and {} new links",
                visit.path,
                html.len(),
                new.len()
            );
        }
    );
    println!(
        "{pages} pages, {bytes} bytes, {} dead links, in {:.1?}",
        report.failed(),
        report.elapsed()
    );
    Ok(())
}

fn links(html: &str) -> impl Iterator<Item = &str> {
    html.split("<a href=\"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0))
}

/// Starts a site of thirty pages, each with links to two more and one back. The last link is dead.
fn start_site() -> std::io::Result<String> {
    let path = |page: u64| {
        if page == 0 {
            "/".into()
        } else {
            format!("/page/{page}")
        }
    };
    let pages = (0..30).map(|page| Page {
        path: path(page),
        links: [page * 2 + 1, page * 2 + 2, page / 2]
            .into_iter()
            .filter(|&page| page <= 30)
            .map(path)
            .collect(),
        bytes: 1000 + page as usize * 500,
        delay: Duration::from_millis(20 + page * 37 % 60),
    });
    server::serve(pages.collect())
}

fn main() -> ExitCode {
    let mut args = Args::new(USAGE);
    let workers = args.option::<NonZero<usize>>("--workers", "a number from 1 up");
    args.rest(0);
    log::init();
    let site = start_site().map_err(Into::into);
    log::exit(site.and_then(|site| crawl(&site, workers.map_or(8, NonZero::get))))
}
