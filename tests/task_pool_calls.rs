//! `#[task_pool]`: what the companion of a function does, end to end.

use std::num::ParseIntError;
use std::sync::Mutex;
use std::time::Duration;

use futureproof::{ScopeError, TaskErrorKind, task_pool};

type AnyError = Box<dyn std::error::Error>;

/// Parses a number.
#[task_pool(workers = 3, error_policy = "ignore")]
fn parse(text: &str, radix: u32) -> Result<u64, ParseIntError> {
    u64::from_str_radix(text, radix)
}

#[task_pool(workers = 3)]
fn parse_or_stop(text: &str) -> Result<u64, ParseIntError> {
    text.parse()
}

#[task_pool(workers = 2)]
fn double(number: u64) -> u64 {
    assert_ne!(number, 13, "thirteen");
    2 * number
}

#[task_pool(workers = 2)]
fn nothing() -> Result<(), ParseIntError> {
    Ok(())
}

#[test]
fn a_plain_call_is_a_plain_call() {
    assert_eq!(parse("ff", 16), Ok(255));
    assert_eq!(double(4), 8);
}

#[test]
fn scope_takes_borrowed_arguments() -> Result<(), AnyError> {
    let texts: Vec<String> = (0..50).map(|number| format!("{number:x}")).collect();
    let sum = parse::scope(|tasks| {
        for text in &texts {
            tasks.submit(text, 16);
        }
        let mut sum = 0;
        for done in tasks.as_completed() {
            let done = done?;
            assert_eq!(done.args, (&*texts[done.index], 16));
            sum += done.result;
        }
        Ok(sum)
    })?;
    assert_eq!(sum, (0..50).sum());
    Ok(())
}

#[test]
fn scope_may_return_nothing() {
    let seen = Mutex::new(Vec::new());
    double::scope(|tasks| {
        tasks.map(0..10);
        for done in tasks.in_order().flatten() {
            seen.lock().unwrap().push(done.result);
        }
    })
    .unwrap();
    assert_eq!(
        seen.into_inner().unwrap(),
        (0..10).map(double).collect::<Vec<_>>()
    );
}

#[test]
fn a_results_borrow_lives_on_after_the_scope() -> Result<(), AnyError> {
    #[task_pool]
    fn first_word(text: &str, _least: usize) -> &str {
        text.split(' ').next().unwrap_or_default()
    }

    let text = String::from("one two");
    let words = {
        let leasts = [1, 2];
        first_word::scope(|tasks| {
            tasks.map(leasts.iter().map(|&least| (&*text, least)));
            Ok(tasks
                .in_order()
                .flatten()
                .map(|done| done.result)
                .collect::<Vec<&str>>())
        })?
    };
    assert_eq!(words, ["one", "one"]);
    Ok(())
}

#[test]
fn an_error_names_the_task_and_keeps_its_type() {
    let error = parse_or_stop::scope(|tasks| {
        tasks.submit("1");
        tasks.submit("x");
    })
    .unwrap_err();
    assert!(
        error.to_string().contains(r#"parse_or_stop("x")"#),
        "{error}"
    );
    let ScopeError::Task(error) = error else {
        panic!("not the task's: {error}")
    };
    assert_eq!(error.index(), 1);
    assert!(
        matches!(error.into_kind(), TaskErrorKind::Failed(error) if error == "x".parse::<u64>().unwrap_err())
    );
}

#[test]
fn a_question_mark_in_the_scope_gives_the_same_error_back() {
    let outcome = parse_or_stop::scope(|tasks| {
        tasks.submit("x");
        for done in tasks.as_completed() {
            done?;
        }
        Ok(())
    });
    assert!(
        matches!(outcome, Err(ScopeError::Task(error)) if error.call() == Some(r#"parse_or_stop("x")"#))
    );
}

#[test]
fn an_error_of_the_closures_own_is_the_scopes() {
    let outcome: Result<(), _> = parse::scope(|_tasks| {
        "x".parse::<u8>()?;
        Ok(())
    });
    assert!(matches!(outcome, Err(ScopeError::Body(error)) if error.is::<ParseIntError>()));
}

#[test]
fn a_panic_is_an_error_of_its_task() {
    let error = double::scope(|tasks| {
        tasks.submit(13);
    })
    .unwrap_err();
    let ScopeError::Task(error) = error else {
        panic!("not the task's: {error}")
    };
    assert_eq!(error.call(), Some("double(13)"));
    assert!(
        matches!(error.kind(), TaskErrorKind::Panicked(panic) if panic.message().is_some_and(|m| m.contains("thirteen")))
    );
}

#[test]
fn map_gives_results_in_input_order() -> Result<(), AnyError> {
    let results: Vec<u64> = double::map(100..200)
        .map(|done| Ok(done?.result))
        .collect::<Result<_, AnyError>>()?;
    assert_eq!(
        results,
        (100..200).map(|number| 2 * number).collect::<Vec<_>>()
    );
    Ok(())
}

#[test]
fn map_takes_tuples_for_several_parameters() {
    let results: Vec<_> = parse::map([("a", 16), ("b", 10)]).collect();
    assert_eq!(results[0].as_ref().map(|done| done.result).unwrap(), 10);
    assert_eq!(
        results[1].as_ref().unwrap_err().call(),
        Some(r#"parse("b", 10)"#)
    );
}

#[test]
fn as_completed_gives_every_result() {
    let mut results: Vec<u64> = double::as_completed(100..200)
        .flatten()
        .map(|done| done.result)
        .collect();
    results.sort_unstable();
    assert_eq!(
        results,
        (100..200).map(|number| 2 * number).collect::<Vec<_>>()
    );
}

#[test]
fn submit_gives_a_handle() {
    let handle = double::submit(21);
    assert_eq!(handle.join().unwrap(), 42);
    assert_eq!(nothing::submit().join_task().unwrap().args, ());
    let error = parse::submit("x", 10).join().unwrap_err();
    assert!(
        error.to_string().contains(r#"parse("x", 10) failed"#),
        "{error}"
    );
}

#[test]
fn arguments_that_cannot_be_shown_or_cloned_are_no_obstacle() {
    struct Job(u8);

    #[task_pool(keep_args = false)]
    fn work(job: Job) -> Result<u8, String> {
        if job.0 == 0 {
            Err("no work".into())
        } else {
            Ok(job.0)
        }
    }
    let done = work::submit(Job(1)).join_task().unwrap();
    assert_eq!((done.args, done.result), ((), 1));
    assert_eq!(work::submit(Job(0)).join().unwrap_err().call(), None);

    #[derive(Clone)]
    struct Secret;

    #[task_pool]
    fn hide(_secret: Secret, wait: Duration) -> Result<(), String> {
        Err(format!("{wait:?}"))
    }
    assert_eq!(
        hide::submit(Secret, Duration::from_secs(60))
            .join()
            .unwrap_err()
            .call(),
        Some("hide(_, 60s)")
    );
}

#[test]
fn mutable_arguments_can_be_lent_to_a_scope() {
    #[task_pool(workers = 4, keep_args = false)]
    fn clear(row: &mut [u8]) {
        row.fill(0);
    }
    let mut rows = [[1; 8]; 16];
    clear::scope(|tasks| {
        for row in &mut rows {
            tasks.submit(row);
        }
    })
    .unwrap();
    assert_eq!(rows, [[0; 8]; 16]);
}
