//! What programs make: every value is counted for as long as it is alive.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::thread::ThreadId;

use futureproof_core::Reduce;

/// Counts the values of a kind that are alive.
pub(crate) struct Counted(Arc<AtomicIsize>);

impl Counted {
    pub(crate) fn new(alive: &Arc<AtomicIsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An error or a payload.
pub(crate) struct Planned {
    pub(crate) code: usize,
    pub(crate) _alive: Counted,
    /// Panics when it is dropped, unless whoever has caught it has disarmed it.
    pub(crate) armed: bool,
}

impl Drop for Planned {
    fn drop(&mut self) {
        if self.armed && !std::thread::panicking() {
            resume_unwind(Box::new("a payload was dropped"));
        }
    }
}

/// One worker's own value.
pub(crate) struct Local {
    pub(crate) thread: ThreadId,
    /// What it panics with when it is dropped.
    pub(crate) bomb: Option<Planned>,
    pub(crate) _alive: Counted,
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(bomb) = self.bomb.take()
            && !std::thread::panicking()
        {
            resume_unwind(Box::new(bomb));
        }
    }
}

/// What the reducers of a loop share: how often they were called, and when they panic.
pub(crate) struct Calls {
    pub(crate) count: AtomicUsize,
    pub(crate) panic_at: Option<usize>,
    pub(crate) code: usize,
    pub(crate) alive: Arc<AtomicIsize>,
    /// Has there been a panic whose place depends on the schedule?
    pub(crate) fired: AtomicBool,
}

impl Calls {
    pub(crate) fn fire(&self) -> ! {
        self.fired.store(true, Ordering::SeqCst);
        let _alive = Counted::new(&self.alive);
        let (code, armed) = (self.code, false);
        resume_unwind(Box::new(Planned {
            code,
            _alive,
            armed,
        }))
    }

    fn called(&self) {
        if self.panic_at == Some(self.count.fetch_add(1, Ordering::Relaxed)) {
            self.fire();
        }
    }
}

/// A user's own reduced variable: the numbers in the order in which they came.
pub(crate) struct Order {
    pub(crate) numbers: Vec<usize>,
    calls: Arc<Calls>,
    _alive: Counted,
}

impl Order {
    pub(crate) fn new(calls: &Arc<Calls>) -> Self {
        Self {
            numbers: Vec::new(),
            calls: calls.clone(),
            _alive: Counted::new(&calls.alive),
        }
    }
}

impl Reduce for Order {
    fn identity(&self) -> Self {
        self.calls.called();
        Self::new(&self.calls)
    }

    fn merge(&mut self, mut later: Self) {
        self.calls.called();
        self.numbers.append(&mut later.numbers);
    }
}

/// The reduced variables. They do not start empty, as those of a loop need not.
pub(crate) struct Totals {
    pub(crate) list: Vec<usize>,
    pub(crate) sum: usize,
    pub(crate) largest: usize,
    pub(crate) smallest: usize,
    pub(crate) by_digit: BTreeMap<usize, Vec<usize>>,
    pub(crate) order: Order,
}

/// What the reduced variables hold before the loop.
pub(crate) const FIRST: usize = 5;

impl Totals {
    pub(crate) fn new(calls: &Arc<Calls>) -> Self {
        Self {
            list: vec![FIRST],
            sum: FIRST,
            largest: FIRST,
            smallest: FIRST,
            by_digit: BTreeMap::from([(FIRST, vec![FIRST])]),
            order: Order::new(calls),
        }
    }
}

/// One worker's part of all of them.
pub(crate) struct Parts<'a> {
    pub(crate) list: &'a mut Vec<usize>,
    pub(crate) sum: &'a mut usize,
    pub(crate) largest: &'a mut usize,
    pub(crate) smallest: &'a mut usize,
    pub(crate) by_digit: &'a mut BTreeMap<usize, Vec<usize>>,
    pub(crate) order: &'a mut Order,
}

impl Parts<'_> {
    pub(crate) fn add(&mut self, index: usize) {
        self.list.push(index);
        *self.sum += index;
        *self.largest = index.max(*self.largest);
        *self.smallest = index.min(*self.smallest);
        self.by_digit.entry(index % 10).or_default().push(index);
        self.order.numbers.push(index);
    }
}
