//! Checks the built documentation and the Markdown files, without a network.
//!
//! ```text
//! cargo doc --workspace --no-deps --all-features
//! cargo run -p futureproof-docs --bin pages
//! ```
//!
//! Every link inside of the project leads to something that is there, its fragment included; links to this crate's
//! pages on docs.rs count as links to the pages just built. Every public item of the facade has an example, and each of its
//! methods is used in an example on its page.

mod examples;
mod html;
mod links;
mod markdown;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use html::Page;

/// The crates whose pages are checked.
const CRATES: [&str; 3] = ["futureproof", "futureproof_core", "futureproof_macros"];

type Pages = BTreeMap<PathBuf, Page>;

fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let root = links::root();
    let doc = std::env::args_os()
        .nth(1)
        .map_or_else(|| root.join("target/doc"), PathBuf::from);
    let doc = doc.canonicalize().map_err(|error| {
        format!(
            "{}: {error}; build it with `cargo doc --workspace --no-deps --all-features`",
            doc.display()
        )
    })?;

    let mut pages = Pages::new();
    for name in CRATES {
        for path in files(&doc.join(name), "html")? {
            let page = Page::read(&path)?;
            pages.insert(path, page);
        }
    }
    let texts = files(&root, "md")?;

    let mut found = Vec::new();
    let mut checked = 0;
    for (path, page) in &pages {
        for link in &page.links {
            checked += 1;
            links::check(&doc, &pages, path, link).unwrap_or_else(|fault| {
                found.push(format!("{}: {link:?}: {fault}", path.display()));
            });
        }
    }
    for path in &texts {
        checked += markdown::check(&doc, &pages, path, &mut found)?;
    }
    let (items, methods) = examples::check(&doc.join("futureproof"), &pages, &mut found);
    println!(
        "{} pages, {} Markdown files, {checked} links; {items} items and {methods} methods with examples",
        pages.len(),
        texts.len()
    );
    Ok(found)
}

/// The files below a folder whose names end so, in order; what is built, hidden or only passed on is left out.
fn files(folder: &Path, extension: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            let name = name.to_string_lossy();
            if !name.starts_with(['.', '_']) && name != "target" {
                found.extend(files(&path, extension)?);
            }
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn main() -> ExitCode {
    match run() {
        Ok(found) if found.is_empty() => ExitCode::SUCCESS,
        Ok(found) => {
            for fault in &found {
                eprintln!("{fault}");
            }
            eprintln!("{} faults", found.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
