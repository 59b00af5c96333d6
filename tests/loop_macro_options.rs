//! Each option reaches the loop, as a value of its kind or as a literal.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use futureproof::{Ended, Report, StopCause, StopToken, Stopped, TaskPool, parallel_for};

#[test]
fn workers_limits_the_threads() {
    for workers in [1, 2, 5] {
        let threads = Mutex::new(HashSet::new());
        parallel_for!(
            workers = workers,
            for _ in 0..200 {
                threads.lock().unwrap().insert(thread::current().id());
            }
        );
        assert!(threads.into_inner().unwrap().len() <= workers);
    }
    let caller = thread::current().id();
    parallel_for!(
        workers = 1,
        for _ in 0..10 {
            assert_eq!(thread::current().id(), caller);
        }
    );
}

#[test]
fn zero_at_run_time_is_a_panic_that_names_the_option() {
    let zero = 0;
    for run in [
        &(|| _ = parallel_for!(workers = zero, for _ in 0..3 {})) as &dyn Fn(),
        &|| _ = parallel_for!(batch = zero, for _ in 0..3 {}),
    ] {
        let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        let text = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref().map(|text: &&str| (*text).to_owned()));
        let text = text.unwrap();
        assert!(text.contains("workers") || text.contains("batch"), "{text}");
    }
}

#[test]
fn pool_may_be_a_temporary() {
    let names = Mutex::new(HashSet::new());
    let caller = thread::current().id();
    parallel_for!(
        pool = &TaskPool::builder().workers(3).name("own").build(),
        for _ in 0..200 {
            if thread::current().id() != caller {
                names
                    .lock()
                    .unwrap()
                    .insert(thread::current().name().unwrap_or_default().to_owned());
            }
        }
    );
    for name in names.into_inner().unwrap() {
        assert!(name.starts_with("own"), "{name}");
    }
}

#[test]
fn name_is_a_literal_or_a_string() {
    let number = 3;
    assert_eq!(
        parallel_for!(name = "three", for _ in 0..3 {}).completed(),
        3
    );
    assert_eq!(
        parallel_for!(name = format!("loop {number}"), for _ in 0..number {}).completed(),
        3
    );
}

#[test]
fn batch_and_monitor_take_their_forms() {
    let interval = Duration::from_millis(10);
    assert_eq!(
        parallel_for!(batch = 1, monitor = false, for _ in 0..9 {}).completed(),
        9
    );
    assert_eq!(
        parallel_for!(batch = 2 + 2, monitor = "1.5s", for _ in 0..9 {}).completed(),
        9
    );
    assert_eq!(
        parallel_for!(monitor = interval, for _ in 0..9 {}).completed(),
        9
    );
}

#[test]
fn stop_makes_the_loop_a_result() {
    fn run(token: &StopToken) -> Result<Report, Stopped> {
        parallel_for!(
            workers = 2,
            stop = token,
            for n in 0_u64.. {
                if n == 10 {
                    token.stop();
                }
            }
        )
    }
    let stopped = run(&StopToken::new()).unwrap_err();
    assert_eq!(stopped.cause(), StopCause::Token);

    let report = parallel_for!(stop = &StopToken::new(), for _ in 0..10 {}).unwrap();
    assert_eq!((report.completed(), report.ended()), (10, Ended::Exhausted));
}

#[test]
fn deadline_is_a_literal_or_a_duration() {
    let began = Instant::now();
    let limit = Duration::from_millis(20);
    let stopped = parallel_for!(
        workers = 2,
        deadline = limit,
        for _ in 0_u64.. {
            thread::yield_now();
        }
    );
    assert_eq!(stopped.unwrap_err().cause(), StopCause::Deadline(limit));
    assert!(began.elapsed() >= limit);
    assert!(parallel_for!(deadline = "1m", stop = &StopToken::new(), for _ in 0..10 {}).is_ok());
}

#[test]
fn a_stopped_loop_can_be_left_by_question_mark_and_by_return()
-> Result<(), Box<dyn std::error::Error>> {
    fn find(token: &StopToken) -> Result<Option<u32>, Box<dyn std::error::Error>> {
        parallel_for!(
            stop = token,
            for n in 0..1000_u32 {
                if n == 500 {
                    return Ok(Some(n));
                }
            }
        )?;
        Ok(None)
    }
    assert_eq!(find(&StopToken::new())?, Some(500));
    Ok(())
}

#[test]
fn options_are_evaluated_once_in_the_order_of_the_text_before_the_input() {
    let order = Mutex::new(Vec::new());
    let note = |what: &'static str| order.lock().unwrap().push(what);
    parallel_for!(
        name = {
            note("name");
            "x"
        },
        error_policy = {
            note("policy");
            futureproof::ErrorPolicy::Raise
        },
        workers = {
            note("workers");
            2
        },
        for _ in {
            note("input");
            0..3
        } {}
    );
    assert_eq!(
        *order.lock().unwrap(),
        ["name", "policy", "workers", "input"]
    );
}

#[test]
fn a_question_mark_in_an_option_or_in_the_head_leaves_the_function() {
    fn run(workers: &str, end: &str) -> Result<u64, std::num::ParseIntError> {
        let report = parallel_for!(
            workers = workers.parse()?,
            for _ in 0..end.parse::<u64>()? {},
        );
        Ok(report.completed())
    }
    assert_eq!(run("2", "7"), Ok(7));
    assert!(run("x", "7").is_err());
    assert!(run("2", "x").is_err());
}

#[test]
fn every_kind_of_pattern() {
    #[derive(Clone, Copy)]
    enum Shape {
        Square(u32),
        Line { length: u32 },
    }
    let mut sum = 0;
    let shapes = [Shape::Square(2), Shape::Line { length: 3 }];
    parallel_for!(
        reduce(sum),
        for Shape::Square(n) | Shape::Line { length: n } in shapes {
            sum += n;
        }
    );
    parallel_for!(
        reduce(sum),
        for (index, &(ref a, mut b)) in [(10, 20), (30, 40)].iter().enumerate() {
            b += *a;
            sum += b * index as u32;
        }
    );
    parallel_for!(
        reduce(sum),
        for [first, .., last] in vec![[1, 2, 3], [4, 5, 6]] {
            sum += first * last;
        }
    );
    parallel_for!(
        reduce(sum),
        for _ in 0..2 {
            sum += 1000;
        }
    );
    let mut items = [1, 2, 3];
    parallel_for!(for item in &mut items {
        *item *= 2;
    });
    assert_eq!((sum, items), (5 + 70 + 27 + 2000, [2, 4, 6]));
}
