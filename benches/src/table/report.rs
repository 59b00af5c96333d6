//! The whole table.

use std::fmt::Write as _;
use std::time::Instant;

use futureproof_benches::{machine, markdown};
use serde_json::{Value, json};

use crate::foreign::{OpenMp, Tbb};
use crate::row::Row;
use crate::rows::Entry;
use crate::setup::{Setup, Size};

const CRATES: &[&str] = &[
    "rayon",
    "orx-parallel",
    "paralight",
    "chili",
    "forkunion",
    "pariter",
    "threadpool",
    "crossbeam-channel",
    "tokio",
    "futures-util",
];

pub struct Report<'a> {
    setup: &'a Setup,
    start: Instant,
    rows: Vec<(&'static Entry, Row)>,
}

impl<'a> Report<'a> {
    pub fn new(setup: &'a Setup) -> Self {
        Self {
            setup,
            start: Instant::now(),
            rows: Vec::new(),
        }
    }

    /// What the figures were measured on, and with.
    pub fn head(&self) -> String {
        let Setup {
            size,
            threads,
            rounds,
            spins,
        } = self.setup;
        let mut text = String::from("# futureproof and its peers\n\n");
        match size {
            Size::Full => {}
            Size::Quick => {
                text += "**Quick**: fewer rounds and items than the table for publication has.\n\n";
            }
            Size::Check => {
                text += "**Check**: only whether the answers agree; these times say nothing.\n\n";
            }
        }
        let versions: Vec<String> = CRATES
            .iter()
            .map(|name| format!("{name} {}", machine::crate_version(name)))
            .collect();
        for line in [
            format!(
                "{}, {} cores, {}",
                machine::processor(),
                machine::cores(),
                machine::system()
            ),
            format!("{}; {}", machine::version("rustc"), machine::version("gcc")),
            versions.join(", "),
            format!(
                "{}, threads: {threads}, rounds: {rounds}, after one to warm up",
                machine::date()
            ),
            format!(
                "rounds of mixing in a body: {} for 0.1 µs, {} for 1 µs, {} for 20 µs, {} for 100 µs",
                spins.tenth, spins.one, spins.twenty, spins.hundred
            ),
        ] {
            writeln!(text, "- {line}").expect("a String takes everything");
        }
        let missing: Vec<&str> = [
            ("OpenMP", OpenMp::new().is_none()),
            ("oneTBB", Tbb::new().is_none()),
            ("forkunion", cfg!(not(feature = "forkunion"))),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            writeln!(
                text,
                "- left out, since it could not be built here: {names}"
            )
            .expect("a String takes everything");
        }
        text
    }

    /// Adds a row and returns it as Markdown.
    pub fn add(&mut self, entry: &'static Entry, mut row: Row) -> String {
        let text = if self.setup.size == Size::Check {
            row.verdicts.clear();
            match row.figures.len() {
                0 => format!("- {}: as expected\n", entry.id),
                contenders => format!("- {}: all {contenders} contenders agree\n", entry.id),
            }
        } else {
            let items = row
                .items
                .map_or_else(String::new, |items| format!(" ({items} items)"));
            format!(
                "\n## {}\n\n{}{items}.\n\n{}",
                entry.id,
                entry.what,
                row.markdown()
            )
        };
        self.rows.push((entry, row));
        text
    }

    /// All bars at a glance.
    pub fn foot(&self) -> String {
        let lines: Vec<Vec<String>> = self
            .rows
            .iter()
            .flat_map(|(entry, row)| {
                row.verdicts.iter().map(|verdict| {
                    vec![
                        entry.id.to_owned(),
                        verdict.what.clone(),
                        verdict.at_most(),
                        verdict.measured(),
                        verdict.mark().into(),
                    ]
                })
            })
            .collect();
        let mut text = String::new();
        if !lines.is_empty() {
            text += "\n## All bars\n\n";
            text += &markdown::table(&["row", "bar", "at most", "measured", ""], &lines);
        }
        let seconds = self.start.elapsed().as_secs();
        text + &format!(
            "\nMeasured in {seconds} s. Build times are another program's: `benches/run build-cost`.\n"
        )
    }

    /// Returns whether every bar was met.
    pub fn met(&self) -> bool {
        self.rows.iter().all(|(_, row)| row.met())
    }

    pub fn json(&self) -> String {
        let Setup {
            size,
            threads,
            rounds,
            spins,
        } = self.setup;
        let versions: serde_json::Map<String, Value> = CRATES
            .iter()
            .map(|name| ((*name).to_owned(), machine::crate_version(name).into()))
            .collect();
        let rows: serde_json::Map<String, Value> = self
            .rows
            .iter()
            .map(|(entry, row)| (entry.id.to_owned(), row.json()))
            .collect();
        let all = json!({
            "date": machine::date(),
            "processor": machine::processor(),
            "cores": machine::cores(),
            "system": machine::system(),
            "rustc": machine::version("rustc"),
            "gcc": machine::version("gcc"),
            "crates": versions,
            "size": format!("{size:?}").to_lowercase(),
            "threads": threads,
            "rounds": rounds,
            "spins": { "0.1us": spins.tenth, "1us": spins.one, "20us": spins.twenty, "100us": spins.hundred },
            "rows": rows,
        });
        format!("{all:#}\n")
    }
}
