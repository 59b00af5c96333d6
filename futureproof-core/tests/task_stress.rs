//! Random programs of scopes, handles and result iterators: every accepted task has exactly one end, whatever happens.
//!
//! `FUTUREPROOF_STRESS_ROUNDS` sets how many, `FUTUREPROOF_STRESS_SEED` where to begin; a failure names its seed.

mod kit;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futureproof_core::__private::{as_completed, map, scope, submit};
use futureproof_core::{ErrorPolicy, ScopeFailure, TaskError, TaskHandle, TaskPool};
use kit::{Body, Oops, Random, Tasks, bodies, no_hang, oops, pool};

/// What one random program keeps count of.
struct World {
    workers: usize,
    live: AtomicIsize,
    running: AtomicUsize,
    started: AtomicUsize,
    faults: Mutex<Vec<String>>,
}

impl World {
    fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.faults.lock().unwrap().push(what());
        }
    }

    fn enter(&self) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.check(running <= self.workers, || format!("{running} running"));
    }

    fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Something that is dropped exactly once: a task's arguments, then its result.
struct Token {
    world: Arc<World>,
    ran: Arc<AtomicUsize>,
}

impl Token {
    fn new(world: &Arc<World>) -> Self {
        world.live.fetch_add(1, Ordering::SeqCst);
        Self {
            world: world.clone(),
            ran: Arc::default(),
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.world.live.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A panic that prints nothing.
fn silent_panic() -> ! {
    resume_unwind(Box::new("expected"))
}

fn body(
    world: &Arc<World>,
    pool: &Weak<TaskPool>,
    seed: u64,
    depth: u32,
) -> (Body<'static, Token>, Arc<AtomicUsize>) {
    let token = Token::new(world);
    let ran = token.ran.clone();
    // Weak, so that queued tasks do not keep the pool from being dropped.
    let pool = pool.clone();
    let body = Box::new(move || {
        let world = token.world.clone();
        let mut random = Random::new(seed);
        let before = token.ran.fetch_add(1, Ordering::SeqCst);
        world.check(before == 0, || "a task ran twice".into());
        world.started.fetch_add(1, Ordering::SeqCst);
        world.enter();
        let end = random.below(12);
        for _ in 0..random.below(3) {
            std::thread::yield_now();
        }
        if end == 11
            && depth > 0
            && let Some(pool) = pool.upgrade()
        {
            // While this one waits, its thread may run the tasks it waits for.
            world.leave();
            any_program(&world, pool, random.next(), depth - 1);
            world.enter();
        }
        world.leave();
        match end {
            0 => oops("expected"),
            1 => silent_panic(),
            _ => Ok(token),
        }
    });
    (body, ran)
}

fn any_policy(random: &mut Random) -> ErrorPolicy {
    [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore][random.below(3) as usize]
}

fn any_program(world: &Arc<World>, pool: Arc<TaskPool>, seed: u64, depth: u32) {
    let mut random = Random::new(seed);
    match random.below(4) {
        0 | 1 => scope_program(world, pool, &mut random, depth),
        2 => handle_program(world, pool, &mut random, depth),
        _ => results_program(world, pool, &mut random, depth),
    }
}

/// An input of `count` bodies that may be slow, or panic half way.
fn inputs(
    world: &Arc<World>,
    pool: &Arc<TaskPool>,
    random: &mut Random,
    count: u64,
    depth: u32,
) -> impl Iterator<Item = Body<'static, Token>> + Send + 'static {
    let (world, pool) = (world.clone(), Arc::downgrade(pool));
    let (slow, seed) = (random.one_in(2), random.next());
    let panics_at = if random.one_in(6) {
        random.below(count + 1)
    } else {
        u64::MAX
    };
    (0..count).map(move |n| {
        if slow {
            std::thread::yield_now();
        }
        if n == panics_at {
            silent_panic();
        }
        body(&world, &pool, seed ^ n, depth).0
    })
}

fn scope_program(world: &Arc<World>, pool: Arc<TaskPool>, random: &mut Random, depth: u32) {
    let weak = &Arc::downgrade(&pool);
    let policy = any_policy(random);
    let mut call = bodies(policy);
    call.capacity = [None, Some(0), Some(1), Some(8)][random.below(4) as usize];
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        scope(&pool, call.clone(), |tasks: &Tasks<'_, 'static, Token>| {
            let mut seen = HashSet::new();
            let mut note = |end: Result<usize, TaskError<Oops>>| {
                let index = end.unwrap_or_else(|error| error.index());
                world.check(seen.insert(index), || {
                    format!("task {index} was yielded twice")
                });
            };
            let mut complete = true;
            for _ in 0..random.below(12) {
                match random.below(16) {
                    0..6 => {
                        let index = tasks.submit(body(world, weak, random.next(), depth).0);
                        world.check(index < tasks.len(), || "an index too large".into());
                    }
                    6 => {
                        let body = body(world, weak, random.next(), depth).0;
                        if let Err(refused) = tasks.try_submit(body) {
                            drop(refused.into_args());
                        }
                    }
                    7 | 8 => {
                        let count = random.below(40);
                        tasks.map(inputs(world, &pool, random, count, depth));
                    }
                    9 | 10 => {
                        let count = random.below(20) as usize;
                        tasks
                            .as_completed()
                            .take(count)
                            .for_each(|end| note(end.map(|task| task.index)));
                    }
                    11 => {
                        let count = random.below(20) as usize;
                        tasks
                            .in_order()
                            .take(count)
                            .for_each(|end| note(end.map(|task| task.index)));
                    }
                    12 if random.one_in(3) => tasks.stop(),
                    13 if random.one_in(3) => {
                        complete = false;
                        let _ = tasks.run();
                    }
                    14 if random.one_in(6) => return Err(ScopeFailure::new("expected")),
                    15 if random.one_in(6) => silent_panic(),
                    _ => std::thread::yield_now(),
                }
            }
            if random.one_in(2) {
                tasks
                    .as_completed()
                    .for_each(|end| note(end.map(|task| task.index)));
                let ended = tasks.completed() + tasks.failed() + tasks.cancelled();
                world.check(ended == tasks.len(), || {
                    format!("{ended} of {} ended", tasks.len())
                });
                if complete {
                    world.check(seen.len() == tasks.len(), || {
                        format!("{} of {} were yielded", seen.len(), tasks.len())
                    });
                }
                world.check(tasks.running() == 0 && tasks.waiting() == 0, || {
                    "still busy".into()
                });
                let raised = policy == ErrorPolicy::Raise && tasks.failed() > 0;
                return Ok(raised);
            }
            Ok(false)
        })
    }));
    if let Ok(Ok(raised)) = outcome {
        world.check(!raised, || "a failure was swallowed under raise".into());
    }
}

