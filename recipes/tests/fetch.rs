//! The recipe fetch: what comes of each URL, in order, and how the program ends, after ^C too.

mod common;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;

use common::{Output, feed, finish, recipe, start};
use futureproof_recipes::server::{Answer, serve};

const BIN: &str = env!("CARGO_BIN_EXE_fetch");

fn run(args: &[&str]) -> Output {
    common::run(BIN, args)
}

#[test]
fn a_thousand_urls_are_fetched_but_for_ten_dead_ones() {
    for (policy, errors) in [("log", 10), ("ignore", 0)] {
        let output = run(&["--error-policy", policy]);
        let lines = output.assert_code(1).lines();
        assert_eq!(lines.len(), 1001);
        for (page, line) in lines[..1000].iter().enumerate() {
            let end = match page % 100 {
                42 => format!("/page/{page}: failed"),
                _ => format!("/page/{page}: {} bytes", 1000 + page),
            };
            assert!(line.ends_with(&end), "{line}");
        }
        assert_eq!(lines[1000], "990 fetched, 10 failed, 0 not fetched");
        assert_eq!(output.errors().len(), errors, "{}", output.stderr);
    }
}

#[test]
fn under_raise_it_ends_at_the_first_dead_one() {
    let output = run(&["--error-policy", "raise"]);
    let lines = output.assert_code(1).assert_err("error: http://").lines();
    output.assert_err("/page/42: http status: 404");
    for (page, line) in lines[..1000].iter().enumerate() {
        let end = match page {
            0..42 => format!("/page/{page}: {} bytes", 1000 + page),
            42 => format!("/page/{page}: failed"),
            _ => format!("/page/{page}: not fetched"),
        };
        assert!(line.ends_with(&end), "{line}");
    }
    assert_eq!(lines[1000..], ["42 fetched, 1 failed, 957 not fetched"]);
}

#[test]
fn urls_come_from_the_arguments_or_from_stdin_and_the_status_says_whether_all_is_well() {
    let address = serve(|path| match path {
        "/missing" => Answer::new("404 Not Found", "no"),
        path => Answer::new("200 OK", path),
    })
    .unwrap();
    let (one, two) = (format!("{address}/one"), format!("{address}/three"));
    let expected = format!("{one}: 4 bytes\n{two}: 6 bytes\n2 fetched, 0 failed, 0 not fetched\n");
    let output = run(&[&one, &two]);
    assert_eq!(output.assert_code(0).stdout, expected);
    let quiet = run(&["--quiet", &one, &two]);
    assert_eq!(
        quiet.assert_code(0).lines(),
        ["2 fetched, 0 failed, 0 not fetched"]
    );

    let child = start(recipe(BIN).arg("-").stdin(Stdio::piped()));
    let output = feed(child, format!("{one}\n{two}\n"));
    assert_eq!(output.assert_code(0).stdout, expected);

    let missing = format!("{address}/missing");
    let output = run(&[&one, &missing, "nonsense"]);
    output
        .assert_code(1)
        .assert_out("1 fetched, 2 failed, 0 not fetched");
    assert_eq!(output.errors().len(), 2, "{}", output.stderr);
}

#[test]
fn bad_arguments_end_with_another_status() {
    run(&["--error-policy", "x"])
        .assert_code(2)
        .assert_err(r#"it must be "raise", "log" or "ignore""#);
    run(&["--workers", "0"])
        .assert_code(2)
        .assert_err("--workers");
    run(&["--help"]).assert_code(0).assert_out("Usage: fetch ");
}

/// A server that answers four requests, and then none until it may.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    asked: Vec<String>,
    open: bool,
}

impl Gate {
    fn serve() -> (Arc<Self>, String) {
        let gate = Arc::new(Self::default());
        let here = Arc::clone(&gate);
        let address = serve(move |path| {
            let mut state = here.state.lock().unwrap();
            state.asked.push(path.to_owned());
            here.changed.notify_all();
            if state.asked.len() > 4 {
                drop(here.changed.wait_while(state, |state| !state.open).unwrap());
            }
            Answer::new("200 OK", "page")
        });
        (gate, address.unwrap())
    }

