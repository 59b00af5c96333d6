//! The random programs of `tests/task_random`, smaller, under the schedules of shuttle: every lock, wait, wake and atomic access
//! of the crate is a point at which the scheduler chooses who goes on, and time passes when it feels like it.
//!
//! Run with `cargo test --manifest-path tests/shuttle/Cargo.toml --test shuttle_tasks`;
//! `../kit/explore.rs` has the variables, and how to run a failure again.
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

#[path = "../../../futureproof-core/tests/task_random/choices.rs"]
mod choices;
#[path = "../../../futureproof-core/tests/task_random/draw.rs"]
mod draw;
#[path = "../../../futureproof-core/tests/task_random/ends.rs"]
mod ends;
#[path = "../kit/explore.rs"]
mod explore;
#[path = "../../../futureproof-core/tests/task_random/handles.rs"]
mod handles;
#[path = "../../../futureproof-core/tests/task_random/job.rs"]
mod job;
#[path = "../../../futureproof-core/tests/kit/mod.rs"]
mod kit;
#[path = "../kit/panic.rs"]
mod panic;
#[path = "../../../futureproof-core/tests/task_random/pools.rs"]
mod pools;
#[path = "../../../futureproof-core/tests/task_random/program.rs"]
mod program;
mod run;
#[path = "../../../futureproof-core/tests/task_random/scope.rs"]
mod scope;
#[path = "../../../futureproof-core/tests/task_random/source.rs"]
mod source;
#[path = "../../../futureproof-core/tests/task_random/stream.rs"]
mod stream;
#[path = "../kit/sync.rs"]
mod sync;
#[path = "../kit/thread.rs"]
mod thread;
#[path = "../kit/time.rs"]
mod time;
#[path = "../../../futureproof-core/tests/task_random/world.rs"]
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
