//! Valid uses of the macros: all that the project has in its tests, examples and documents, and `fuzz-corpus/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::TokenStream;

use super::case::{Case, uses};

/// Where uses are looked for. Only the first is there where this crate stands alone.
const PLACES: &[&str] = &[
    "fuzz-corpus",
    "../tests",
    "../examples",
    "../src",
    "../README.md",
    "../futureproof-core/tests",
];

/// Uses that are there to be refused.
const MISTAKES: &str = "ui";

/// One use, and whether its place says that it is right.
pub(super) struct Use {
    pub(super) case: Case,
    pub(super) file: PathBuf,
    pub(super) is_right: bool,
}

/// All uses there are.
pub(super) fn all() -> Vec<Use> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for place in PLACES {
        files_in(&root.join(place), &mut files);
    }
    // The order of a directory is not always the same.
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let is_right = !file
            .iter()
            .any(|part| part == MISTAKES || part == "regressions.txt");
        let cases = if file.extension().is_some_and(|ext| ext == "md") {
            fences(&text).iter().flat_map(|code| cases(code)).collect()
        } else {
            cases(&text)
        };
        found.extend(cases.into_iter().map(|case| Use {
            case,
            file: file.clone(),
            is_right,
        }));
    }
    found
}

/// The uses of one file of the corpus, each as text.
pub(super) fn corpus(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz-corpus")
        .join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    cases(&text)
}

fn cases(code: &str) -> Vec<Case> {
    TokenStream::from_str(code).map(uses).unwrap_or_default()
}

fn files_in(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_file() {
        let extension = place.extension().and_then(|ext| ext.to_str());
        if matches!(extension, Some("rs" | "md" | "txt")) {
            found.push(place.to_owned());
        }
    } else if let Ok(entries) = fs::read_dir(place) {
        for entry in entries.flatten() {
            files_in(&entry.path(), found);
        }
    }
}

/// The Rust code in a document, without the marks of hidden lines.
fn fences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // What is open, and whether it is Rust.
    let mut open: Option<(String, bool)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let is_rust =
                    language.is_empty() || language == "no_run" || language.starts_with("rust");
                open = Some((String::new(), is_rust));
            }
            (Some(_), Some(_)) => {
                found.extend(
                    open.take()
                        .filter(|(_, is_rust)| *is_rust)
                        .map(|(code, _)| code),
                );
            }
            (Some((code, _)), None) => {
                let line = line.strip_prefix("# ").unwrap_or(line);
                code.push_str(if line == "#" { "" } else { line });
                code.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}
