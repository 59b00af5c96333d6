//! Measurements that need a process of their own: this program starts itself with a flag that `--help` does not list.

use std::process::Command;
use std::{env, fs};

use crate::rows;

const FLAG: &str = "--child";

/// Runs a measurement in a child process and returns the figures that it prints.
pub fn run(what: &str, arguments: &[&str]) -> Vec<f64> {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .args([FLAG, what])
        .args(arguments)
        .output()
        .expect("this program can be started again");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("figures are ASCII");
    text.split_whitespace()
        .map(|figure| figure.parse().expect("the child prints numbers only"))
        .collect()
}

/// Is the measurement if this process is such a child; returns whether it was.
pub fn is_child() -> bool {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect("the parent passes numbers");
    match arguments[..] {
        [FLAG, "memory", source, items, threads] => {
            rows::billion_child(source, number(items), number(threads) as usize);
        }
        [FLAG, "idle", seconds, threads] => {
            rows::idle_child(number(seconds), number(threads) as usize);
        }
        _ => return false,
    }
    true
}

/// Returns the most memory this process has had, in KiB; 0 where the system does not say.
pub fn peak_memory() -> u64 {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse().ok()
        })
        .unwrap_or(0)
}
