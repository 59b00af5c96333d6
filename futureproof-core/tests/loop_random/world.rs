//! One loop that runs: what its bodies and its source do, and what they see.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::{JoinHandle, ThreadId};

use futureproof_core::__private::{Failure, Flow, Never};
use futureproof_core::{ErrorPolicy, StopToken, TaskPool, is_stopping};

use crate::program::{Deed, ITEM_DROP, Input, LOCAL_DROP, Program, Pull, SOURCE, SPECIAL, Stop};
use crate::run;
use crate::sequence::Effect;
use crate::source::{Channel, HasIndex, Item};
use crate::values::{Calls, Counted, Local, Parts, Planned};

/// So many items a worker holds at most unless the loop says otherwise.
const DEFAULT_BATCH: usize = 8192;

/// What all loops of one program share.
pub(crate) struct Trial {
    pub(crate) limits: Vec<usize>,
    pub(crate) pools: Vec<TaskPool>,
    pub(crate) faults: Mutex<Vec<String>>,
    /// Bodies that were run.
    pub(crate) bodies: AtomicUsize,
}

/// Where bodies and sources wait for one another.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<Marks>,
    changed: Condvar,
}

#[derive(Default)]
struct Marks {
    started: Vec<bool>,
    finished: Vec<bool>,
    ending: bool,
}

