//! What one run of a loop is given, and what is seen of it.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use crate::trial::{ARRAY, Act, Trial};

/// Counts the values that are alive.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicIsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An item.
#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) number: usize,
    pub(crate) act: Act,
    /// Not atomic: a sanitizer sees it if two threads have the same one.
    pub(crate) touched: usize,
    _alive: Counted,
}

/// What leaves a loop: the value of a `return`, an error, or a payload.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) number: usize,
    _alive: Counted,
}

/// The error of a body.
#[derive(Debug)]
pub(crate) struct Low(pub(crate) Left);

impl fmt::Display for Low {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "low {}", self.0.number)
    }
}

impl std::error::Error for Low {}

/// The error of the function around, which `?` makes of the body's. It cannot be sent to another thread.
#[derive(Debug)]
pub(crate) struct High(Low, #[expect(dead_code)] Rc<()>);

impl From<Low> for High {
    fn from(low: Low) -> Self {
        Self(low, Rc::new(()))
    }
}

/// A value that each worker has one of, which cannot be sent either.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) used: Rc<()>,
    _alive: Counted,
}

/// How a loop was left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Through,
    Returned(usize),
    Failed(usize),
    Panicked(usize),
    Stopped,
}

/// What a loop leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) end: End,
    pub(crate) list: Vec<usize>,
    pub(crate) numbers: (usize, usize, usize),
    pub(crate) words: BTreeMap<usize, String>,
    /// Items that completed and that failed, where the loop says so.
    pub(crate) counts: Option<(u64, u64)>,
}

/// One run of a loop.
pub(crate) struct Run<'t> {
    pub(crate) trial: &'t Trial,
    alive: Arc<AtomicIsize>,
    pub(crate) started: Vec<AtomicUsize>,
    running: AtomicUsize,
    most_at_once: AtomicUsize,
    locals: AtomicUsize,
}

impl<'t> Run<'t> {
    pub(crate) fn new(trial: &'t Trial) -> Self {
        let count = trial.acts.len().max(ARRAY);
        Self {
            trial,
            alive: Arc::default(),
            started: (0..count).map(|_| AtomicUsize::new(0)).collect(),
            running: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            locals: AtomicUsize::new(0),
        }
    }

    fn counted(&self) -> Counted {
        self.alive.fetch_add(1, Ordering::Relaxed);
        Counted(self.alive.clone())
    }

    pub(crate) fn thing(&self, number: usize) -> Thing {
        Thing {
            number,
            act: self.trial.acts.get(number).copied().unwrap_or(Act::Next),
            touched: 0,
            _alive: self.counted(),
        }
    }

    pub(crate) fn things(&self) -> Vec<Thing> {
        (0..self.trial.acts.len())
            .map(|number| self.thing(number))
            .collect()
    }

    pub(crate) fn array(&self) -> [Thing; ARRAY] {
        std::array::from_fn(|number| self.thing(number))
    }

    pub(crate) fn left(&self, number: usize) -> Left {
        Left {
            number,
            _alive: self.counted(),
        }
    }

    pub(crate) fn local(&self) -> Local {
        self.locals.fetch_add(1, Ordering::Relaxed);
        Local {
            used: Rc::new(()),
            _alive: self.counted(),
        }
    }

    /// Begins the body of an item; it ends when the guard is dropped.
    pub(crate) fn begin(&self, number: usize) -> impl Drop {
        struct Running<'a>(&'a AtomicUsize);

        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        self.started[number].fetch_add(1, Ordering::Relaxed);
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(running, Ordering::Relaxed);
        Running(&self.running)
    }

    /// What is done to the function's result, and to what the loop has left behind.
    pub(crate) fn end(&self, function: impl FnOnce() -> Result<Option<Left>, High>) -> End {
        match catch_unwind(AssertUnwindSafe(function)) {
            Ok(Ok(None)) => End::Through,
            Ok(Ok(Some(left))) => End::Returned(left.number),
            Ok(Err(High(low, _))) => End::Failed(low.0.number),
            Err(payload) => match payload.downcast::<Left>() {
                Ok(left) => End::Panicked(left.number),
                Err(payload) => resume_unwind(payload),
            },
        }
    }

    /// Did it keep to its bounds, and is nothing left of it?
    pub(crate) fn check(&self, is_parallel: bool) -> Result<(), String> {
        let twice = self
            .started
            .iter()
            .position(|started| started.load(Ordering::Relaxed) > 1);
        if let Some(number) = twice {
            return Err(format!("item {number} was started more than once"));
        }
        let workers = if is_parallel {
            self.trial.most_workers()
        } else {
            1
        };
        let at_once = self.most_at_once.load(Ordering::Relaxed);
        if at_once > workers {
            return Err(format!("{at_once} bodies at once"));
        }
        let locals = self.locals.load(Ordering::Relaxed);
        if locals > workers {
            return Err(format!("{locals} locals for {workers} workers"));
        }
        match self.alive.load(Ordering::Relaxed) {
            0 => Ok(()),
            alive => Err(format!("{alive} values are alive")),
        }
    }
}

/// An iterator that says something wrong of its length.
pub(crate) struct Lying<I>(pub(crate) I, pub(crate) usize);

impl<I: Iterator> Iterator for Lying<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.1 {
            0 => (0, None),
            1 => (0, Some(0)),
            2 => (1, Some(1)),
            3 => (usize::MAX, Some(usize::MAX)),
            4 => (usize::MAX, Some(2)),
            _ => resume_unwind(Box::new("the size hint panics")),
        }
    }
}

impl<I: Iterator> ExactSizeIterator for Lying<I> {
    fn len(&self) -> usize {
        self.1
    }
}

/// An iterator that belongs to its thread.
pub(crate) struct Caged<I>(pub(crate) I, pub(crate) Rc<()>);

impl<I: Iterator> Iterator for Caged<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        assert_eq!(Rc::strong_count(&self.1), 1);
        self.0.next()
    }
}
