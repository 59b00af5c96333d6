//! How programs are drawn.

use futureproof_core::ErrorPolicy;

use crate::choices::{Choices, Part};
use crate::program::{
    Callback, Deed, End, HandleOp, Hook, Input, Kind, Limits, Op, Options, PoolPlan, Program,
    RetryPlan, Section, SourceTrap, StreamEnd, Task, Trap, WaitFor,
};

/// Tasks may hold sections, whose tasks may hold sections.
const DEPTH: u32 = 2;

/// What draws a program.
struct Draw<'a> {
    choices: &'a mut Choices,
    pools: usize,
    depth: u32,
    pool: usize,
    aside: bool,
}

impl Program {
    pub(crate) fn draw(choices: &mut Choices) -> Self {
        let mut pools = vec![pool(choices), pool(choices)];
        pools.truncate(1 + choices.up_to(1));
        let monitored = choices.one_in(3);
        let mut draw = Draw {
            pools: pools.len(),
            depth: 0,
            pool: 0,
            aside: false,
            choices,
        };
        let owners = draw.list(3, |draw| draw.list(3, Draw::section));
        Self {
            pools,
            monitored,
            owners,
        }
    }
}

fn pool(choices: &mut Choices) -> PoolPlan {
    let threads = choices.below(4) as usize;
    PoolPlan {
        workers: choices.pick(&[1, 2, 3, 4, 8]),
        limit: choices.maybe(5, |choices| 1 + choices.up_to(3)),
        recycle: choices.maybe(5, |choices| 1 + choices.up_to(5)),
        hook: match choices.below(20) {
            1 => Hook::Works,
            2 => Hook::FailsAfter(threads),
            3 => Hook::PanicsAfter(threads),
            _ => Hook::None,
        },
    }
}

