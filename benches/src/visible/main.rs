//! What it costs to be watched: by a log, a progress bar, a recorder of metrics, a live report, and by nobody.
//!
//! A watched loop and the same loop unwatched run in turn, so that both meet the same disturbances, and what counts is the
//! median of their ratios. How long a loop takes to return after its last body is measured as well.

mod cost;
mod ends;
mod terminal;
mod watcher;
mod work;

use std::process::ExitCode;

use futureproof_benches::body::Rounds;
use futureproof_benches::machine;
use lexopt::prelude::*;

use self::work::Setup;

const HELP: &str = "\
Measures what it costs to be watched and prints it as Markdown.

usage: benches/run visible [options]

  --only NAME    this watcher only, as in the table's first column; may be repeated
  --quick        fewer rounds
  --check        tiny sizes, only to see that everything runs; no verdicts
  --rounds N     how often each pair of loops is measured (40; quick 10)
  --threads N    how many threads work on a loop (2)
  --strict       fail when a bar is missed
  --help         this text
";

struct Options {
    setup: Setup,
    rounds: usize,
    check: bool,
    strict: bool,
    only: Vec<String>,
}

fn main() -> ExitCode {
    match parse() {
        Ok(Some(options)) => measure(&options),
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}; --help lists what there is");
            ExitCode::from(2)
        }
    }
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    let (mut rounds, mut quick, mut check, mut strict) = (None, false, false, false);
    let (mut threads, mut only) = (2, Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => only.push(parser.value()?.string()?),
            Long("quick") => quick = true,
            Long("check") => check = true,
            Long("rounds") => rounds = Some(parser.value()?.parse()?),
            Long("threads") => threads = parser.value()?.parse()?,
            Long("strict") => strict = true,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let default = match (check, quick) {
        (true, _) => 1,
        (_, true) => 10,
        _ => 40,
    };
    let rounds = rounds.unwrap_or(default);
    if rounds == 0 || threads == 0 {
        return Err("--rounds and --threads must be at least 1".into());
    }
    Ok(Some(Options {
        setup: Setup {
            threads,
            shrink: if check { 100 } else { 1 },
            spins: Rounds::calibrate(),
        },
        rounds,
        check,
        strict,
        only,
    }))
}

fn measure(options: &Options) -> ExitCode {
    let Options { setup, rounds, .. } = options;
    work::set(*setup);
    println!("# What it costs to be watched\n");
    println!(
        "- {}, {} cores, {}",
        machine::processor(),
        machine::cores(),
        machine::system()
    );
    println!("- {}", machine::version("rustc"));
    println!(
        "- {}, threads: {}, rounds: {rounds}, after one to warm up",
        machine::date(),
        setup.threads
    );
    println!(
        "- rounds of mixing in a body: {} for 0.1 µs, {} for 20 µs\n",
        setup.spins.tenth, setup.spins.twenty
    );
    let is_wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|n| n == name);
    let (costs, cheap) = cost::measure(*rounds, &is_wanted);
    let (ends, quick) = ends::measure(*rounds * 5, &is_wanted);
    if options.check {
        println!("Everything runs.");
        return ExitCode::SUCCESS;
    }
    print!("## Bodies of 0.1 µs, watched ÷ not\n\n{costs}\n");
    print!("## From the end of the last body to the return\n\n{ends}");
    if options.strict && !(cheap && quick) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
