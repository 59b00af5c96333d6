//! The recipe walk: every file is counted once, with any number of workers, and it ends by itself.

mod common;

use std::fs;
use std::path::Path;

use common::{Dir, Output};

const BIN: &str = env!("CARGO_BIN_EXE_walk");

fn run(args: &[&str]) -> Output {
    common::run(BIN, args)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn all_files_count_once_with_any_number_of_workers() {
    let dir = Dir::new();
    dir.write("own", [0; 5]);
    for top in 0..3 {
        for sub in 0..4 {
            for leaf in 0..5 {
                let name = format!("top-{top}/sub-{sub}/leaf-{leaf}/file");
                dir.write(&name, vec![0; 100 * (top + 1)]);
            }
        }
    }
    fs::create_dir(dir.path().join("empty")).unwrap();
    let root = text(dir.path());
    for workers in ["1", "2", "3", "32"] {
        let output = run(&["--workers", workers, root]);
        let expected = [
            format!("        6000 {root}/top-2"),
            format!("        4000 {root}/top-1"),
            format!("        2000 {root}/top-0"),
            format!("           5 {root}"),
            format!("           0 {root}/empty"),
            "12005 bytes in 61 files, 77 directories; 0 not read".into(),
        ];
        assert_eq!(output.assert_code(0).lines(), expected);
    }
    let output = run(&["--top", "1", root]);
    assert_eq!(output.assert_code(0).lines().len(), 2);
}

#[test]
fn a_chain_of_directories_is_followed_to_its_end() {
    let dir = Dir::new();
    let name = ["d"; 200].join("/");
    dir.write(&format!("{name}/file"), "1234567");
    for workers in ["1", "8"] {
        run(&["--workers", workers, text(dir.path())])
            .assert_code(0)
            .assert_out("7 bytes in 1 files, 201 directories; 0 not read");
    }
}

#[test]
fn a_directory_that_is_not_there_is_logged_ignored_or_ends_the_program() {
    let dir = Dir::new();
    dir.write("there/file", "123");
    let there = dir.path().join("there");
    let missing = dir.path().join("missing");
    let dirs = [text(&missing), text(&there)];

    let summary = "3 bytes in 1 files, 1 directories; 1 not read";
    let output = run(&dirs);
    output.assert_code(1).assert_out(summary);
    let errors = output.errors();
    assert!(
        errors.len() == 1 && errors[0].contains(dirs[0]),
        "{errors:?}"
    );

    let output = run(&["--error-policy", "ignore", dirs[0], dirs[1]]);
    output.assert_code(1).assert_out(summary);
    assert_eq!(output.errors(), [""; 0]);

    let output = run(&["--error-policy", "raise", dirs[0], dirs[1]]);
    let error = format!("error: {}: ", dirs[0]);
    output.assert_code(1).assert_err(&error);
    assert_eq!(output.stdout, "");
}

/// A path too long to be opened, which is an error for everybody, root included.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_cannot_be_read_is_skipped_and_the_rest_is_counted() {
    let dir = Dir::new();
    dir.write("beside/file", "1234");
    let long = "d".repeat(250);
    let outer = [long.as_str(); 14].join("/");
    let inner = [long.as_str(); 4].join("/");
    fs::create_dir_all(dir.path().join("inner").join(&inner)).unwrap();
    fs::create_dir_all(dir.path().join(&outer)).unwrap();
    // Each name is short enough, and both together are not.
    let moved = dir.path().join(&outer).join("inner");
    fs::rename(dir.path().join("inner"), &moved).unwrap();

    let output = run(&[text(dir.path())]);
    output.assert_code(1).assert_out("4 bytes in 1 files, ");
    output.assert_out("directories; 1 not read");
    let errors = output.errors();
    assert!(errors.len() == 1 && errors[0].contains(&long), "{errors:?}");
    run(&["--error-policy", "raise", text(dir.path())])
        .assert_code(1)
        .assert_err(&format!("error: {}", text(dir.path())));
}

#[test]
fn without_arguments_it_looks_at_the_repository() {
    let output = run(&["--top", "1000"]);
    output.assert_out("/recipes\n");
    run(&["--workers", "0"])
        .assert_code(2)
        .assert_err("--workers");
    run(&["--help"]).assert_code(0).assert_out("Usage: walk ");
}
