//! `#[task_pool]`: `f::configure()`, other options for one use.

use std::fmt::Debug;
use std::num::ParseIntError;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use futureproof::{
    ErrorPolicy, RateLimit, Retry, ScopeError, StopToken, TaskErrorKind, is_stopping, task_pool,
};

type AnyError = Box<dyn std::error::Error>;

#[task_pool(workers = 2)]
fn parse(text: &str) -> Result<u32, ParseIntError> {
    text.parse()
}

#[task_pool(workers = 2)]
fn busy(times: &AtomicU32) -> Result<u8, String> {
    match times.load(Relaxed) {
        0 => Ok(5),
        left => {
            times.store(left - 1, Relaxed);
            Err(format!("busy {left}"))
        }
    }
}

#[task_pool(workers = 2)]
fn endless(_seed: u8) {
    while !is_stopping() {
        thread::sleep(Duration::from_millis(1));
    }
}

fn short() -> Retry {
    Retry::attempts(3).backoff(Duration::from_millis(1))
}

#[test]
fn a_scope_takes_borrowed_arguments_as_ever() -> Result<(), AnyError> {
    let text = String::from("1 2 3");
    let sum = parse::configure()
        .timeout(Duration::from_secs(3600))
        .scope(|tasks| {
            tasks.map(text.split(' '));
            let mut sum = 0;
            for done in tasks.as_completed() {
                let done = done?;
                assert!(text.contains(done.args.0));
                sum += done.result;
            }
            Ok(sum)
        })?;
    assert_eq!(sum, 6);
    Ok(())
}

#[test]
fn results_may_borrow_from_outside_of_the_scope() {
    #[task_pool]
    fn first<'a>(text: &'a str, separator: &str) -> &'a str {
        text.split(separator).next().unwrap_or_default()
    }
    let text = String::from("one two");
    let words = {
        let separator = String::from(" ");
        first::configure()
            .capacity(3)
            .scope(|tasks| {
                tasks.submit(&text, &separator);
                Ok(tasks
                    .in_order()
                    .flatten()
                    .map(|done| done.result)
                    .collect::<Vec<&str>>())
            })
            .unwrap()
    };
    assert_eq!(words, ["one"]);
    assert_eq!(first::configure().submit("a b", " ").join().unwrap(), "a");
}

#[test]
fn mutable_arguments_can_be_lent() {
    #[task_pool(keep_args = false)]
    fn clear(row: &mut [u8]) {
        row.fill(0);
    }
    let mut rows = [[1; 8]; 16];
    clear::configure()
        .monitor(false)
        .scope(|tasks| {
            for row in &mut rows {
                tasks.submit(row);
            }
        })
        .unwrap();
    assert_eq!(rows, [[0; 8]; 16]);
}

#[test]
fn map_as_completed_submit_and_try_submit_are_there() {
    let results = parse::configure()
        .error_policy("ignore".parse::<ErrorPolicy>().unwrap())
        .map(["1", "two", "3"]);
    let numbers: Vec<u32> = results.flatten().map(|done| done.result).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(parse::configure().as_completed(["1", "2"]).count(), 2);
    assert_eq!(parse::configure().submit("5").join().unwrap(), 5);
    let handle = parse::configure().try_submit("6").unwrap();
    assert_eq!(handle.join().unwrap(), 6);
}

#[test]
fn a_function_without_retry_can_be_given_it() {
    static TWICE: AtomicU32 = AtomicU32::new(2);
    let handle = busy::configure().retry(short()).submit(&TWICE);
    assert_eq!(handle.join().unwrap(), 5);

    static OFTEN: AtomicU32 = AtomicU32::new(9);
    let handle = busy::configure()
        .retry(short())
        .retry_if(|error| !error.ends_with('8'))
        .submit(&OFTEN);
    let error = handle.join().unwrap_err();
    assert_eq!(error.attempts(), 2);
    assert!(matches!(error.into_kind(), TaskErrorKind::Failed(text) if text == "busy 8"));
}

#[test]
fn a_single_task_can_be_configured_in_a_scope() -> Result<(), AnyError> {
    let (patient, hasty) = (AtomicU32::new(2), AtomicU32::new(2));
    busy::configure()
        .error_policy(ErrorPolicy::Ignore)
        .scope(|tasks| {
            tasks.configure().retry(short()).submit(&patient);
            tasks.submit(&hasty);
            let succeeded: Vec<bool> = tasks.in_order().map(|done| done.is_ok()).collect();
            assert_eq!(succeeded, [true, false]);
        })?;
    Ok(())
}

