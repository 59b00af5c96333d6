//! The random programs of `tests/task_random`, smaller, under the schedules of shuttle: every lock, wait, wake and atomic access
//! of the crate is a point at which the scheduler chooses who goes on, and time passes when it feels like it.
//!
//! Run with `RUSTFLAGS="--cfg shuttle" cargo test --release -p futureproof-core --test shuttle_tasks --target-dir target/shuttle`;
//! `explore.rs` has the variables, and how to run a failure again.
#![cfg(shuttle)]
#![allow(dead_code, reason = "shrinking and monitors are of no use here")]

// What the programs are made of uses the standard library by its name: here it is this crate, with what shuttle has to know
// of replaced.
extern crate self as std;
extern crate std as real;

pub(crate) use real::*;

/// As the standard library's, for values that are constants.
macro_rules! thread_local {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = const { $init:expr };)*) => {
        $($(#[$attribute])* static $name: futureproof_core::__shuttle::LocalKey<$type> =
            futureproof_core::__shuttle::LocalKey::new(|| $init);)*
    };
}

#[path = "../task_random/choices.rs"]
mod choices;
#[path = "../task_random/draw.rs"]
mod draw;
#[path = "../task_random/ends.rs"]
mod ends;
#[path = "../shuttle/explore.rs"]
mod explore;
#[path = "../task_random/handles.rs"]
mod handles;
#[path = "../task_random/job.rs"]
mod job;
#[path = "../kit/mod.rs"]
mod kit;
#[path = "../shuttle/panic.rs"]
mod panic;
#[path = "../task_random/pools.rs"]
mod pools;
#[path = "../task_random/program.rs"]
mod program;
mod run;
#[path = "../task_random/scope.rs"]
mod scope;
#[path = "../task_random/source.rs"]
mod source;
#[path = "../task_random/stream.rs"]
mod stream;
#[path = "../shuttle/sync.rs"]
mod sync;
#[path = "../shuttle/thread.rs"]
mod thread;
#[path = "../shuttle/time.rs"]
mod time;
#[path = "../task_random/world.rs"]
mod world;

use crate::choices::Choices;
use crate::explore::explore;
use crate::program::Program;

/// Programs of more tasks than this are left out.
const TASKS: usize = 8;

#[test]
fn random_programs_end_every_task_once_under_every_schedule() {
    explore("random programs of tasks", 500, |seed| {
        let program = Program::draw(&mut Choices::random(seed));
        let text = format!("{program:?}");
        let tasks = text.matches("Task {").count();
        if !(1..=TASKS).contains(&tasks) {
            return None;
        }
        Some(move || {
            let faults = run::run(&program);
            assert!(faults.is_empty(), "{program:#?}\n{}", faults.join("\n"));
        })
    });
}
