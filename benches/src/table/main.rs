//! Compares futureproof with its peers, row by row.

mod bar;
mod case;
mod child;
mod foreign;
mod options;
mod peers;
mod report;
mod row;
mod rows;
mod setup;

use std::fs;
use std::process::ExitCode;

use futureproof_benches::body::Rounds;

use crate::options::{Command, Options};
use crate::report::Report;
use crate::setup::Setup;

fn main() -> ExitCode {
    if child::is_child() {
        return ExitCode::SUCCESS;
    }
    match options::parse() {
        Ok(Command::Measure(options)) => measure(&options),
        Ok(Command::List) => {
            for row in rows::ALL {
                println!("{:20} {}", row.id, row.what);
            }
            ExitCode::SUCCESS
        }
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}; --help lists what there is");
            ExitCode::from(2)
        }
    }
}

fn measure(options: &Options) -> ExitCode {
    let setup = setup::set(Setup {
        size: options.size,
        threads: options.threads,
        rounds: options.rounds,
        spins: Rounds::calibrate(),
    });
    let mut report = Report::new(setup);
    print!("{}", report.head());
    for entry in options.rows() {
        print!("{}", report.add(entry, (entry.measure)(setup)));
    }
    print!("{}", report.foot());
    if let Some(path) = &options.json
        && let Err(error) = fs::write(path, report.json())
    {
        eprintln!("cannot write {}: {error}", path.display());
        return ExitCode::from(2);
    }
    if options.strict && !report.met() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
