//! Loops in the macro's own words against the plain `for` of the same words, over data that seeds make.
//!
//! | variable | |
//! |---|---|
//! | `FUTUREPROOF_STRESS_SEED` | the first seed |
//! | `FUTUREPROOF_STRESS_ROUNDS` | how many trials, one seed after the other |
//! | `FUTUREPROOF_STRESS_SECONDS` | as many trials as can be run in that time |
//! | `FUTUREPROOF_STRESS_PROGRAM` | this trial, a thousand times |

mod bodies;
mod compare;
mod seen;
mod trial;
#[path = "../twins/mod.rs"]
#[allow(dead_code, unused_macros, unused_imports)]
mod twins;

use std::io::Write as _;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trial::Trial;

const PROGRAM: &str = "FUTUREPROOF_STRESS_PROGRAM";
const SEED: &str = "FUTUREPROOF_STRESS_SEED";
/// So many trials are run with fixed seeds, and so many with random ones.
const FIXED: u64 = 400;
const RANDOM: u64 = 100;
/// So often a trial is run again, at most, until it fails again.
const AGAIN: usize = 500;
/// So long a trial is made smaller at most.
const SHRINK: Duration = Duration::from_secs(60);
/// A trial that takes longer hangs.
const GUARD: Duration = Duration::from_secs(120);

/// The trial that runs, and since when: for the watchdog.
static CURRENT: Mutex<Option<(Instant, Arc<Trial>)>> = Mutex::new(None);

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} must be a number, but it is {text:?}")))
}

/// How to run a trial again.
fn command(trial: &Trial) -> String {
    format!(
        "{PROGRAM}={} cargo test --test loop_oracle",
        trial.to_word()
    )
}

/// Runs all loops of a trial.
fn fault(trial: &Trial) -> Option<String> {
    let watched = Some((Instant::now(), Arc::new(trial.clone())));
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = watched;
    let checked = catch_unwind(|| compare::check(trial));
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    match checked {
        Ok(checked) => checked.err(),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            Some(format!("a panic: {}", text.unwrap_or_default()))
        }
    }
}

/// Ends the process when a trial hangs.
fn watch() {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((begun, trial)) = &*current
            && begun.elapsed() > GUARD
        {
            // Past the test harness, which would keep it to itself when the process aborts.
            let _ = writeln!(std::io::stderr(), "it hangs: {}\n{trial:?}", command(trial));
            std::process::abort();
        }
    }
}

/// The smallest trial that fails, of those that a simple search finds.
fn shrunk(trial: Trial, fault: impl Fn(&Trial) -> Option<String>) -> Trial {
    let begun = Instant::now();
    let mut smallest = trial;
    loop {
        let before = smallest.clone();
        let mut at = 0;
        while let Some(smaller) = smallest.smaller().into_iter().nth(at) {
            if begun.elapsed() > SHRINK {
                return smallest;
            }
            if fault(&smaller).is_some() {
                smallest = smaller;
            } else {
                at += 1;
            }
        }
        if smallest == before {
            return smallest;
        }
    }
}

/// Runs a trial, and makes it smaller if it fails.
fn run(seed: u64) {
    let trial = Trial::random(seed);
    let Some(first) = fault(&trial) else { return };
    // At once: a user may not want to wait for the rest.
    let _ = writeln!(std::io::stderr(), "{SEED}={seed} fails: {first}");
    let within = |trial: &Trial, most| (0..most).position(|_| fault(trial).is_some());
    // A race may need more luck in a smaller trial.
    let again = within(&trial, AGAIN).map_or(AGAIN, |before| (before + 1) * 10);
    let often = |trial: &Trial| (0..again).find_map(|_| fault(trial));
    let trial = shrunk(trial, often);
    let fault = often(&trial).unwrap_or(first);
    panic!(
        "{SEED}={seed} fails; made smaller:\n{trial:?}\n{fault}\n{}",
        command(&trial)
    );
}

#[test]
fn loops_do_what_plain_loops_do() {
    if !cfg!(miri) {
        std::thread::spawn(watch);
    }
    if let Ok(word) = std::env::var(PROGRAM)
        && !word.is_empty()
    {
        let trial = Trial::from_word(&word).expect("a trial is numbers with dots between them");
        (0..1000).for_each(|_| assert_eq!(fault(&trial), None));
        return;
    }
    let begun = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let any_seed = now.as_millis() as u64;
    let (rounds, seconds) = (
        number("FUTUREPROOF_STRESS_ROUNDS"),
        number("FUTUREPROOF_STRESS_SECONDS"),
    );
    let mut trials = 0;
    let mut run_from = |seed: u64, goes_on: &dyn Fn(u64) -> bool| {
        println!("{SEED}={seed}");
        for count in (0..).take_while(|&count| goes_on(count)) {
            run(seed + count);
            trials += 1;
        }
    };
    let seed = number(SEED);
    if let Some(seconds) = seconds {
        let seconds = Duration::from_secs(seconds);
        run_from(seed.unwrap_or(any_seed), &|_| begun.elapsed() < seconds);
    } else if seed.is_some() || rounds.is_some() || cfg!(miri) {
        run_from(seed.unwrap_or(1), &|count| count < rounds.unwrap_or(1));
    } else {
        run_from(1, &|count| count < FIXED);
        run_from(any_seed, &|count| count < RANDOM);
    }
    println!("{trials} trials in {:.1} s", begun.elapsed().as_secs_f64());
}

#[test]
fn a_trial_can_be_written_down_and_made_smaller() {
    use trial::Act;
    let guilty = |trial: &Trial| {
        let has = |act| trial.acts.contains(&act);
        (has(Act::Panic) && has(Act::Stop)).then(String::new)
    };
    for seed in 0..300 {
        let trial = Trial::random(seed);
        assert_eq!(
            Trial::from_word(&trial.to_word()).as_ref(),
            Some(&trial),
            "{seed}"
        );
        if guilty(&trial).is_some() {
            let mut smallest = shrunk(trial, guilty);
            smallest.acts.sort();
            assert_eq!(smallest.acts, [Act::Panic, Act::Stop]);
        }
    }
}
