//! The recipe `api_client`: what may pass is tried again, what will not is not, and nothing goes faster than allowed.

mod common;

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::Output;
use futureproof_recipes::server::{Answer, serve};

const BIN: &str = env!("CARGO_BIN_EXE_api_client");

fn run(args: &[&str]) -> Output {
    common::run(BIN, args)
}

#[test]
fn items_come_in_order_after_as_many_attempts_as_they_need() {
    for rate in ["200/s burst 10", "1000/s"] {
        let output = run(&["--rate", rate]);
        let lines = output.assert_code(1).lines();
        for (item, line) in (0..40).zip(&lines) {
            let begin = format!("/items/{item}: ");
            assert!(line.starts_with(&begin), "{item}: {line}");
            match item {
                13 => assert!(
                    line.ends_with(r#"get(_, "/items/13") failed: http status: 404"#),
                    "{line}"
                ),
                27 => assert!(
                    line.ends_with("failed after 5 attempts: http status: 500"),
                    "{line}"
                ),
                0..10 => assert!(line.ends_with(": 14 bytes"), "{line}"),
                _ => assert!(line.ends_with(": 15 bytes"), "{line}"),
            }
        }
        // Item n fails n % 4 times, but 13 once and for all, and 27 always.
        let expected = [
            "38 answers, 2 failures, 60 attempts were not the first",
            " 11 items were asked for 1 times",
            "  9 items were asked for 2 times",
            " 10 items were asked for 3 times",
            "  9 items were asked for 4 times",
            "  1 items were asked for 5 times",
        ];
        assert_eq!(lines[40..], expected);
    }
}

#[test]
fn with_one_attempt_nothing_is_tried_again() {
    let output = run(&["--attempts", "1"]);
    output.assert_code(1);
    output.assert_out("10 answers, 30 failures, 0 attempts were not the first");
    output.assert_out(" 40 items were asked for 1 times");
}

#[test]
fn urls_of_ones_own_are_called_at_the_rate_that_is_asked_for() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let address = serve(move |path| {
        let mut log = log.lock().unwrap();
        log.push(path.to_owned());
        match log.len() {
            1 => Answer::new("503 Service Unavailable", ""),
            _ => Answer::new("200 OK", "0123456789"),
        }
    })
    .unwrap();
    let urls: Vec<_> = (0..4).map(|n| format!("{address}/{n}")).collect();
    let mut args = vec!["--rate", "20/s"];
    args.extend(urls.iter().map(String::as_str));

    let begin = Instant::now();
    let output = run(&args);
    let elapsed = begin.elapsed();
    output.assert_code(0);
    output.assert_out("4 answers, 0 failures, 1 attempts were not the first");
    // Five attempts, fifty milliseconds apart. It may take longer, but not less.
    assert!(elapsed >= Duration::from_millis(200), "{elapsed:?}");
    let mut paths = seen.lock().unwrap().clone();
    paths.sort_unstable();
    let again = paths.iter().zip(&paths[1..]).filter(|(a, b)| a == b);
    assert_eq!((paths.len(), again.count()), (5, 1), "{paths:?}");
}

#[test]
fn a_server_that_is_not_there_is_tried_again() {
    let nobody = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{nobody}/");
    let output = run(&["--attempts", "2", &url]);
    output
        .assert_code(1)
        .assert_out(&format!("{url}: task 0: "));
    output.assert_out("failed after 2 attempts: ");
    output.assert_out("0 answers, 1 failures, 1 attempts were not the first");
}

#[test]
fn bad_arguments_are_named_together_with_what_is_allowed() {
    run(&["--rate", "fast"])
        .assert_code(2)
        .assert_err("fast")
        .assert_err("10/s");
    run(&["--attempts", "0"])
        .assert_code(2)
        .assert_err("--attempts");
    run(&["--help"])
        .assert_code(0)
        .assert_out("Usage: api_client ");
}
