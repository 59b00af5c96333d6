//! Runs cargo and takes its time.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::programs::Package;

/// What building took, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub wall: f64,
    /// Of all the processes that cargo started: hardly changed by what else the machine does.
    pub processor: f64,
}

/// What is asked of cargo.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    pub arguments: &'static [&'static str],
    /// Everything from scratch, or the package alone because its source has changed?
    pub clean: bool,
}

/// A package and where it is built.
#[derive(Debug)]
pub struct Builder {
    package: Package,
    target: PathBuf,
}

impl Builder {
    pub fn new(package: Package) -> Self {
        let target = package.directory.join("target");
        Self { package, target }
    }

    /// Takes the time of one task.
    pub fn run(&self, task: Task) -> io::Result<Took> {
        if task.clean {
            match fs::remove_dir_all(&self.target) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        } else {
            self.cargo(task.arguments)?;
            let text = fs::read(&self.package.source)?;
            fs::write(&self.package.source, text)?;
        }
        let (began, before) = (Instant::now(), processor_time());
        self.cargo(task.arguments)?;
        Ok(Took {
            wall: began.elapsed().as_secs_f64(),
            processor: processor_time() - before,
        })
    }

    fn cargo(&self, arguments: &[&str]) -> io::Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(arguments)
            .args(["--quiet", "--offline"])
            .current_dir(&self.package.directory)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            // What the benchmarks themselves are built with.
            .env_remove("RUSTFLAGS")
            .stdout(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "cargo {} failed in {}: {}",
            arguments.join(" "),
            self.package.directory.display(),
            String::from_utf8_lossy(&output.stderr)
        )))
    }
}

/// The processor time of all child processes that have ended, in seconds.
fn processor_time() -> f64 {
    // SAFETY: a `rusage` is numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` can be written to.
    let result = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(result, 0, "getrusage cannot fail with these arguments");
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
