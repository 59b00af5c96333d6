//! Submitted tasks that are stopped: by their handle, by a token, by a deadline.

mod kit;

use std::time::Duration;

use futureproof_core::__private::configure;
use futureproof_core::ErrorPolicy::Ignore;
use futureproof_core::TrySubmitError::Stopped;
use futureproof_core::{Configured, Retry, StopToken, TaskHandle, TaskPool, is_stopping};
use kit::{
    Body, Counter, Door, Oops, WORKERS, bodies, for_workers, half, no_hang, numbers, pool,
    threadless_pool,
};

type Handle = TaskHandle<&'static str, Oops, ()>;

const MS: Duration = Duration::from_millis(1);

fn task(pool: &TaskPool) -> Configured<(Body<'static, &'static str>,), (), &'static str, Oops> {
    configure(pool, bodies(Ignore)).capacity(1000)
}

/// A task that runs until it is told to stop.
fn patient(started: &Counter) -> Body<'static, &'static str> {
    let started = started.clone();
    Box::new(move || {
        started.add();
        while !is_stopping() {
            std::thread::yield_now();
        }
        Ok("told")
    })
}

/// Occupies all workers until the door is opened.
fn occupy(pool: &TaskPool, workers: usize) -> (Vec<Handle>, Door) {
    let (door, started) = (Door::new(), Counter::new());
    let busy = (0..workers)
        .map(|_| {
            let (door, started) = (door.clone(), started.clone());
            task(pool).submit(Box::new(move || {
                started.add();
                door.wait();
                Ok(if is_stopping() { "told" } else { "not told" })
            }))
        })
        .collect();
    started.wait_for(workers);
    (busy, door)
}

fn never() -> Body<'static, &'static str> {
    Box::new(|| panic!("a stopped task runs"))
}

fn assert_cancelled(handle: Handle) {
    assert!(handle.join().unwrap_err().is_cancelled());
}

#[test]
fn stop_tells_a_running_task_and_that_one_only() {
    for_workers(|pool, workers| {
        let started = Counter::new();
        let stopped = task(pool).submit(patient(&started));
        started.wait_for(1);
        let (busy, door) = occupy(pool, workers - 1);
        stopped.stop();
        assert_eq!(stopped.join().unwrap(), "told");
        door.open();
        for handle in busy {
            assert_eq!(handle.join().unwrap(), "not told");
        }
    });
}

#[test]
fn stop_cancels_a_queued_task_and_does_nothing_to_one_that_has_ended() {
    for_workers(|pool, workers| {
        let (busy, door) = occupy(pool, workers);
        let queued = task(pool).submit(never());
        queued.stop();
        assert!(queued.is_finished());
        assert!(queued.cancel(), "cancelled is cancelled");
        assert_cancelled(queued);
        door.open();
        for handle in busy {
            while !handle.is_finished() {
                std::thread::yield_now();
            }
            handle.stop();
            assert_eq!(handle.join().unwrap(), "not told");
        }
    });
}

#[test]
fn a_token_cancels_all_its_queued_tasks_and_tells_those_that_run() {
    for_workers(|_, workers| {
        let elsewhere = pool(1);
        let pool = pool(workers);
        let (token, started) = (StopToken::new(), Counter::new());
        let running = task(&pool).stop(&token).submit(patient(&started));
        let other = task(&elsewhere).stop(&token).submit(patient(&started));
        started.wait_for(2);
        let (busy, door) = occupy(&pool, workers - 1);
        let queued: Vec<_> = (0..20)
            .map(|_| task(&pool).stop(&token).submit(never()))
            .collect();
        let not_stopped = task(&pool)
            .stop(&StopToken::new())
            .submit(Box::new(|| Ok("not stopped")));
        token.stop();
        // All workers are still busy, though those that are told leave.
        queued.into_iter().for_each(assert_cancelled);
        assert_eq!(running.join().unwrap(), "told");
        assert_eq!(other.join().unwrap(), "told");
        door.open();
        assert_eq!(not_stopped.join().unwrap(), "not stopped");
        drop(busy);
    });
}

#[test]
fn a_task_whose_token_is_stopped_already_never_starts() {
    for_workers(|pool, _| {
        let token = StopToken::new();
        token.stop();
        for _ in 0..50 {
            let handle = task(pool).stop(&token).submit(never());
            assert!(handle.is_finished());
            assert_cancelled(handle);
        }
    });
}

#[test]
fn a_task_whose_token_is_stopped_already_is_refused_where_it_can_be() {
    for_workers(|pool, _| {
        let token = StopToken::new();
        token.stop();
        let call = || configure(pool, numbers(Ignore, half)).capacity(0);
        let refused = call().stop(&token).try_submit(4).map(drop);
        assert_eq!(refused, Err(Stopped((4,))));
        let refused = call().deadline(Duration::ZERO).try_submit(4).map(drop);
        assert_eq!(refused, Err(Stopped((4,))));
    });
}

#[test]
fn a_submit_that_waits_for_room_ends_with_its_token_and_at_its_deadline() {
    for_workers(|pool, workers| {
        let (busy, door) = occupy(pool, workers);
        let (token, begun) = (StopToken::new(), Counter::new());
        std::thread::scope(|threads| {
            let blocked = [(); 3].map(|()| {
                threads.spawn(|| {
                    begun.add();
                    task(pool).capacity(0).stop(&token).submit(never())
                })
            });
            let late = task(pool).capacity(0).deadline(2 * MS).submit(never());
            assert_cancelled(late);
            begun.wait_for(3);
            // They most likely wait then; if they do not yet, they will not at all.
            for _ in 0..1000 {
                std::thread::yield_now();
            }
            token.stop();
            for handle in blocked {
                assert_cancelled(handle.join().unwrap());
            }
        });
        door.open();
        drop(busy);
    });
}

