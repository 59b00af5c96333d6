//! Where a link leads.

use std::path::{Component, Path, PathBuf};

use crate::Pages;

/// The repository, as those who read a page elsewhere get there.
const REPOSITORY: [&str; 2] = [
    "https://github.com/futureproof-rs/futureproof/blob/main/",
    "https://github.com/futureproof-rs/futureproof/tree/main/",
];

/// The pages just built, at their place on docs.rs.
const PUBLISHED: [&str; 2] = [
    "https://docs.rs/futureproof/latest/",
    "https://docs.rs/futureproof-core/latest/",
];

/// Whether the link on the page at `from` leads to something that is there. Links to other sites are not followed.
pub(crate) fn check(doc: &Path, pages: &Pages, from: &Path, link: &str) -> Result<(), String> {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = target.split('?').next().unwrap_or(target);
    let path = match (behind(&PUBLISHED, target), behind(&REPOSITORY, target)) {
        (Some(rest), _) => doc.join(rest),
        (None, Some(rest)) if root().join(rest).exists() => return Ok(()),
        (None, Some(_)) => return Err("there is no such file in the repository".into()),
        _ if is_elsewhere(target) => return Ok(()),
        _ if target.is_empty() => from.to_owned(),
        _ => from.parent().unwrap_or(from).join(target),
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

/// What follows one of the prefixes.
fn behind<'a>(prefixes: &[&str], target: &'a str) -> Option<&'a str> {
    prefixes
        .iter()
        .find_map(|prefix| target.strip_prefix(prefix))
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    normalized(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
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
