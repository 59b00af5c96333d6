//! Says where a scenario spends its instructions.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use crate::callgrind::{Failure, Profile, profile, text};
use crate::scenarios::{Per, Scenario};

/// How many lines a list has at most.
const LINES: usize = 16;

/// What a part of the program costs.
struct Cost {
    part: String,
    instructions: u64,
}

/// Lists functions and files by what they cost.
pub fn report(scenario: &Scenario) -> Result<String, Failure> {
    let length = match scenario.per {
        Per::Call(length) | Per::Item(_, length) => length,
    };
    let profile = profile(scenario, length)?;
    let own = annotate(&profile, "no")?;
    let inclusive = annotate(&profile, "yes")?;
    let all: u64 = own.iter().map(|(_, _, instructions)| instructions).sum();

    let by_function = own.iter().map(|(_, function, cost)| (function, *cost));
    let by_file = own.iter().map(|(file, _, cost)| (file, *cost));
    let callers = inclusive
        .iter()
        .map(|(_, function, cost)| (function, *cost));
    Ok(format!(
        "{}: {all} instructions for {length} items\n{}{}{}",
        scenario.name,
        list(
            "in the function itself, with what is inlined",
            all,
            merge(by_function, |a, b| a + b)
        ),
        list(
            "in code that stands in the file",
            all,
            merge(by_file, |a, b| a + b)
        ),
        list(
            "in the function and what it calls",
            all,
            merge(callers, u64::max)
        ),
    ))
}

/// The file, the function and the cost of each line that callgrind's own report lists.
fn annotate(profile: &Profile, inclusive: &str) -> Result<Vec<(String, String, u64)>, Failure> {
    let report = text(
        Command::new("callgrind_annotate")
            .args(["--auto=no", "--threshold=100"])
            .arg(format!("--inclusive={inclusive}"))
            .arg(&profile.0),
        "callgrind_annotate",
    )?;
    // 12,345 (67.89%)  path/of/file.rs:name::of::function [path/of/program]
    let parse = |line: &str| {
        let (cost, place) = line.split_once(" (")?;
        let cost = cost.trim().replace(',', "").parse().ok()?;
        let (_, place) = place.split_once(")  ")?;
        let (file, function) = place.split_once(':')?;
        let function = function.split(" [").next()?;
        Some((within(file).to_owned(), function.to_owned(), cost))
    };
    Ok(report.lines().filter_map(parse).collect())
}

/// A path within the standard library or within this repository.
fn within(file: &str) -> &str {
    if let Some((_, file)) = file.rsplit_once("/library/") {
        return file;
    }
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    (benches.parent())
        .and_then(|repository| Path::new(file).strip_prefix(repository).ok()?.to_str())
        .unwrap_or(file)
}

fn merge<'a>(
    costs: impl Iterator<Item = (&'a String, u64)>,
    both: impl Fn(u64, u64) -> u64,
) -> Vec<Cost> {
    let mut merged = HashMap::new();
    for (part, cost) in costs {
        let entry = merged.entry(part).or_insert(0);
        *entry = both(*entry, cost);
    }
    let cost = |(part, instructions): (&String, u64)| Cost {
        part: part.clone(),
        instructions,
    };
    let mut costs: Vec<_> = merged.into_iter().map(cost).collect();
    costs.sort_by(|a, b| {
        b.instructions
            .cmp(&a.instructions)
            .then_with(|| a.part.cmp(&b.part))
    });
    costs
}

fn list(title: &str, all: u64, costs: Vec<Cost>) -> String {
    let mut text = format!("\n{title}:\n");
    // What includes everything says nothing.
    let shown = costs.iter().filter(|cost| cost.instructions < all);
    for Cost { part, instructions } in shown.take(LINES) {
        let percent = *instructions as f64 * 100.0 / all as f64;
        let part = shorten(part);
        text += &format!("{instructions:>12} {percent:5.1} %  {part}\n");
    }
    text
}

/// The beginning of a name that would fill a page.
fn shorten(name: &str) -> String {
    const MOST: usize = 110;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
