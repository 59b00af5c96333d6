//! Lending a closure to pool threads, and taking it back.

use std::panic::{self, AssertUnwindSafe};

use super::{Tally, explore, pool};
use crate::raw::lend::{Purpose, Visit, lend};
use crate::raw::watched::Watched;

#[test]
fn a_loan_ends_after_the_last_thread_has_left_it() {
    explore(|| {
        let pool = pool(1);
        let frame = Watched::new();
        let work = |_: &_, visit| {
            assert_eq!(visit, Visit::Work);
            frame.write();
        };
        lend(pool.shared(), Purpose::Loop, &work, |lease| {
            assert_eq!(lease.request(1), 1);
        });
        frame.write();
    });
}

#[test]
fn a_lender_that_unwinds_waits_for_its_visitors() {
    explore(|| {
        let pool = pool(1);
        let frame = Watched::new();
        let unwound = panic::catch_unwind(AssertUnwindSafe(|| {
            let work = |_: &_, _| frame.write();
            lend(pool.shared(), Purpose::Loop, &work, |lease| {
                lease.request(1);
                panic::resume_unwind(Box::new(()));
            })
        }));
        frame.write();
        assert!(unwound.is_err());
    });
}

#[test]
fn a_visitor_may_ask_for_another_one() {
    explore(|| {
        let pool = pool(2);
        let visits = Tally::default();
        let work = |lease: &crate::raw::lend::Lease, _| {
            visits.add();
            if visits.get() == 1 {
                lease.request(1);
            }
        };
        lend(pool.shared(), Purpose::Loop, &work, |lease| {
            lease.request(1);
            visits.wait_for(2);
        });
    });
}

#[test]
fn threads_that_come_back_work_for_the_next_loan() {
    explore(|| {
        let pool = pool(1);
        for _ in 0..2 {
            let visits = Tally::default();
            let work = |_: &_, _| visits.add();
            lend(pool.shared(), Purpose::Loop, &work, |lease| {
                lease.request(1);
                visits.wait_for(1);
            });
        }
        assert_eq!(pool.threads(), 1);
    });
}
