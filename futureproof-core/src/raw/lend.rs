//! Lends a closure that borrows to threads that outlive the borrow.

use crate::gate::Gate;
use crate::pool::{Shared, Work};
use crate::sync::{Arc, FrameToken, Instant, Weak};

type Borrowed<'a> = dyn Fn(&Lease, Visit) + Sync + 'a;

/// Why a closure on loan is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// By a thread that was asked for.
    Work,
    /// At a moment for which it has asked; only tasks do.
    Alarm,
    /// No thread will come for its tasks.
    Abandon,
    /// None of so many threads will come, as none can be started.
    Alone(usize),
}

/// What a closure on loan runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Loop,
    Tasks,
}

/// A closure on loan: the pointer may be followed only by a visitor of the gate.
struct Loan {
    work: *const Borrowed<'static>,
    gate: Gate,
    frame: FrameToken,
    purpose: Purpose,
    pool: Arc<Shared>,
    me: Weak<Loan>,
}

// SAFETY: `work` points to a closure that is `Sync`, so calling it through a shared reference is allowed on any thread;
// all else in a loan is `Send` by itself.
unsafe impl Send for Loan {}
// SAFETY: as above; the pointer is never written.
unsafe impl Sync for Loan {}

impl Loan {
    /// Calls the closure, and then `last`, if the loan is open.
    fn visit(&self, why: Visit, last: impl FnOnce()) {
        let Some(_visit) = self.gate.enter() else {
            return;
        };
        let Some(me) = self.me.upgrade() else { return };
        self.frame.hold(|| {
            // SAFETY: the closure is alive: the gate let us in, so `lend` has not finished closing it, and it cannot
            // finish before `_visit` is dropped, which happens after the last use of `work`.
            let work = unsafe { &*self.work };
            work(&Lease { loan: me }, why);
        });
        last();
    }
}

impl Work for Loan {
    fn work(&self) {
        self.visit(Visit::Work, || self.pool.expect_back());
    }

    fn abandon(&self) {
        if self.purpose == Purpose::Tasks {
            self.visit(Visit::Abandon, || ());
        }
    }

    fn nobody_comes(&self, threads: usize) {
        if self.purpose == Purpose::Tasks {
            self.visit(Visit::Alone(threads), || ());
        }
    }

    fn runs_tasks(&self) -> bool {
        self.purpose == Purpose::Tasks
    }

    fn alarm(&self) {
        self.visit(Visit::Alarm, || ());
    }

    fn alarm_now(&self) {
        let Some(me) = self.me.upgrade() else { return };
        let work: Arc<dyn Work> = me;
        if !self.pool.alarm_at(&work, Instant::now()) {
            self.alarm();
        }
    }
}

/// Asks for threads to run a closure on loan. It may outlive the loan: then there is nothing left to run.
#[derive(Clone)]
pub(crate) struct Lease {
    loan: Arc<Loan>,
}

impl Lease {
    /// Asks that up to `threads` more pool threads call the closure, once each; returns how many threads the pool has.
    pub(crate) fn request(&self, threads: usize) -> usize {
        let work: Arc<dyn Work> = self.loan.clone();
        self.loan.pool.request(&work, threads)
    }

    /// Asks that the closure be called at the moment `due`; false if nobody can do that.
    pub(crate) fn alarm_at(&self, due: Instant) -> bool {
        let work: Arc<dyn Work> = self.loan.clone();
        self.loan.pool.alarm_at(&work, due)
    }

    /// Is the pool closed that should lend the threads?
    pub(crate) fn is_pool_closed(&self) -> bool {
        self.loan.pool.is_closed()
    }

    /// The loan as something that can be called, for as long as it lasts.
    pub(crate) fn as_work(&self) -> Arc<dyn Work> {
        self.loan.clone()
    }
}

/// Closes the loan when `owner` returns or unwinds.
struct Settle<'a>(&'a Arc<Loan>);

impl Drop for Settle<'_> {
    fn drop(&mut self) {
        self.0.gate.close();
        // Not before that: visitors may ask for more threads. Who comes meanwhile finds the gate closed.
        let work: Arc<dyn Work> = self.0.clone();
        self.0.pool.withdraw(&work);
        self.0.frame.end();
        if self.0.purpose == Purpose::Loop {
            self.0.pool.tell_late();
        }
    }
}

/// Runs `owner` on this thread while threads of `pool`, as far as `owner` asks for them, run `work`.
///
/// When `owner` returns or unwinds, no further call of `work` begins and `lend` waits for those that have begun. The
/// waiting thread runs nothing else meanwhile.
pub(crate) fn lend<R>(
    pool: &Arc<Shared>,
    purpose: Purpose,
    work: &Borrowed<'_>,
    owner: impl FnOnce(&Lease) -> R,
) -> R {
    let work: *const Borrowed<'_> = work;
    // SAFETY: only the lifetime in the pointer's type changes. The pointer is followed only inside the gate (see
    // `Loan::work`), and `Settle` closes the gate and waits for the visitors before this function returns or unwinds,
    // so never after `work`'s own borrow has ended. `Settle` cannot be forgotten: it is a local of this function.
    let work =
        unsafe { std::mem::transmute::<*const Borrowed<'_>, *const Borrowed<'static>>(work) };
    let loan = Arc::new_cyclic(|me| Loan {
        work,
        gate: Gate::new(),
        frame: FrameToken::new(),
        purpose,
        pool: pool.clone(),
        me: me.clone(),
    });
    let _settle = Settle(&loan);
    owner(&Lease { loan: loan.clone() })
}
