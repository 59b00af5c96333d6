//! The trace that the example `trace` writes can be read by trace viewers, and has everything in it.

#![cfg(not(miri))]

mod picture;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key:?} in {entry}"))
}

fn number(entry: &Value, key: &str) -> u64 {
    entry[key]
        .as_u64()
        .unwrap_or_else(|| panic!("no number {key:?} in {entry}"))
}

#[test]
fn the_trace_has_a_row_for_each_worker_and_every_item_begins_and_ends_on_one() {
    let (printed, json) = picture::run("trace", "json");
    assert!(printed.contains("ui.perfetto.dev"), "{printed}");
    let trace: Vec<Value> = serde_json::from_str(&json).expect("the trace is a JSON array");

    let mut threads = BTreeMap::new();
    let mut open: HashMap<u64, Vec<&Value>> = HashMap::new();
    let mut last: HashMap<u64, f64> = HashMap::new();
    // The outcomes of the items of each loop and pool.
    let mut items: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in &trace {
        let thread = number(entry, "tid");
        let kind = text(entry, "ph");
        if kind == "M" {
            assert_eq!(text(entry, "name"), "thread_name");
            let name = text(&entry["args"], "name");
            assert_eq!(threads.insert(thread, name), None, "each row is named once");
            continue;
        }
        assert!(
            threads.contains_key(&thread),
            "the row of {entry} has a name"
        );
        let at = entry["ts"].as_f64().expect("a time");
        let before = last.insert(thread, at).unwrap_or_default();
        assert!(at >= before, "time does not go back on a thread: {entry}");
        let open = open.entry(thread).or_default();
        match kind {
            "B" => open.push(entry),
            "E" => {
                let begun = open
                    .pop()
                    .unwrap_or_else(|| panic!("{entry} has not begun"));
                let name = text(begun, "name");
                assert_eq!(name, text(entry, "name"), "what began last ends first");
                // The monitor enters the spans of what it speaks of.
                let works = threads[&thread] != "futureproof-mon";
                if works && text(begun, "cat") == "futureproof::task" {
                    let (group, index) = name.rsplit_once(' ').expect("a group and an index");
                    assert_eq!(index, text(&entry["args"], "index"));
                    let around = open
                        .last()
                        .unwrap_or_else(|| panic!("{name} is in nothing"));
                    assert_eq!(
                        text(around, "name"),
                        group,
                        "an item is inside of its loop or pool"
                    );
                    let outcome = text(&entry["args"], "outcome").trim_matches('"');
                    items.entry(group).or_default().push(outcome);
                }
            }
            "i" => {}
            _ => panic!("unexpected kind of entry: {entry}"),
        }
    }
    assert!(
        open.values().all(Vec::is_empty),
        "whatever began has ended: {open:?}"
    );

    let names: Vec<_> = threads.values().copied().collect();
    for worker in ["main", "fetch-1", "fetch-2", "fetch-3", "fetch-4"] {
        assert!(names.contains(&worker), "{worker} has no row: {names:?}");
    }
    let count = |group: &str, outcome: &str| {
        let outcomes = items.get(group).map_or(&[][..], Vec::as_slice);
        outcomes.iter().filter(|&&one| one == outcome).count()
    };
    let counts = |group: &str| ["completed", "failed", "panicked"].map(|one| count(group, one));
    assert_eq!(
        counts("fetch"),
        [35, 6, 0],
        "one of 36 pages is missing, five take two attempts"
    );
    assert_eq!(counts("render"), [32, 3, 1]);
    assert_eq!(counts("figures"), [18, 0, 0]);
    assert_eq!(counts("index"), [1500, 0, 0]);
    let errors = trace
        .iter()
        .filter(|entry| text(entry, "name").starts_with("ERROR: "));
    assert_eq!(errors.count(), 4, "what the loop logs is on its row, too");
}
