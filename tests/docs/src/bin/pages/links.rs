//! Where a link leads.

use std::path::{Component, Path, PathBuf};

use crate::Pages;

/// Pages that are not published yet, and their sources, at their future place.
const PUBLISHED: [(&str, &str); 2] = [
    ("https://docs.rs/futureproof/latest/", ""),
    ("https://docs.rs/futureproof-core/latest/", ""),
];

/// Whether the link on the page at `from` leads to something that is there. Links to other sites are not followed.
pub(crate) fn check(doc: &Path, pages: &Pages, from: &Path, link: &str) -> Result<(), String> {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = target.split('?').next().unwrap_or(target);
    let path = match published(target) {
        Some(rest) => doc.join(rest),
        None if is_elsewhere(target) => return Ok(()),
        None if target.is_empty() => from.to_owned(),
        None => from.parent().unwrap_or(from).join(target),
    };
    let mut path = normalized(&path);
    if path.is_dir() {
        path.push("index.html");
    }
    if !path.is_file() {
        return Err("there is no such file".into());
    }
    // Fragments of source pages are ranges of lines, which a script understands.
    if fragment.is_empty() || fragment.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(());
    }
    match pages.get(&path) {
        Some(page) if !page.anchors.contains(fragment) => {
            Err("there is no such place on the page".into())
        }
        _ => Ok(()),
    }
}

fn published(target: &str) -> Option<&str> {
    PUBLISHED
        .iter()
        .find_map(|(prefix, _)| target.strip_prefix(prefix))
}

pub(crate) fn is_elsewhere(target: &str) -> bool {
    target
        .split('/')
        .next()
        .is_some_and(|scheme| scheme.ends_with(':'))
        || target.starts_with("data:")
}

/// Without `.` and `..`, so that equal paths are written alike.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut done, part| {
        match part {
            Component::ParentDir => {
                done.pop();
            }
            Component::CurDir => {}
            part => done.push(part),
        }
        done
    })
}
