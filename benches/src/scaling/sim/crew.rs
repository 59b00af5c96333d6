//! The workers of a simulated loop: how they come, what they do, and how the loop ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::line::{Line, Lock};
use super::machine::{Machine, Wake};
use super::rules::{BATCH, BatchSize, LAST_BATCH, LOOK, SENT_FOR};
use super::{Loop, Time, unsteady};

/// How the workers of a loop are woken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Waking {
    /// Each worker that takes a batch sends for so many more, and wakes them; in the engine it is two.
    By(usize),
    /// Each sends for two, and wakes them with the pool's lock held.
    Locked,
    /// The caller sends for all before it begins.
    Caller,
    /// As the engine does, but all threads are still awake from a loop before: nobody needs to be woken.
    Awake,
}

impl Waking {
    /// What the engine does.
    pub const ENGINE: Self = Self::By(SENT_FOR);
}

/// How a simulated loop went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// From its call to its return, or to the limit of what is simulated.
    pub makespan: Time,
    /// What the bodies that were run until then took together.
    pub work: Time,
    /// So many cores there were.
    pub cores: usize,
    /// The part of the makespan for which the hand-out, which one worker at a time has, was busy.
    pub handout: f64,
    /// When the last worker came that came at all.
    pub all_there: Time,
}

impl Outcome {
    /// Sequential time ÷ (cores × makespan).
    pub fn efficiency(&self) -> f64 {
        self.work as f64 / (self.cores as f64 * self.makespan as f64)
    }
}

/// What a worker gets from a source.
pub enum Taken {
    /// Items to run.
    Batch(Batch),
    /// Nothing yet: it is to ask again then.
    Later(Time),
    /// Nothing: it sleeps until the source wakes it, or until then.
    Asleep(Option<Time>),
    /// Nothing, and there will be nothing more.
    Over(Time),
}

/// Items that a worker has got.
pub struct Batch {
    /// When it has them.
    pub ready: Time,
    pub items: Range<usize>,
    /// What each needs beside its body.
    pub each: Time,
    pub clock: Clock,
}

/// What the worker measures as the time of its bodies.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// From when the first one begins.
    Bodies,
    /// From then on: they were pulled in it.
    Since(Time),
}

impl Taken {
    pub fn batch(ready: Time, items: Range<usize>, each: Time) -> Self {
        let clock = Clock::Bodies;
        Self::Batch(Batch {
            ready,
            items,
            each,
            clock,
        })
    }
}

/// The shared part of a simulated source.
pub trait Source {
    /// Is it pulled, so that batches are bounded?
    const PULLED: bool;

