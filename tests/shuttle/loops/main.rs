//! The random programs of `tests/loop_random`, smaller, under the schedules of shuttle: every lock, wait, wake and atomic access
//! of the crate is a point at which the scheduler chooses who goes on.
//!
//! Run with `cargo test --manifest-path tests/shuttle/Cargo.toml --test shuttle_loops`;
//! `../kit/explore.rs` has the variables, and how to run a failure again.
#![allow(dead_code, reason = "shrinking is of no use here")]

// What the programs are made of uses the standard library by its name: here it is this crate, with what shuttle has to know
// of replaced.
extern crate self as std;
extern crate std as real;

pub(crate) use real::*;

#[path = "../../../futureproof-core/tests/loop_random/check.rs"]
mod check;
#[path = "../../../futureproof-core/tests/task_random/choices.rs"]
mod choices;
#[path = "../../../futureproof-core/tests/loop_random/draw.rs"]
mod draw;
#[path = "../kit/explore.rs"]
mod explore;
#[path = "../../../futureproof-core/tests/kit/mod.rs"]
mod kit;
#[path = "../kit/panic.rs"]
mod panic;
#[path = "../../../futureproof-core/tests/loop_random/program.rs"]
mod program;
#[path = "../../../futureproof-core/tests/loop_random/run.rs"]
mod run;
#[path = "../../../futureproof-core/tests/loop_random/sequence.rs"]
mod sequence;
#[path = "../../../futureproof-core/tests/loop_random/source.rs"]
mod source;
#[path = "../kit/sync.rs"]
mod sync;
#[path = "../kit/thread.rs"]
mod thread;
#[path = "../kit/time.rs"]
mod time;
#[path = "../../../futureproof-core/tests/loop_random/values.rs"]
mod values;
#[path = "../../../futureproof-core/tests/loop_random/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use futureproof_core::__shuttle::running;
use futureproof_core::TaskPool;

use crate::choices::Choices;
use crate::explore::explore;
use crate::program::Program;
use crate::world::Trial;

/// Programs of more items than this are left out.
const ITEMS: usize = 30;

/// Is there a loop on the global pool? It would go on into the next execution.
fn is_global(program: &Program, pools: usize) -> bool {
    program.pool >= pools || (program.inner.iter()).any(|inner| is_global(inner, pools))
}

/// Runs a program with its pools; returns what was wrong. What never ends is seen by shuttle.
fn run_one(program: &Program) -> Vec<String> {
    let pools = program.pools.iter().enumerate();
    let trial = Trial {
        limits: program.pools.clone(),
        pools: pools
            .map(|(at, &limit)| {
                TaskPool::builder()
                    .workers(limit)
                    .name(at.to_string())
                    .build()
            })
            .collect(),
        faults: Mutex::default(),
        bodies: AtomicUsize::new(0),
    };
    run::run(&trial, program);
    drop(trial.pools);
    let mut faults = mem::take(&mut *trial.faults.lock().unwrap());
    if running() > 0 {
        faults.push("a thread is left".into());
    }
    faults
}

#[test]
fn random_programs_do_what_the_sequential_loops_do_under_every_schedule() {
    explore("random programs of loops", 3000, |seed| {
        let program = Program::draw(&mut Choices::random(seed));
        let fits = program.count <= ITEMS && !is_global(&program, program.pools.len());
        fits.then(|| {
            move || {
                let faults = run_one(&program);
                assert!(faults.is_empty(), "{}", faults.join("\n"));
            }
        })
    });
}
