//! What is heard, recorded and counted of the same tasks, which is to be the same.
#![allow(dead_code, unreachable_pub)]

use std::ops::AddAssign;
use std::panic;
use std::sync::Once;

use futureproof_core::{Report, TaskPool};
use metrics::with_local_recorder;

use super::ear::{Ear, Said};
use super::recorder::Ledger;

/// How many have ended in which way. A panic is a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
    }
}

impl From<&Report> for Sums {
    fn from(report: &Report) -> Self {
        Self {
            completed: report.completed(),
            failed: report.failed(),
            cancelled: report.cancelled(),
        }
    }
}

/// Hears the log, and records the metrics.
#[derive(Clone)]
pub struct Witness {
    ear: Ear,
    ledger: Ledger,
}

impl Witness {
    pub fn new() -> Self {
        hush();
        Self {
            ear: Ear::new(),
            ledger: Ledger::new(),
        }
    }

    pub fn during<R>(&self, test: impl FnOnce() -> R) -> R {
        (self.ear).during(|| with_local_recorder(&self.ledger, test))
    }

    /// Everything that was watched, once all of it has ended.
    pub fn ends(&self) -> Vec<Said> {
        loop {
            let mut said = self.ear.monitor();
            let begun = said.iter().filter(|said| said.message == "starts").count();
            said.retain(|said| said.get("ended").is_some());
            if said.len() == begun {
                return said;
            }
            std::thread::yield_now();
        }
    }

    /// What the log says.
    pub fn logged(&self) -> Sums {
        let mut sums = Sums::default();
        for end in self.ends() {
            let count = |name| end.get(name).unwrap().parse::<u64>().unwrap();
            sums += Sums {
                completed: count("completed"),
                failed: count("failed"),
                cancelled: count("cancelled"),
            };
        }
        sums
    }

    /// What the metrics say, which have to agree among themselves.
    #[track_caller]
    pub fn recorded(&self, kind: &str, name: &str) -> Sums {
        let totals = self.ledger.totals(kind, name);
        let total = |name: &str| {
            let total = totals.iter().find(|(other, _)| other == name);
            total.map_or(0, |(_, value)| *value as u64)
        };
        let sums = Sums {
            completed: total("completed_total"),
            failed: total("failed_total") + total("panicked_total"),
            cancelled: total("cancelled_total"),
        };
        // What was cancelled was never begun.
        assert_eq!(
            total("started_total"),
            sums.completed + sums.failed,
            "{totals:?}"
        );
        assert_eq!((total("in_flight"), total("waiting")), (0, 0), "{totals:?}");
        sums
    }

    /// Log, metrics and pool say the same of all tasks of one name; returns what.
    #[track_caller]
    pub fn agrees(&self, pool: &TaskPool, name: &str) -> Sums {
        let counted = counted(pool);
        assert_eq!(self.logged(), counted, "the log and the pool");
        assert_eq!(
            self.recorded("pool", name),
            counted,
            "the metrics and the pool"
        );
        let totals = self.ledger.totals("pool", name);
        let total = |name| totals.iter().find(|(other, _)| other == name);
        for (name, count) in [
            ("panicked_total", pool.stats().panicked()),
            ("retried_total", pool.stats().retried()),
        ] {
            assert_eq!(
                total(name).map_or(0, |(_, value)| *value as u64),
                count,
                "{name}"
            );
        }
        counted
    }
}

/// What the pool says, once nothing runs or waits.
pub fn counted(pool: &TaskPool) -> Sums {
    // A handle may know of the end before its thread has counted it.
    while pool.stats().running() + pool.stats().waiting() > 0 {
        std::thread::yield_now();
    }
    let stats = pool.stats();
    Sums {
        completed: stats.completed(),
        failed: stats.failed(),
        cancelled: stats.cancelled(),
    }
}

/// The payload of the bodies' panics, which are kept out of the output.
pub struct Wanted;

fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Wanted>() {
                hook(info);
            }
        }));
    });
}