#[test]
fn a_stop_that_races_with_submits_misses_none() {
    for_workers(|pool, workers| {
        let token = StopToken::new();
        let (busy, door) = occupy(pool, workers);
        let handles: Vec<Handle> = std::thread::scope(|threads| {
            let submitters: Vec<_> = (0..3)
                .map(|_| {
                    threads.spawn(|| {
                        (0..100)
                            .map(|_| task(pool).stop(&token).submit(never()))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            token.stop();
            submitters
                .into_iter()
                .flat_map(|submitter| submitter.join().unwrap())
                .collect()
        });
        // All workers are still busy.
        handles.into_iter().for_each(assert_cancelled);
        door.open();
        drop(busy);
    });
}

#[test]
fn a_token_may_be_stopped_from_inside_one_of_its_tasks_and_from_a_callback() {
    for_workers(|pool, workers| {
        let (token, door) = (StopToken::new(), Door::new());
        let held = Door::new();
        let (inside, stop, hold) = (door.clone(), token.clone(), held.clone());
        let stopper = task(pool).stop(&token).submit(Box::new(move || {
            inside.wait();
            stop.stop();
            // A worker that is free would start the others.
            hold.wait();
            Ok(if is_stopping() { "told" } else { "not told" })
        }));
        let (busy, other_door) = occupy(pool, workers - 1);
        let (second, again) = (StopToken::new(), StopToken::new());
        let third = again.clone();
        let queued = task(pool).stop(&token).submit(never());
        let chained = task(pool).stop(&second).submit(never());
        let last = task(pool).stop(&third).submit(never());
        queued.on_finish(move |_| second.stop());
        chained.on_finish(move |_| again.stop());
        door.open();
        [queued, chained, last]
            .into_iter()
            .for_each(assert_cancelled);
        held.open();
        assert_eq!(stopper.join().unwrap(), "told");
        other_door.open();
        drop(busy);
    });
}

#[test]
fn a_deadline_cancels_what_has_not_started_though_no_worker_is_free_and_tells_what_runs() {
    for_workers(|pool, workers| {
        let started = Counter::new();
        let running = task(pool).deadline(20 * MS).submit(patient(&started));
        // On a slow machine the deadline may pass before it starts.
        let told = |end: Result<&str, futureproof_core::TaskError<Oops>>| match end {
            Ok(text) => assert_eq!(text, "told"),
            Err(error) => assert!(error.is_cancelled()),
        };
        told(running.join());
        let (busy, door) = occupy(pool, workers);
        let queued: Vec<_> = (1..5)
            .map(|n| task(pool).deadline(n * MS).submit(never()))
            .collect();
        let zero = task(pool).deadline(Duration::ZERO).submit(never());
        assert!(zero.is_finished());
        assert_cancelled(zero);
        let far = task(pool)
            .deadline(Duration::MAX)
            .submit(Box::new(|| Ok("far")));
        queued.into_iter().for_each(assert_cancelled);
        door.open();
        assert_eq!(far.join().unwrap(), "far");
        for handle in busy {
            assert_eq!(handle.join().unwrap(), "not told");
        }
    });
}

#[test]
fn stopped_tasks_leave_room_and_nothing_behind() {
    for_workers(|pool, workers| {
        let (busy, door) = occupy(pool, workers);
        let token = StopToken::new();
        // Each would block for ever if one before still took its place.
        for n in 0..300 {
            let handle = task(pool).capacity(1).stop(&token).submit(never());
            match n % 3 {
                0 => handle.stop(),
                1 => assert!(handle.cancel()),
                _ => {
                    let own = StopToken::new();
                    handle.stop();
                    let next = task(pool).capacity(1).stop(&own).submit(never());
                    own.stop();
                    assert_cancelled(next);
                }
            }
            assert_cancelled(handle);
        }
        door.open();
        drop(busy);
    });
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_stops_are_heeded_too() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let token = StopToken::new();
        let stop = token.clone();
        let handle = task(&pool).stop(&token).submit(Box::new(move || {
            stop.stop();
            Ok(if is_stopping() { "told" } else { "not told" })
        }));
        assert_eq!(handle.join().unwrap(), "told");
        assert_cancelled(task(&pool).stop(&token).submit(never()));
        let call = numbers(Ignore, half);
        let day = Duration::from_secs(86_400);
        let late = configure(&pool, call)
            .retry(Retry::attempts(2).backoff(day).max_backoff(day))
            .deadline(5 * MS)
            .submit(3);
        assert!(late.is_finished(), "after its deadline");
    });
}

#[test]
fn tokens_that_outlive_their_pool_harm_nothing() {
    for workers in WORKERS {
        no_hang(|| {
            let token = StopToken::new();
            let pool = pool(workers);
            let handles: Vec<_> = (0..10)
                .map(|_| task(&pool).stop(&token).submit(Box::new(|| Ok("done"))))
                .collect();
            drop(pool);
            token.stop();
            for handle in handles {
                match handle.join() {
                    Ok(text) => assert_eq!(text, "done"),
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
        });
    }
}
