//! Random programs of loops against a sequential interpretation of them: every kind of source, exits of every kind, bodies
//! and sources that wait for one another, sources that lie and panic, stops, reduced variables, values for each worker,
//! and loops in bodies, in `next()` and beside, three deep, on the same and other pools.
//!
//! Programs are drawn from seeds and run in a child process. When one fails, hangs or aborts, its seed is printed, and then
//! the smallest program that still does, with the command that runs it again.
//!
//! | variable | |
//! |---|---|
//! | `FUTUREPROOF_STRESS_SEED` | the first seed |
//! | `FUTUREPROOF_STRESS_ROUNDS` | how many programs, one seed after the other |
//! | `FUTUREPROOF_STRESS_SECONDS` | as many programs as can be run in that time |
//! | `FUTUREPROOF_STRESS_PROGRAM` | this program, again and again, in this process |
//! | `FUTUREPROOF_STRESS_GUARD` | after so many seconds a program hangs; 60 |
//! | `FUTUREPROOF_STRESS_SHRINK` | for so many seconds a program is made smaller; 180 |

mod check;
#[path = "../task_random/child.rs"]
mod child;
#[path = "../task_random/choices.rs"]
mod choices;
mod draw;
#[path = "../kit/mod.rs"]
mod kit;
mod program;
mod run;
mod sequence;
#[path = "../task_random/settings.rs"]
mod settings;
#[path = "../task_random/shrink.rs"]
mod shrink;
mod source;
mod values;
mod world;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futureproof_core::TaskPool;

use crate::choices::{Choices, from_word};
use crate::program::{Deed, Program};
use crate::settings::{PROGRAM, SEED, Settings};
use crate::world::Trial;

/// The name of the test that runs programs.
const TEST: &str = "random_programs_do_what_the_sequential_loops_do";
/// So many programs are run with fixed seeds, and so many with random ones.
const FIXED: u64 = 4000;
const RANDOM: u64 = 1000;

#[test]
fn random_programs_do_what_the_sequential_loops_do() {
    let settings = Settings::new();
    let drawn = |seed| Program::draw(&mut Choices::random(seed));
    if let Some(word) = &settings.program {
        let choices = from_word(word).expect("a program is numbers with dots between them");
        let program = Program::draw(&mut Choices::again(&choices));
        run_all(&settings, |_| program.clone(), "again");
    } else if settings.is_child || cfg!(miri) {
        // Miri starts no processes.
        run_all(&settings, drawn, "at");
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

/// The program that runs, and since when: for the watchdog.
type Current = Mutex<Option<(Instant, Arc<Program>)>>;

/// Runs programs, as many as the settings say.
fn run_all(settings: &Settings, program: impl Fn(u64) -> Program, word: &str) {
    let current: Arc<Current> = Arc::default();
    let (watched, guard) = (current.clone(), settings.guard);
    if !cfg!(miri) {
        std::thread::spawn(move || watch(&watched, guard));
    }
    let begun = Instant::now();
    let first = settings.seed.unwrap_or(1);
    let (mut rounds, mut bodies) = (0, 0);
    let goes_on = |rounds| match (settings.seconds, settings.rounds) {
        (Some(seconds), _) => begun.elapsed().as_secs_f64() < seconds,
        (None, most) => rounds < most.unwrap_or(if cfg!(miri) { 10 } else { 100 }),
    };
    while goes_on(rounds) {
        let seed = first + rounds;
        println!("{word} {seed}");
        let program = Arc::new(program(seed));
        *current.lock().unwrap() = Some((Instant::now(), program.clone()));
        let (count, faults) = run_one(&program);
        *current.lock().unwrap() = None;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        rounds += 1;
        bodies += count;
    }
    println!(
        "{rounds} programs, {bodies} items in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

/// Runs a program with its pools; returns how many bodies were run, and what was wrong.
fn run_one(program: &Program) -> (usize, Vec<String>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    // Short, as Linux keeps 15 bytes of a thread's name.
    let name = format!("o{:x}.", NUMBER.fetch_add(1, Ordering::Relaxed));
    let pool = |(at, &limit): (usize, &usize)| {
        let builder = TaskPool::builder().workers(limit);
        builder.name(format!("{name}{at}")).build()
    };
    let trial = Trial {
        limits: program.pools.clone(),
        pools: program.pools.iter().enumerate().map(pool).collect(),
        faults: Mutex::default(),
        bodies: AtomicUsize::new(0),
    };
    std::thread::scope(|threads| {
        if let Some(beside) = &program.beside {
            threads.spawn(|| run::run(&trial, beside));
        }
        run::run(&trial, program);
    });
    let has_threads = trial.pools.iter().any(|pool| pool.threads() > 0);
    drop(trial.pools);
    // They are joined by now, but the system may show them a moment longer; the watchdog sees when it is for ever.
    while has_threads && is_thread_left(&name) {
        std::thread::yield_now();
    }
    (
        trial.bodies.into_inner(),
        trial.faults.into_inner().unwrap(),
    )
}

/// Is there a thread whose name begins like this?
fn is_thread_left(name: &str) -> bool {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        // Not on this system.
        return false;
    };
    threads.flatten().any(|thread| {
        let its_name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        its_name.starts_with(name)
    })
}

/// Ends the process when a program hangs.
fn watch(current: &Current, guard: Duration) {
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((begun, program)) = &*current
            && begun.elapsed() > guard
        {
            // Past the test harness, which would keep it to itself when the process aborts.
            let _ = writeln!(
                std::io::stderr(),
                "it hangs, or leaves a thread: {program:?}"
            );
            std::process::abort();
        }
    }
}

#[test]
fn the_same_choices_make_the_same_program() {
    for seed in 0..500 {
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
fn every_kind_of_deed_is_drawn_often_and_shrinks_to_itself() {
    let is_later = |deed: &Deed| matches!(deed, Deed::WaitForLater(_));
    let guilty = |choices: &[u32]| {
        let program = Program::draw(&mut Choices::again(choices));
        program.has_deed(is_later)
    };
    let made = |seed| {
        let mut choices = Choices::random(seed);
        Program::draw(&mut choices);
        choices.into_made().0
    };
    // The rarest: it takes enough workers, and nothing else that blocks.
    let mut found = (0..2000).map(made).filter(|choices| guilty(choices));
    let choices = found.next().expect("one waits for a later item");
    assert!(found.count() >= 20, "more than a few do");
    let smallest = shrink::smallest(&choices, guilty, || true);
    let program = Program::draw(&mut Choices::again(&smallest));
    assert_eq!(program.deeds.len(), 1, "{program:#?}");
    assert_eq!(program.count, 2, "{program:#?}");
}
