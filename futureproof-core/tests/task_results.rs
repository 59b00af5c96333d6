//! The result iterators that own their tasks: order, bounds, and every way out.

mod kit;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futureproof_core::__private::{as_completed, map, submit};
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::{Ended, StopCause, TaskErrorKind, TaskPool, is_stopping};
use kit::{
    Body, Counter, Door, Log, Oops, WORKERS, bodies, double, for_workers, half, no_hang, numbers,
    oops, pool, scaled, threadless_pool,
};

#[test]
fn map_yields_in_input_order_and_as_completed_yields_all() {
    let count = scaled(2000, 50) as u64;
    for_workers(|pool, _| {
        let results: Vec<u64> = map(pool, numbers(Raise, double), 0..count)
            .map(|task| task.unwrap().result)
            .collect();
        assert_eq!(results, (0..count).map(|n| n * 2).collect::<Vec<_>>());
        let results: BTreeSet<u64> = as_completed(pool, numbers(Raise, double), 0..count)
            .map(|task| task.unwrap().result)
            .collect();
        assert_eq!(results.len() as u64, count);
        assert_eq!(map(pool, numbers(Raise, double), 0..0).count(), 0);
    });
}

#[test]
fn completion_order_does_not_wait_for_the_slow() {
    for workers in [2, 3, 16] {
        no_hang(|| {
            let door = Door::new();
            let slow = door.clone();
            let inputs: Vec<Body<'static, u32>> = vec![
                Box::new(move || {
                    slow.wait();
                    Ok(0)
                }),
                Box::new(|| Ok(1)),
            ];
            let pool = pool(workers);
            let mut results = as_completed(&pool, bodies(Raise), inputs);
            assert_eq!(results.next().unwrap().unwrap().result, 1);
            door.open();
            assert_eq!(results.next().unwrap().unwrap().result, 0);
            assert!(results.next().is_none());
        });
    }
}

#[test]
fn an_endless_input_is_pulled_no_further_than_the_bound() {
    for_workers(|pool, workers| {
        for capacity in [0, 3] {
            let pulled = Arc::new(AtomicUsize::new(0));
            let count = pulled.clone();
            let mut call = numbers(Raise, double);
            call.capacity = Some(capacity);
            let results = map(
                pool,
                call.clone(),
                (0..).inspect(move |_| _ = count.fetch_add(1, Ordering::SeqCst)),
            );
            for (read, task) in results.take(500).enumerate() {
                assert_eq!(task.unwrap().index, read);
                assert!(pulled.load(Ordering::SeqCst) <= read + 1 + workers + capacity);
            }
        }
    });
}

#[test]
fn under_raise_the_first_failure_is_the_last_item() {
    for_workers(|pool, _| {
        let mut results = map(pool, numbers(Raise, half), [0, 2, 4, 5, 6, 7]);
        assert_eq!(
            results
                .by_ref()
                .take(3)
                .map(|task| task.unwrap().result)
                .sum::<u64>(),
            3
        );
        let error = results.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "task 3: half(5) failed: oops: 5 is odd");
        assert!(results.next().is_none());
        assert!(results.next().is_none());

        let error = as_completed(pool, numbers(Raise, half), (0..).map(|n| n * 3))
            .find_map(Result::err)
            .unwrap();
        assert!(matches!(error.kind(), TaskErrorKind::Failed(Oops(_))));
    });
}

#[test]
fn under_log_and_ignore_failures_are_yielded_and_the_rest_follows() {
    for_workers(|pool, _| {
        for (policy, logged) in [(LogPolicy, 50), (Ignore, 0)] {
            let log = Log::new();
            let ends: Vec<bool> = log.during(|| {
                map(pool, numbers(policy, half), 0..100)
                    .map(|task| task.is_ok())
                    .collect()
            });
            assert_eq!(ends, (0..100).map(|n| n % 2 == 0).collect::<Vec<_>>());
            assert_eq!(log.errors().len(), logged);
        }
    });
}

#[test]
fn dropping_the_results_early_waits_for_what_is_running_and_says_what_was_not_run() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let (started, ended) = (Counter::new(), Counter::new());
            let inputs = {
                let (started, ended) = (started.clone(), ended.clone());
                (0..).map(move |n| -> Body<'static, ()> {
                    let (started, ended) = (started.clone(), ended.clone());
                    Box::new(move || {
                        started.add();
                        // The first results are there at once, the other tasks run until they are told to stop.
                        while n > 0 && !is_stopping() {
                            std::thread::yield_now();
                        }
                        ended.add();
                        Ok(())
                    })
                })
            };
            let log = Log::new();
            log.during(|| {
                let results = map(&pool, bodies(Raise), inputs);
                started.wait_for(workers.min(2));
                drop(results);
                assert_eq!(ended.get(), started.get(), "it has waited");
            });
            let said = log.lines();
            assert!(
                said.iter().any(|line| line.contains("were dropped early")),
                "{said:#?}"
            );
        });
    }
}

