//! What a failing item does under each policy.

use std::error::Error;
use std::num::ParseIntError;
use std::sync::{Arc, Mutex};

use futureproof::{ErrorPolicy, parallel_for};

const TEXTS: [&str; 5] = ["1", "x", "2", "", "3"];

/// What a loop logs. Every loop of this file that may log an item's failure runs in here: an event that is first met on a
/// thread without a subscriber may be switched off for the others (`tracing` asks the only subscriber it knows of).
fn logged<R>(run: impl FnOnce() -> R) -> (R, String) {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let result = tracing::subscriber::with_default(subscriber, run);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (result, text)
}

#[test]
fn raise_is_the_default_and_can_be_named() {
    fn parse(named: bool) -> Result<(), ParseIntError> {
        if named {
            parallel_for!(
                error_policy = "raise",
                for text in TEXTS {
                    text.parse::<i32>()?;
                }
            );
        } else {
            parallel_for!(for text in TEXTS {
                text.parse::<i32>()?;
            });
        }
        Ok(())
    }
    assert_eq!(parse(true), parse(false));
    assert!(parse(true).is_err());
}

#[test]
fn log_counts_and_logs_each_failure_with_its_index() {
    let (report, log) = logged(|| {
        parallel_for!(
            workers = 3,
            name = "numbers",
            error_policy = "log",
            for text in TEXTS {
                text.parse::<i32>()?;
            }
        )
    });
    assert_eq!((report.completed(), report.failed()), (3, 2));
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 2, "{log}");
    for (index, text) in [(1, "invalid digit"), (3, "empty string")] {
        assert!(
            errors.iter().any(|line| line.contains(text)
                && line.contains(&format!("{index}"))
                && line.contains("numbers")),
            "{log}"
        );
    }
}

#[test]
fn ignore_counts_and_says_nothing() {
    let (report, log) = logged(|| {
        parallel_for!(
            workers = 3,
            error_policy = "ignore",
            for text in TEXTS {
                text.parse::<i32>()?;
            }
        )
    });
    assert_eq!((report.completed(), report.failed()), (3, 2));
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn any_error_type_is_taken_by_the_literals() {
    struct Dumb;
    let (report, log) = logged(|| {
        parallel_for!(
            workers = 2,
            error_policy = "log",
            for n in 0..6 {
                match n {
                    0 => "x".parse::<i32>().map(drop)?,
                    1 => Err(Box::<dyn Error>::from("boxed"))?,
                    2 => Err("only a text")?,
                    3 => Err(Dumb)?,
                    4 => None?,
                    _ => {}
                }
            }
        )
    });
    assert_eq!((report.completed(), report.failed()), (1, 5));
    for said in ["invalid digit", "boxed", "only a text", "Dumb", "None"] {
        assert!(log.contains(said), "{said} is missing in {log}");
    }
}

#[test]
fn a_panic_is_the_items_failure_under_log_and_ignore() {
    let (report, log) = logged(|| {
        parallel_for!(
            workers = 2,
            error_policy = "log",
            for n in 0..10 {
                assert!(n % 5 != 3, "three or eight");
            }
        )
    });
    assert_eq!((report.completed(), report.failed()), (8, 2));
    let errors = log
        .lines()
        .filter(|line| line.contains("ERROR") && line.contains("three or eight"));
    assert_eq!(errors.count(), 2, "{log}");
}

#[test]
fn break_and_return_leave_under_every_policy() {
    fn find(policy: ErrorPolicy) -> Option<i32> {
        parallel_for!(
            workers = 3,
            error_policy = policy,
            for text in TEXTS {
                if text.is_empty() {
                    return Some(3);
                }
            }
        );
        None
    }
    for policy in [ErrorPolicy::Raise, ErrorPolicy::Log, ErrorPolicy::Ignore] {
        assert_eq!(logged(|| find(policy)).0, Some(3));
    }
    let report = parallel_for!(
        workers = 1,
        error_policy = "ignore",
        for text in TEXTS {
            text.parse::<i32>()?;
            if text == "2" {
                break;
            }
        }
    );
    assert_eq!(
        (report.completed(), report.failed(), report.ended()),
        (2, 1, futureproof::Ended::Broke)
    );
}

#[test]
fn a_policy_may_be_known_at_run_time_only() {
    fn run(policy: &str) -> Result<(u64, u64), Box<dyn Error>> {
        let report = parallel_for!(
            workers = 2,
            error_policy = policy.parse()?,
            for text in TEXTS {
                text.parse::<i32>()?;
            }
        );
        Ok((report.completed(), report.failed()))
    }
    assert_eq!(logged(|| run("log").unwrap()).0, (3, 2));
    assert_eq!(run("ignore").unwrap(), (3, 2));
    assert_eq!(
        run("raise").unwrap_err().to_string(),
        "invalid digit found in string"
    );
    assert!(run("rise").unwrap_err().to_string().contains("\"rise\""));
}
