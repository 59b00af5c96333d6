//! Faults: SIGINT at random moments of loops, scopes, iterators and handles. Each round is a process that sends itself the signal
//! when it has seen so many events, drawn by the round's number. `FUTUREPROOF_FAULTS_ROUNDS` is how many rounds there are to be.
#![cfg(target_os = "linux")]

mod python_kit;

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio, exit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futureproof::{
    ScopeError, StopCause, StopToken, Stopped, is_stopping, parallel_for, task_pool,
};
use python_kit::process;

const NAME: &str = "sigint_at_any_moment_ends_the_program_as_documented";
const SEED: &str = "FUTUREPROOF_FAULTS_SEED";
/// How the processes of the rounds end.
const STOPPED: i32 = 7;
const FINISHED: i32 = 8;
const KILLED: i32 = 130;

/// `SplitMix64` (Steele, Lea and Flood 2014).
fn random(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

static EVENTS: AtomicU64 = AtomicU64::new(0);
static FIRST: AtomicU64 = AtomicU64::new(u64::MAX);
/// Does what runs go on for ever once it has been told to stop, until the second signal?
static DEAF: AtomicU64 = AtomicU64::new(0);

/// Something happens: an item is pulled, a body runs, a result is read.
fn event() {
    let events = EVENTS.fetch_add(1, Ordering::Relaxed);
    if events == FIRST.load(Ordering::Relaxed) {
        process::signal("INT");
    }
    if DEAF.load(Ordering::Relaxed) > 0 && is_stopping() {
        // Once is enough.
        if DEAF.swap(2, Ordering::Relaxed) == 1 {
            process::signal("INT");
        }
        loop {
            thread::park();
        }
    }
}

/// So many items, of which few are run before the signal comes.
const ITEMS: u64 = 3000;

#[task_pool(workers = 3)]
fn task(n: u64) -> u64 {
    event();
    n
}

fn how(outcome: Result<impl Sized, Stopped>) -> i32 {
    match outcome {
        Ok(_) => FINISHED,
        Err(stopped) => {
            assert_eq!(stopped.cause(), StopCause::Token);
            STOPPED
        }
    }
}

/// What the process of a round does.
fn round(seed: u64) -> i32 {
    let stop = StopToken::on_ctrl_c().unwrap();
    FIRST.store(random(seed) % (2 * ITEMS), Ordering::Relaxed);
    DEAF.store(u64::from(seed.is_multiple_of(3)), Ordering::Relaxed);
    let lazy = || (0..ITEMS).inspect(|_| event());
    let scoped = |outcome: Result<(), ScopeError<_>>| match outcome {
        Err(ScopeError::Stopped(stopped)) => how(Err::<(), _>(stopped)),
        Ok(()) => FINISHED,
        Err(other) => panic!("{other:?}"),
    };
    match random(seed) / (2 * ITEMS) % 7 {
        0 => how(parallel_for!(
            workers = 3,
            stop = &stop,
            for _ in 0..2 * ITEMS {
                event();
            }
        )),
        1 => how(parallel_for!(
            workers = 3,
            stop = &stop,
            for _ in lazy() {
                event();
            }
        )),
        2 => how(parallel_for!(
            workers = 3,
            stop = &stop,
            for _ in futureproof::pull_here(lazy()) {
                event();
            }
        )),
        3 => scoped(task::configure().stop(&stop).scope(|tasks| {
            for n in 0..ITEMS {
                tasks.submit(n);
            }
            tasks.as_completed().for_each(|_| event());
        })),
        4 => scoped(task::configure().stop(&stop).scope(|tasks| {
            tasks.map(lazy());
        })),
        5 => {
            let results = task::configure().stop(&stop).map(lazy());
            match results.filter(Result::is_ok).count() as u64 {
                ITEMS => FINISHED,
                _ => STOPPED,
            }
        }
        _ => {
            let handles: Vec<_> = (0..ITEMS)
                .map(|n| task::configure().stop(&stop).submit(n))
                .collect();
            event();
            let ended = handles.into_iter().filter_map(|handle| handle.join().ok());
            match ended.inspect(|_| event()).count() as u64 {
                ITEMS => FINISHED,
                _ => STOPPED,
            }
        }
    }
}

#[test]
fn sigint_at_any_moment_ends_the_program_as_documented() {
    if let Ok(seed) = std::env::var(SEED) {
        exit(round(seed.parse().unwrap()));
    }
    // A signal that is handled here is at its default there; one that is ignored would be ignored there too.
    ctrlc::set_handler(|| exit(KILLED)).unwrap();
    let rounds = std::env::var("FUTUREPROOF_FAULTS_ROUNDS");
    let rounds: u64 = rounds.map_or(60, |rounds| rounds.parse().unwrap());
    let mut ends = [0; 3];
    for seed in 0..rounds {
        let output = Command::new("timeout")
            .args(["--foreground", "--signal=KILL", "120"])
            .arg(std::env::current_exe().unwrap())
            .args([NAME, "--exact", "--nocapture", "--test-threads=1"])
            .env(SEED, seed.to_string())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let status = output.status;
        let end = match status.code() {
            Some(STOPPED) => 0,
            Some(FINISHED) => 1,
            // The second signal.
            Some(KILLED) if seed.is_multiple_of(3) => 2,
            _ => panic!(
                "round {seed}: {status}, signal {:?}: {output:?}",
                status.signal()
            ),
        };
        ends[end] += 1;
    }
    let [stopped, finished, killed] = ends;
    println!(
        "seen: SIGINT in {rounds} rounds: {stopped} stopped, {finished} finished, {killed} killed by a second one"
    );
    assert!(stopped > 0 && killed > 0, "{ends:?}");
}
