//! What is left on a real terminal when bars, log lines and prints have shared it: everything but the bars.

#![cfg(all(target_os = "linux", not(miri)))]

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A pseudo terminal that says nothing of its size counts as one of 80 columns.
const COLUMNS: u16 = 80;

/// Where cargo puts the example that it builds together with the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("test executables are in target/PROFILE/deps");
    profile.join("examples/progress")
}

/// What `command` writes to stdout and stderr together.
fn output(command: &mut Command) -> String {
    command
        .stdin(Stdio::null())
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("FUTUREPROOF_WORKERS");
    let output = command.output().expect("the example starts");
    assert!(output.status.success(), "{output:?}");
    let mut bytes = output.stdout;
    bytes.extend(output.stderr);
    String::from_utf8(bytes).expect("UTF-8")
}

/// What a person sees in the end who has a very long screen.
fn replay(output: &str) -> String {
    let mut terminal = vt100::Parser::new(500, COLUMNS, 0);
    terminal.process(output.as_bytes());
    terminal.screen().contents()
}

/// The lines of the log, without what comes before the message: time, level and span.
fn logged(seen: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = seen
        .lines()
        .filter_map(|line| line.split_once("}: ").map(|(_, message)| message))
        .collect();
    lines.sort_unstable();
    lines
}

const LOGGED: [&str; 5] = [
    "resized to 1024 × 768 photo=149",
    "resized to 1024 × 768 photo=49",
    "resized to 1024 × 768 photo=99",
    r#"task 29 failed: the server refused the photo name=upload index=29 call=upload(29) error=the server refused the photo"#,
    r#"task 69 failed: the server refused the photo name=upload index=69 call=upload(69) error=the server refused the photo"#,
];
const UPLOADED: &str = "102852 bytes uploaded";

#[test]
fn on_a_terminal_bars_come_and_go_and_no_line_is_torn() {
    let mut script = Command::new("script");
    if script.arg("--version").output().is_err() {
        eprintln!("not tested: there is no `script`, which runs a command in a pseudo terminal");
        return;
    }
    let shown = output(
        Command::new("script")
            .args(["-qefc", &example().display().to_string()])
            .arg("/dev/null"),
    );
    for part in [
        "upload  ", "resize  ", "index   ", "━╸", "⠹", "1 failed", " s left",
    ] {
        assert!(shown.contains(part), "{part:?} is missing: {shown}");
    }
    let seen = replay(&shown);
    assert_eq!(logged(&seen), LOGGED, "{seen}");
    assert!(seen.lines().any(|line| line == UPLOADED), "{seen}");
    assert!(!seen.contains(['━', '─', '⠋', '⠙', '⠹']), "{seen}");
    let summaries = [
        "upload: 98 completed, 2 failed in ",
        "resize: 150 completed, 0 failed in ",
        "index: 60 completed, 0 failed in ",
    ];
    for summary in summaries {
        let is_it = |line: &&str| line.starts_with(summary);
        assert_eq!(seen.lines().filter(is_it).count(), 1, "{seen}");
    }
    assert_eq!(seen.lines().count(), 5 + 1 + 3, "{seen}");
}

#[test]
fn elsewhere_there_is_only_the_log() {
    let written = output(&mut Command::new(example()));
    assert_eq!(logged(&written), LOGGED, "{written}");
    assert_eq!(written.lines().count(), 5 + 1, "{written}");
    assert!(!written.contains('\x1b'), "{written:?}");
}