fn handle_program(world: &Arc<World>, pool: Arc<TaskPool>, random: &mut Random, depth: u32) {
    type Handle = TaskHandle<Token, Oops, ()>;

    let mut call = bodies(any_policy(random));
    call.capacity = [None, Some(0), Some(4)][random.below(3) as usize];
    let mut handles: Vec<(Handle, Arc<AtomicUsize>, bool)> = Vec::new();
    for _ in 0..random.below(30) {
        let (body, ran) = body(world, &Arc::downgrade(&pool), random.next(), depth);
        let handle = submit(&pool, call.clone(), (body,));
        let cancelled = random.one_in(4) && handle.cancel();
        handles.push((handle, ran, cancelled));
        if random.one_in(3) {
            let at = random.below(handles.len() as u64) as usize;
            settle(world, random, handles.swap_remove(at));
        }
    }
    // Perhaps the last holder: then what is still queued is cancelled.
    drop(pool);
    for handle in handles {
        settle(world, random, handle);
    }

    fn settle(
        world: &World,
        random: &mut Random,
        (handle, ran, cancelled): (Handle, Arc<AtomicUsize>, bool),
    ) {
        let end = match random.below(5) {
            0 => return drop(handle),
            1 => match handle.try_join() {
                Ok(end) => end,
                Err(handle) => handle.join(),
            },
            2 => match handle.join_timeout(Duration::from_micros(random.below(50))) {
                Ok(end) => end,
                Err(handle) => handle.join(),
            },
            _ => handle.join(),
        };
        let ran = ran.load(Ordering::SeqCst);
        match end {
            Ok(_) => world.check(ran == 1 && !cancelled, || {
                format!("a result, but ran {ran} times")
            }),
            Err(error) if error.is_cancelled() => {
                world.check(ran == 0, || "cancelled, but it ran".into());
            }
            Err(_) => world.check(ran == 1 && !cancelled, || {
                format!("a failure, but ran {ran} times")
            }),
        }
    }
}

fn results_program(world: &Arc<World>, pool: Arc<TaskPool>, random: &mut Random, depth: u32) {
    let mut call = bodies(any_policy(random));
    call.capacity = [None, Some(0), Some(4)][random.below(3) as usize];
    let (count, ordered) = (random.below(60), random.one_in(2));
    let inputs = inputs(world, &pool, random, count, depth);
    let mut results = if ordered {
        map(&pool, call.clone(), inputs)
    } else {
        as_completed(&pool, call.clone(), inputs)
    };
    if random.one_in(4) {
        drop(pool);
    }
    let wanted = if random.one_in(3) {
        random.below(20)
    } else {
        u64::MAX
    };
    let mut seen = HashSet::new();
    let mut next = 0;
    while seen.len() < wanted as usize {
        let Some(end) = results.next() else { break };
        let index = end.map_or_else(|error| error.index(), |task| task.index);
        world.check(!ordered || index == next, || {
            format!("{index} instead of {next}")
        });
        next += 1;
        world.check(seen.insert(index), || {
            format!("item {index} was yielded twice")
        });
    }
}

#[test]
fn random_programs_end_every_task_once() {
    let setting = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let rounds = setting("FUTUREPROOF_STRESS_ROUNDS").unwrap_or(200);
    let begin = setting("FUTUREPROOF_STRESS_SEED").unwrap_or(1);
    for seed in begin..begin + rounds {
        no_hang(|| round(seed));
    }
}

fn round(seed: u64) {
    let mut random = Random::new(seed);
    let workers = kit::WORKERS[random.below(4) as usize];
    let pool = Arc::new(pool(workers));
    let world = Arc::new(World {
        workers,
        live: AtomicIsize::new(0),
        running: AtomicUsize::new(0),
        started: AtomicUsize::new(0),
        faults: Mutex::default(),
    });
    std::thread::scope(|threads| {
        for _ in 0..=random.below(3) {
            let (world, pool, seed) = (&world, pool.clone(), random.next());
            threads.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..2 {
                    any_program(world, pool.clone(), random.next(), 2);
                }
                any_program(world, pool, random.next(), 2);
            });
        }
        drop(pool);
    });
    // Results and handles that were dropped leave their tasks behind: all of them still end.
    let mut patience = 0_u32;
    while world.live.load(Ordering::SeqCst) != 0 {
        std::thread::yield_now();
        patience += 1;
        assert!(
            patience < 50_000_000,
            "seed {seed}: {} left over",
            world.live.load(Ordering::SeqCst)
        );
    }
    let faults = world.faults.lock().unwrap();
    assert!(faults.is_empty(), "seed {seed}: {faults:#?}");
}
