//! The command line.

use std::path::PathBuf;

use futureproof_benches::machine;
use lexopt::prelude::*;

use crate::rows::{self, Entry};
use crate::setup::Size;

pub const HELP: &str = "\
Compares futureproof with its peers and prints the table as Markdown.

Usage: benches/run [table] [options]

  --list         list the rows
  --row ID       measure this row only; may be repeated
  --quick        all rows in under two minutes, with less of everything
  --check        tiny sizes, only to see that all contenders agree; no verdicts
  --rounds N     how often everything is measured (15; quick 5)
  --threads N    how many threads work on a loop (all cores)
  --json FILE    write all figures to a file as well
  --strict       fail when a bar is missed

The other programs: benches/run counts, benches/run scaling, benches/run build-cost.
";

pub enum Command {
    Measure(Options),
    List,
    Help,
}

pub struct Options {
    pub size: Size,
    pub threads: usize,
    pub rounds: usize,
    pub json: Option<PathBuf>,
    pub strict: bool,
    ids: Vec<String>,
}

impl Options {
    /// Returns the rows that were asked for, all if none was.
    pub fn rows(&self) -> impl Iterator<Item = &'static Entry> {
        rows::ALL
            .iter()
            .filter(|entry| self.ids.is_empty() || self.ids.iter().any(|id| id == entry.id))
    }
}

pub fn parse() -> Result<Command, lexopt::Error> {
    let (mut size, mut threads, mut rounds) = (Size::Full, machine::cores(), None);
    let (mut json, mut strict, mut ids) = (None, false, Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("list") => return Ok(Command::List),
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("row") => ids.push(row(parser.value()?.string()?)?),
            Long("quick") => size = Size::Quick,
            Long("check") => size = Size::Check,
            Long("rounds") => rounds = Some(positive(parser.value()?.parse()?, "rounds")?),
            Long("threads") => threads = positive(parser.value()?.parse()?, "threads")?,
            Long("json") => json = Some(parser.value()?.into()),
            Long("strict") => strict = true,
            other => return Err(other.unexpected()),
        }
    }
    let rounds = rounds.unwrap_or(match size {
        Size::Full => 15,
        Size::Quick => 5,
        Size::Check => 1,
    });
    Ok(Command::Measure(Options {
        size,
        threads,
        rounds,
        json,
        strict,
        ids,
    }))
}

fn row(id: String) -> Result<String, lexopt::Error> {
    if rows::ALL.iter().any(|entry| entry.id == id) {
        Ok(id)
    } else {
        Err(format!("there is no row {id:?}, see --list").into())
    }
}

fn positive(number: usize, name: &str) -> Result<usize, lexopt::Error> {
    if number > 0 {
        Ok(number)
    } else {
        Err(format!("--{name} must be at least 1").into())
    }
}