impl Board {
    fn mark(&self, change: impl FnOnce(&mut Marks)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Whatever is waited for may never come.
    pub(crate) fn end(&self) {
        self.mark(|marks| marks.ending = true);
    }

    fn wait(&self, until: impl Fn(&Marks) -> bool) {
        let mut marks = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !marks.ending && !until(&marks) {
            marks = (self.changed.wait(marks)).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// One loop that runs.
pub(crate) struct World<'t> {
    pub(crate) trial: &'t Trial,
    pub(crate) program: &'t Program,
    /// How many workers it has at most.
    pub(crate) workers: usize,
    pub(crate) caller: ThreadId,
    pub(crate) token: StopToken,
    board: Arc<Board>,
    pub(crate) started: Vec<AtomicUsize>,
    running: AtomicIsize,
    pub(crate) items: Arc<AtomicIsize>,
    pub(crate) codes: Arc<AtomicIsize>,
    pub(crate) locals: Arc<AtomicIsize>,
    pub(crate) sources: Arc<AtomicIsize>,
    pub(crate) calls: Arc<Calls>,
    /// How many locals were made.
    pub(crate) made: AtomicUsize,
    /// Has a body heard that the loop is ending?
    heard: AtomicBool,
    /// The last item that may have ended it.
    last_exit: AtomicUsize,
    /// Items behind that one that were started after it was heard.
    pub(crate) late: AtomicUsize,
    /// No item from this one on may start.
    closed: AtomicUsize,
    pub(crate) helpers: Mutex<Vec<JoinHandle<()>>>,
}

impl<'t> World<'t> {
    pub(crate) fn new(trial: &'t Trial, program: &'t Program) -> Self {
        let board = Board::default();
        let marks = if program.waits() { program.count } else { 0 };
        board.mark(|state| {
            (state.started, state.finished) = (vec![false; marks], vec![false; marks]);
        });
        let world = Self {
            trial,
            program,
            workers: program.most_workers(&trial.limits),
            caller: std::thread::current().id(),
            token: StopToken::new(),
            board: Arc::new(board),
            started: (0..program.count).map(|_| AtomicUsize::new(0)).collect(),
            running: AtomicIsize::new(0),
            items: Arc::default(),
            codes: Arc::default(),
            locals: Arc::default(),
            sources: Arc::default(),
            calls: Arc::new(Calls {
                count: AtomicUsize::new(0),
                panic_at: program.reducer_panic,
                code: program.code(SPECIAL),
                alive: Arc::default(),
                fired: AtomicBool::new(false),
            }),
            made: AtomicUsize::new(0),
            heard: AtomicBool::new(false),
            last_exit: AtomicUsize::new(0),
            late: AtomicUsize::new(0),
            closed: AtomicUsize::new(usize::MAX),
            helpers: Mutex::default(),
        };
        if program.stop == Stop::Before {
            world.stop(None);
        }
        world
    }

    pub(crate) fn fault(&self, what: impl std::fmt::Display) {
        let (level, input) = (self.program.level, self.program.input);
        let mut faults = self.trial.faults.lock().unwrap();
        faults.push(format!("the {input:?} loop of level {level}: {what}"));
    }

    pub(crate) fn planned(&self, code: usize, armed: bool) -> Planned {
        let _alive = Counted::new(&self.codes);
        Planned {
            code,
            _alive,
            armed,
        }
    }

    fn stop(&self, channel: Option<&Channel>) {
        self.token.stop();
        self.board.end();
        if let Some(channel) = channel {
            channel.end();
        }
    }

    fn stop_elsewhere(&self, channel: Option<&Channel>) {
        let (token, board) = (self.token.clone(), self.board.clone());
        let send: Option<mpsc::Sender<_>> = channel.map(|channel| channel.send.clone());
        let helper = std::thread::spawn(move || {
            token.stop();
            board.end();
            if let Some(send) = send {
                // The loop may be over and the source gone.
                let _ = send.send(None);
            }
        });
        self.helpers.lock().unwrap().push(helper);
    }

    /// What `next()` does before it gives the item.
    pub(crate) fn before_pull(&self, index: usize) {
        let program = self.program;
        if index > program.count || program.source_panic().is_some_and(|panic| index > panic) {
            self.fault("a source was asked again after its end");
        }
        if program.input == Input::Here && std::thread::current().id() != self.caller {
            self.fault("another thread than the caller's pulled");
        }
        match program.pulls.get(&index) {
            Some(Pull::Panic) => {
                self.last_exit.fetch_max(index, Ordering::SeqCst);
                self.board.end();
                let code = program.code(index) + SOURCE;
                resume_unwind(Box::new(self.planned(code, false)));
            }
            Some(Pull::Nest) => self.nest(),
            Some(Pull::Stop) => self.stop(None),
            Some(&Pull::WaitFor(other)) => self.board.wait(|marks| marks.finished[other]),
            Some(Pull::WaitForEnd) => {
                while !is_stopping() {
                    std::thread::yield_now();
                }
                self.closed.fetch_min(index, Ordering::SeqCst);
            }
            None => {}
        }
    }

    fn nest(&self) {
        if let Some(inner) = &self.program.inner {
            run::run(self.trial, inner);
        }
    }

    pub(crate) fn item<'w>(&'w self, index: usize, channel: Option<&'w Channel>) -> Item<'w> {
        let program = self.program;
        let code = program.code(index) + ITEM_DROP;
        let bomb = program.deeds.get(&index) == Some(&Deed::DropPanic);
        let item = Item::new(self, index, channel, bomb.then_some(code));
        if program.input != Input::Vec {
            let pulled = self.items.load(Ordering::Relaxed);
            // One worker never reads ahead.
            let batch = match self.workers {
                1 => 1,
                _ => program.batch.unwrap_or(DEFAULT_BATCH),
            };
            let bound = self.workers * batch;
            if pulled > bound as isize {
                self.fault(format!(
                    "{pulled} items are pulled and not finished, {bound} may be"
                ));
            }
        }
        item
    }

    pub(crate) fn local(&self) -> Local {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        if self.program.local_panic == Some(made) {
            self.calls.fire();
        }
        let code = self.program.code(0) + LOCAL_DROP;
        let bomb = self.program.local_drop;
        Local {
            thread: std::thread::current().id(),
            bomb: bomb.then(|| self.planned(code, false)),
            _alive: Counted::new(&self.locals),
        }
    }

    /// Runs an item's body.
    pub(crate) fn body(
        &self,
        mut item: impl HasIndex,
        channel: Option<&Channel>,
        local: Option<&mut Local>,
        parts: Option<Parts<'_>>,
        sum: Option<&mut usize>,
    ) -> Effect {
        let program = self.program;
        let index = item.index();
        if self.started[index].fetch_add(1, Ordering::Relaxed) > 0 {
            self.fault(format!("item {index} was started twice"));
        }
        self.trial.bodies.fetch_add(1, Ordering::Relaxed);
        if index >= self.closed.load(Ordering::SeqCst) {
            self.fault(format!("item {index} was started after the end was known"));
        }
        let _running = self.begin(index);
        let this = std::thread::current().id();
        if self.workers == 1 && this != self.caller {
            self.fault("the one worker is not the caller");
        }
        if local.is_some_and(|local| local.thread != this) {
            self.fault("a local was used by two threads");
        }
        if let Some(mut parts) = parts {
            parts.add(index);
        }
        if let Some(sum) = sum {
            *sum += index;
        }
        if let Some(channel) = channel {
            (2 * index + 1..2 * index + 3)
                .filter(|&child| child < program.count)
                .for_each(|child| channel.send(child));
        }
        match index.wrapping_mul(0x9e37_79b9) % 31 {
            0 => std::thread::yield_now(),
            1..4 => (0..index % 3000).for_each(|_| std::hint::spin_loop()),
            _ => {}
        }
        match program.deeds.get(&index) {
            Some(Deed::Stop) => self.stop(channel),
            Some(Deed::StopElsewhere) => self.stop_elsewhere(channel),
            Some(Deed::Nest) => self.nest(),
            Some(&Deed::WaitForEarlier(other)) => self.board.wait(|marks| marks.finished[other]),
            Some(&Deed::WaitForLater(other)) => self.board.wait(|marks| marks.started[other]),
            _ => {}
        }
        if program.exit(index).is_some() {
            self.board.end();
        }
        if let Some(channel) = channel
            && (self.token.is_stopped() || program.exit(index).is_some())
        {
            // Or the source might wait for ever: what is pulled and not run any more gives it nothing.
            channel.end();
        }
        match program.effect(index) {
            Effect::Panic(code) if !item.is_bomb() => {
                let armed = program.deeds.get(&index) == Some(&Deed::PanicTwice);
                resume_unwind(Box::new(self.planned(code, armed)));
            }
            // A bomb goes off here.
            effect => {
                drop(item);
                effect
            }
        }
    }

    fn begin(&self, index: usize) -> impl Drop {
        struct Running<'a, 't>(&'a World<'t>, usize);

        impl Drop for Running<'_, '_> {
            fn drop(&mut self) {
                let Self(world, index) = *self;
                world.running.fetch_sub(1, Ordering::Relaxed);
                if world.asks() && is_stopping() {
                    world.heard.store(true, Ordering::SeqCst);
                }
                if world.program.waits() {
                    world.board.mark(|marks| marks.finished[index] = true);
                }
            }
        }

        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        let guard = Running(self, index);
        if running > self.workers as isize {
            self.fault(format!("{running} bodies at once"));
        }
        if self.program.exit(index).is_some() {
            self.last_exit.fetch_max(index, Ordering::SeqCst);
        }
        if self.asks()
            && self.heard.load(Ordering::SeqCst)
            && index > self.last_exit.load(Ordering::SeqCst)
        {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        if self.program.waits() {
            self.board.mark(|marks| marks.started[index] = true);
        }
        guard
    }

    /// Do bodies ask whether the loop is ending? In an inner one the answer is that of the loops around it too.
    fn asks(&self) -> bool {
        self.program.asks && self.program.level == 0
    }

    pub(crate) fn flow(&self, effect: Effect) -> Flow<Planned> {
        match effect {
            Effect::Next => Flow::Next,
            Effect::Break => Flow::Break,
            Effect::Fail(code) if self.program.policy == ErrorPolicy::Raise => {
                Flow::Exit(self.planned(code, false))
            }
            Effect::Fail(_) => Flow::Failed(Failure::ignored()),
            Effect::Panic(_) => unreachable!("it has left the body"),
        }
    }

    pub(crate) fn plain_flow(effect: Effect) -> Flow<Never> {
        match effect {
            Effect::Next => Flow::Next,
            Effect::Fail(_) => Flow::Failed(Failure::ignored()),
            Effect::Break | Effect::Panic(_) => unreachable!("the program is plain"),
        }
    }
}