#[test]
fn the_functions_own_options_hold_where_nothing_else_is_said() {
    #[task_pool(error_policy = "ignore", retry = short(), retry_if = |error| error == "busy")]
    fn fail(with: &str) -> Result<(), String> {
        Err(with.to_owned())
    }
    let attempts = |with| {
        let error = fail::configure().capacity(2).submit(with).join();
        error.unwrap_err().attempts()
    };
    assert_eq!((attempts("busy"), attempts("lost")), (3, 1));
    // The number is another one, the question the same.
    let attempts = |with| {
        let error = fail::configure().retry(short()).submit(with).join();
        error.unwrap_err().attempts()
    };
    assert_eq!((attempts("busy"), attempts("lost")), (3, 1));
}

#[test]
fn policies_and_failures_are_counted_anew() {
    let outcome = parse::configure().raise_after(2).scope(|tasks| {
        tasks.map(["a", "1", "b"]);
    });
    let Err(ScopeError::Tasks(errors)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_timeout_ends_what_takes_too_long() {
    let limit = Duration::from_millis(5);
    let error = endless::configure().timeout(limit).submit(1).join();
    assert!(error.unwrap_err().is_timed_out());
}

#[test]
fn a_rate_limit_spaces_the_starts_of_one_use() {
    let began = Instant::now();
    let limit = RateLimit::new(1, Duration::from_millis(10));
    let parsed = parse::configure().rate_limit(limit).map(["1"; 5]);
    assert_eq!(parsed.count(), 5);
    assert!(began.elapsed() >= Duration::from_millis(40));
}

#[test]
fn a_token_or_a_deadline_stops_a_scope() {
    let token = StopToken::new();
    let stopped = endless::configure().stop(&token).scope(|tasks| {
        tasks.map(0..);
        token.stop();
    });
    assert!(
        matches!(stopped, Err(ScopeError::Stopped(_))),
        "{stopped:?}"
    );

    let stopped = endless::configure()
        .deadline(Duration::from_millis(300))
        .scope(|tasks| {
            tasks.map(0..);
        });
    assert!(
        matches!(stopped, Err(ScopeError::Stopped(_))),
        "{stopped:?}"
    );
}

#[test]
fn types_are_inferred_from_what_is_submitted() {
    #[task_pool]
    fn show<T: Debug, U: Debug + ?Sized + Sync>(first: T, second: &U) -> String {
        format!("{first:?} {second:?}")
    }
    let text = String::from("x");
    let shown = show::configure().monitor(false).scope(|tasks| {
        tasks.submit(1, &*text);
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .collect::<String>())
    });
    assert_eq!(shown.unwrap(), r#"1 "x""#);
    let handle = show::configure().monitor(false).submit(Some(1), "y");
    assert_eq!(handle.join().unwrap(), r#"Some(1) "y""#);
    assert_eq!(show::configure().map([(1, "x")]).count(), 1);

    #[task_pool]
    fn read<T: std::str::FromStr>(text: &str) -> Result<Option<T>, T::Err> {
        text.parse().map(Some)
    }
    let number = read::configure::<u8>().submit("5").join();
    assert_eq!(number.unwrap(), Some(5));
    let numbers = read::configure::<i64>().retry(2).scope(|tasks| {
        tasks.submit(&text);
    });
    assert!(numbers.is_err());
}

struct Client<'c, T> {
    base: &'c str,
    extra: T,
}

impl<'c, T: Clone + Sync> Client<'c, T> {
    #[task_pool]
    fn get(&self, path: &str) -> Result<String, std::fmt::Error> {
        Ok(format!("{}{path}", self.base))
    }

    #[task_pool(keep_args = false)]
    fn set(&mut self, extra: T) -> T {
        std::mem::replace(&mut self.extra, extra)
    }

    #[task_pool(associated)]
    fn double(number: u8) -> u8 {
        number * 2
    }
}

#[test]
fn methods_are_configured_by_a_sibling() -> Result<(), AnyError> {
    let base = String::from("http://");
    let mut client = Client {
        base: &base,
        extra: 1_u8,
    };
    let urls = Client::get_configure().retry(2).scope(|tasks| {
        tasks.map(["a", "b"].map(|path| (&client, path)));
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .collect::<Vec<_>>())
    })?;
    assert_eq!(urls, ["http://a", "http://b"]);

    Client::set_configure().capacity(0).scope(|tasks| {
        tasks.submit(&mut client, 2);
    })?;
    assert_eq!(client.extra, 2);

    static CLIENT: Client<'static, u8> = Client {
        base: "b",
        extra: 1,
    };
    assert_eq!(Client::get_configure().submit(&CLIENT, "c").join()?, "bc");
    assert_eq!(Client::<u8>::double_configure().submit(4).join()?, 8);
    assert_eq!(Client::<u8>::double_try_submit(4)?.join()?, 8);
    Ok(())
}
