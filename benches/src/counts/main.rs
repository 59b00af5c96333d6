//! Instruction counts of the paths that one thread executes alone, by callgrind.
//!
//! Counts repeat exactly where times do not, so a change of a few instructions shows on a noisy machine, and a checked-in
//! baseline can be compared on any machine that has the same compiler. The program runs itself under callgrind, once for
//! each scenario and length. The clock stands still in there but for a tick at each look, because batches are sized by time.

mod baseline;
mod callgrind;
mod clock;
mod functions;
mod measured;
mod scenarios;
mod sources;

use std::process::ExitCode;

use futureproof::parallel_for;
use futureproof_benches::markdown::table;
use lexopt::prelude::*;

use self::baseline::{Baseline, Change, Count};
use self::callgrind::Failure;
use self::scenarios::{SCENARIOS, Scenario};

const HELP: &str = "\
Counts instructions of single-threaded paths and compares them with the baseline.

usage: benches/run counts [options] [part of a scenario's name]...

  --visible           with everything compiled in that can watch a loop (`benches/run` does that)
  --save              make what is counted the new baseline
  --strict            exit with status 1 if a count has grown by more than 2 %
  --functions NAME    say in which functions a scenario spends its instructions
  --list              name the scenarios
  --help              this text

Needs valgrind.
";

/// Changes up to this are not marked.
const PERCENT: f64 = 2.0;

fn main() -> ExitCode {
    run().unwrap_or_else(|failure| {
        eprintln!("{failure}");
        ExitCode::from(2)
    })
}

fn run() -> Result<ExitCode, Failure> {
    let mut save = false;
    let mut strict = false;
    let mut parts = Vec::new();
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("visible") if cfg!(feature = "visible") => {}
            Long("save") => save = true,
            Long("strict") => strict = true,
            Long("functions") => {
                let scenario = find(&args.value()?.string()?)?;
                print!("{}", functions::report(scenario)?);
                return Ok(ExitCode::SUCCESS);
            }
            // How the program calls itself.
            Long("run") => {
                let scenario = find(&args.value()?.string()?)?;
                measured::run(scenario, args.value()?.parse()?);
                return Ok(ExitCode::SUCCESS);
            }
            Long("list") => {
                SCENARIOS
                    .iter()
                    .for_each(|scenario| println!("{}", scenario.name));
                return Ok(ExitCode::SUCCESS);
            }
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            Value(part) => parts.push(part.string()?),
            unknown => return Err(unknown.unexpected().into()),
        }
    }
    compare(&parts, save, strict)
}

fn find(name: &str) -> Result<&'static Scenario, Failure> {
    (SCENARIOS.iter().find(|scenario| scenario.name == name)).ok_or_else(|| {
        Failure::Program(format!("there is no scenario {name}; `--list` names them"))
    })
}

fn compare(parts: &[String], save: bool, strict: bool) -> Result<ExitCode, Failure> {
    let toolchain = callgrind::toolchain()?;
    let wanted = |scenario: &&Scenario| {
        parts.is_empty()
            || parts
                .iter()
                .any(|part| scenario.name.contains(part.as_str()))
    };
    let mut counts = Vec::new();
    parallel_for!(
        reduce(counts),
        for scenario in SCENARIOS.iter().filter(wanted) {
            counts.push((scenario.name, callgrind::count(scenario)?));
        }
    );

    let old = Baseline::read();
    let changed = old.toolchain.as_ref().is_some_and(|old| *old != toolchain);
    if changed {
        println!(
            "The baseline was counted with another toolchain, so small changes mean nothing.\n\n\
             - baseline: {}\n- now: {toolchain}\n",
            old.toolchain.as_deref().unwrap_or_default()
        );
    }
    let mut rows = Vec::new();
    let mut grown = 0;
    for (name, now) in &counts {
        let change = Change::new(*now, old.get(name));
        grown += usize::from(change.percent().is_some_and(|percent| percent > PERCENT));
        rows.push(vec![
            (*name).to_owned(),
            Count(*now).to_string(),
            change.before(),
            change.to_string(),
        ]);
    }
    print!(
        "{}",
        table(&["instructions", "now", "baseline", "change"], &rows)
    );
    println!(
        "\nOf `loop/` for the loop, of the others for an item, its body included. {grown} grew by more than {PERCENT} %."
    );
    if save && cfg!(feature = "visible") {
        return Err(Failure::Program(
            "not saved: the baseline is without `--visible`".into(),
        ));
    }
    if save {
        let all = parts.is_empty();
        if changed && !all {
            return Err(Failure::Program(
                "not saved: with another toolchain, everything has to be counted".into(),
            ));
        }
        old.updated(toolchain, &counts, all).write()?;
        println!("Saved as the baseline.");
    }
    Ok(ExitCode::from(u8::from(strict && grown > 0)))
}
