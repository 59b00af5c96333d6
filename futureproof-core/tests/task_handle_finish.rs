//! Callbacks on the end of a task: each is called once, whatever the end, and does no harm.

mod kit;

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use futureproof_core::__private::submit;
use futureproof_core::ErrorPolicy::{Ignore, Log as LogPolicy, Raise};
use futureproof_core::{TaskError, TaskErrorKind, TaskHandle, TaskPool};
use kit::{
    Body, Counter, Door, Log, Oops, WORKERS, bodies, for_workers, no_hang, oops, pool,
    threadless_pool,
};

type Handle<T> = TaskHandle<T, Oops, ()>;

fn body<T: Send + 'static>(
    pool: &TaskPool,
    body: impl FnOnce() -> Result<T, Oops> + Send + 'static,
) -> Handle<T> {
    let body: Body<'static, T> = Box::new(body);
    let mut call = bodies(Raise);
    call.capacity = Some(100);
    submit(pool, call, (body,))
}

/// What a callback sees of an end.
fn seen<T: ToString>(end: &Result<futureproof_core::Task<(), T>, TaskError<Oops>>) -> String {
    match end {
        Ok(task) => task.result.to_string(),
        Err(error) => match error.kind() {
            TaskErrorKind::Failed(error) => error.to_string(),
            TaskErrorKind::Panicked(panic) => panic.to_string(),
            TaskErrorKind::Cancelled => "cancelled".into(),
            other => format!("{other:?}"),
        },
    }
}

/// Has a callback of the handle send what it sees.
fn notes<T: ToString + Send + 'static>(handle: &Handle<T>) -> Receiver<String> {
    let (sender, notes) = mpsc::channel();
    handle.on_finish(move |end| sender.send(seen(end)).unwrap());
    notes
}

/// Occupies all workers until the door is opened.
fn occupy(pool: &TaskPool, workers: usize, door: &Door) -> Vec<Handle<()>> {
    let started = Counter::new();
    let busy = (0..workers)
        .map(|_| {
            let (door, started) = (door.clone(), started.clone());
            body(pool, move || {
                started.add();
                door.wait();
                Ok(())
            })
        })
        .collect();
    started.wait_for(workers);
    busy
}

#[test]
fn a_callback_sees_each_way_to_end_before_the_handle_gives_it() {
    for_workers(|pool, workers| {
        let door = Door::new();
        let busy = occupy(pool, workers, &door);
        let cases: [(Handle<u32>, &str); 4] = [
            (body(pool, || Ok(7)), "7"),
            (body(pool, || oops("no")), "oops: no"),
            (body(pool, || panic!("never")), "panicked: never"),
            (body(pool, || Ok(1)), "cancelled"),
        ];
        let notes: Vec<_> = cases.iter().map(|(handle, _)| notes(handle)).collect();
        assert!(cases[3].0.cancel());
        door.open();
        for ((handle, expected), notes) in cases.into_iter().zip(notes) {
            let end = handle.join_task();
            assert_eq!(
                notes.try_recv().unwrap(),
                expected,
                "called before join returns"
            );
            assert_eq!(seen(&end), expected);
            assert!(notes.recv().is_err(), "and only once");
        }
        for handle in busy {
            handle.join().unwrap();
        }
    });
}

#[test]
fn callbacks_are_called_in_the_order_they_came() {
    for_workers(|pool, workers| {
        let door = Door::new();
        let busy = occupy(pool, workers, &door);
        let handle = body(pool, || Ok(()));
        let order = Arc::new(Mutex::new(Vec::new()));
        for n in 0..10 {
            let order = order.clone();
            handle.on_finish(move |_| order.lock().unwrap().push(n));
        }
        door.open();
        handle.join().unwrap();
        assert!(order.lock().unwrap().iter().copied().eq(0..10));
        drop(busy);
    });
}

#[test]
fn a_callback_on_a_finished_task_is_called_at_once() {
    for_workers(|pool, _| {
        let handle = body(pool, || Ok(5));
        while !handle.is_finished() {
            std::thread::yield_now();
        }
        let here = std::thread::current().id();
        for _ in 0..3 {
            let (sender, notes) = mpsc::channel();
            handle.on_finish(move |end| {
                assert_eq!(std::thread::current().id(), here);
                sender.send(end.as_ref().unwrap().result).unwrap();
            });
            assert_eq!(notes.try_recv(), Ok(5));
        }
        assert_eq!(handle.join().unwrap(), 5, "it is still there");
    });
}

#[test]
fn a_callback_that_comes_while_others_are_called_is_called_too_and_before_the_end_is_known() {
    for_workers(|pool, _| {
        let (first, door) = (Counter::new(), Door::new());
        let gate = Door::new();
        let inside = gate.clone();
        let handle = body(pool, move || {
            inside.wait();
            Ok(2)
        });
        let (begun, wait) = (first.clone(), door.clone());
        handle.on_finish(move |_| {
            begun.add();
            wait.wait();
        });
        gate.open();
        first.wait_for(1);
        assert!(!handle.is_finished(), "its end is still being told");
        let notes = notes(&handle);
        assert!(notes.try_recv().is_err());
        door.open();
        assert_eq!(handle.join().unwrap(), 2);
        assert_eq!(notes.try_recv().unwrap(), "2");
    });
}

