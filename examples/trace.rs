//! Writes what ran when and where in the format of the trace viewers, through a layer that anybody can
//! use: `tracing-chrome`. The work is that of the example `timeline`.
//!
//! ```text
//! cargo run --example trace                     writes trace.json into the directory of the build
//! cargo run --example trace -- here.json
//! ```
//!
//! Open the file at <https://ui.perfetto.dev> (the file stays on your machine) or at `chrome://tracing`
//! in Chrome: a row for each thread, in it the loops and pools that it worked for, and in those the
//! items. A click on an item shows its index, its attempt and its outcome.

mod common;

#[path = "timeline/output.rs"]
mod output;
#[path = "timeline/work.rs"]
mod work;

use std::error::Error;
use std::fmt::Debug;
use std::fs::File;
use std::process::ExitCode;

use common::args::Args;
use common::log;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_chrome::{ChromeLayerBuilder, EventOrSpan};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

const USAGE: &str = "\
Runs a task pool and the loops that use its results, and writes a trace for ui.perfetto.dev.

Usage: trace [FILE]

  FILE   where to write the trace (default: trace.json in the directory of the build)";

fn run() -> Result<(), Box<dyn Error>> {
    let path = output::path(Args::new(USAGE).rest(1).pop(), "trace.json");
    let (chrome, written) = ChromeLayerBuilder::new()
        .writer(File::create(&path)?)
        .include_args(true)
        .include_locations(false)
        .name_fn(Box::new(name))
        .build();
    // The span of each item is there only if somebody asks for it.
    let spans = Targets::new()
        .with_target("futureproof", Level::INFO)
        .with_target("futureproof::task", Level::TRACE);
    tracing_subscriber::registry()
        .with(Names)
        .with(chrome.with_filter(spans))
        .init();

    let pages = work::run()?;
    drop(written); // waits until all of it is in the file
    println!(
        "{pages} pages; open {} at https://ui.perfetto.dev",
        path.display()
    );
    Ok(())
}

/// Names each span after its loop or pool: `render`, and `render 12` for its item 12.
struct Names;

struct Name(String);

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Names {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("a new span is in the registry");
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let Some(name) = fields.name else { return };
        let index = fields.index.map(|index| format!(" {index}"));
        let name = Name(name + &index.unwrap_or_default());
        span.extensions_mut().insert(name);
    }
}

/// Gives the name of a span, and of an event what it says.
fn name<S>(what: &EventOrSpan<'_, '_, S>) -> String
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    match what {
        EventOrSpan::Event(event) => {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let text = fields.message.unwrap_or_default();
            format!("{}: {text}", event.metadata().level())
        }
        EventOrSpan::Span(span) => match span.extensions().get::<Name>() {
            Some(Name(name)) => name.clone(),
            None => span.name().to_owned(),
        },
    }
}

/// The fields that names are made of.
#[derive(Default)]
struct Fields {
    name: Option<String>,
    index: Option<String>,
    message: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let place = match field.name() {
            "of" => &mut self.name,
            "index" => &mut self.index,
            "message" => &mut self.message,
            _ => return,
        };
        *place = Some(value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn main() -> ExitCode {
    log::exit(run())
}