    fn wait_for_requests(&self, count: usize) {
        let state = self.state.lock().unwrap();
        let (_state, waited) = self
            .changed
            .wait_timeout_while(state, common::GUARD, |state| state.asked.len() < count)
            .unwrap();
        assert!(!waited.timed_out(), "the requests do not come");
    }
}

#[test]
#[cfg(unix)]
fn the_first_interrupt_finishes_what_is_under_way_and_says_what_was_not_fetched() {
    let (gate, address) = Gate::serve();
    let urls: Vec<_> = (0..2000).map(|page| format!("{address}/{page}")).collect();
    let mut child = start(
        recipe(BIN)
            .args(["--workers", "4", "-"])
            .stdin(Stdio::piped()),
    );
    let pid = child.id();
    let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let (sender, said) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in stderr.lines() {
            let line = line.expect("recipes write UTF-8");
            // The test may have heard what it wants to hear.
            _ = sender.send(line);
        }
    });
    let list = urls.join("\n");
    let feeder = thread::spawn(move || feed(child, list));
    gate.wait_for_requests(8); // four are answered, four are under way
    common::interrupt(pid);
    let heard = said.recv_timeout(common::GUARD).expect("it says something");
    assert!(heard.starts_with("finishing what is under way"), "{heard}");
    gate.state.lock().unwrap().open = true;
    gate.changed.notify_all();
    let output = feeder.join().unwrap();
    output.assert_code(130);
    reader.join().unwrap();

    let lines = output.lines();
    assert_eq!(lines.len(), urls.len() + 1);
    let asked: HashSet<_> = std::mem::take(&mut gate.state.lock().unwrap().asked)
        .into_iter()
        .collect();
    let mut fetched = 0;
    for (page, (url, line)) in urls.iter().zip(&lines).enumerate() {
        // Who was asked for was also waited for.
        if asked.contains(&format!("/{page}")) {
            fetched += 1;
            assert_eq!(*line, format!("{url}: 4 bytes"));
        } else {
            assert_eq!(*line, format!("{url}: not fetched"));
        }
    }
    let left = urls.len() - fetched;
    assert_eq!(fetched, 8, "nothing starts once it has said so");
    assert_eq!(
        lines[urls.len()],
        format!("{fetched} fetched, 0 failed, {left} not fetched")
    );
    let last = said.try_iter().last();
    assert!(last.is_some_and(|line| line.starts_with("stopped by its token")));
}

#[test]
#[cfg(unix)]
fn the_second_interrupt_ends_the_program_at_once() {
    let (gate, address) = Gate::serve();
    let urls: Vec<_> = (0..100).map(|page| format!("{address}/{page}")).collect();
    let mut command = recipe(BIN);
    let mut child = start(
        command
            .args(["--workers", "4", "--timeout", "100000"])
            .args(&urls),
    );
    gate.wait_for_requests(8);
    // Two signals at once may arrive as one.
    common::wait_for("the end", || {
        common::interrupt(child.id());
        child.try_wait().unwrap()
    });
    let output = finish(child);
    output.assert_code(130);
    assert_eq!(output.stdout, "", "it had no time to say anything");
}

#[test]
#[cfg(target_os = "linux")]
fn on_a_terminal_there_is_a_progress_bar_that_log_lines_leave_in_one_piece() {
    let mut script = Command::new("script");
    if script.arg("--version").output().is_err() {
        eprintln!("not tested: there is no `script`, which runs a command in a pseudo terminal");
        return;
    }
    let mut command = recipe("script");
    let command = command
        .args(["-qefc", BIN, "/dev/null"])
        .env("TERM", "xterm");
    let output = finish(start(command));
    output.assert_code(1);
    for part in [
        "fetch  ",
        "━╸",
        "/1000",
        "failed",
        "990 fetched, 10 failed, 0 not fetched",
    ] {
        output.assert_out(part);
    }
}
