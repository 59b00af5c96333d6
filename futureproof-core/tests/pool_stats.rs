//! What a pool says of its threads and tasks.

mod kit;

use futureproof_core::__private::{map, scope, submit};
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::{Ended, ParallelFor, PoolStats};
use kit::{Counter, Door, bodies, for_workers, half, numbers, oops};

fn sums(stats: &PoolStats) -> (u64, u64, u64, u64) {
    (
        stats.completed(),
        stats.failed(),
        stats.panicked(),
        stats.cancelled(),
    )
}

#[test]
fn tasks_of_scopes_streams_and_handles_add_up_and_stay_after_their_owners_are_gone() {
    for_workers(|pool, workers| {
        assert_eq!(pool.stats().workers(), workers);
        assert_eq!(sums(&pool.stats()), (0, 0, 0, 0));
        scope(pool, numbers(Ignore, half), |tasks| {
            tasks.map(0..10);
            tasks.run().unwrap();
            assert_eq!(sums(&pool.stats()), (5, 5, 0, 0), "while the scope lives");
        })
        .unwrap();
        assert_eq!(map(pool, numbers(Ignore, half), 0..4).count(), 4);
        submit(pool, numbers(Ignore, half), (8,)).join().unwrap();
        submit(pool, bodies(Ignore), (Box::new(|| oops::<()>("no")),))
            .join()
            .unwrap_err();
        submit(pool, bodies::<()>(Ignore), (Box::new(|| panic!("no")),))
            .join()
            .unwrap_err();
        // A handle may know of the end before its thread has counted it.
        while pool.stats().running() > 0 {
            std::thread::yield_now();
        }
        assert_eq!(sums(&pool.stats()), (8, 9, 1, 0));
        assert_eq!(pool.stats().waiting(), 0);
    });
}

#[test]
fn what_runs_and_waits_is_seen_from_outside() {
    for_workers(|pool, workers| {
        let (door, inside) = (Door::new(), Counter::new());
        let body = || {
            let (door, inside) = (door.clone(), inside.clone());
            Box::new(move || {
                inside.add();
                door.wait();
                Ok(())
            })
        };
        let mut call = bodies(Ignore);
        call.capacity = Some(10);
        let handles: Vec<_> = (0..workers + 3)
            .map(|_| submit(pool, call.clone(), (body(),)))
            .collect();
        inside.wait_for(workers);
        let stats = pool.stats();
        assert_eq!((stats.running(), stats.waiting()), (workers, 3));
        assert_eq!((stats.threads(), stats.idle_threads()), (workers, 0));
        handles.last().unwrap().cancel();
        assert_eq!((pool.stats().waiting(), pool.stats().cancelled()), (2, 1));
        door.open();
        for handle in handles {
            _ = handle.join();
        }
        while pool.stats().idle_threads() < pool.stats().threads() {
            std::thread::yield_now();
        }
        assert_eq!((pool.stats().running(), pool.stats().waiting()), (0, 0));
    });
}

#[test]
fn items_of_loops_are_no_tasks_but_their_threads_are_busy() {
    for_workers(|pool, _| {
        ParallelFor::new().pool(pool).for_each(0..1000, |_| ());
        assert_eq!(sums(&pool.stats()), (0, 0, 0, 0));
        assert!(pool.stats().threads() <= pool.workers());
    });
}

#[test]
fn scopes_and_streams_say_how_they_are_getting_on() {
    for_workers(|pool, _| {
        let (door, behind) = (Door::new(), Door::new());
        let wait = behind.clone();
        scope(pool, bodies(Ignore), |tasks| {
            tasks.submit(Box::new(move || {
                wait.wait();
                Ok(())
            }));
            let report = tasks.report();
            assert_eq!((report.completed(), report.ended()), (0, Ended::Running));
            behind.open();
            tasks.run().unwrap();
            let report = tasks.report();
            assert_eq!((report.completed(), report.ended()), (1, Ended::Exhausted));
        })
        .unwrap();
        let wait = door.clone();
        let inputs = (0..3).inspect(move |n| {
            if *n == 2 {
                wait.wait();
            }
        });
        let mut results = map(pool, numbers(Ignore, half), inputs);
        results.next().unwrap().unwrap();
        assert_eq!(results.report().ended(), Ended::Running);
        door.open();
        assert_eq!(results.by_ref().count(), 2);
        let report = results.report();
        assert_eq!((report.completed(), report.failed()), (2, 1));
        assert_eq!(report.ended(), Ended::Exhausted);
    });
}
