//! rustfmt formats loops, options and bodies alike, in round and square brackets; what stands in braces it leaves alone.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::{Command, Stdio};

/// The text as rustfmt writes it; `None` where there is no rustfmt.
fn formatted(text: &str) -> Option<String> {
    let rustfmt = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut process = Command::new(rustfmt)
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = process.stdin.take().expect("it was asked for");
    // A proxy of rustup's without the component ends without reading.
    let _ = input.write_all(text.as_bytes());
    drop(input);
    let output = process.wait_with_output().expect("it has been started");
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && errors.contains("not installed") {
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).expect("rustfmt writes text"))
}

#[track_caller]
fn assert_formats(text: &str, wanted: &str) {
    let in_function = |text: &str| format!("fn f() {{\n{text}}}\n");
    let Some(found) = formatted(&in_function(text)) else {
        eprintln!("skipped: no rustfmt");
        return;
    };
    assert_eq!(found, in_function(wanted));
    assert_eq!(formatted(&found).as_ref(), Some(&found), "and it stays so");
}

#[test]
fn a_loop() {
    assert_formats(
        "parallel_for!(for   page in pages   { let a=1;   f(a ,page) ; });",
        "    parallel_for!(for page in pages {
        let a = 1;
        f(a, page);
    });
",
    );
}

#[test]
fn options_that_need_lines_of_their_own() {
    assert_formats(
        "let report=parallel_for!(workers=4,reduce(a ,max( b )),
                local(x=String::new()), error_policy=\"log\", // as long as it takes
            for page in pages { a+=1;
    b=b.max( a ) ; });",
        "    let report = parallel_for!(
        workers = 4,
        reduce(a, max(b)),
        local(x = String::new()),
        error_policy = \"log\", // as long as it takes
        for page in pages {
            a += 1;
            b = b.max(a);
        }
    );
",
    );
}

#[test]
fn labels_and_loops_in_loops() {
    assert_formats(
        "'books:   for book in books {
parallel_for!(workers=2,'pages:   for page in book { if page{continue 'pages}
  parallel_for!(for   line in page { if line  { break 'books } }); });}",
        "    'books: for book in books {
        parallel_for!(
            workers = 2,
            'pages: for page in book {
                if page {
                    continue 'pages;
                }
                parallel_for!(for line in page {
                    if line {
                        break 'books;
                    }
                });
            }
        );
    }
",
    );
}

#[test]
fn square_brackets_and_a_comma_behind_the_loop() {
    assert_formats(
        "parallel_for![for   page in pages { f( page ) ; },];",
        "    parallel_for![for page in pages {
        f(page);
    },];
",
    );
}

#[test]
fn braces_are_left_alone() {
    let text = "    parallel_for! { for   page in pages { f( page ) ; } };\n";
    assert_formats(text, text);
}
