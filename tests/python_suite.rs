//! The 18 behaviours that the own test suite of the Python library futureproof pins down, in our terms.
//!
//! | number there | here |
//! |---|---|
//! | 1 to 13, 15 to 18 | the test whose comment has the number |
//! | 1 to 4, the call with a missing argument | does not compile here; the tests use a call that fails |
//! | 12, `len(completed_tasks)` | `completed()`: results that were read are not kept |
//! | 13, any case of letters | for names read at run time; in the macros a policy is written in small letters |
//! | 14, no process pool on Python 3.6 | does not apply: there are no processes yet, and no old version to refuse |

mod python_kit;

use std::collections::HashMap;
use std::num::ParseIntError;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futureproof::{ErrorPolicy, parallel_for, task_pool};
use python_kit::{Counter, Log, Oops, failure, guarded, of_task, work_until_told_to_stop};
use tracing::Level;

/// 1
#[test]
fn run_returns_the_error_of_the_task() {
    #[task_pool(workers = 2)]
    fn parse(text: &str) -> Result<u32, ParseIntError> {
        text.parse()
    }

    guarded(|| {
        let mut asked = None;
        let outcome = parse::scope(|tasks| {
            tasks.submit("x");
            asked = Some(tasks.run().unwrap_err().to_string());
        });
        let text = r#"task 0: parse("x") failed: invalid digit found in string"#;
        assert_eq!(asked.unwrap(), text);
        // It is also what the scope returns.
        assert_eq!(of_task(outcome).to_string(), text);
    });
}

/// 2
#[test]
fn log_policy_returns_and_logs_exactly_one_error() {
    #[task_pool(workers = 2, error_policy = "log")]
    fn parse(text: &str) -> Result<u32, ParseIntError> {
        text.parse()
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            parse::scope(|tasks| {
                tasks.submit("x");
                let report = tasks.run().unwrap();
                assert_eq!((report.completed(), report.failed()), (0, 1));
            })
            .unwrap();
        });
        let errors = log.errors();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(
            errors[0].contains("invalid digit found in string"),
            "{errors:#?}"
        );
    });
}

/// 3
#[test]
fn a_scope_returns_the_error_of_a_task_that_nobody_read() {
    #[task_pool(workers = 2)]
    fn parse(text: &str) -> Result<u32, ParseIntError> {
        text.parse()
    }

    guarded(|| {
        let error = of_task(parse::scope(|tasks| {
            tasks.submit("x");
        }));
        assert_eq!(failure(error), "x".parse::<u32>().unwrap_err());
    });
}

/// 4
#[test]
fn a_scope_under_log_succeeds_and_logs_exactly_one_error_that_nobody_read() {
    #[task_pool(workers = 2, error_policy = "log")]
    fn parse(text: &str) -> Result<u32, ParseIntError> {
        text.parse()
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            parse::scope(|tasks| {
                tasks.submit("x");
            })
            .unwrap();
        });
        assert_eq!(log.errors().len(), 1, "{:#?}", log.errors());
    });
}

#[task_pool(workers = 3)]
fn delayed_sum(a: usize, b: usize) -> usize {
    thread::sleep(Duration::from_millis(1));
    a + b
}

/// 5
#[test]
fn every_submitted_task_gives_its_result() {
    guarded(|| {
        let mut results = Vec::new();
        delayed_sum::scope(|tasks| {
            for n in 0..100 {
                tasks.submit(n, 1);
            }
            results.extend(tasks.as_completed().map(|done| done.unwrap().result));
        })
        .unwrap();
        results.sort_unstable();
        assert_eq!(results, (1..=100).collect::<Vec<_>>());
    });
}

/// Every fifth fails. Those after the first failure work until they are told of it, so that what is counted does not depend
/// on how the threads are scheduled.
#[task_pool(workers = 3)]
fn flaky(n: usize) -> Result<usize, Oops> {
    if n % 5 == 4 {
        return Err(Oops(n));
    }
    if n > 4 {
        work_until_told_to_stop();
    }
    Ok(n)
}

/// 6
#[test]
fn raise_ends_a_hundred_submits_at_the_first_failure_with_few_results() {
    guarded(|| {
        let mut completed = 0;
        let error = of_task(flaky::scope(|tasks| {
            for n in 0..100 {
                tasks.submit(n);
            }
            let raised = tasks.run().unwrap_err();
            assert_eq!(raised.to_string(), "task 4: flaky(4) failed: oops 4");
            completed = tasks.completed();
            assert_eq!(tasks.failed(), 1);
            assert_eq!(tasks.completed() + tasks.failed() + tasks.cancelled(), 100);
        }));
        assert!(completed < 10, "{completed}");
        assert_eq!(error.index(), 4);
    });
}

