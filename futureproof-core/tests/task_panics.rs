//! Panics: in tasks, in sources, in `Drop`, `Clone` and `Debug`.

mod kit;

use std::panic::{AssertUnwindSafe, catch_unwind};

use futureproof_core::__private::{Call, DescribeType, VtableError as _, scope};
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::TaskErrorKind;
use kit::{Oops, bodies, double, for_workers, numbers, oops, task_error};

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the bomb goes off");
        }
    }
}

#[test]
fn a_panic_is_that_tasks_failure_with_its_payload_and_the_worker_survives() {
    for_workers(|pool, _| {
        scope(pool, bodies::<u64>(Ignore), |tasks| {
            for n in 0..300_u64 {
                tasks.submit(Box::new(move || match n % 3 {
                    0 => Ok(n),
                    1 => std::panic::panic_any(n),
                    _ => panic!("task {n}"),
                }));
            }
            for task in tasks.in_order() {
                match task {
                    Ok(task) => assert_eq!(task.result % 3, 0),
                    Err(error) => {
                        let index = error.index() as u64;
                        let TaskErrorKind::Panicked(panic) = error.into_kind() else {
                            panic!("not a panic")
                        };
                        match panic.message() {
                            Some(text) => assert_eq!(text, format!("task {index}")),
                            None => {
                                assert_eq!(*panic.into_payload().downcast::<u64>().unwrap(), index);
                            }
                        }
                    }
                }
            }
            assert_eq!((tasks.completed(), tasks.failed()), (100, 200));
        })
        .unwrap();
    });
}

#[test]
fn under_raise_a_panic_is_the_scopes_error_and_can_be_resumed() {
    for_workers(|pool, _| {
        let result = scope(pool, bodies::<()>(Raise), |tasks| {
            tasks.submit(Box::new(|| panic!("in the task")));
        });
        let error = task_error(result.unwrap_err());
        assert_eq!(error.to_string(), "task 0: body panicked: in the task");
        let TaskErrorKind::Panicked(panic) = error.into_kind() else {
            panic!("not a panic")
        };
        let payload = catch_unwind(AssertUnwindSafe(|| panic.resume())).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "in the task");
    });
}

#[test]
fn panics_in_drops_clones_and_debugs_never_hang() {
    #[derive(Debug)]
    struct Rude;

    impl Clone for Rude {
        fn clone(&self) -> Self {
            panic!("no clone")
        }
    }

    for_workers(|pool, _| {
        // A payload, a result, and captures that panic when dropped.
        for policy in [Raise, Ignore, LogPolicy] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                scope(pool, bodies::<Bomb>(policy), |tasks| {
                    tasks.submit(Box::new(|| std::panic::panic_any(Bomb)));
                    tasks.submit(Box::new(|| Ok(Bomb)));
                    let bomb = Bomb;
                    tasks.submit(Box::new(move || {
                        let _bomb = bomb;
                        oops("and a bomb")
                    }));
                })
            }));
            assert!(result.is_ok(), "{policy}");
        }
        let mut call = Call::of(
            "rude",
            |(_rude,): (Rude,)| Ok::<_, Oops>(()),
            |args: &(Rude,)| args.clone(),
            |_| panic!("no debug"),
            (&&&&&DescribeType::<Oops>::new()).vtable(),
        );
        call.policy = Ignore;
        scope(pool, call.clone(), |tasks| {
            tasks.submit(Rude);
            let error = tasks.as_completed().next().unwrap().unwrap_err();
            assert!(matches!(error.kind(), TaskErrorKind::Panicked(_)));
            tasks.stop();
            tasks.submit(Rude);
            assert!(
                tasks
                    .as_completed()
                    .next()
                    .unwrap()
                    .unwrap_err()
                    .is_cancelled()
            );
        })
        .unwrap();
    });
}

#[test]
fn a_source_that_panics_is_a_failure_in_its_place() {
    for_workers(|pool, _| {
        let source = || (0..10).inspect(|n| assert!(*n < 4, "the source panics"));
        let result = scope(pool, numbers(Raise, double), |tasks| {
            tasks.map(source());
        });
        let error = task_error(result.unwrap_err());
        assert_eq!(error.index(), 4);
        assert_eq!(
            error.to_string(),
            "task 4: half panicked: the source panics"
        );

        scope(pool, numbers(Ignore, double), |tasks| {
            tasks.map(source());
            tasks.submit(20);
            let ends: Vec<_> = tasks.in_order().collect();
            assert_eq!(ends.len(), 6);
            assert!(
                ends[4].is_err(),
                "in the place of the item it should have given"
            );
            assert_eq!(ends[5].as_ref().unwrap().args.0, 20);
        })
        .unwrap();
    });
}
