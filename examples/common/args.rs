//! Command line arguments by hand: `--name value`, `--name=value`, and the rest.

use std::fmt::Display;
use std::process;
use std::str::FromStr;

/// The arguments that have not been looked at yet.
pub(crate) struct Args {
    usage: &'static str,
    left: Vec<String>,
}

impl Args {
    /// Reads the command line; `--help` prints `usage` and ends the program.
    pub(crate) fn new(usage: &'static str) -> Self {
        let left: Vec<String> = std::env::args().skip(1).collect();
        if left.iter().any(|arg| arg == "--help" || arg == "-h") {
            println!("{usage}");
            process::exit(0);
        }
        Self { usage, left }
    }

    /// Takes the value of `--name`. `allowed` completes the sentence "expected …" for a bad value.
    pub(crate) fn option<T: FromStr>(&mut self, name: &str, allowed: &str) -> Option<T> {
        let prefix = format!("{name}=");
        let at = self
            .left
            .iter()
            .position(|arg| arg == name || arg.starts_with(&prefix))?;
        let arg = self.left.remove(at);
        let value = match arg.strip_prefix(&prefix) {
            Some(value) => value.to_owned(),
            None if at < self.left.len() => self.left.remove(at),
            None => self.fail(format_args!("{name} needs a value: {allowed}")),
        };
        match value.parse() {
            Ok(value) => Some(value),
            Err(_) => self.fail(format_args!("{name} {value:?}: expected {allowed}")),
        }
    }

    /// Gives what is not an option, at most `limit` arguments.
    pub(crate) fn rest(self, limit: usize) -> Vec<String> {
        if let Some(unknown) = self.left.iter().find(|arg| arg.starts_with('-')) {
            self.fail(format_args!("unknown or repeated option {unknown:?}"));
        }
        if let Some(surplus) = self.left.get(limit) {
            self.fail(format_args!("unexpected argument {surplus:?}"));
        }
        self.left
    }

    /// Whether the only argument is `word`; there may be no other.
    pub(crate) fn word(self, word: &str) -> bool {
        let given = self.left.first().cloned();
        match given {
            Some(other) if other != word && !other.starts_with('-') => {
                self.fail(format_args!(
                    "unexpected argument {other:?}: expected {word} or nothing"
                ));
            }
            _ => !self.rest(1).is_empty(),
        }
    }

    /// Ends the program because of a bad argument.
    pub(crate) fn fail(&self, message: impl Display) -> ! {
        eprintln!("error: {message}\n\n{}", self.usage);
        process::exit(2);
    }
}