    /// A worker has come.
    fn arrive(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Time;

    /// A worker asks for work.
    fn take(&mut self, crew: &mut Crew<'_>, worker: usize, at: Time) -> Taken;

    /// A worker has run what it had; returns when it goes on.
    fn finished(&mut self, crew: &mut Crew<'_>, worker: usize, items: usize, at: Time) -> Time;

    /// How long the hand-out was busy.
    fn busy(&self) -> Time;
}

#[derive(Debug, Clone)]
enum Doing {
    /// Not sent for, or gone.
    Nothing,
    /// On its way to the loop.
    Coming,
    /// About to ask for work.
    Asking,
    /// Running its batch, which counts as begun then.
    Running { items: usize, began: Time },
    /// About to leave.
    Leaving,
}

/// One worker. An event whose number is not `due` is stale.
#[derive(Debug, Clone)]
struct Worker {
    doing: Doing,
    due: u64,
    size: BatchSize,
    /// When its last batch ended.
    clock: Time,
    /// When it fell asleep.
    asleep_since: Time,
}

/// The workers, and what they share beside the source.
pub struct Crew<'m> {
    pub machine: &'m Machine,
    pub present: usize,
    plan: Loop,
    workers: Vec<Worker>,
    events: BinaryHeap<Reverse<(Time, u64, usize)>>,
    next_event: u64,
    /// The next worker to be sent for.
    next: usize,
    pool: Lock,
    gate: Line,
    seats: Line,
    absent: Line,
    counts: Line,
    /// Workers inside the gate, the caller not counted, and when the last one left it.
    inside: usize,
    last_left: Time,
    closed: Option<Time>,
    work: Time,
    all_there: Time,
}

impl Crew<'_> {
    /// What the worker wants: at most, and at least if there is so much.
    pub fn wants(&self, worker: usize) -> (usize, usize) {
        let size = &self.workers[worker].size;
        (size.get(), size.least(self.present == 1))
    }

    /// What the worker has seen an item to cost.
    pub fn each(&self, worker: usize) -> Time {
        self.workers[worker].size.each()
    }

    /// How many workers the loop may have.
    pub fn limit(&self) -> usize {
        self.workers.len()
    }

    /// A sleeping worker is woken: it asks for work again when it runs. Returns when the waker goes on.
    pub fn wake(&mut self, worker: usize, at: Time) -> Time {
        let wake = self
            .machine
            .wake_after(at.saturating_sub(self.workers[worker].asleep_since));
        self.post(worker, at + wake.latency, Doing::Asking);
        at + wake.cost
    }

    /// A worker that stays awake sees what it has waited for.
    pub fn rouse(&mut self, worker: usize, at: Time) {
        self.post(worker, at + self.machine.transfer, Doing::Asking);
    }

    /// A worker sends for more; returns when it goes on.
    pub fn send_for_more(&mut self, worker: usize, at: Time) -> Time {
        let waking = self.plan.waking;
        let wanted = match waking {
            Waking::By(count) => count,
            Waking::Locked | Waking::Awake => SENT_FOR,
            Waking::Caller => usize::MAX,
        };
        let count = wanted.min(self.limit() - self.next);
        if count == 0 {
            return at;
        }
        let wake = match waking {
            Waking::Awake => Wake {
                cost: 0,
                latency: LOOK * 3 / 2,
            },
            _ => self.machine.deep_wake,
        };
        let asked = self.absent.exchange(self.machine, worker, at);
        let mut now = self.pool.hold(self.machine, worker, asked);
        for _ in 0..count {
            self.post(self.next, now + wake.latency, Doing::Coming);
            self.next += 1;
            now += wake.cost;
        }
        if waking == Waking::Locked {
            self.pool.keep(now);
        }
        now
    }

    fn post(&mut self, worker: usize, at: Time, doing: Doing) {
        self.next_event += 1;
        self.workers[worker].doing = doing;
        self.workers[worker].due = self.next_event;
        self.events.push(Reverse((at, self.next_event, worker)));
    }

    fn step<S: Source>(&mut self, source: &mut S, worker: usize, now: Time) {
        match self.workers[worker].doing {
            Doing::Nothing => {}
            Doing::Coming => self.join(source, worker, now),
            Doing::Asking => self.ask(source, worker, now),
            Doing::Running { items, began } => {
                let last = &mut self.workers[worker];
                let counted = if self.plan.sizing.counts_handout && !S::PULLED {
                    last.clock
                } else {
                    began
                };
                last.size.learn(items, now - counted);
                last.clock = now;
                let next = source.finished(self, worker, items, now);
                self.post(worker, next, Doing::Asking);
            }
            Doing::Leaving => self.leave(worker, now),
        }
    }

    /// A thread of the pool comes: takes its request off the queue, enters the gate, takes a seat.
    fn join<S: Source>(&mut self, source: &mut S, worker: usize, now: Time) {
        self.workers[worker].doing = Doing::Nothing;
        let has_request = self.pool.hold(self.machine, worker, now);
        if self.closed.is_some() {
            return;
        }
        let entered = self.gate.exchange(self.machine, worker, has_request);
        self.inside += 1;
        let seated = self.seats.add(self.machine, worker, entered);
        self.present += 1;
        let here = source.arrive(self, worker, seated);
        self.all_there = here;
        self.workers[worker].clock = here;
        self.post(worker, here, Doing::Asking);
    }

    fn ask<S: Source>(&mut self, source: &mut S, worker: usize, now: Time) {
        match source.take(self, worker, now) {
            Taken::Batch(batch) => {
                let began = self.send_for_more(worker, batch.ready + self.machine.batch);
                let (first, count) = (batch.items.start, batch.items.len());
                let work = self.plan.body.of(batch.items);
                self.work += work;
                let end = began + unsteady(work, first) + batch.each * count as Time;
                let began = match batch.clock {
                    Clock::Bodies => began,
                    Clock::Since(since) => since,
                };
                self.post(
                    worker,
                    end,
                    Doing::Running {
                        items: count,
                        began,
                    },
                );
            }
            Taken::Later(at) => self.post(worker, at, Doing::Asking),
            Taken::Asleep(until) => {
                self.workers[worker].doing = Doing::Nothing;
                self.workers[worker].due = 0;
                self.workers[worker].asleep_since = now;
                if let Some(until) = until {
                    self.post(worker, until, Doing::Asking);
                }
            }
            Taken::Over(at) => self.post(worker, at, Doing::Leaving),
        }
    }

    fn leave(&mut self, worker: usize, now: Time) {
        self.workers[worker].doing = Doing::Nothing;
        let counted = self.counts.add(self.machine, worker, now);
        if worker == 0 {
            let withdrawn = self.pool.hold(self.machine, 0, counted);
            self.closed = Some(self.gate.add(self.machine, 0, withdrawn));
        } else {
            self.inside -= 1;
            self.last_left = self
                .last_left
                .max(self.gate.add(self.machine, worker, counted));
        }
    }

    /// When the caller returns, after everybody has left.
    fn returns(&self) -> Time {
        let closed = self
            .closed
            .expect("the caller comes to the end of every loop");
        assert_eq!(self.inside, 0, "everybody leaves in the end");
        if self.last_left <= closed {
            closed
        } else if self.last_left - closed <= LAST_BATCH {
            self.last_left + self.machine.transfer
        } else {
            self.last_left + self.machine.wake.latency
        }
    }
}

/// Runs a loop from its call to its return.
pub fn run<S: Source>(machine: &Machine, plan: Loop, mut source: S) -> Outcome {
    let most = if S::PULLED { BATCH } else { usize::MAX };
    let worker = Worker {
        doing: Doing::Nothing,
        due: 0,
        size: BatchSize::new(plan.sizing.worth, most),
        clock: 0,
        asleep_since: 0,
    };
    let mut crew = Crew {
        machine,
        present: 1,
        plan,
        workers: vec![worker; machine.cores.min(plan.items).max(1)],
        events: BinaryHeap::new(),
        next_event: 0,
        next: 1,
        pool: Lock::default(),
        gate: Line::default(),
        seats: Line::default(),
        absent: Line::default(),
        counts: Line::default(),
        inside: 0,
        last_left: 0,
        closed: None,
        work: 0,
        all_there: 0,
    };
    crew.post(0, machine.setup, Doing::Asking);
    let mut makespan = None;
    while let Some(Reverse((now, number, worker))) = crew.events.pop() {
        if now > plan.limit {
            makespan = Some(now);
            break;
        }
        if crew.workers[worker].due == number {
            crew.step(&mut source, worker, now);
        }
    }
    let makespan = makespan.unwrap_or_else(|| crew.returns());
    Outcome {
        makespan,
        work: crew.work,
        cores: machine.cores,
        handout: source.busy() as f64 / makespan as f64,
        all_there: crew.all_there,
    }
}
