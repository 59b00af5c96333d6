//! What the figures were measured on.

use std::fs;
use std::process::Command;

/// Returns the processor's name.
#[must_use]
pub fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
            .map(|value| value.trim().to_owned())
    };
    match (field("model name"), field("cpu family"), field("model\t")) {
        (Some(name), Some(family), Some(model)) => {
            format!("{name} (family {family}, model {model})")
        }
        (Some(name), ..) => name,
        _ => first_line("uname", &["-m"]),
    }
}

/// Returns the number of logical processors that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Returns the operating system's name and version.
#[must_use]
pub fn system() -> String {
    first_line("uname", &["-sr"])
}

/// Returns the version of a program that understands `--version`.
#[must_use]
pub fn version(program: &str) -> String {
    first_line(program, &["--version"])
}

/// Returns today's date, UTC.
#[must_use]
pub fn date() -> String {
    first_line("date", &["-u", "+%Y-%m-%d"])
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| {
            Some(
                String::from_utf8_lossy(&output.stdout)
                    .lines()
                    .next()?
                    .to_owned(),
            )
        })
        .unwrap_or_else(|| "unknown".into())
}

/// Returns the version of a crate in this package's lock file.
#[must_use]
pub fn crate_version(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let start = format!("name = \"{name}\"\nversion = \"");
    lock.split_once(&start)
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("unknown")
        .to_owned()
}
