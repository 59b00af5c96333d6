//! Where the picture goes.

use std::path::PathBuf;

/// Gives the path that was asked for, or `name` in the directory of the build.
pub(crate) fn path(asked: Option<String>, name: &str) -> PathBuf {
    asked.map_or_else(|| build_directory().join(name), PathBuf::from)
}

/// An example is in `target/PROFILE/examples`.
fn build_directory() -> PathBuf {
    let example = std::env::current_exe().unwrap_or_default();
    let target = example
        .ancestors()
        .nth(3)
        .filter(|target| target.join("CACHEDIR.TAG").exists());
    target.map(PathBuf::from).unwrap_or_default()
}