/// 7
#[test]
fn a_scope_ends_at_the_first_failure_with_few_results() {
    guarded(|| {
        let completed = Counter::new();
        let error = of_task(flaky::scope(|tasks| {
            tasks.map(0..100);
            for done in tasks.as_completed() {
                done?;
                completed.add();
            }
            Ok(())
        }));
        assert!(completed.get() < 10, "{}", completed.get());
        assert_eq!(failure(error), Oops(4));
    });
}

/// 8
#[test]
fn map_gives_all_results() {
    guarded(|| {
        let mut results = Vec::new();
        delayed_sum::scope(|tasks| {
            tasks.map((0..100).map(|n| (n, 1)));
            results.extend(tasks.as_completed().map(|done| done.unwrap().result));
        })
        .unwrap();
        results.sort_unstable();
        assert_eq!(results, (1..=100).collect::<Vec<_>>());

        let inputs = (0..100).map(|n| (n, 1));
        let in_order = delayed_sum::map(inputs.clone()).map(|done| done.unwrap().result);
        assert!(in_order.eq(1..=100));
        let results = delayed_sum::as_completed(inputs).map(|done| done.unwrap().result);
        assert_eq!(results.sum::<usize>(), 5050);
    });
}

/// 9
#[test]
fn map_of_a_slow_source_gives_all_results() {
    guarded(|| {
        let slow = || {
            (0..100).map(|n| {
                thread::sleep(Duration::from_millis(1));
                (n, 1)
            })
        };
        let mut sum = 0;
        delayed_sum::scope(|tasks| {
            tasks.map(slow());
            sum = tasks.as_completed().map(|done| done.unwrap().result).sum();
        })
        .unwrap();
        assert_eq!(sum, 5050);

        let mut sum = 0;
        parallel_for!(
            workers = 3,
            reduce(sum),
            for (a, b) in slow() {
                sum += delayed_sum(a, b);
            }
        );
        assert_eq!(sum, 5050);
    });
}

/// 10
#[test]
fn a_submit_after_a_map_runs_too() {
    guarded(|| {
        let mut results = Vec::new();
        delayed_sum::scope(|tasks| {
            tasks.map((0..9).map(|n| (n, 1)));
            tasks.submit(9, 1);
            results.extend(tasks.in_order().map(|done| done.unwrap().result));
        })
        .unwrap();
        assert_eq!(results, (1..=10).collect::<Vec<_>>());
    });
}

/// 11
#[test]
fn a_map_after_a_submit_runs_too() {
    guarded(|| {
        let mut results = Vec::new();
        delayed_sum::scope(|tasks| {
            tasks.submit(0, 1);
            tasks.map((1..10).map(|n| (n, 1)));
            results.extend(tasks.in_order().map(|done| done.unwrap().result));
        })
        .unwrap();
        assert_eq!(results, (1..=10).collect::<Vec<_>>());
    });
}

/// 12
#[test]
fn as_completed_yields_the_first_to_end_while_the_others_run_and_then_the_rest() {
    static GATES: [Counter; 2] = [Counter::new(), Counter::new()];

    #[task_pool(workers = 2)]
    fn gated(n: usize, gate: usize) -> usize {
        if n != 1 {
            GATES[gate].wait_for(1);
        }
        n
    }

    guarded(|| {
        gated::scope(|tasks| {
            for n in 0..5 {
                tasks.submit(n, 0);
            }
            let mut done = tasks.as_completed();
            let first = done.next().unwrap().unwrap();
            assert_eq!((first.index, first.args.0, first.result), (1, 1, 1));
            assert_eq!(tasks.completed(), 1);
            GATES[0].add();
            let mut rest: Vec<_> = done.map(|done| done.unwrap().result).collect();
            rest.sort_unstable();
            assert_eq!(rest, [0, 2, 3, 4]);
            assert_eq!(tasks.completed(), 5);
        })
        .unwrap();

        let mut done = gated::as_completed((0..5).map(|n| (n, 1)));
        assert_eq!(done.next().unwrap().unwrap().result, 1);
        GATES[1].add();
        let mut rest: Vec<_> = done.map(|done| done.unwrap().result).collect();
        rest.sort_unstable();
        assert_eq!(rest, [0, 2, 3, 4]);
    });
}

