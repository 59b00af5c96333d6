//! Runs programs.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use futureproof_core::__shuttle::running;
use futureproof_core::TaskPool;

use crate::pools::{PoolWorld, Usage};
use crate::program::{Kind, Program, Section};
use crate::world::World;
use crate::{handles, scope, stream};

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

/// Runs a program; returns what was wrong. What never ends is seen by shuttle. Nobody listens to events: the monitor has one
/// thread for the process, which would go on into the next execution.
pub(crate) fn run(program: &Program) -> Vec<String> {
    let (worlds, pools): (Vec<_>, Vec<_>) = (program.pools.iter().enumerate())
        .map(|(at, plan)| PoolWorld::new(at.to_string(), plan.clone()))
        .unzip();
    let world = &World::new(worlds);
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
    let is_over = || {
        let sites = world.sites();
        (sites.iter()).all(|site| site.values().iter().all(|&alive| alive == 0))
            && world.helpers.load(SeqCst) == 0
            && (world.pools.iter()).all(|pool| pool.pool.strong_count() == 0)
            && running() == 0
    };
    while !is_over() {
        world.bury();
        std::thread::yield_now();
    }
    world.pools.iter().for_each(|pool| pool.check_hooks(world));
    for site in world.sites() {
        let (calls, callbacks) = (site.called.load(SeqCst), site.callbacks.load(SeqCst));
        site.check(calls == callbacks, || {
            format!("{calls} of {callbacks} callbacks were called")
        });
    }
    world.forget_sites();
    world.faults()
}
