//! What building costs the users: a small program from scratch, and a crate with many loops, against rayon.

mod cargo;
mod programs;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use futureproof_benches::{machine, markdown, stats::Spread};
use lexopt::prelude::*;

use self::cargo::{Builder, Task, Took};
use self::programs::{CONTENDERS, Contender, LOOPS};

const HELP: &str = "\
Compares what it takes to build programs with futureproof and with rayon.

usage: benches/run build-cost [options] [part of a case's name]...

  --rounds NUMBER   how often each is built (default 5)
  --quick           one round
  --keep            leave the programs and what was built where they are, and say where
  --help            this text

Exit status 1 if a case misses its bar.
";

/// Ours may take this much of rayon's time.
const BAR: f64 = 1.5;

/// Something whose time is taken.
struct Case {
    name: &'static str,
    large: bool,
    task: Task,
}

const CASES: [Case; 6] = [
    Case {
        name: "one loop: build from scratch",
        large: false,
        task: Task {
            arguments: &["build"],
            clean: true,
        },
    },
    Case {
        name: "one loop: release build from scratch",
        large: false,
        task: Task {
            arguments: &["build", "--release"],
            clean: true,
        },
    },
    Case {
        name: "many loops: check from scratch",
        large: true,
        task: Task {
            arguments: &["check"],
            clean: true,
        },
    },
    Case {
        name: "many loops: build from scratch",
        large: true,
        task: Task {
            arguments: &["build"],
            clean: true,
        },
    },
    Case {
        name: "many loops: check after a change",
        large: true,
        task: Task {
            arguments: &["check"],
            clean: false,
        },
    },
    Case {
        name: "many loops: build after a change",
        large: true,
        task: Task {
            arguments: &["build"],
            clean: false,
        },
    },
];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Does everything; false if a bar was missed.
fn run() -> Result<bool, Box<dyn Error>> {
    let mut rounds = 5;
    let mut keep = false;
    let mut parts = Vec::new();
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("rounds") => rounds = args.value()?.parse::<usize>()?.max(1),
            Long("quick") => rounds = 1,
            Long("keep") => keep = true,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(true);
            }
            Value(part) => parts.push(part.string()?),
            unknown => return Err(unknown.unexpected().into()),
        }
    }
    let root = Root::new(keep)?;
    let small = CONTENDERS.map(|who| programs::small(&root.0, who).map(Builder::new));
    let large = CONTENDERS.map(|who| programs::large(&root.0, who).map(Builder::new));

    let mut rows = Vec::new();
    let mut missed = 0;
    for case in &CASES {
        if !parts.is_empty() && !parts.iter().any(|part| case.name.contains(part.as_str())) {
            continue;
        }
        let builders = if case.large { &large } else { &small };
        let mut took = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            // Who goes first changes, so that neither always finds the machine as the other left it.
            for turn in 0..CONTENDERS.len() {
                let who = (round + turn) % CONTENDERS.len();
                let builder = builders[who].as_ref().map_err(ToString::to_string)?;
                took[who].push(builder.run(case.task)?);
            }
            eprint!(".");
        }
        let (row, within) = row(case, &took);
        rows.push(row);
        missed += usize::from(!within);
    }
    eprintln!();
    let [ours, rayon] = CONTENDERS.map(Contender::name);
    let head = [
        "case",
        ours,
        rayon,
        "ours ÷ rayon",
        "bar",
        "",
        "processor time",
    ];
    print!("{}", markdown::table(&head, &rows));
    println!(
        "\nMedians of {rounds} rounds, quartiles behind. “Many loops” are {LOOPS}. rayon {}, {}, {} cores, {}.",
        machine::crate_version("rayon"),
        machine::version("rustc"),
        machine::cores(),
        machine::date(),
    );
    Ok(missed == 0)
}

fn row(case: &Case, took: &[Vec<Took>; 2]) -> (Vec<String>, bool) {
    let walls = took
        .each_ref()
        .map(|took| Spread::of(took.iter().map(|took| took.wall)));
    let processor = took
        .each_ref()
        .map(|took| Spread::of(took.iter().map(|took| took.processor)));
    let ratio = walls[0].median / walls[1].median;
    let within = ratio <= BAR;
    let time = |spread: &Spread| {
        format!(
            "{:.2} s ({:.2}–{:.2})",
            spread.median, spread.low, spread.high
        )
    };
    let row = vec![
        case.name.to_owned(),
        time(&walls[0]),
        time(&walls[1]),
        format!("{ratio:.2}"),
        format!("≤ {BAR:.2}"),
        if within { "✓" } else { "✗" }.to_owned(),
        format!("{:.2}", processor[0].median / processor[1].median),
    ];
    (row, within)
}

/// Where the programs are; removed in the end.
struct Root(PathBuf, bool);

impl Root {
    fn new(keep: bool) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("build-cost-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        if keep {
            eprintln!("the programs are in {}", path.display());
        }
        Ok(Self(path, keep))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if !self.1 {
            // What is left behind in the directory for temporary files does no harm.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
