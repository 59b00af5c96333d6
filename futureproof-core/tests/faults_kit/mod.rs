//! What the tests of faults share: processes of their own, with limits of their own.
#![allow(dead_code, unreachable_pub)]

pub mod things;

use std::process::{self, Command, Output, Stdio};

const VARIABLE: &str = "FUTUREPROOF_TEST_ALONE";
/// Seconds far beyond what any test here takes; and any that is made larger than usual.
const HANGS_AFTER: [&str; 2] = ["240", "3600"];

/// Threads of which the program sets no stack size cannot be started in a process with this environment: no machine has room
/// for such a stack.
pub const NO_DEFAULT_THREADS: (&str, &str) = ("RUST_MIN_STACK", "70368744177664");

/// Runs `test` in a process of its own with these variables in its environment; returns how that ended.
///
/// `name` is the name of the test that calls this. A process that hangs is killed.
pub fn alone(name: &str, environment: &[(&str, &str)], test: impl FnOnce()) -> Output {
    if std::env::var(VARIABLE).as_deref() == Ok(name) {
        test();
        process::exit(0);
    }
    let is_large = |name| std::env::var_os(name).is_some();
    let is_large = is_large("FUTUREPROOF_FAULTS_ITEMS") || is_large("FUTUREPROOF_FAULTS_SCALE");
    let output = Command::new("timeout")
        .args(["--foreground", "--signal=KILL"])
        .arg(HANGS_AFTER[usize::from(is_large)])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, name)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // Shown when the test fails.
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Like [`alone`], and the test is to end well.
#[track_caller]
pub fn passes_alone(name: &str, environment: &[(&str, &str)], test: impl FnOnce()) {
    let output = alone(name, environment, test);
    assert!(output.status.success(), "{}", output.status);
}

/// What Linux says of this process: the number after `field` in its status, in KiB where it is a size.
pub fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    number.unwrap().parse().unwrap()
}

/// Lets this process have so many bytes of address space beyond what it has now; `None`: any number.
pub fn limit_memory(more: Option<u64>) {
    let limit = match more {
        Some(more) => (status("VmSize") * 1024 + more).to_string(),
        None => "unlimited".into(),
    };
    let status = Command::new("prlimit")
        .args(["--pid", &process::id().to_string()])
        .arg(format!("--as={limit}:unlimited"))
        .status();
    assert!(status.unwrap().success());
}

/// How much larger than usual the tests are to be: `FUTUREPROOF_FAULTS_SCALE`.
pub fn scale() -> usize {
    let scale = std::env::var("FUTUREPROOF_FAULTS_SCALE");
    scale.map_or(1, |scale| scale.parse().unwrap())
}
