//! `benches/run scaling`: what coordination costs on this machine, and what loops would cost on machines with more cores.
//!
//! It measures the costs, feeds them to a simulation, compares its predictions for two workers with what two workers
//! really do, and prints everything as Markdown.

mod check;
mod grid;
mod measure;
mod page;
mod predict;
mod sim;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;

use crate::measure::{Costs, Effort};
use crate::page::Page;
use crate::predict::{KINDS, Prophet};
use crate::sim::{MILLI, Time};

const HELP: &str = "\
Measures what coordination costs, and predicts how loops scale.

Usage: benches/run scaling [--quick] [--write] [--json FILE]

  --quick      fewer rounds and shorter loops; some seconds
  --write      replaces the tables in benches/SCALING.md
  --json FILE  writes the figures to a file
";

/// How thorough the program is.
struct Plan {
    effort: Effort,
    /// How often each loop is run for comparison.
    rounds: usize,
    /// How long loops are, with everybody at work.
    length: Time,
}

const THOROUGH: Plan = Plan {
    effort: Effort {
        rounds: 25,
        window: Duration::from_millis(5),
    },
    rounds: 15,
    length: 20 * MILLI,
};

const QUICK: Plan = Plan {
    effort: Effort {
        rounds: 5,
        window: Duration::from_millis(2),
    },
    rounds: 3,
    length: 5 * MILLI,
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scaling: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (mut plan, mut write, mut json) = (THOROUGH, false, None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
        match argument {
            Long("quick") => plan = QUICK,
            Long("write") => write = true,
            Long("json") => {
                json = Some(PathBuf::from(
                    arguments.value().map_err(|error| error.to_string())?,
                ));
            }
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    for difference in sim::outdated() {
        eprintln!("scaling: the simulation is out of date: {difference}");
    }
    let page = make_page(&plan);
    print!("{}", page.text());
    if write {
        page.write_into(&Path::new(env!("CARGO_MANIFEST_DIR")).join("SCALING.md"))?;
    }
    match json {
        Some(path) => std::fs::write(&path, page.json())
            .map_err(|error| format!("{}: {error}", path.display())),
        None => Ok(()),
    }
}

fn make_page(plan: &Plan) -> Page {
    let mut page = Page::new(plan.effort.rounds);
    let costs = Costs::measure(plan.effort);
    page.heading("Costs, measured here");
    page.costs(&costs);

    page.heading("Assumed of larger machines");
    let prophet = Prophet::new(&costs, plan.length);
    let (transfers, rest) = prophet.assumptions();
    page.grid(&transfers);
    page.paragraph(&rest);

    page.heading("Predicted efficiency");
    page.paragraph(&format!(
        "Sequential time ÷ (cores × time), of loops that take {} ms with everybody at work; and, at so many cores, the part \
         of the time for which the one thing was busy that one worker at a time has.",
        plan.length / MILLI
    ));
    for index in 0..KINDS.len() {
        let (name, grid) = prophet.sources(index);
        page.paragraph(&format!("Source: {name}."));
        page.grid(&grid);
    }
    page.paragraph("The first of 2, 4, 8 … 512 cores from which on the efficiency is lower:");
    page.grid(&prophet.limits());

    page.heading("Other ways to hand indices out");
    page.paragraph("Efficiency with bodies of 1 µs.");
    page.grid(&prophet.handouts());

    page.heading("Who goes for the token of a shared source");
    page.paragraph("Efficiency, by what those do that wait awake for the token.");
    page.grid(&prophet.tokens());

    page.heading("Other ways to wake");
    page.paragraph(
        "When the last worker has come, and the efficiency of indexed loops that take so long with everybody at work. Bodies \
         of 1 µs; a counter each, so that nobody waits for the hand-out.",
    );
    page.grid(&prophet.wakings());

    page.heading("Prediction and reality, on 2 cores");
    page.grid(&check::efficiencies(&costs, plan.rounds, plan.length));
    page.paragraph("Short loops, time for each:");
    page.grid(&check::short_loops(&costs, plan.rounds));
    page
}