#[test]
fn callbacks_that_race_with_the_end_are_called_exactly_once() {
    for_workers(|pool, _| {
        for n in 0..300 {
            let handle = body(pool, move || Ok(n));
            let called = Counter::new();
            for _ in 0..3 {
                let called = called.clone();
                handle.on_finish(move |end| {
                    assert_eq!(end.as_ref().unwrap().result, n);
                    called.add();
                });
            }
            assert_eq!(handle.join().unwrap(), n);
            assert_eq!(called.get(), 3);
        }
    });
}

#[test]
fn a_callback_that_panics_is_logged_once_and_harms_nothing() {
    for_workers(|_, workers| {
        let log = Log::new();
        log.during(|| {
            let pool = pool(workers);
            let door = Door::new();
            let busy = occupy(&pool, workers, &door);
            let handle = body(&pool, || Ok(9));
            handle.on_finish(|_| panic!("a rude callback"));
            let notes = notes(&handle);
            door.open();
            assert_eq!(handle.join().unwrap(), 9);
            assert_eq!(notes.try_recv().unwrap(), "9", "the next one is called");
            let handle = body(&pool, || Ok(1));
            while !handle.is_finished() {
                std::thread::yield_now();
            }
            handle.on_finish(|_| panic!("a rude callback, later"));
            assert_eq!(handle.join().unwrap(), 1);
            assert_eq!(body(&pool, || Ok(2)).join().unwrap(), 2, "the pool goes on");
            drop(busy);
        });
        let errors = log.errors();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].contains("ERROR futureproof "), "{errors:?}");
        assert!(errors[0].contains("a rude callback"), "{errors:?}");
        assert!(errors[1].contains("a rude callback, later"), "{errors:?}");
    });
}

#[test]
fn a_dropped_handle_has_its_callbacks_called_and_its_failure_logged_once() {
    for workers in WORKERS {
        no_hang(|| {
            for (policy, expected) in [(Raise, 1), (LogPolicy, 1), (Ignore, 0)] {
                let log = Log::new();
                let notes = log.during(|| {
                    let pool = pool(workers);
                    let door = Door::new();
                    let inside = door.clone();
                    let unread: Body<'static, u32> = Box::new(move || {
                        inside.wait();
                        oops("unread")
                    });
                    let handle = submit(&pool, bodies(policy), (unread,));
                    let notes = notes(&handle);
                    drop(handle);
                    door.open();
                    notes.recv().unwrap()
                    // The pool's drop joins the task.
                });
                assert_eq!(notes, "oops: unread");
                assert_eq!(log.errors().len(), expected, "{policy}: {:?}", log.errors());
            }
        });
    }
}

#[test]
fn the_callbacks_of_what_a_dropped_pool_cancels_are_called() {
    for workers in WORKERS {
        no_hang(|| {
            let pool = pool(workers);
            let door = Door::new();
            let busy = occupy(&pool, workers, &door);
            let queued: Vec<_> = (0..workers).map(|_| body(&pool, || Ok(0))).collect();
            let notes: Vec<_> = queued.iter().map(notes).collect();
            drop(queued);
            std::thread::scope(|threads| {
                let door = &door;
                threads.spawn(move || {
                    for notes in notes {
                        assert_eq!(notes.recv().unwrap(), "cancelled");
                    }
                    door.open();
                });
                drop(pool);
            });
            drop(busy);
        });
    }
}

#[test]
fn a_callback_may_use_the_pool_and_its_own_handle() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let door = Door::new();
            let inside = door.clone();
            let handle = Arc::new(body(pool, move || {
                inside.wait();
                Ok(1)
            }));
            let (sender, notes) = mpsc::channel();
            let again = handle.clone();
            handle.on_finish(move |end| {
                let before = end.as_ref().unwrap().result;
                let inner = body(pool, || Ok(2)).join().unwrap();
                again.on_finish(move |end| {
                    let task = end.as_ref().unwrap();
                    sender.send(before + inner + task.result).unwrap();
                });
            });
            door.open();
            assert_eq!(notes.recv().unwrap(), 4);
            while !handle.is_finished() {
                std::thread::yield_now();
            }
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts threads with any stack size")]
fn without_any_thread_the_callback_is_called_at_once() {
    no_hang(|| {
        let pool = threadless_pool(2);
        let handle = body(&pool, || Ok(3));
        assert_eq!(notes(&handle).try_recv().unwrap(), "3");
    });
}

#[test]
#[should_panic(expected = "`on_finish` was called after the task's end had been awaited")]
fn a_callback_on_an_end_that_was_given_away_is_refused() {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    let pool = pool(1);
    let mut handle = body(&pool, || Ok(()));
    let mut polling = Context::from_waker(Waker::noop());
    while Pin::new(&mut handle).poll(&mut polling).is_pending() {
        std::thread::yield_now();
    }
    handle.on_finish(|_| ());
}
