//! Runs this program under callgrind and reads what it says.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::measured::TOGGLE;
use crate::scenarios::{Counted, Per, Scenario};

/// Why there is no count.
#[derive(Debug)]
pub enum Failure {
    Missing(&'static str),
    Io(io::Error),
    Arguments(lexopt::Error),
    /// What a program, or this one, says.
    Program(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(program) => write!(
                f,
                "{program} is not installed: `apt install valgrind`, or what your system calls it"
            ),
            Self::Io(error) => write!(f, "cannot count: {error}"),
            Self::Arguments(error) => write!(f, "{error}; see `benches/run counts --help`"),
            Self::Program(text) => f.write_str(text),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Arguments(error)
    }
}

/// What the counts depend on besides the code.
pub fn toolchain() -> Result<String, Failure> {
    let valgrind = text(Command::new("valgrind").arg("--version"), "valgrind")?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = text(Command::new(rustc).arg("--version"), "rustc")?;
    let arch = std::env::consts::ARCH;
    Ok(format!("{}, {}, {arch}", rustc.trim(), valgrind.trim()))
}

/// Counts a scenario: for one call, or for one more item.
pub fn count(scenario: &Scenario) -> Result<f64, Failure> {
    match scenario.per {
        Per::Call(length) => Ok(total(scenario, length)? as f64),
        Per::Item(short, long) => {
            let more = total(scenario, long)?.abs_diff(total(scenario, short)?);
            Ok(more as f64 / (long - short) as f64)
        }
    }
}

fn total(scenario: &Scenario, length: u64) -> Result<u64, Failure> {
    let profile = profile(scenario, length)?;
    let text = fs::read_to_string(&profile.0)?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok())
        .ok_or_else(|| Failure::Program(format!("callgrind says no total of {}", scenario.name)))
}

/// A profile on disk, gone when it is dropped.
pub struct Profile(pub PathBuf);

impl Drop for Profile {
    fn drop(&mut self) {
        // What is left behind in the directory for temporary files does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a scenario and keeps what callgrind saw.
pub fn profile(scenario: &Scenario, length: u64) -> Result<Profile, Failure> {
    let name = scenario.name.replace('/', "-");
    let file = format!("counts-{}-{name}-{length}", std::process::id());
    let profile = Profile(std::env::temp_dir().join(file));
    let mut command = Command::new("valgrind");
    // In a fair order the threads of a scenario interleave the same way every time.
    command.args([
        "--quiet",
        "--tool=callgrind",
        "--fair-sched=yes",
        "--combine-dumps=yes",
    ]);
    if scenario.counted == Counted::Marked {
        command.args([
            "--collect-atstart=no",
            &format!("--toggle-collect={TOGGLE}"),
        ]);
    }
    command.arg(format!("--callgrind-out-file={}", profile.0.display()));
    command.arg(std::env::current_exe()?);
    command.args(["--run", scenario.name, &length.to_string()]);
    text(&mut command, "valgrind")?;
    Ok(profile)
}

/// What a program prints.
pub fn text(command: &mut Command, program: &'static str) -> Result<String, Failure> {
    let output: Output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Missing(program),
        _ => Failure::Io(error),
    })?;
    if !output.status.success() {
        return Err(Failure::Program(format!(
            "{program} failed with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
