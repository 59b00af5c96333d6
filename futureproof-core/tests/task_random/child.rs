//! Runs programs in a child process, which may hang, abort and fail as it likes, and shrinks one that does.

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::choices::{Choices, to_word};
use crate::program::Program;
use crate::settings::{CHILD, GUARD, PROGRAM, ROUNDS, SECONDS, SEED, SHRINK, Settings};
use crate::shrink::smallest;

/// No program that is made smaller is given longer than this to hang.
const LONGEST_GUARD: u64 = 5;

/// How a child ended.
struct Ending {
    failed: bool,
    /// The seed it was at.
    seed: Option<u64>,
    /// What it said after that.
    text: String,
}

/// Runs this test in a child process with these settings and no others.
fn child(settings: &[(&str, String)]) -> Ending {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", crate::TEST, "--nocapture", "--test-threads=1"]);
    for name in [CHILD, GUARD, PROGRAM, ROUNDS, SECONDS, SEED, SHRINK] {
        command.env_remove(name);
    }
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command.env("RUST_BACKTRACE", "0");
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut running = command.spawn().unwrap();
    // It holds ends of the pipe, which would never end.
    drop(command);
    let (mut seed, mut text) = (None, String::new());
    for line in BufReader::new(reader).lines() {
        let line = line.unwrap_or_else(|error| error.to_string());
        if let Some(at) = line.strip_prefix("at ").and_then(|seed| seed.parse().ok()) {
            seed = Some(at);
            text.clear();
        } else if text.len() < 20_000 && !is_noise(&line) {
            text += &line;
            text.push('\n');
        }
    }
    let failed = !running.wait().unwrap().success();
    Ending { failed, seed, text }
}

/// What the test harness of the child adds.
fn is_noise(line: &str) -> bool {
    const NOISE: [&str; 7] = [
        "running ",
        "test ",
        "again ",
        "failures:",
        "    random_",
        "FAILED",
        "note: run with",
    ];
    line.is_empty() || NOISE.iter().any(|noise| line.starts_with(noise))
}

/// Runs programs from the seed on; panics with the smallest one that fails, if one does.
pub(crate) fn run_seeds(settings: &Settings, seed: u64, rounds: u64) {
    let seconds = settings.seconds.map(|seconds| seconds.to_string());
    let ending = child(&[
        (CHILD, "1".into()),
        (SEED, seed.to_string()),
        (ROUNDS, rounds.to_string()),
        (SECONDS, seconds.unwrap_or_default()),
        (GUARD, settings.guard.as_secs().to_string()),
    ]);
    if !ending.failed {
        let mut lines = ending.text.lines();
        let counts = lines.find(|line| line.contains(" programs, "));
        println!("{}", counts.expect("a child says what it did"));
        return;
    }
    let failed = ending.seed.unwrap_or(seed);
    // At once: a user may not want to wait for the rest.
    eprintln!("{SEED}={failed} fails: {}", ending.text);
    let mut choices = Choices::random(failed);
    let program = Program::draw(&mut choices);
    let (choices, _) = choices.into_made();
    let shrunk = shrunk(settings, &program, &choices);
    panic!("{SEED}={failed} fails; {shrunk}");
}

/// The smallest program that fails like the given one, as text.
fn shrunk(settings: &Settings, program: &Program, choices: &[u32]) -> String {
    let guard = settings.guard.as_secs().min(LONGEST_GUARD).to_string();
    let runs = |choices: &[u32], limit: Duration| {
        child(&[
            (PROGRAM, to_word(choices)),
            (SECONDS, limit.as_secs_f64().to_string()),
            (GUARD, guard.clone()),
        ])
    };
    let command = |choices: &[u32]| {
        let word = to_word(choices);
        let test = env!("CARGO_CRATE_NAME");
        format!(
            "{PROGRAM}={word} cargo test -p futureproof-core --test {test} {}",
            crate::TEST
        )
    };
    let begun = Instant::now();
    let mut last = runs(choices, Duration::from_secs(30));
    if !last.failed {
        let command = command(choices);
        return format!(
            "it did not fail again in 30 s, so it is as it was:\n{program:#?}\n{command}"
        );
    }
    // A race may need more luck in a smaller program.
    let limit = begun.elapsed() * 5;
    let limit = limit.clamp(Duration::from_millis(300), Duration::from_secs(15));
    let mut count = 0;
    let fails = |choices: &[u32]| {
        count += 1;
        let ending = runs(choices, limit);
        let failed = ending.failed;
        if failed {
            last = ending;
        }
        failed
    };
    let smallest = smallest(choices, fails, || begun.elapsed() < settings.shrink);
    let program = Program::draw(&mut Choices::again(&smallest));
    let (text, command) = (last.text, command(&smallest));
    format!("made smaller in {count} runs:\n{program:#?}\n{text}\n{command}")
}