#[test]
fn stopping_the_results_reports_what_was_done() {
    for_workers(|pool, _| {
        let mut results = map(pool, numbers(Raise, double), 0..);
        for _ in 0..10 {
            results.next().unwrap().unwrap();
        }
        let report = results.stop();
        assert!(report.completed() >= 10, "{report}");
        assert_eq!(report.failed(), 0);
        assert_eq!(report.ended(), Ended::Stopped(StopCause::Asked));
    });
}

#[test]
fn detaching_the_results_starts_nothing_more_and_does_not_wait() {
    for_workers(|pool, workers| {
        let (door, started, ended) = (Door::new(), Counter::new(), Counter::new());
        let inputs = {
            let (door, started, ended) = (door.clone(), started.clone(), ended.clone());
            (0..).map(move |_| -> Body<'static, ()> {
                let (door, started, ended) = (door.clone(), started.clone(), ended.clone());
                Box::new(move || {
                    started.add();
                    door.wait();
                    ended.add();
                    Ok(())
                })
            })
        };
        let results = map(pool, bodies(Raise), inputs);
        started.wait_for(workers);
        results.detach();
        assert_eq!(ended.get(), 0, "it did not wait");
        door.open();
        ended.wait_for(workers);
        // The pool is free again.
        assert_eq!(
            submit(pool, numbers(Raise, double), (1,)).join().unwrap(),
            2
        );
        assert_eq!(started.get(), workers, "nothing more was started");
    });
}

#[test]
fn failures_that_end_after_the_results_were_left_are_logged() {
    for workers in WORKERS {
        no_hang(|| {
            let log = Log::new();
            log.during(|| {
                let pool = pool(workers);
                let (door, started) = (Door::new(), Counter::new());
                let (inside, begun) = (door.clone(), started.clone());
                let inputs: [Body<'static, ()>; 1] = [Box::new(move || {
                    begun.add();
                    inside.wait();
                    oops("too late")
                })];
                let results = map(&pool, bodies(Raise), inputs);
                started.wait_for(1);
                results.detach();
                door.open();
            });
            assert_eq!(log.errors().len(), 1);
        });
    }
}

#[test]
fn dropping_the_pool_ends_the_results_with_a_cancelled_task() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let mut results = map(&pool, numbers(Raise, double), 0..);
            assert_eq!(results.next().unwrap().unwrap().result, 0);
            drop(pool);
            let ends: Vec<_> = results.collect();
            let (last, before) = ends.split_last().unwrap();
            assert!(before.iter().all(Result::is_ok));
            assert!(last.as_ref().unwrap_err().is_cancelled());
        });
    }
}

#[test]
fn a_reader_that_waits_is_woken_when_the_pool_is_dropped() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let (items, source) = mpsc::channel();
            let mut results = map(&pool, numbers(Raise, double), source);
            items.send(1).unwrap();
            assert_eq!(results.next().unwrap().unwrap().result, 2);
            let reader = std::thread::spawn(move || results.next().map(|end| end.is_err()));
            let dropper = std::thread::spawn(move || drop(pool));
            // A worker is inside the source: the pool can only end once that returns.
            drop(items);
            dropper.join().unwrap();
            assert!(matches!(reader.join().unwrap(), None | Some(true)));
        });
    }
}

#[test]
fn results_can_be_read_inside_tasks_of_the_same_pool() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let sums = map(
                pool,
                bodies(Raise),
                (0..8).map(move |n| -> Body<'static, u64> {
                    Box::new(move || {
                        Ok(map(pool, numbers(Raise, double), 0..n)
                            .map(|task| task.unwrap().result)
                            .sum())
                    })
                }),
            );
            let sums: Vec<u64> = sums.map(|task| task.unwrap().result).collect();
            assert_eq!(sums, [0, 0, 2, 6, 12, 20, 30, 42]);
        });
    }
}

#[test]
fn a_source_that_panics_ends_the_results() {
    for_workers(|pool, _| {
        let source = (0..).inspect(|n| assert!(*n < 3, "the source panics"));
        let ends: Vec<_> = map(pool, numbers(Ignore, double), source).collect();
        assert_eq!(ends.len(), 4);
        assert_eq!(
            ends[3].as_ref().unwrap_err().to_string(),
            "task 3: half panicked: the source panics"
        );
    });
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_the_reader_does_the_work() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let results: Vec<u64> = map(&pool, numbers(Raise, double), 0..100)
            .map(|task| task.unwrap().result)
            .collect();
        assert_eq!(results.len(), 100);
    });
}

#[test]
fn results_can_be_read_on_another_thread() {
    for_workers(|pool, _| {
        let results = as_completed(pool, numbers(Raise, double), 0..100);
        let count = std::thread::spawn(move || results.count()).join().unwrap();
        assert_eq!(count, 100);
    });
}
