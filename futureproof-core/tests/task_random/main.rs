//! Random programs of pools, scopes, result iterators and handles: every accepted task has exactly one end, every handle
//! and iterator resolves, and no more runs or is pulled than may, whatever the tasks, the inputs and the owners do.
//!
//! Programs are drawn from seeds and run in a child process. When one fails, hangs or aborts, its seed is printed, and then the smallest
//! program that still does, with the command that runs it again.
//!
//! | variable | |
//! |---|---|
//! | `FUTUREPROOF_STRESS_SEED` | the first seed |
//! | `FUTUREPROOF_STRESS_ROUNDS` | how many programs, one seed after the other |
//! | `FUTUREPROOF_STRESS_SECONDS` | as many programs as can be run in that time |
//! | `FUTUREPROOF_STRESS_PROGRAM` | this program, again and again, in this process |
//! | `FUTUREPROOF_STRESS_GUARD` | after so many seconds a program hangs; 60 |
//! | `FUTUREPROOF_STRESS_SHRINK` | for so many seconds a program is made smaller; 180 |

mod child;
mod choices;
mod draw;
mod ends;
mod handles;
mod job;
#[path = "../kit/mod.rs"]
mod kit;
mod listen;
mod pools;
mod program;
mod run;
mod scope;
mod settings;
mod shrink;
mod source;
mod stream;
mod world;

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::choices::{Choices, from_word};
use crate::program::{Deed, Kind, Program};
use crate::settings::{PROGRAM, SEED, Settings};
use crate::world::World;

/// The name of the test that runs programs.
const TEST: &str = "random_programs_end_every_task_once";
/// So many programs are run with fixed seeds, and so many with random ones.
const FIXED: u64 = 300;
const RANDOM: u64 = 100;

#[test]
fn random_programs_end_every_task_once() {
    let settings = Settings::new();
    if let Some(word) = &settings.program {
        let choices = from_word(word).expect("a program is numbers with dots between them");
        let program = Program::draw(&mut Choices::again(&choices));
        run_all(&settings, |_| program.clone(), "again");
    } else if settings.is_child {
        run_all(
            &settings,
            |seed| Program::draw(&mut Choices::random(seed)),
            "at",
        );
    } else if settings.seed.is_some() || settings.rounds.is_some() || settings.seconds.is_some() {
        let seed = settings.seed.unwrap_or_else(any_seed);
        println!("{SEED}={seed}");
        let one = u64::from(settings.seed.is_some() && settings.seconds.is_none());
        child::run_seeds(&settings, seed, settings.rounds.unwrap_or(one));
    } else {
        child::run_seeds(&settings, 1, FIXED);
        let seed = any_seed();
        println!("{SEED}={seed}");
        child::run_seeds(&settings, seed, RANDOM);
    }
}

fn any_seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970");
    now.as_millis() as u64
}

/// The program that runs, since when, and its world: for the watchdog.
type Current = Mutex<Option<(Instant, String, Arc<World>)>>;

/// Runs programs, as many as the settings say.
fn run_all(settings: &Settings, program: impl Fn(u64) -> Program, word: &str) {
    listen::begin();
    let current: Arc<Current> = Arc::default();
    let (watched, guard) = (current.clone(), settings.guard);
    std::thread::spawn(move || watch(&watched, guard));
    let begun = Instant::now();
    let first = settings.seed.unwrap_or(1);
    let (mut rounds, mut tasks) = (0, 0);
    let goes_on = |rounds| match (settings.seconds, settings.rounds) {
        (Some(seconds), _) => begun.elapsed().as_secs_f64() < seconds,
        (None, most) => rounds < most.unwrap_or(100),
    };
    while goes_on(rounds) {
        let seed = first + rounds;
        println!("{word} {seed}");
        let program = program(seed);
        let (world, pools) = run::begin(&program);
        let shown = format!("{program:?}");
        *current.lock().unwrap() = Some((Instant::now(), shown, world.clone()));
        let (count, faults) = run::finish(&program, &world, pools);
        *current.lock().unwrap() = None;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        rounds += 1;
        tasks += count;
    }
    println!(
        "{rounds} programs, {tasks} tasks in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

/// Ends the process when a program hangs.
fn watch(current: &Current, guard: Duration) {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((begun, program, world)) = &*current
            && begun.elapsed() > guard
        {
            // Past the test harness, which would keep it to itself when the process aborts.
            let mut error = std::io::stderr();
            let _ = writeln!(
                error,
                "it hangs in {program}; {}",
                world.faults().join("; ")
            );
            for site in world.sites() {
                let _ = writeln!(error, "{site:?}");
            }
            std::process::abort();
        }
    }
}

#[test]
fn the_same_choices_make_the_same_program() {
    for seed in 0..200 {
        let mut choices = Choices::random(seed);
        let program = Program::draw(&mut choices);
        let (choices, _) = choices.into_made();
        let choices = from_word(&choices::to_word(&choices)).unwrap();
        let again = Program::draw(&mut Choices::again(&choices));
        assert_eq!(
            format!("{program:?}"),
            format!("{again:?}"),
            "{PROGRAM}={choices:?}"
        );
    }
}

#[test]
fn a_program_that_fails_is_shrunk_to_what_makes_it_fail() {
    let guilty = |choices: &[u32]| {
        let program = Program::draw(&mut Choices::again(choices));
        let text = format!("{program:?}");
        text.contains("deed: PanicTwice") && text.contains("Stop")
    };
    let made = |seed| {
        let mut choices = Choices::random(seed);
        Program::draw(&mut choices);
        choices.into_made().0
    };
    let choices = (0..).map(made).find(|choices| guilty(choices)).unwrap();
    let smallest = shrink::smallest(&choices, guilty, || true);
    let program = Program::draw(&mut Choices::again(&smallest));
    let [section] = &program.owners.concat()[..] else {
        panic!("{program:#?}")
    };
    let Kind::Scope { ops, .. } = &section.kind else {
        panic!("{program:#?}")
    };
    assert!(ops.len() <= 2, "{program:#?}");
    let deeds = format!("{ops:?}")
        .matches(&format!("{:?}", Deed::PanicTwice))
        .count();
    assert_eq!(deeds, 1, "{program:#?}");
}
