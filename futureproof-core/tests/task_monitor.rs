//! What the progress log says of scopes, streams and submitted tasks, by the clock on the wall.

#[path = "kit/ear.rs"]
mod ear;
mod kit;

use std::time::Duration;

use ear::{Ear, Said};
use futureproof_core::__private::{as_completed, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::MonitorInterval;
use kit::{Body, WORKERS, bodies, half, no_hang, numbers, oops, pool};

/// Long enough for a line that says that something has started.
const INTERVAL: Duration = Duration::from_millis(101);

/// Runs `test` with an ear as the subscriber, and gives what the progress log said.
fn listen(test: impl FnOnce(&Ear)) -> Vec<Said> {
    no_hang(|| {
        let ear = Ear::new();
        ear.during(|| test(&ear));
        ear.monitor()
    })
}

/// Waits until a line has these fields, which follow each other.
fn wait_for(ear: &Ear, fields: &str) -> Said {
    ear.wait_for(|said| said.has(fields))
}

/// Runs one task more than there are workers; all but the first wait for a line with these fields, if any are given.
fn scope_until(ear: &Ear, fields: &str, workers: usize, interval: MonitorInterval) {
    let mut call = bodies(Raise);
    call.monitor = interval;
    scope(&pool(workers), call, |tasks| {
        for n in 0..workers + 1 {
            tasks.submit(Box::new(move || {
                if n > 0 && !fields.is_empty() {
                    wait_for(ear, fields);
                }
                Ok(())
            }));
        }
    })
    .unwrap();
}

#[test]
fn a_scope_is_announced_and_reports_what_completed_and_what_is_in_flight() {
    for workers in WORKERS {
        let fields = format!("name=body completed=1 failed=0 in_flight={workers} waiting=0");
        let said = listen(|ear| scope_until(ear, &fields, workers, INTERVAL.into()));
        let started = said.iter().find(|said| said.message == "started").unwrap();
        assert_eq!(
            started.fields,
            format!("name=body workers={workers} policy=raise")
        );
        let end = said.last().unwrap();
        assert_eq!(
            (&*end.message, end.get("ended")),
            ("finished", Some("finished"))
        );
        assert!(
            end.has(&format!("completed={} failed=0 cancelled=0", workers + 1)),
            "{end}"
        );
    }
}

#[test]
fn without_a_monitor_nothing_is_said() {
    for workers in WORKERS {
        let said = listen(|ear| scope_until(ear, "", workers, false.into()));
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn failures_are_counted() {
    for workers in WORKERS {
        let said = listen(|ear| {
            let mut call = numbers(Ignore, half);
            call.monitor = INTERVAL.into();
            scope(&pool(workers), call, |tasks| {
                tasks.map(0..10);
                tasks.run().unwrap();
                wait_for(ear, "completed=5 failed=5");
            })
            .unwrap();
        });
        let end = said.last().unwrap();
        assert!(end.has("completed=5 failed=5 cancelled=0"), "{end}");
    }
}

#[test]
fn a_stream_is_watched_until_it_has_been_read() {
    for workers in WORKERS {
        let said = listen(|ear| {
            let mut call = bodies(Raise);
            call.monitor = INTERVAL.into();
            let (inside, quick): (_, Body<'static, u32>) = (ear.clone(), Box::new(|| Ok(0)));
            let slow: Body<'static, u32> = Box::new(move || {
                wait_for(&inside, "completed=1 total=2 failed=0 in_flight=1");
                Ok(1)
            });
            let pool = pool(workers);
            let results = as_completed(&pool, call, vec![quick, slow]);
            assert_eq!(results.map(|task| task.unwrap().result).sum::<u32>(), 1);
        });
        let end = said.last().unwrap();
        assert_eq!(end.get("ended"), Some("finished"), "{end}");
        assert!(end.has("completed=2 failed=0 cancelled=0"), "{end}");
    }
}

#[test]
fn submitted_tasks_are_watched_while_there_are_any() {
    for workers in WORKERS {
        listen(|ear| {
            let mut call = bodies(Ignore);
            call.monitor = INTERVAL.into();
            let inside = ear.clone();
            let body: Body<'static, ()> = Box::new(move || {
                wait_for(&inside, "name=body completed=0 failed=0 in_flight=1");
                oops("watched")
            });
            submit(&pool(workers), call, (body,)).join().unwrap_err();
            // The watch ends after its last task has.
            let end = wait_for(ear, "completed=0 failed=1 cancelled=0");
            assert_eq!(end.message, "finished");
        });
    }
}
