//! Runs programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use futureproof_core::TaskPool;

use crate::pools::{PoolWorld, Usage};
use crate::program::{Kind, Program, Section};
use crate::world::World;
use crate::{handles, listen, scope, stream};

/// A thread that runs sections, and its holds on the pools.
pub(crate) struct Owner {
    pub(crate) world: Arc<World>,
    pools: Vec<Option<Arc<TaskPool>>>,
}

impl Owner {
    /// The pool, if there is still one.
    fn pool(&self, number: usize) -> Option<Arc<TaskPool>> {
        let held = self.pools.get(number).cloned().flatten();
        held.or_else(|| self.world.pools[number].pool.upgrade())
    }

    /// Lets go of a pool.
    pub(crate) fn leave(&mut self, number: usize) {
        if let Some(held) = self.pools.get_mut(number) {
            *held = None;
        }
    }

    fn run(&mut self, section: &Section) {
        let Some(pool) = self.pool(section.pool) else {
            return;
        };
        let _usage = Usage::begin(&self.world, section.pool);
        match &section.kind {
            Kind::Scope { ops, end } => scope::run(self, &pool, section, ops, *end),
            Kind::Stream { .. } => stream::run(self, pool, section),
            Kind::Handles { .. } => handles::run(self, pool, section),
        }
    }
}

/// Runs a section in a task, an input, or the closure of another section.
pub(crate) fn nested(world: &Arc<World>, section: &Section) {
    let mut owner = Owner {
        world: world.clone(),
        pools: Vec::new(),
    };
    let pool = owner.pool(section.pool);
    owner.run(section);
    if let Some(pool) = pool {
        world.lay_down(pool);
    }
}

/// Begins a program; a watchdog may look at its world.
pub(crate) fn begin(program: &Program) -> (Arc<World>, Vec<Arc<TaskPool>>) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    listen::listen_to_monitors(program.monitored);
    // Short names, as Linux keeps 15 bytes of a thread's name.
    let name = |at| format!("{:x}.{at}", NUMBER.fetch_add(1, SeqCst));
    let pools = program.pools.iter().enumerate();
    let (worlds, pools) = pools
        .map(|(at, plan)| PoolWorld::new(name(at), plan.clone()))
        .unzip();
    (World::new(worlds), pools)
}

/// Runs a program to its end; returns how many tasks there were, and what was wrong.
pub(crate) fn finish(
    program: &Program,
    world: &Arc<World>,
    pools: Vec<Arc<TaskPool>>,
) -> (usize, Vec<String>) {
    std::thread::scope(|threads| {
        for sections in &program.owners {
            let mut owner = Owner {
                world: world.clone(),
                pools: pools.iter().cloned().map(Some).collect(),
            };
            threads.spawn(move || sections.iter().for_each(|section| owner.run(section)));
        }
        drop(pools);
    });
    // Handles and results that were dropped leave their tasks behind: all of them still end.
    let in_time = |what: &str, holds: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !holds() {
            world.bury();
            if begun.elapsed() > PATIENCE {
                world.fault(format!("at the end {what}"));
                return;
            }
            std::thread::yield_now();
        }
    };
    in_time("values are alive", &|| {
        (world.sites().iter()).all(|site| site.values().iter().all(|&alive| alive == 0))
    });
    in_time("a helper is alive", &|| world.helpers.load(SeqCst) == 0);
    in_time("a pool is alive", &|| {
        world.pools.iter().all(|pool| pool.pool.strong_count() == 0)
    });
    in_time("threads are alive", &|| !has_threads(world));
    world.pools.iter().for_each(|pool| pool.check_hooks(world));
    world.check_log(&listen::logged());
    for site in world.sites() {
        let (calls, callbacks) = (site.called.load(SeqCst), site.callbacks.load(SeqCst));
        site.check(calls == callbacks, || {
            format!("{calls} of {callbacks} callbacks were called")
        });
        let alive = site.values();
        site.check(alive.iter().all(|&alive| alive == 0), || {
            format!("{alive:?} values are left over in {site:?}")
        });
    }
    (world.forget_sites(), world.faults())
}

/// So long what was left behind may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Has one of the pools a thread?
fn has_threads(world: &World) -> bool {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        // Not on this system.
        return false;
    };
    threads.flatten().any(|thread| {
        let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        world.pools.iter().any(|pool| pool.owns_thread(&name))
    })
}
