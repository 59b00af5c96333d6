//! Log lines on the standard error stream, each with its time, level and thread.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// Shows events of level INFO and above, or what `RUST_LOG` asks for.
pub(crate) fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_thread_names(true)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Turns the outcome of a program into its exit status, with the error and its sources in words.
pub(crate) fn exit(outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    eprint!("error: {error}");
    let mut shown = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors already say what their source says.
        let text = cause.to_string();
        if !shown.ends_with(&text) {
            eprint!(": {text}");
        }
        shown = text;
        source = cause.source();
    }
    eprintln!();
    ExitCode::FAILURE
}
