//! The examples do what their first lines say: each runs as a child process, as a person would run it.

#![cfg(not(miri))]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[path = "../examples/common/server.rs"]
#[allow(dead_code)] // The tests need one page.
mod server;

/// Against hangs only: no example takes a tenth of it.
const GUARD: Duration = Duration::from_secs(120);

/// Where cargo puts the examples that it builds together with the tests.
fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("test executables are in target/PROFILE/deps");
    let path = profile
        .join("examples")
        .join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --examples`",
        path.display()
    );
    path
}

fn command(example: &str, args: &[&str]) -> Command {
    let mut command = Command::new(path(example));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // What the machine has set up must not matter.
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
        .env_remove("RUST_LOG")
        .env_remove("FUTUREPROOF_WORKERS");
    command
}

struct Output {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Output {
    #[track_caller]
    fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(
            self.status.code(),
            Some(code),
            "{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    fn assert_out(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text),
            "no {text:?} in:\n{}",
            self.stdout
        );
        self
    }

    #[track_caller]
    fn assert_err(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "no {text:?} in:\n{}",
            self.stderr
        );
        self
    }

    fn lines(&self, text: &str) -> usize {
        self.stdout
            .lines()
            .filter(|line| line.contains(text))
            .count()
    }

    fn errors(&self) -> Vec<&str> {
        self.stderr
            .lines()
            .filter(|line| line.contains(" ERROR "))
            .collect()
    }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text)
            .expect("examples write UTF-8");
        text
    })
}

/// Waits for the end of `child`, which is killed when that does not come.
fn finish(mut child: Child) -> Output {
    let stdout = collect(child.stdout.take().expect("the output is piped"));
    let stderr = collect(child.stderr.take().expect("the output is piped"));
    let (ended, end) = mpsc::channel::<()>();
    let pid = child.id();
    let waiter = thread::spawn(move || {
        // The streams end with the process.
        let output = (stdout.join(), stderr.join());
        drop(ended);
        output
    });
    let hung = end.recv_timeout(GUARD) == Err(mpsc::RecvTimeoutError::Timeout);
    if hung {
        child.kill().expect("a child can be killed");
    }
    let (stdout, stderr) = waiter.join().expect("the waiter does not panic");
    let (stdout, stderr) = (stdout.expect("read"), stderr.expect("read"));
    let status = child.wait().expect("a child can be waited for");
    assert!(!hung, "process {pid} hung:\n{stdout}\n{stderr}");
    Output {
        status,
        stdout,
        stderr,
    }
}

fn run(example: &str, args: &[&str]) -> Output {
    finish(command(example, args).spawn().expect("the example starts"))
}

#[test]
fn load_urls_raises_the_first_error_and_exits_with_its_text() {
    let output = run("load_urls", &[]);
    output
        .assert_code(1)
        .assert_err("error: ")
        .assert_err("http://nowhere.invalid/");
    // The sixth URL starts when one of the five workers has got its page.
    assert!(
        (1..=5).contains(&output.lines(" page is ")),
        "{}",
        output.stdout
    );
    assert!(output.errors().is_empty(), "{}", output.stderr);
}

#[test]
fn load_urls_logs_the_failure_and_goes_on() {
    for args in [
        ["--error-policy", "log"].as_slice(),
        &["--error-policy=LOG"],
    ] {
        let output = run("load_urls", args);
        output
            .assert_code(0)
            .assert_out("/sport\" page is 991167 bytes");
        assert_eq!(output.lines(" page is "), 5, "{}", output.stdout);
        let errors = output.errors();
        assert!(
            errors.len() == 1 && errors[0].contains("nowhere.invalid"),
            "{errors:?}"
        );
    }
}

#[test]
fn load_urls_leaves_the_failure_to_the_program() {
    let output = run("load_urls", &["--error-policy", "ignore", "--workers", "1"]);
    output.assert_code(0).assert_out("nowhere.invalid");
    assert_eq!(output.lines(" page is "), 5, "{}", output.stdout);
    assert!(output.errors().is_empty(), "{}", output.stderr);
}

#[test]
fn load_urls_loads_the_urls_it_is_given() {
    let page = server::Page {
        path: "/given".into(),
        links: Vec::new(),
        bytes: 4321,
        delay: Duration::ZERO,
    };
    let site = server::serve(vec![page]).expect("a port on the loopback interface");
    let given = format!("{site}/given");
    let output = run("load_urls", &[&given, &given]);
    output.assert_code(0);
    assert_eq!(
        output.lines(&format!("{given:?} page is 4321 bytes")),
        2,
        "{}",
        output.stdout
    );

    let missing = format!("{site}/missing");
    run("load_urls", &[&missing])
        .assert_code(1)
        .assert_err(&missing)
        .assert_err("404");
}

#[test]
fn bad_arguments_are_named_together_with_what_is_allowed() {
    let bad: [(&str, &[&str], &str); 9] = [
        (
            "load_urls",
            &["--workers", "0"],
            r#"--workers "0": expected a number from 1 up"#,
        ),
        (
            "load_urls",
            &["--workers"],
            "--workers needs a value: a number from 1 up",
        ),
        (
            "load_urls",
            &["--error-policy=x"],
            r#"--error-policy "x": expected raise, log or ignore"#,
        ),
        (
            "load_urls",
            &["--retries", "3"],
            r#"unknown or repeated option "--retries""#,
        ),
        (
            "backpressure",
            &["--body", "nap"],
            r#"--body "nap": expected sleep or trivial"#,
        ),
        (
            "backpressure",
            &["--items", "-1"],
            r#"--items "-1": expected a number from 0 up"#,
        ),
        (
            "fail_fast",
            &["modern"],
            r#"unexpected argument "modern": expected classic"#,
        ),
        (
            "crawl",
            &["--workers", "many"],
            r#"--workers "many": expected a number from 1 up"#,
        ),
        ("checksum_tree", &["a", "b"], r#"unexpected argument "b""#),
    ];
    for (example, args, message) in bad {
        run(example, args)
            .assert_code(2)
            .assert_err(message)
            .assert_err("Usage: ");
    }
}

#[test]
fn every_example_explains_itself() {
    for example in [
        "load_urls",
        "backpressure",
        "fail_fast",
        "error_policy",
        "monitoring",
        "checksum_tree",
        "crawl",
        "progress",
        "prometheus",
        "timeline",
        "trace",
    ] {
        run(example, &["--help"])
            .assert_code(0)
            .assert_out(&format!("Usage: {example} "));
    }
}

#[test]
fn backpressure_completes_every_item_and_prints_its_memory() {
    for args in [
        ["--items", "20"].as_slice(),
        &["--items=20", "--body=trivial"],
    ] {
        let output = run("backpressure", args);
        output
            .assert_code(0)
            .assert_out("completed: 20 of 20 tasks")
            .assert_out("elapsed: ");
        output.assert_out("peak resident memory: ");
    }
}

/// A thousand million items, stopped after the first progress line has come.
#[test]
#[cfg(unix)]
fn backpressure_shows_progress_and_stops_on_an_interrupt() {
    let mut child = command("backpressure", &[])
        .spawn()
        .expect("the example starts");
    let mut log = BufReader::new(child.stderr.take().expect("the output is piped"));
    let (mut lines, mut line) = (0, String::new());
    // The greeting, then the monitor's lines.
    while lines < 2 && log.read_line(&mut line).expect("examples write UTF-8") > 0 {
        lines += 1;
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.expect("there is a kill command").success());
    child.stderr = Some(log.into_inner());
    let output = finish(child);
    output
        .assert_code(130)
        .assert_out("stopped")
        .assert_out(" of 1000000000 tasks");
    assert!(line.contains("futureproof::monitor"), "{line}");
}

#[test]
fn fail_fast_stops_early_where_threads_by_hand_run_everything() {
    let ours = run("fail_fast", &[]);
    ours.assert_code(1)
        .assert_err("error: ")
        .assert_err("cannot add 4 and 1");
    let started = ours
        .stdout
        .split(' ')
        .next()
        .and_then(|count| count.parse::<u32>().ok());
    assert!(
        started.is_some_and(|started| (5..50).contains(&started)),
        "{}",
        ours.stdout
    );

    let classic = run("fail_fast", &["classic"]);
    classic
        .assert_code(1)
        .assert_err("cannot add")
        .assert_out("50 of 50 additions were started");
}

#[test]
fn error_policy_shows_what_each_policy_does() {
    let sums = "the sums are [1, 2, 3, 4, 6, 7, 8, 9]";
    let ours = run("error_policy", &[]);
    ours.assert_code(0)
        .assert_out("the function returned the error: cannot add 4 and 1");
    assert_eq!(ours.lines(sums), 3, "{}", ours.stdout);
    let errors = ours.errors();
    assert_eq!(errors.len(), 2, "only the loop under log logs: {errors:?}");
    assert!(
        errors.iter().all(|line| line.contains("cannot add")),
        "{errors:?}"
    );

    run("error_policy", &["classic"])
        .assert_code(0)
        .assert_out("the sums are [");
}

#[test]
fn monitoring_reports_progress_and_the_task_that_is_stuck() {
    let ours = run("monitoring", &[]);
    ours.assert_code(0)
        .assert_out("19 + 1 = 20")
        .assert_err("futureproof::monitor");
    ours.assert_err(" INFO ").assert_err(" WARN ");
    assert_eq!(ours.lines(" = "), 20, "{}", ours.stdout);

    let classic = run("monitoring", &["classic"]);
    classic.assert_code(0).assert_out("19 + 1 = 20");
    assert!(
        !classic.stderr.contains("futureproof::monitor"),
        "{}",
        classic.stderr
    );
}

#[test]
fn checksum_tree_gives_the_known_sums_in_order() {
    let dir = std::env::temp_dir().join(format!("futureproof-checksum-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("b")).expect("the temporary directory is writable");
    for (name, bytes) in [
        ("a", "123456789".as_bytes()),
        ("b/empty", b""),
        ("c", &[0; 70_000]),
    ] {
        std::fs::write(dir.join(name), bytes).expect("the temporary directory is writable");
    }
    let root = dir
        .to_str()
        .expect("the temporary directory has a plain name");
    for workers in ["1", "2", "16"] {
        let output = run("checksum_tree", &["--workers", workers, root]);
        let lines: Vec<_> = output.assert_code(0).stdout.lines().collect();
        assert_eq!(
            lines[..3],
            ["cbf43926  a", "00000000  b/empty", "a6a9c8dc  c"],
            "{lines:?}"
        );
        assert!(lines[3].starts_with("3 files, 70009 bytes, the largest of 70000 bytes"));
    }
    std::fs::remove_dir_all(&dir).expect("the test's own directory can be removed");

    // Now the directory is missing, and that is what the program says.
    run("checksum_tree", &[root])
        .assert_code(1)
        .assert_err(root);
    run("checksum_tree", &[])
        .assert_code(0)
        .assert_out("src/lib.rs");
}

#[test]
fn crawl_visits_every_page_and_ends_by_itself() {
    for workers in ["1", "2", "8"] {
        let output = run("crawl", &["--workers", workers]);
        output
            .assert_code(0)
            .assert_out("30 pages, 247500 bytes, 1 dead links");
        let errors = output.errors();
        assert!(errors.len() == 1 && errors[0].contains("404"), "{errors:?}");
    }
}
