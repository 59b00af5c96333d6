//! Growing, parking, waking, retiring and closing of pools.

use super::{Tally, explore, explore_with_timeouts, pool};
use crate::pool::Work;
use crate::raw::watched::Watched;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// Something to join.
struct Chore {
    runs: Tally,
    abandoned: Tally,
    at_work: AtomicUsize,
    most_at_work: usize,
    is_task: bool,
    data: Watched,
}

impl Chore {
    fn new() -> Arc<Self> {
        Self::of(1, false)
    }

    fn of(most_at_work: usize, is_task: bool) -> Arc<Self> {
        Arc::new(Self {
            runs: Tally::default(),
            abandoned: Tally::default(),
            at_work: AtomicUsize::new(0),
            most_at_work,
            is_task,
            data: Watched::new(),
        })
    }
}

impl Work for Chore {
    fn work(&self) {
        let others = self.at_work.fetch_add(1, Ordering::Relaxed);
        assert!(others < self.most_at_work);
        if self.most_at_work == 1 {
            self.data.write();
        }
        self.at_work.fetch_sub(1, Ordering::Relaxed);
        self.runs.add();
    }

    fn abandon(&self) {
        self.abandoned.add();
    }

    fn runs_tasks(&self) -> bool {
        self.is_task
    }
}

fn as_work(chore: &Arc<Chore>) -> Arc<dyn Work> {
    chore.clone()
}

#[test]
fn a_request_starts_a_thread_or_wakes_the_one_that_parks() {
    explore(|| {
        let pool = pool(1);
        let chore = Chore::new();
        for run in 1..=2 {
            assert_eq!(pool.shared().request(&as_work(&chore), 1), 1);
            chore.runs.wait_for(run);
        }
        drop(pool);
        chore.data.write();
        assert_eq!(chore.abandoned.get(), 0);
    });
}

#[test]
fn a_request_is_served_though_the_thread_is_about_to_retire() {
    explore_with_timeouts(2, || {
        let pool = pool(1);
        let chore = Chore::new();
        for run in 1..=2 {
            pool.shared().request(&as_work(&chore), 1);
            chore.runs.wait_for(run);
        }
        drop(pool);
        chore.data.write();
    });
}

#[test]
fn requests_at_the_same_time_are_all_served() {
    explore(|| {
        let pool = Arc::new(pool(2));
        let ours = Chore::new();
        let theirs = Chore::new();
        let other = {
            let (pool, theirs) = (pool.clone(), theirs.clone());
            loom::thread::spawn(move || {
                pool.shared().request(&as_work(&theirs), 1);
                theirs.runs.wait_for(1);
            })
        };
        pool.shared().request(&as_work(&ours), 1);
        ours.runs.wait_for(1);
        other.join().unwrap();
        assert!((1..=2).contains(&pool.threads()));
    });
}

#[test]
fn a_request_for_several_threads_is_served_by_as_many_as_there_may_be() {
    explore(|| {
        let pool = pool(2);
        let chore = Chore::of(2, false);
        pool.shared().request(&as_work(&chore), 2);
        chore.runs.wait_for(2);
    });
}

#[test]
fn a_request_that_comes_while_the_pool_closes_is_served_or_abandoned_or_refused() {
    explore(|| {
        let pool = pool(1);
        let chore = Chore::new();
        let other = {
            let (shared, chore) = (pool.shared().clone(), chore.clone());
            loom::thread::spawn(move || {
                shared.request(&as_work(&chore), 1);
                shared.is_closed()
            })
        };
        drop(pool);
        // What has been run has been run before the close returned.
        chore.data.write();
        let refused = other.join().unwrap();
        let (runs, abandoned) = (chore.runs.get(), chore.abandoned.get());
        assert!(runs + abandoned <= 1);
        assert!(refused || runs + abandoned == 1);
    });
}

#[test]
fn what_is_withdrawn_is_not_run_afterwards() {
    explore(|| {
        let pool = pool(1);
        let chore = Chore::new();
        pool.shared().request(&as_work(&chore), 1);
        pool.shared().withdraw(&as_work(&chore));
        drop(pool);
        chore.data.write();
        assert!(chore.runs.get() <= 1);
        assert_eq!(chore.abandoned.get(), 0);
    });
}

#[test]
fn no_more_threads_are_at_tasks_than_may_be() {
    explore(|| {
        let pool = pool(2);
        pool.set_task_limit(1);
        let chore = Chore::of(1, true);
        pool.shared().request(&as_work(&chore), 2);
        chore.runs.wait_for(2);
    });
}

#[test]
fn the_end_of_a_pause_lets_waiting_tasks_run() {
    explore(|| {
        let pool = Arc::new(pool(1));
        pool.set_task_limit(0);
        let chore = Chore::of(1, true);
        let other = {
            let pool = pool.clone();
            loom::thread::spawn(move || pool.set_task_limit(None))
        };
        assert!(pool.shared().request(&as_work(&chore), 1) > 0);
        chore.runs.wait_for(1);
        other.join().unwrap();
    });
}
