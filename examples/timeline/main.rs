//! Draws what ran when and where: one row a worker, one bar an item, failures marked. The spans of the
//! loops and pools are all it needs, through a layer of its own for `tracing_subscriber`.
//!
//! ```text
//! cargo run --example timeline                     writes timeline.svg into the directory of the build
//! cargo run --example timeline -- here.svg
//! ```
//!
//! Open the file with a browser: the bars have tooltips. `docs/timeline.svg` is one such picture.

#[path = "../common/mod.rs"]
mod common;

mod axis;
mod draw;
mod lanes;
mod layer;
mod markup;
mod output;
mod recording;
mod shapes;
mod work;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use common::args::Args;
use common::log;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

const USAGE: &str = "\
Runs a task pool and the loops that use its results, and draws who did what when.

Usage: timeline [FILE]

  FILE   where to write the picture, an SVG (default: timeline.svg in the directory of the build)";

fn run() -> Result<(), Box<dyn Error>> {
    let path = output::path(Args::new(USAGE).rest(1).pop(), "timeline.svg");
    let (layer, recorder) = layer::recorder();
    let log = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter(LevelFilter::WARN);
    tracing_subscriber::registry()
        .with(layer.with_filter(layer::spans()))
        .with(log)
        .init();

    work::run()?;
    let recording = recorder.recording();
    std::fs::write(&path, draw::svg(&recording))?;
    println!(
        "{} runs drawn: open {} in a browser",
        recording.runs.len(),
        path.display()
    );
    Ok(())
}

fn main() -> ExitCode {
    log::exit(run())
}
