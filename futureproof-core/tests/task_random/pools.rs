//! What a running program knows of its pools.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futureproof_core::TaskPool;

use crate::program::{Hook, PoolPlan};
use crate::world::{Site, Value, World, silent_panic};

/// A pool, which owners hold.
pub(crate) struct PoolWorld {
    pub(crate) name: String,
    pub(crate) plan: PoolPlan,
    pub(crate) pool: Weak<TaskPool>,
    /// Tasks submitted to it may be cancelled: it was closed or stopped.
    pub(crate) closed: AtomicBool,
    /// Threads of its own that are in a body, and how many of them there may be.
    running: AtomicUsize,
    ceiling: AtomicUsize,
    limit: Mutex<Limit>,
    hooks: Arc<Hooks>,
}

/// The task limit, and how many sections there are.
struct Limit {
    current: Option<usize>,
    sections: usize,
}

/// How many threads have run the hooks.
#[derive(Default)]
struct Hooks {
    started: AtomicUsize,
    stopped: AtomicUsize,
}

thread_local! {
    /// The bodies that this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// The tasks that it has run, without those inside others.
    static RAN: Cell<usize> = const { Cell::new(0) };
}

impl PoolWorld {
    pub(crate) fn new(name: String, plan: PoolPlan) -> (Self, Arc<TaskPool>) {
        let hooks = Arc::<Hooks>::default();
        let mut builder = TaskPool::builder().workers(plan.workers).name(name.clone());
        if let Some(tasks) = plan.recycle {
            builder = builder.max_tasks_per_thread(tasks);
        }
        if plan.hook != Hook::None {
            let (start, stop) = (hooks.clone(), hooks.clone());
            builder = builder
                .on_thread_start(move || start.start(plan.hook))
                .on_thread_stop(move || {
                    stop.stopped.fetch_add(1, SeqCst);
                });
        }
        let pool = Arc::new(builder.build());
        if plan.limit.is_some() {
            pool.set_task_limit(plan.limit);
        }
        let world = Self {
            name,
            pool: Arc::downgrade(&pool),
            closed: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            ceiling: AtomicUsize::new(plan.limit.unwrap_or(usize::MAX)),
            limit: Mutex::new(Limit {
                current: plan.limit,
                sections: 0,
            }),
            hooks,
            plan,
        };
        (world, pool)
    }

    /// May its threads fail to start?
    pub(crate) fn may_break(&self) -> bool {
        matches!(self.plan.hook, Hook::FailsAfter(_) | Hook::PanicsAfter(_))
    }

    pub(crate) fn owns_thread(&self, name: &str) -> bool {
        let number = name.strip_prefix(self.name.as_str());
        number.is_some_and(|number| number.starts_with('-'))
    }

    fn is_current(&self) -> bool {
        let thread = std::thread::current();
        thread.name().is_some_and(|name| self.owns_thread(name))
    }

    /// Lets a body in that runs on the calling thread.
    pub(crate) fn enter(&self, site: &Site) -> Inside<'_> {
        let own = self.is_current();
        // A task that an owner inside the pool waits for may run on a thread of another pool.
        site.check(own || site.world.pools.len() > 1, || {
            "a task runs on a foreign thread".into()
        });
        let outermost = own && DEPTH.get() == 0;
        if outermost {
            let running = self.running.fetch_add(1, SeqCst) + 1;
            let most = self.plan.workers.min(self.ceiling.load(SeqCst));
            site.check(running <= most, || {
                format!("{running} threads run tasks, not {most}")
            });
            RAN.set(RAN.get() + 1);
            let most = self.plan.recycle.unwrap_or(usize::MAX);
            site.check(RAN.get() <= most, || {
                format!("a thread runs {} tasks", RAN.get())
            });
        }
        DEPTH.set(DEPTH.get() + 1);
        Inside(outermost.then_some(&self.running))
    }

    fn set_limit(&self, limit: Option<usize>) -> Option<Arc<TaskPool>> {
        let mut state = self.limit.lock().unwrap();
        let pool = self.pool.upgrade()?;
        self.ceiling.fetch_max(limit.unwrap_or(usize::MAX), SeqCst);
        state.current = limit;
        pool.set_task_limit(limit);
        Some(pool)
    }

    /// Checks what holds when its threads are gone.
    pub(crate) fn check_hooks(&self, world: &World) {
        let (started, stopped) = (
            self.hooks.started.load(SeqCst),
            self.hooks.stopped.load(SeqCst),
        );
        // Where the first hook fails, the second may run all the same.
        if started != stopped && !(self.may_break() && started < stopped) {
            world.fault(format!(
                "{started} threads have started and {stopped} have stopped"
            ));
        }
    }
}

impl Hooks {
    fn start(&self, hook: Hook) -> Result<(), &'static str> {
        let before = self.started.load(SeqCst);
        match hook {
            Hook::FailsAfter(most) if before >= most => return Err("expected"),
            Hook::PanicsAfter(most) if before >= most => silent_panic(),
            _ => {}
        }
        self.started.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// Runs what is not a task of its own on this thread, but may wait for tasks and run them.
pub(crate) fn inside<R>(f: impl FnOnce() -> R) -> R {
    DEPTH.set(DEPTH.get() + 1);
    let _inside = Inside(None);
    f()
}

/// Is this thread in a task?
pub(crate) fn is_inside() -> bool {
    DEPTH.get() > 0
}

/// A body that runs.
pub(crate) struct Inside<'a>(Option<&'a AtomicUsize>);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if let Some(running) = self.0 {
            running.fetch_sub(1, SeqCst);
        }
    }
}

/// A section that uses a pool.
pub(crate) struct Usage {
    world: Arc<World>,
    pool: usize,
}

impl Usage {
    pub(crate) fn begin(world: &Arc<World>, number: usize) -> Self {
        let pool = &world.pools[number];
        let mut state = pool.limit.lock().unwrap();
        let is_alive = |site: &Arc<Site>| {
            site.pool == number && site.alive[Value::Args as usize].load(SeqCst) > 0
        };
        // While nothing runs or is on its way to a thread, a lower limit is known to hold.
        if state.sections == 0 && !world.sites().iter().any(is_alive) {
            pool.ceiling
                .store(state.current.unwrap_or(usize::MAX), SeqCst);
        }
        state.sections += 1;
        drop(state);
        Self {
            world: world.clone(),
            pool: number,
        }
    }
}

impl Drop for Usage {
    fn drop(&mut self) {
        self.world.pools[self.pool].limit.lock().unwrap().sections -= 1;
    }
}

impl World {
    /// Sets a task limit; zero for a moment only.
    pub(crate) fn set_limit(self: &Arc<Self>, number: usize, limit: Option<usize>) {
        if let Some(pool) = self.pools[number].set_limit(limit) {
            self.lay_down(pool);
        }
        if limit == Some(0) {
            let world = self.clone();
            self.helpers.fetch_add(1, SeqCst);
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(1));
                let pool = &world.pools[number];
                drop(pool.set_limit(pool.plan.limit));
                world.helpers.fetch_sub(1, SeqCst);
            });
        }
    }
}
