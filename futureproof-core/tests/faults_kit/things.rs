//! Things whose `Drop` panics, and a census that says whether each was dropped exactly once.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::panic_any;
use std::sync::{Arc, Mutex};

use futureproof_core::Reduce;

/// Knows all things of one test.
#[derive(Clone, Default)]
pub struct Census(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    made: usize,
    alive: BTreeSet<usize>,
    twice: usize,
}

impl Census {
    pub fn new() -> Self {
        Self::default()
    }

    /// A thing that is dropped without more ado.
    pub fn thing(&self, number: usize) -> Thing {
        self.with_fuse(number, 0)
    }

    /// A thing whose `Drop` panics, with a payload whose `Drop` panics, and so on, so many times.
    pub fn grenade(&self, number: usize, times: u32) -> Thing {
        self.with_fuse(number, times)
    }

    fn with_fuse(&self, number: usize, fuse: u32) -> Thing {
        let mut counts = self.0.lock().unwrap();
        let id = counts.made;
        counts.made += 1;
        counts.alive.insert(id);
        Thing {
            number,
            fuse,
            id,
            census: self.clone(),
        }
    }

    /// Checks that all things are gone, but for so many, and that none was dropped twice.
    #[track_caller]
    pub fn all_are_gone_but(&self, left: usize) {
        let counts = self.0.lock().unwrap();
        let (twice, alive, made) = (counts.twice, counts.alive.len(), counts.made);
        // Things that are dropped by a failure want it, too.
        drop(counts);
        assert_eq!(twice, 0, "dropped twice");
        assert!(alive <= left, "{alive} of {made} leaked");
    }

    #[track_caller]
    pub fn all_are_gone(&self) {
        self.all_are_gone_but(0);
    }
}

/// An item, a result, an error, an argument or a payload.
pub struct Thing {
    pub number: usize,
    fuse: u32,
    id: usize,
    census: Census,
}

impl Drop for Thing {
    fn drop(&mut self) {
        let mut counts = self.census.0.lock().unwrap();
        counts.twice += usize::from(!counts.alive.remove(&self.id));
        drop(counts);
        if self.fuse > 0 && !std::thread::panicking() {
            panic_any(self.census.with_fuse(self.number, self.fuse - 1));
        }
    }
}

impl Clone for Thing {
    fn clone(&self) -> Self {
        self.census.with_fuse(self.number, self.fuse)
    }
}

impl fmt::Debug for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thing {}", self.number)
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thing {}", self.number)
    }
}

impl std::error::Error for Thing {}

/// As something that is reduced: a list of things.
#[derive(Default)]
pub struct Things(pub Vec<Thing>);

impl Reduce for Things {
    fn identity(&self) -> Self {
        Self::default()
    }

    fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}

/// Panics of tests that mean to are not worth a line each.
pub fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.payload().is::<Thing>() && !panic.payload().is::<Quiet>() {
                loud(panic);
            }
        }));
    });
}

struct Quiet;

/// Panics with a payload that is not worth a line.
pub fn quiet_panic() -> ! {
    panic_any(Quiet)
}
