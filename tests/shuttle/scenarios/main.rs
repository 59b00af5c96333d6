//! What pools, handles, scopes and loops promise, in few steps and under the schedules of shuttle. Idle threads wait for ever
//! here, so a wake that is lost is a deadlock, which shuttle reports.
//!
//! Run with `cargo test --manifest-path tests/shuttle/Cargo.toml --test shuttle_scenarios`;
//! `../kit/explore.rs` has the variables, and how to run a failure again.

// As for the random programs: the standard library, with what shuttle has to know of replaced.
extern crate self as std;
extern crate std as real;

pub(crate) use real::*;

#[path = "../kit/explore.rs"]
mod explore;
mod handles;
#[path = "../../../futureproof-core/tests/kit/mod.rs"]
mod kit;
mod loops;
#[path = "../kit/panic.rs"]
mod panic;
mod pools;
#[path = "../kit/sync.rs"]
mod sync;
#[path = "../kit/thread.rs"]
mod thread;
#[path = "../kit/time.rs"]
mod time;
mod timing;

use std::time::Duration;

use futureproof_core::__private::submit;
use futureproof_core::__shuttle::running;
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{TaskHandle, TaskPool, TaskPoolBuilder};

use crate::explore::explore;
use crate::kit::{Bodies, Body, Oops, Random, bodies};

const MS: Duration = Duration::from_millis(1);
/// How many variants of each scenario are run.
const VARIANTS: u64 = 100;

type Handle = TaskHandle<u64, Oops, ()>;

/// Runs what a scenario makes of each seed.
fn under_every_schedule(name: &str, scenario: fn(&mut Random)) {
    explore(name, VARIANTS, |seed| {
        Some(move || {
            scenario(&mut Random::new(seed));
            assert_eq!(running(), 0, "threads are left");
        })
    });
}

/// A pool whose idle threads are never let go.
fn lasting(workers: u64) -> TaskPoolBuilder {
    TaskPool::builder()
        .workers(workers as usize)
        .keep_alive(Duration::MAX)
}

fn roomy() -> Bodies<'static, u64> {
    let mut call = bodies(Ignore);
    call.capacity = Some(100);
    call
}

fn task(pool: &TaskPool, run: impl FnOnce() -> Result<u64, Oops> + Send + 'static) -> Handle {
    let body: Body<'static, u64> = Box::new(run);
    submit(pool, roomy(), (body,))
}
