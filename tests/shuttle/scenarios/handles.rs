//! Handles in other threads' hands.

use std::sync::mpsc;
use std::thread;

use futureproof_core::Until::All;
use futureproof_core::{TaskError, wait};

use crate::kit::{Counter, Oops, Random};
use crate::{Handle, lasting, task, under_every_schedule};

/// What becomes of a handle, and of its task; true if the task has to have run.
fn handle_end(handle: Handle, n: u64, how: u64) -> bool {
    let check = |result: Result<u64, TaskError<Oops>>| {
        assert_eq!(result.unwrap(), n);
        true
    };
    match how {
        0 => check(handle.join()),
        1 => check(shuttle::future::block_on(handle)),
        2 => {
            wait([&handle], All);
            assert!(handle.is_finished());
            check(handle.join())
        }
        3 => {
            let cancelled = handle.cancel();
            let result = handle.join();
            assert_eq!(result.is_err(), cancelled);
            assert!(result.is_ok_and(|result| result == n) || cancelled);
            !cancelled
        }
        4 => match handle.try_join() {
            Ok(result) => check(result),
            Err(handle) => check(handle.join()),
        },
        _ => {
            drop(handle);
            true
        }
    }
}

#[test]
fn handles_in_other_threads_hands_are_told_how_their_tasks_ended() {
    under_every_schedule("handles in other threads' hands", |random: &mut Random| {
        let pool = lasting(1 + random.below(2)).build();
        let (ran, told) = (Counter::new(), Counter::new());
        let (send, expected) = mpsc::channel();
        let count = 1 + random.below(4);
        thread::scope(|scope| {
            for n in 0..count {
                let (counts, tells) = (ran.clone(), told.clone());
                let mut handle = Some(task(&pool, move || {
                    counts.add();
                    Ok(n)
                }));
                let how = random.below(6);
                let send = send.clone();
                if random.one_in(2) {
                    (handle.as_ref().unwrap()).on_finish(move |_| {
                        tells.add();
                    });
                } else {
                    tells.add();
                }
                scope.spawn(move || {
                    let runs = handle_end(handle.take().unwrap(), n, how);
                    send.send(runs).unwrap();
                });
            }
        });
        drop(send);
        let runs = expected.iter().filter(|&runs| runs).count();
        // What was dropped still runs.
        pool.drain(std::time::Duration::MAX).unwrap();
        assert_eq!(ran.get(), runs);
        told.wait_for(count as usize);
        assert_eq!(told.get(), count as usize);
    });
}
