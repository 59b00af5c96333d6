//! Scopes inside tasks, and scopes without threads: nothing deadlocks, and nobody runs what is not his.

mod kit;

use futureproof_core::__private::scope;
use futureproof_core::ErrorPolicy::Raise;
use kit::{Body, Oops, bodies, double, for_workers, no_hang, numbers, pool, threadless_pool};

#[test]
fn on_a_thread_of_the_pool_submit_accepts_beyond_the_capacity_instead_of_blocking() {
    for_workers(|pool, workers| {
        scope(pool, bodies(Raise), |tasks| {
            for _ in 0..workers {
                tasks.submit(Box::new(|| {
                    let mut call = numbers(Raise, double);
                    call.capacity = Some(0);
                    let count = scope(pool, call.clone(), |tasks| {
                        for n in 0..500 {
                            tasks.submit(n);
                        }
                        Ok(tasks.as_completed().count())
                    });
                    assert_eq!(count.unwrap(), 500);
                    Ok(())
                }));
            }
            tasks.run().unwrap();
        })
        .unwrap();
    });
}

#[test]
fn scopes_nest_on_the_same_pool_whatever_the_number_of_workers() {
    fn count(pool: &futureproof_core::TaskPool, depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        scope(pool, bodies(Raise), |tasks| {
            for _ in 0..3 {
                tasks.submit(Box::new(move || Ok(count(pool, depth - 1))));
            }
            tasks.map(
                (0..2).map(|_| -> Body<'_, u64> { Box::new(move || Ok(count(pool, depth - 1))) }),
            );
            let mut sum = 0;
            for task in tasks.in_order() {
                sum += task?.result;
            }
            Ok(sum)
        })
        .unwrap()
    }
    for_workers(|pool, _| assert_eq!(count(pool, 4), 625));
}

#[test]
fn scopes_nest_across_pools_of_one_worker() {
    no_hang(|| {
        let (p, q) = (pool(1), pool(1));
        fn descend<'a>(
            p: &'a futureproof_core::TaskPool,
            q: &'a futureproof_core::TaskPool,
            depth: u32,
        ) -> u32 {
            scope(p, bodies(Raise), |tasks| {
                for _ in 0..2 {
                    tasks.submit(Box::new(move || {
                        Ok(if depth == 0 {
                            1
                        } else {
                            descend(q, p, depth - 1)
                        })
                    }));
                }
                let mut sum = 0;
                for task in tasks.as_completed() {
                    sum += task?.result;
                }
                Ok(sum)
            })
            .unwrap()
        }
        assert_eq!(descend(&p, &q, 6), 128);
    });
}

#[test]
fn a_waiting_task_runs_no_task_of_another_scope() {
    for_workers(|pool, _| {
        thread_local!(static DEPTH: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
        scope(pool, bodies(Raise), |tasks| {
            for _ in 0..64 {
                tasks.submit(Box::new(|| {
                    assert_eq!(DEPTH.get(), 0, "an unrelated task runs beneath this one");
                    DEPTH.set(1);
                    let inner = scope(pool, numbers(Raise, double), |tasks| {
                        tasks.map(0..8);
                        tasks.run()?;
                        Ok(())
                    });
                    DEPTH.set(0);
                    inner.map_err(|error| Oops(error.to_string()))
                }));
            }
            tasks.run().unwrap();
        })
        .unwrap();
    });
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_the_owner_does_the_work() {
    for workers in [1, 3] {
        no_hang(|| {
            let pool = threadless_pool(workers);
            let here = std::thread::current().id();
            let mut call = bodies(Raise);
            call.capacity = Some(1);
            let sum = scope(&pool, call.clone(), |tasks| {
                for n in 0..100 {
                    tasks.submit(Box::new(move || {
                        assert_eq!(std::thread::current().id(), here);
                        Ok(n)
                    }));
                }
                tasks.map((100..200).map(|n| -> Body<'_, u64> { Box::new(move || Ok(n)) }));
                let mut sum = 0;
                for task in tasks.as_completed() {
                    sum += task?.result;
                }
                Ok(sum)
            });
            assert_eq!(sum.unwrap(), (0..200).sum());
            assert_eq!(pool.threads(), 0);
        });
    }
}
