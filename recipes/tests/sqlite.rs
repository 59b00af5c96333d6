//! The recipe sqlite: rows in the order of the files, answers in the order of the rows, all rows or none.

mod common;

use common::{Dir, Output, finish, recipe, start};
use rusqlite::Connection;

const BIN: &str = env!("CARGO_BIN_EXE_sqlite");

fn run(args: &[&str]) -> Output {
    common::run(BIN, args)
}

fn some_files() -> Dir {
    let dir = Dir::new();
    dir.write("a.txt", "one\ntwo\n");
    dir.write("b/none", "");
    dir.write("b/c/deep.rs", "fn main() {}\n");
    for number in 0..40 {
        dir.write(
            &format!("many/{number:02}.k{}", number % 13),
            "x\n".repeat(number),
        );
    }
    dir.write("z.txt", "\n\n\n");
    dir.write(".hidden", "not this");
    dir
}

#[test]
fn kinds_of_files_come_in_order_with_any_number_of_workers() {
    let dir = some_files();
    let path = dir.path().to_str().expect("plain");
    let mut expected = vec!["kind      files     lines".to_owned()];
    expected.push("              1         0   b/none has 0".into());
    let mut kinds: Vec<_> = (0..13).map(|kind| (format!("k{kind}"), kind)).collect();
    kinds.sort();
    for (name, kind) in kinds {
        let numbers: Vec<_> = (kind..40).step_by(13).collect();
        let (count, most) = (numbers.len(), numbers[numbers.len() - 1]);
        let lines: usize = numbers.iter().sum();
        expected.push(format!(
            "{name:<8} {count:>6} {lines:>9}   many/{most:02}.{name} has {most}"
        ));
    }
    expected.push("rs            1         1   b/c/deep.rs has 1".into());
    expected.push("txt           2         5   z.txt has 3".into());
    expected.push("44 rows in all".into());
    for workers in ["1", "2", "8"] {
        let output = finish(start(
            recipe(BIN).env("FUTUREPROOF_WORKERS", workers).arg(path),
        ));
        assert_eq!(output.assert_code(0).lines(), expected);
    }
}

#[test]
fn rows_are_inserted_in_the_order_of_the_files_and_all_of_them_or_none() {
    let dir = some_files();
    let database = dir.path().join(".database");
    let (path, file) = (dir.path().to_str().unwrap(), database.to_str().unwrap());
    run(&["--database", file, path]).assert_code(0);

    let names = || -> Vec<String> {
        let connection = Connection::open(&database).unwrap();
        let mut select = connection
            .prepare("SELECT path FROM file ORDER BY id")
            .unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let written = names();
    let mut expected = vec!["a.txt".to_owned(), "z.txt".into(), "b/none".into()];
    expected.push("b/c/deep.rs".into());
    expected.extend((0..40).map(|number| format!("many/{number:02}.k{}", number % 13)));
    assert_eq!(written, expected);

    // The directory is missing: the table is as it was.
    let missing = dir.path().join("missing");
    let missing = missing.to_str().unwrap();
    run(&["--database", file, missing])
        .assert_code(1)
        .assert_err(missing);
    assert_eq!(names(), written);
}

#[test]
fn what_it_cannot_do_is_said() {
    let dir = Dir::new();
    let file = dir.write(
        "no-database",
        "this is a text, and a rather long one at that".repeat(40),
    );
    run(&["--database", file.to_str().unwrap()])
        .assert_code(1)
        .assert_err("error: ");
    run(&["a", "b"]).assert_code(2);
    run(&["--help"]).assert_code(0).assert_out("Usage: sqlite ");
}

#[test]
fn without_arguments_it_looks_at_the_repository() {
    let output = run(&[]);
    output.assert_code(0).assert_out("\nrs ");
    output.assert_out("\ntoml ");
}
