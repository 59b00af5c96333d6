//! Runs scenarios under many schedules.
//!
//! | variable | |
//! |---|---|
//! | `FUTUREPROOF_SHUTTLE_SEED` | the first seed; 1 |
//! | `FUTUREPROOF_SHUTTLE_SEEDS` | how many seeds each scenario is run with, one after the other |
//! | `FUTUREPROOF_SHUTTLE_SECONDS` | as many seeds as can be run in that time |
//!
//! A seed says which variant of the scenario is run and under which schedules. When one fails, the seed is printed with the
//! command that runs it again, which takes the same way to the same failure. Shuttle prints the schedule beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use real::time::{Duration, Instant};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// How many schedules of each kind a seed stands for.
const SCHEDULES: usize = 8;
/// An execution of more steps than this goes round in circles.
const MOST_STEPS: usize = 2_000_000;
/// PCT is not fair: it may let one thread wait for another for ever, so it gives up, and earlier.
const MOST_STEPS_UNFAIR: usize = 50_000;
const SEED: &str = "FUTUREPROOF_SHUTTLE_SEED";
const SEEDS: &str = "FUTUREPROOF_SHUTTLE_SEEDS";
const SECONDS: &str = "FUTUREPROOF_SHUTTLE_SECONDS";

/// Says how to run a seed again, if it fails.
struct Named {
    name: String,
    seed: u64,
}

impl Drop for Named {
    fn drop(&mut self) {
        if real::thread::panicking() {
            let Self { name, seed } = self;
            eprintln!("{SEED}={seed} {SEEDS}=1 fails {name}");
        }
    }
}

/// Runs what `scenario` makes of each seed, under random schedules and under those with few preemptions.
pub(crate) fn explore<S>(name: &str, seeds: u64, scenario: impl Fn(u64) -> Option<S>)
where
    S: Fn() + Send + Sync + 'static,
{
    let first = number(SEED).unwrap_or(1);
    let most = number(SEEDS).unwrap_or(seeds);
    let seconds = number(SECONDS).map(Duration::from_secs);
    let begun = Instant::now();
    let (mut ran, mut schedules) = (0, 0);
    let seen = Arc::new(Seen::default());
    for seed in first.. {
        let goes_on = match seconds {
            Some(limit) => begun.elapsed() < limit,
            None => seed - first < most,
        };
        if !goes_on {
            break;
        }
        let Some(run) = scenario(seed) else { continue };
        let _named = Named {
            name: name.to_owned(),
            seed,
        };
        let run = Arc::new(run);
        let depth = 1 + (seed % 4) as usize;
        let random = RandomScheduler::new_from_seed(seed, SCHEDULES);
        let pct = PctScheduler::new_from_seed(seed, depth, SCHEDULES);
        schedules += check(random, MaxSteps::FailAfter(MOST_STEPS), &seen, seed, &run)
            + check(
                pct,
                MaxSteps::ContinueAfter(MOST_STEPS_UNFAIR),
                &seen,
                seed,
                &run,
            );
        ran += 1;
    }
    let (ended, steps) = (seen.ended.load(Relaxed), seen.steps.load(Relaxed));
    let given_up = schedules - ended;
    println!(
        "seen: {name}: {ran} scenarios, {schedules} schedules, {given_up} of them given up, {steps} steps"
    );
}

/// What executions did that came to their end.
#[derive(Default)]
struct Seen {
    ended: AtomicUsize,
    steps: AtomicUsize,
}

fn check<S>(
    scheduler: impl Scheduler + 'static,
    most: MaxSteps,
    seen: &Arc<Seen>,
    seed: u64,
    run: &Arc<S>,
) -> usize
where
    S: Fn() + Send + Sync + 'static,
{
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.max_steps = most;
    config.failure_persistence = FailurePersistence::Print;
    config.silence_warnings = true;
    let (seen, run) = (seen.clone(), run.clone());
    Runner::new(scheduler, config).run(move || {
        // The jitter of retries.
        fastrand::seed(seed);
        // The scheduler insists on something to choose from, and not all loops are parallel.
        let other = shuttle::thread::spawn(shuttle::thread::yield_now);
        shuttle::thread::yield_now();
        let _ = other.join();
        run();
        seen.ended.fetch_add(1, Relaxed);
        (seen.steps).fetch_add(shuttle::current::context_switches(), Relaxed);
    })
}

fn number(variable: &str) -> Option<u64> {
    let value = real::env::var(variable).ok()?;
    let wrong = |_| panic!("{variable} must be a number, but it is {value:?}");
    Some(value.parse().unwrap_or_else(wrong))
}