/// 13
#[test]
fn an_error_policy_can_be_given_as_a_string() {
    assert_eq!("log".parse(), Ok(ErrorPolicy::Log));
    assert_eq!("Raise".parse(), Ok(ErrorPolicy::Raise));
    assert_eq!("IGNORE".parse(), Ok(ErrorPolicy::Ignore));
    let error = "nope".parse::<ErrorPolicy>().unwrap_err().to_string();
    for word in ["nope", "raise", "log", "ignore"] {
        assert!(error.contains(word), "{error}");
    }

    #[task_pool(workers = 1, error_policy = "log")]
    fn by_name(n: usize) -> Result<(), Oops> {
        Err(Oops(n))
    }
    #[task_pool(workers = 1, error_policy = ErrorPolicy::Log)]
    fn by_value(n: usize) -> Result<(), Oops> {
        Err(Oops(n))
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            by_name::scope(|tasks| tasks.map(0..2)).unwrap();
            by_value::scope(|tasks| tasks.map(0..2)).unwrap();
        });
        assert_eq!(log.errors().len(), 4, "{:#?}", log.errors());
    });
}

/// 15
#[test]
fn submit_returns_what_its_result_is_found_by() {
    guarded(|| {
        delayed_sum::scope(|tasks| {
            let expected: HashMap<usize, usize> =
                (0..10).map(|n| (tasks.submit(n, n), 2 * n)).collect();
            assert_eq!(expected.len(), 10);
            for done in tasks.as_completed() {
                let done = done.unwrap();
                assert_eq!(done.result, expected[&done.index]);
            }
        })
        .unwrap();
    });
}

/// The texts of the progress log.
fn progress(log: &Log) -> Vec<String> {
    log.at(Level::INFO)
}

/// 16
#[test]
fn the_monitor_says_that_it_started_and_then_how_many_completed() {
    #[task_pool(workers = 2)]
    fn until_summary(log: &Log) {
        log.wait_for(1, "rate_per_s=");
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| until_summary::scope(|tasks| tasks.map([&log])).unwrap());
        let lines = progress(&log);
        assert!(lines[0].contains("message=started"), "{lines:#?}");
        assert!(lines[0].contains("name=until_summary"), "{lines:#?}");
        assert!(lines[1].contains("recent=0"), "{lines:#?}");
        assert!(lines[1].contains("elapsed_s=2."), "{lines:#?}");
        let last = lines.last().unwrap();
        assert!(last.contains("message=finished"), "{lines:#?}");
        assert!(last.contains("completed=1 failed=0"), "{lines:#?}");
        assert!(log.errors().is_empty(), "{:#?}", log.errors());

        let log = Log::new();
        log.during(|| {
            parallel_for!(
                workers = 2,
                for _ in 0..2 {
                    log.wait_for(1, "rate_per_s=");
                }
            )
        });
        let lines = progress(&log);
        assert!(lines[0].contains("message=started"), "{lines:#?}");
        assert!(lines[1].contains("recent=0"), "{lines:#?}");
        assert!(lines[1].contains("elapsed_s=2."), "{lines:#?}");
    });
}

/// 17
#[test]
fn a_shorter_interval_gives_several_summaries_during_one_task() {
    #[task_pool(workers = 2, monitor = "120ms")]
    fn until_summaries(log: &Log) {
        log.wait_for(3, "rate_per_s=");
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| until_summaries::scope(|tasks| tasks.map([&log])).unwrap());
        let log = Log::new();
        log.during(|| {
            parallel_for!(
                monitor = "120ms",
                workers = 2,
                for _ in 0..2 {
                    log.wait_for(3, "rate_per_s=");
                }
            )
        });
    });
}

/// 18
#[test]
fn without_a_monitor_nothing_is_said() {
    // Long enough for the end to be worth a line.
    fn work() {
        thread::sleep(Duration::from_millis(150));
    }
    #[task_pool(workers = 2, monitor = false)]
    fn silent() {
        work();
    }
    #[task_pool(workers = 2)]
    fn audible() {
        work();
    }

    guarded(|| {
        let log = Log::new();
        log.during(|| {
            silent::scope(|tasks| {
                tasks.submit();
            })
            .unwrap();
            parallel_for!(
                monitor = false,
                workers = 2,
                for _ in 0..2 {
                    work();
                }
            );
        });
        assert_eq!(progress(&log), [""; 0]);

        // The same with a monitor is not silent.
        log.during(|| {
            audible::scope(|tasks| {
                tasks.submit();
            })
            .unwrap();
        });
        assert_ne!(progress(&log), [""; 0]);

        // A source that is fed from outside, slowly, does not make it speak either.
        let log = Log::new();
        let (sender, receiver) = mpsc::channel();
        let feeder = thread::spawn(move || {
            work();
            sender.send(())
        });
        log.during(|| parallel_for!(monitor = false, for () in receiver.into_iter() {}));
        assert_eq!(progress(&log), [""; 0]);
        feeder.join().unwrap().unwrap();
    });
}
