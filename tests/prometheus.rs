//! The page that Prometheus reads has the counts of what the example has done.

#![cfg(not(miri))]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Where cargo puts the examples that it builds together with the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("test executables are in target/PROFILE/deps");
    let name = format!("prometheus{}", std::env::consts::EXE_SUFFIX);
    profile.join("examples").join(name)
}

/// A running example, which ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, with an error that the test has shown.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of the page at `address`.
fn get(address: &str) -> String {
    let (host, path) = (address.strip_prefix("http://"))
        .and_then(|address| address.split_once('/'))
        .expect("the example prints where it listens");
    let mut connection = TcpStream::connect(host).expect("the example listens");
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    connection
        .write_all(request.as_bytes())
        .expect("it takes requests");
    let mut answer = String::new();
    connection
        .read_to_string(&mut answer)
        .expect("it answers in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("it speaks HTTP");
    assert!(head.contains(" 200 OK"), "{head}");
    body.to_owned()
}

#[test]
fn the_page_has_the_documented_names_and_labels_and_the_exact_counts() {
    let (done, watch) = mpsc::channel::<()>();
    thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the example hangs");
            std::process::abort();
        }
    });
    let mut example = Running(
        Command::new(example())
            .arg("stay")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example has been built"),
    );
    let stdout = example.0.stdout.take().expect("the output is piped");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let mut line = || lines.next().expect("the example goes on");
    let listening = line();
    let address = listening
        .strip_prefix("listening on ")
        .expect("the first line");
    assert_eq!(line(), "9592 primes");
    assert_eq!(line(), "28 good blocks of 30");

    // It rests for seconds now.
    let page = get(address);
    let expected = [
        (r#"started_total{name="primes",kind="loop"}"#, "100000"),
        (r#"completed_total{name="primes",kind="loop"}"#, "100000"),
        (r#"failed_total{name="primes",kind="loop"}"#, "0"),
        (r#"panicked_total{name="primes",kind="loop"}"#, "0"),
        (r#"cancelled_total{name="primes",kind="loop"}"#, "0"),
        (r#"retried_total{name="primes",kind="loop"}"#, "0"),
        (r#"in_flight{name="primes",kind="loop"}"#, "0"),
        (r#"waiting{name="primes",kind="loop"}"#, "0"),
        (r#"started_total{name="check_block",kind="pool"}"#, "30"),
        (r#"completed_total{name="check_block",kind="pool"}"#, "28"),
        (r#"failed_total{name="check_block",kind="pool"}"#, "2"),
        (r#"panicked_total{name="check_block",kind="pool"}"#, "0"),
        (r#"cancelled_total{name="check_block",kind="pool"}"#, "0"),
        (r#"retried_total{name="check_block",kind="pool"}"#, "1"),
        (r#"in_flight{name="check_block",kind="pool"}"#, "0"),
        (r#"waiting{name="check_block",kind="pool"}"#, "0"),
    ];
    for (key, value) in expected {
        let line = format!("futureproof_tasks_{key} {value}");
        assert!(
            page.lines().any(|has| has == line),
            "no {line:?} in:\n{page}"
        );
    }
    let counts = page
        .lines()
        .filter(|line| line.starts_with("futureproof_tasks_"));
    assert_eq!(counts.count(), expected.len(), "{page}");
    for name in ["completed_total counter", "waiting gauge"] {
        assert!(
            page.contains(&format!("# TYPE futureproof_tasks_{name}\n")),
            "{page}"
        );
    }

    // Reading a block takes 5 ms.
    let duration = "futureproof_task_duration_seconds";
    assert!(
        page.contains(&format!("# TYPE {duration} histogram\n")),
        "{page}"
    );
    let sampled = |labels: &str, bucket: &str| -> u32 {
        let line = format!("{duration}_bucket{{{labels},le=\"{bucket}\"}} ");
        let count = page.lines().find_map(|has| has.strip_prefix(&line));
        count.expect("there are buckets").parse().expect("a number")
    };
    let pool = r#"name="check_block",kind="pool""#;
    assert_eq!(sampled(pool, "0.001"), 0, "{page}");
    assert_eq!(sampled(pool, "+Inf"), 30, "{page}");
    assert!(
        sampled(r#"name="primes",kind="loop""#, "+Inf") > 0,
        "{page}"
    );
    drop(done);
}
