//! The recipe `parse_log`: the same answers for all numbers of workers and lines, bad lines, input that never ends.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use common::{Dir, Output, feed, finish, recipe, start};

const BIN: &str = env!("CARGO_BIN_EXE_parse_log");
const SAMPLE: &str = include_str!("../data/dpkg.log");

fn run(args: &[&str]) -> Output {
    common::run(BIN, args)
}

/// Runs it with each of some numbers of workers and of lines.
fn each_way(args: &[&str], check: impl Fn(&Output)) {
    for workers in ["1", "2", "8"] {
        for block in ["1", "7", "1000"] {
            let mut command = recipe(BIN);
            command.env("FUTUREPROOF_WORKERS", workers);
            check(&finish(start(command.args(args).args(["--block", block]))));
        }
    }
}

#[test]
fn the_sample_is_summed_up() {
    let counts = [
        "      343 configure",
        "      341 install",
        "       17 startup",
        "     1776 status",
        "       15 trigproc",
        "        2 upgrade",
    ];
    each_way(&[], |output| {
        let lines = output.assert_code(0).lines();
        assert_eq!(lines[..6], counts);
        assert!(lines[6].starts_with("2494 lines, 0 bad, in "), "{lines:?}");
        assert_eq!(lines.len(), 7);
    });
    let thrice = run(&["--repeat", "3"]);
    thrice.assert_out("     1023 install\n");
    thrice.assert_out("7482 lines, 0 bad");
}

#[test]
fn changes_are_listed_in_the_order_of_the_input() {
    let changes = SAMPLE
        .lines()
        .filter(|line| line.contains(" install ") || line.contains(" upgrade "));
    let mut expected: Vec<_> = changes.collect();
    expected.push("343 changes, 0 bad lines");
    each_way(&["--list"], |output| {
        assert_eq!(output.assert_code(0).lines(), expected);
    });
}

/// A log whose lines 3, 5, 6 and 9 are bad, and whose others are changes.
fn bad_log(dir: &Dir) -> (String, Vec<String>) {
    let (mut bytes, mut good) = (Vec::new(), Vec::new());
    for number in 1..=10 {
        match number {
            3 => bytes.extend(b"2025-06-24 14:36:25 install\n"),
            5 => bytes.extend(b"2025-06-24 14:36 install a b c\n"),
            6 => bytes.extend(b"caf\xe9\n"),
            9 => bytes.extend(b"2025-06-24 14:36:25 eat a b c\n"),
            _ => {
                let line =
                    format!("2025-06-24 14:36:25 install package-{number} <none> 1.{number}");
                bytes.extend(line.as_bytes());
                bytes.push(b'\n');
                good.push(line);
            }
        }
    }
    bytes.pop(); // the last line has no end
    let path = dir.write("bad.log", bytes);
    (path.to_str().expect("plain").to_owned(), good)
}

#[test]
fn bad_lines_are_reported_with_file_and_line_and_skipped() {
    let dir = Dir::new();
    let (path, good) = bad_log(&dir);
    each_way(&[&path], |output| {
        output.assert_code(0).assert_out("10 lines, 4 bad");
        let mut errors = output.errors();
        errors.sort_unstable_by_key(|error| error.find(&path).map(|at| error[at..].to_owned()));
        assert_eq!(errors.len(), 4, "{errors:?}");
        for (error, line) in errors.iter().zip([3, 5, 6, 9]) {
            assert!(error.contains(&format!("{path}:{line}: ")), "{error}");
        }
    });
    each_way(&["--list", &path], |output| {
        let lines = output.assert_code(0).lines();
        assert_eq!(lines[..6], good);
        assert_eq!(lines[6..], ["6 changes, 4 bad lines"]);
        let errors = output.errors();
        for (error, line) in errors.iter().zip([3, 5, 6, 9]) {
            assert!(
                error.contains(&format!("{path}:{line}: ")),
                "in order: {errors:?}"
            );
        }
        assert_eq!(errors.len(), 4, "{errors:?}");
    });
    for args in [[path.as_str()].as_slice(), &["--list", &path]] {
        let output = run(&[args, &["--error-policy", "ignore"]].concat());
        output.assert_code(0).assert_out("4 bad");
        assert_eq!(output.errors(), [""; 0]);
    }
}

#[test]
fn under_raise_the_first_bad_line_ends_the_program() {
    let dir = Dir::new();
    let (path, good) = bad_log(&dir);
    let error = format!("error: {path}:3: not a line of dpkg: ");
    each_way(&["--error-policy", "raise", &path], |output| {
        output.assert_code(1).assert_err(&error);
        assert_eq!(output.stdout, "");
    });
    each_way(&["--error-policy", "raise", "--list", &path], |output| {
        output.assert_code(1).assert_err(&error);
        assert_eq!(
            output.lines(),
            good[..2],
            "what is in front of the bad line, and nothing else"
        );
    });
}

/// Lines go into the program until it ends: it has to end by itself, though its input does not.
#[test]
fn endless_input_is_read_as_it_comes_and_ends_at_a_bad_line() {
    for list in [&[][..], &["--list"]] {
        let mut command = recipe(BIN);
        let mut child = start(
            command
                .args(list)
                .args(["--error-policy", "raise", "--block", "10", "-"])
                .stdin(Stdio::piped()),
        );
        let mut stdin = child.stdin.take().expect("the input is piped");
        let writer = thread::spawn(move || {
            let good = "2025-06-24 14:36:25 configure a 1 <none>\n".repeat(100);
            let mut lines = format!("{good}oops\n");
            while stdin.write_all(lines.as_bytes()).is_ok() {
                lines.clone_from(&good);
            }
        });
        let output = finish(child);
        output
            .assert_code(1)
            .assert_err("error: -:101: not a line of dpkg: \"oops\"");
        writer.join().unwrap();
    }
}

#[test]
fn several_files_and_stdin_are_read_one_after_the_other() {
    let dir = Dir::new();
    let (mut paths, mut expected) = (Vec::new(), String::new());
    for file in 0..3 {
        let mut text = String::new();
        for line in 0..50 {
            let _ = writeln!(text, "2025-06-24 14:36:25 remove p-{file}-{line} 1 <none>");
        }
        expected += &text;
        paths.push(dir.write(&format!("{file}.log"), text));
    }
    let mut command = recipe(BIN);
    command
        .args(["--list", "--block", "3"])
        .args(&paths[..2])
        .arg("-");
    let child = start(command.stdin(Stdio::piped()));
    let output = feed(child, std::fs::read(&paths[2]).unwrap());
    output.assert_code(0);
    assert_eq!(output.stdout, expected + "150 changes, 0 bad lines\n");
}

#[test]
fn what_cannot_be_read_and_what_makes_no_sense_is_said() {
    let dir = Dir::new();
    let path = dir.path().join("no-such.log");
    let path = path.to_str().expect("plain");
    for args in [
        [path].as_slice(),
        &["--list", path],
        &["--error-policy", "ignore", path],
    ] {
        run(args).assert_code(1).assert_err(path);
    }
    run(&["--error-policy", "x"])
        .assert_code(2)
        .assert_err(r#"it must be "raise", "log" or "ignore""#);
    run(&["--block", "0"]).assert_code(2).assert_err("--block");
    run(&["--help"])
        .assert_code(0)
        .assert_out("Usage: parse_log ");
}
