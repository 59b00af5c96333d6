//! Random programs of handles with everything that a task can have: each task has one end, and each handle hears of it once.
//!
//! `FUTUREPROOF_STRESS_ROUNDS` sets how many, `FUTUREPROOF_STRESS_SEED` where to begin; a failure names its seed.

mod kit;

use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futureproof_core::__private::{Call, DescribeType, VtableError as _, configure};
use futureproof_core::Until::{All, First, FirstFailure};
use futureproof_core::{
    Configured, ErrorPolicy, RateLimit, Retry, StopToken, TaskErrorKind, TaskHandle, TaskPool,
    is_stopping, wait, wait_timeout,
};
use kit::{Oops, Random, no_hang, oops};

const US: Duration = Duration::from_micros(1);

/// What one random program keeps count of.
struct World {
    workers: usize,
    running: AtomicUsize,
    /// Arguments and results that exist.
    live: AtomicIsize,
    faults: Mutex<Vec<String>>,
    tokens: [StopToken; 3],
    call: Call<(Args,), (), Token, Oops>,
}

/// What is known of one task.
struct Record {
    world: Arc<World>,
    starts: AtomicU32,
    ends: AtomicUsize,
}

/// Something that exists exactly as long as its task needs it.
struct Token(Arc<Record>);

struct Args {
    token: Token,
    pool: Weak<TaskPool>,
    seed: u64,
    depth: u32,
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

impl Token {
    fn new(record: &Arc<Record>) -> Self {
        record.world.live.fetch_add(1, Ordering::SeqCst);
        Self(record.clone())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.world.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Clone for Args {
    fn clone(&self) -> Self {
        Self {
            token: Token::new(&self.token.0),
            pool: self.pool.clone(),
            ..*self
        }
    }
}

/// The function of all tasks.
fn body((args,): (Args,)) -> Result<Token, Oops> {
    let record = &args.token.0;
    let world = record.world.clone();
    let attempt = record.starts.fetch_add(1, Ordering::SeqCst);
    let mut random = Random::new(args.seed ^ u64::from(attempt));
    world.enter();
    let end = random.below(12);
    match random.below(6) {
        0 => (0..random.below(2000)).for_each(|_| std::hint::spin_loop()),
        1 => (0..random.below(3)).for_each(|_| std::thread::yield_now()),
        2 => {
            // Longer than most of the time limits, but not for ever.
            let longest = std::time::Instant::now() + 2000 * US;
            while !is_stopping() && std::time::Instant::now() < longest {
                std::thread::yield_now();
            }
        }
        3 if args.depth > 0 => {
            if let Some(pool) = args.pool.upgrade() {
                // While this one waits, its thread may run the tasks it waits for.
                world.leave();
                program(&world, &pool, random.next(), args.depth - 1);
                world.enter();
            }
        }
        _ => {}
    }
    world.leave();
    match end {
        0..4 => oops(if end == 0 { "for good" } else { "once" }),
        4 => std::panic::resume_unwind(Box::new("expected")),
        _ => Ok(args.token),
    }
}

/// A task's handle, and what has to become of it.
struct Task {
    handle: TaskHandle<Token, Oops, ()>,
    record: Arc<Record>,
    most: u32,
    timed: bool,
}

fn any_call(
    world: &World,
    pool: &TaskPool,
    random: &mut Random,
) -> (Configured<(Args,), (), Token, Oops>, u32, bool) {
    let mut call = configure(pool, world.call.clone()).capacity(random.below(30) as usize);
    let policies = [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore];
    call = call.error_policy(policies[random.below(3) as usize]);
    let (mut most, mut timed) = (1, false);
    if random.one_in(2) {
        most = 1 + random.below(4) as u32;
        let wait = US * random.below(300) as u32;
        call = call.retry(Retry::attempts(most).backoff(wait));
        if random.one_in(2) {
            call = call.retry_if(|error| error.0 != "for good");
        }
    }
    if random.one_in(3) {
        timed = true;
        call = call.timeout(US * (1 + random.below(500) as u32));
    }
    if random.one_in(3) {
        call = call.stop(&world.tokens[random.below(3) as usize]);
    }
    if random.one_in(5) {
        call = call.deadline(US * random.below(1500) as u32);
    }
    if random.one_in(3) {
        call = call.rate_limit(RateLimit::new(1, 50 * US));
    }
    (call, most, timed)
}

fn program(world: &Arc<World>, pool: &Arc<TaskPool>, seed: u64, depth: u32) {
    let mut random = Random::new(seed);
    let mut tasks: Vec<Task> = Vec::new();
    for _ in 0..random.below(25) {
        let record = Arc::new(Record {
            world: world.clone(),
            starts: AtomicU32::new(0),
            ends: AtomicUsize::new(0),
        });
        let args = Args {
            token: Token::new(&record),
            pool: Arc::downgrade(pool),
            seed: random.next(),
            depth,
        };
        let (call, most, timed) = any_call(world, pool, &mut random);
        let handle = if random.one_in(4) {
            match call.try_submit(args) {
                Ok(handle) => handle,
                Err(refused) => {
                    drop(refused.into_args());
                    continue;
                }
            }
        } else {
            call.submit(args)
        };
        let (ended, record) = (record.clone(), record);
        handle.on_finish(move |_| {
            ended.ends.fetch_add(1, Ordering::SeqCst);
        });
        tasks.push(Task {
            handle,
            record,
            most,
            timed,
        });
        meddle(world, pool, &mut random, &mut tasks, depth);
    }
    if random.one_in(2) {
        let handles = tasks.iter().map(|task| &task.handle);
        world.check(wait(handles, All).pending.is_empty(), || "not all".into());
    }
    for task in tasks {
        settle(world, &mut random, task);
    }
}

/// Does something or other to the tasks and their pool.
fn meddle(
    world: &World,
    pool: &Arc<TaskPool>,
    random: &mut Random,
    tasks: &mut Vec<Task>,
    depth: u32,
) {
    let at = random.below(tasks.len() as u64) as usize;
    match random.below(40) {
        0..4 => drop(tasks[at].handle.cancel()),
        4..7 => tasks[at].handle.stop(),
        7 => world.tokens[random.below(3) as usize].stop(),
        8..12 => settle(world, random, tasks.swap_remove(at)),
        12 | 13 => {
            let until = [First, FirstFailure][random.below(2) as usize];
            let waited = wait(tasks.iter().map(|task| &task.handle), until);
            world.check(!waited.finished.is_empty(), || "waited for nothing".into());
        }
        14 => {
            let limit = US * random.below(200) as u32;
            let handles = tasks.iter().map(|task| &task.handle);
            let waited = wait_timeout(handles, All, limit);
            let seen = waited.finished.len() + waited.pending.len();
            world.check(seen == tasks.len(), || "a handle was forgotten".into());
        }
        15 if depth == 2 => pool.set_task_limit(1 + random.below(3) as usize),
        16 if depth == 2 => pool.set_task_limit(None),
        17 if random.one_in(8) => pool.close(),
        18 if random.one_in(8) => pool.stop(),
        19 if random.one_in(4) => {
            let limit = US * random.below(300) as u32;
            let _ = pool.drain(limit);
        }
        _ => {}
    }
}

/// Takes the end of a task in some way, and looks whether it is one that it can have.
fn settle(world: &World, random: &mut Random, task: Task) {
    let Task {
        handle,
        record,
        most,
        timed,
    } = task;
    let end = match random.below(6) {
        0 => return drop(handle),
        1 => match handle.try_join() {
            Ok(end) => end,
            Err(handle) => handle.join(),
        },
        2 => match handle.join_timeout(US * random.below(50) as u32) {
            Ok(end) => end,
            Err(handle) => handle.join(),
        },
        _ => handle.join(),
    };
    let ends = record.ends.load(Ordering::SeqCst);
    world.check(ends == 1, || format!("{ends} callbacks before the join"));
    let starts = record.starts.load(Ordering::SeqCst);
    world.check(starts <= most, || format!("{starts} starts of {most}"));
    match end {
        Ok(_) => world.check(starts >= 1, || "a result, but never started".into()),
        Err(error) => {
            let attempts = error.attempts();
            match error.kind() {
                TaskErrorKind::Cancelled => {
                    world.check(starts == 0, || "cancelled, but it ran".into());
                }
                TaskErrorKind::TimedOut(_) => {
                    // It may have been just about to call the function.
                    let near = starts == attempts || starts + 1 == attempts;
                    world.check(timed && near, || format!("{starts} starts, {error}"));
                }
                _ => world.check(starts == attempts, || format!("{starts} starts, {error}")),
            }
        }
    }
}

#[test]
fn random_programs_of_handles_end_every_task_once() {
    let setting = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let rounds = setting("FUTUREPROOF_STRESS_ROUNDS").unwrap_or(100);
    let begin = setting("FUTUREPROOF_STRESS_SEED").unwrap_or(1);
    for seed in begin..begin + rounds {
        no_hang(|| round(seed));
    }
}

fn round(seed: u64) {
    let mut random = Random::new(seed);
    let workers = kit::WORKERS[random.below(kit::WORKERS.len() as u64) as usize];
    let mut pool = TaskPool::builder().workers(workers).name("random");
    if random.one_in(4) {
        pool = pool.max_tasks_per_thread(1 + random.below(5) as usize);
    }
    let pool = Arc::new(pool.build());
    let error = (&&&&&DescribeType::<Oops>::new()).vtable();
    let call = Call::of("body", body, |_: &(Args,)| (), |()| None, error);
    let world = Arc::new(World {
        workers,
        running: AtomicUsize::new(0),
        live: AtomicIsize::new(0),
        faults: Mutex::default(),
        tokens: Default::default(),
        call,
    });
    std::thread::scope(|threads| {
        for _ in 0..=random.below(3) {
            let (world, pool, seed) = (&world, pool.clone(), random.next());
            threads.spawn(move || {
                let mut random = Random::new(seed);
                for _ in 0..3 {
                    program(world, &pool, random.next(), 2);
                }
            });
        }
        // A limit that is left at the end holds nothing up for ever.
        drop(pool);
    });
    // Tasks whose handles were dropped end, too.
    let mut patience = 0_u32;
    while world.live.load(Ordering::SeqCst) != 0 {
        std::thread::yield_now();
        patience += 1;
        let left = world.live.load(Ordering::SeqCst);
        assert!(patience < 50_000_000, "seed {seed}: {left} left over");
    }
    let faults = world.faults.lock().unwrap();
    assert!(faults.is_empty(), "seed {seed}: {faults:#?}");
}