impl Draw<'_> {
    fn list<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut length = self.choices.length(most);
        let mut list = Vec::new();
        while let Some(start) = self.choices.another(&mut length) {
            list.push(make(self));
            self.choices.made_part(Part::Element, start);
        }
        list
    }

    fn section(&mut self) -> Section {
        let start = self.choices.here();
        let any = self.choices.up_to(1);
        // Sections nest on the same pool or a later one: else two pools' threads could wait for each other.
        let pool = any.max(self.pool);
        let outer = std::mem::replace(&mut self.pool, pool.min(self.pools - 1));
        let options = self.options();
        let kind = match self.choices.below(8) {
            0..4 => self.scope(),
            4 | 5 => self.stream(),
            _ => self.handles(),
        };
        let pool = std::mem::replace(&mut self.pool, outer);
        self.choices.made_part(Part::Section, start);
        Section {
            pool,
            options,
            kind,
        }
    }

    /// A section inside another one.
    fn nested(&mut self) -> Box<Section> {
        self.depth += 1;
        let section = self.section();
        self.depth -= 1;
        Box::new(section)
    }

    fn options(&mut self) -> Options {
        let choices = &mut *self.choices;
        Options {
            policy: choices.pick(&[ErrorPolicy::Ignore, ErrorPolicy::Log, ErrorPolicy::Raise]),
            raise_after: choices.pick(&[1, 1, 2, 4]),
            capacity: choices.pick(&[None, Some(0), Some(1), Some(8)]),
            limits: if choices.one_in(3) {
                limits(choices)
            } else {
                Limits::NONE
            },
            rate_limited: choices.one_in(10),
            token: choices.one_in(6),
            deadline: choices.maybe(10, |choices| choices.pick(&[0, 500, 2000])),
        }
    }

    fn scope(&mut self) -> Kind {
        let most = if self.depth == 0 { 12 } else { 4 };
        let ops = self.list(most, Draw::op);
        let end = match self.choices.below(12) {
            1..4 => End::ReadAll { ordered: false },
            4..6 => End::ReadAll { ordered: true },
            6 => End::Run,
            7 => End::Stop,
            8 => End::Drain(wait(self.choices)),
            9 => End::Fail,
            10 => End::Panic,
            _ => End::Leave,
        };
        Kind::Scope { ops, end }
    }

    fn op(&mut self) -> Op {
        match self.choices.below(36) {
            1..7 => Op::Submit(self.task()),
            7 | 8 => Op::TrySubmit(self.task()),
            9 | 10 => Op::SubmitTimeout(wait(self.choices), self.task()),
            11 | 12 => Op::SubmitConfigured(limits(self.choices), self.task()),
            13 => Op::TrySubmitConfigured(limits(self.choices), self.task()),
            14..18 => Op::Map(self.input()),
            18..20 => Op::Read {
                ordered: self.choices.one_in(2),
                most: self.choices.up_to(12),
            },
            20 | 21 => Op::Look,
            22 => Op::OpenGate,
            23 if self.choices.one_in(3) => Op::Stop,
            24 => Op::StopToken,
            25 if self.choices.one_in(3) => Op::Close,
            26 if self.choices.one_in(3) => Op::Drain(wait(self.choices)),
            27 => Op::SetLimit(task_limit(self.choices)),
            28 if self.depth < DEPTH => Op::Nest(self.nested()),
            29 if self.is_outside() => Op::StopWhenAsked,
            30..32 if self.is_outside() => {
                self.aside = true;
                let ops = self.list(5, Draw::op);
                self.aside = false;
                Op::Aside(ops)
            }
            32 | 33 if !self.aside => Op::ReadAll {
                ordered: self.choices.one_in(2),
            },
            34 if !self.aside => Op::Run,
            _ => Op::Pause,
        }
    }

    /// May it wait for threads other than those of its pool?
    fn is_outside(&self) -> bool {
        self.depth == 0 && !self.aside
    }

    fn stream(&mut self) -> Kind {
        Kind::Stream {
            ordered: self.choices.one_in(2),
            input: self.input(),
            take: self.choices.maybe(3, |choices| choices.up_to(20)),
            slowly: self.choices.one_in(4),
            leave_pool: self.choices.one_in(6),
            end: self.choices.pick(&[
                StreamEnd::Drop,
                StreamEnd::Drop,
                StreamEnd::Stop,
                StreamEnd::Detach,
            ]),
        }
    }

    fn handles(&mut self) -> Kind {
        let most = if self.depth == 0 { 16 } else { 5 };
        Kind::Handles {
            ops: self.list(most, Draw::handle_op),
            leave_pool: self.choices.one_in(6),
            late: self.choices.one_in(4).then(|| self.task()),
            drop_rest: self.choices.one_in(3),
        }
    }

    fn handle_op(&mut self) -> HandleOp {
        let which = self.choices.up_to(7);
        match self.choices.below(36) {
            1..9 => HandleOp::Submit(self.task()),
            9 | 10 => HandleOp::TrySubmit(self.task()),
            11 | 12 => HandleOp::Join(which),
            13 | 14 => HandleOp::Cancel(which),
            15 => HandleOp::Stop(which),
            16 | 17 => HandleOp::Poll(which),
            18 => HandleOp::JoinTimeout(which),
            19 => HandleOp::Await(which),
            20 | 21 => HandleOp::PollFuture(which),
            22 | 23 => HandleOp::OnFinish(which, self.callback()),
            24 | 25 => HandleOp::Wait(
                self.choices
                    .pick(&[WaitFor::First, WaitFor::FirstFailure, WaitFor::All]),
                self.choices.maybe(2, wait),
            ),
            26 => HandleOp::Drop(which),
            27 => HandleOp::OpenGate,
            28 => HandleOp::StopToken,
            29 => HandleOp::SetLimit(task_limit(self.choices)),
            30 if self.choices.one_in(3) => HandleOp::ClosePool,
            31 if self.choices.one_in(3) => HandleOp::StopPool,
            32 if self.choices.one_in(3) => HandleOp::DrainPool(wait(self.choices)),
            33 if self.depth < DEPTH => HandleOp::Nest(self.nested()),
            _ => HandleOp::Pause,
        }
    }

    fn callback(&mut self) -> Callback {
        match self.choices.below(6) {
            1 => Callback::Panic,
            2 => Callback::PanicTwice,
            3 if self.depth < DEPTH => Callback::Nest(self.nested()),
            _ => Callback::Look,
        }
    }

    fn task(&mut self) -> Task {
        let deed = match self.choices.below(30) {
            14 | 15 => Deed::Fail,
            16..19 => Deed::FailFirst(1 + self.choices.up_to(2)),
            19 => Deed::Panic,
            20 => Deed::PanicTwice,
            21 | 22 => Deed::Wait,
            23 => Deed::WaitForStop,
            24 => Deed::AskForStop,
            25 => Deed::StopToken,
            26 => Deed::SetLimit(task_limit(self.choices)),
            27 | 28 if self.depth < DEPTH => Deed::Nest(self.nested()),
            _ => Deed::Succeed,
        };
        let trap = if self.choices.one_in(8) {
            self.choices.pick(&[
                Trap::DropArgs,
                Trap::DropResult,
                Trap::DropError,
                Trap::Keep,
                Trap::Describe,
                Trap::Clone,
                Trap::RetryIf,
            ])
        } else {
            Trap::None
        };
        let pauses = self.choices.below(3);
        Task { deed, trap, pauses }
    }

    fn input(&mut self) -> Input {
        let most = if self.depth == 0 { 40 } else { 8 };
        let count = match self.choices.one_in(6) {
            true => None,
            false => Some(self.choices.up_to(most)),
        };
        let mut tasks = self.list(4, Draw::task);
        if tasks.is_empty() {
            tasks.push(Task {
                deed: Deed::Succeed,
                trap: Trap::None,
                pauses: 0,
            });
        }
        let at = self.choices.up_to(8);
        let trap = match self.choices.below(16) {
            1 | 2 => SourceTrap::Wait(at),
            3 => SourceTrap::Panic(at),
            4 => SourceTrap::PanicTwice(at),
            5 if self.depth < DEPTH => SourceTrap::Nest(at, self.nested()),
            6 => SourceTrap::Drop,
            _ => SourceTrap::None,
        };
        Input {
            count,
            tasks,
            hint: self.choices.one_in(2),
            trap,
        }
    }
}

impl Limits {
    const NONE: Self = Self {
        retry: None,
        timeout: None,
    };
}

fn limits(choices: &mut Choices) -> Limits {
    Limits {
        retry: choices.maybe(2, |choices| RetryPlan {
            attempts: 1 + choices.below(4),
            backoff: choices.pick(&[0, 10, 200, 1000]),
            picky: choices.one_in(3),
        }),
        timeout: choices.maybe(3, |choices| choices.pick(&[100_000, 1000, 100])),
    }
}

/// Microseconds.
fn wait(choices: &mut Choices) -> u64 {
    choices.pick(&[0, 10, 100, 1000])
}

/// Zero is a pause that ends by itself.
fn task_limit(choices: &mut Choices) -> Option<usize> {
    choices.pick(&[None, Some(1), Some(2), Some(4), Some(0)])
}
