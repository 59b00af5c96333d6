//! `#[task_pool]`: its options, and what they are worth at run time.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futureproof::{ErrorPolicy, ProgressBar, task_pool};

#[test]
fn values_are_evaluated_once_and_at_first_use() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);

    fn workers() -> usize {
        EVALUATED.fetch_add(1, Relaxed);
        3
    }

    #[task_pool(workers = workers(), capacity = workers() + 1)]
    fn double(number: u8) -> u8 {
        2 * number
    }

    assert_eq!(double(2), 4);
    assert_eq!(EVALUATED.load(Relaxed), 0);
    assert_eq!(double::pool().workers(), 3);
    assert_eq!(double::submit(4).join().unwrap(), 8);
    assert_eq!(double::map([1, 2]).count(), 2);
    assert_eq!(EVALUATED.load(Relaxed), 2);
}

#[test]
fn a_pool_is_its_functions_own() {
    #[task_pool(workers = 2)]
    fn one() {}
    #[task_pool(workers = 5)]
    fn two() {}
    assert_eq!((one::pool().workers(), two::pool().workers()), (2, 5));
}

#[test]
fn all_instances_of_a_generic_function_share_one_pool() {
    #[task_pool(workers = 2)]
    fn name<T: std::fmt::Debug>(value: T) -> String {
        format!(
            "{value:?} on {}",
            std::thread::current().name().unwrap_or_default()
        )
    }
    let number = name::submit(1).join().unwrap();
    let text = name::submit("x").join().unwrap();
    assert!(
        number.contains("name") && text.contains("name"),
        "{number}, {text}"
    );
    assert_eq!(name::pool().workers(), 2);
}

#[test]
fn threads_are_named_after_the_function_or_the_option() {
    fn this_thread() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    #[task_pool(workers = 1)]
    fn plain() -> String {
        this_thread()
    }
    #[task_pool(workers = 1, name = format!("down{}", "loads"))]
    fn renamed() -> String {
        this_thread()
    }
    let (plain, renamed) = (
        plain::submit().join().unwrap(),
        renamed::submit().join().unwrap(),
    );
    assert!(plain.contains("plain"), "{plain}");
    assert!(renamed.contains("downloads"), "{renamed}");
}

#[test]
fn the_policy_may_be_an_expression() {
    const POLICY: ErrorPolicy = ErrorPolicy::Ignore;

    #[task_pool(error_policy = POLICY, monitor = Duration::from_millis(5))]
    fn fail(number: u8) -> Result<u8, String> {
        Err(number.to_string())
    }
    let failures = fail::scope(|tasks| {
        tasks.map(0..20);
        Ok(tasks.as_completed().filter(Result::is_err).count())
    });
    assert_eq!(failures.unwrap(), 20);
}

#[test]
fn the_monitor_takes_text_an_expression_or_false() {
    #[task_pool(monitor = "1.5s")]
    fn text() {}
    #[task_pool(monitor = Duration::from_secs(1))]
    fn expression() {}
    #[task_pool(monitor = false)]
    fn off() {}
    for handle in [text::submit(), expression::submit(), off::submit()] {
        handle.join().unwrap();
    }
}

#[test]
fn progress_is_on_or_off_or_a_label() {
    fn is_quiet() -> bool {
        true
    }

    #[task_pool(progress = true)]
    fn on() {}
    #[task_pool(progress = "words")]
    fn label() {}
    #[task_pool(progress = format!("{} words", 3))]
    fn text() {}
    #[task_pool(progress = !is_quiet(), monitor = false)]
    fn expression() {}
    #[task_pool(progress = ProgressBar::from("words"))]
    fn bar() {}
    for handle in [
        on::submit(),
        label::submit(),
        text::submit(),
        expression::submit(),
        bar::submit(),
        on::configure().progress(false).submit(),
    ] {
        handle.join().unwrap();
    }
    let ran = label::scope(|tasks| {
        tasks.map([(); 10]);
        Ok(tasks.as_completed().count())
    });
    assert_eq!(ran.unwrap(), 10);
}

#[test]
fn zero_workers_at_run_time_name_the_option_and_the_value() {
    fn none() -> usize {
        0
    }

    #[task_pool(workers = none())]
    fn idle() {}
    let panic = std::panic::catch_unwind(|| idle::pool().workers()).unwrap_err();
    let message = panic.downcast_ref::<String>().map_or_else(
        || (*panic.downcast_ref::<&str>().unwrap()).to_owned(),
        Clone::clone,
    );
    assert!(
        message.contains("workers") && message.contains('0') && message.contains("at least 1"),
        "{message}"
    );
}

#[test]
fn loops_in_the_function_use_its_pool() {
    #[task_pool(workers = 3)]
    fn count(number: usize) -> usize {
        let mut threads = std::collections::BTreeSet::new();
        futureproof::parallel_for!(
            reduce(threads),
            for _ in 0..number {
                threads.insert(std::thread::current().name().map(str::to_owned));
            }
        );
        // The caller is one of the workers.
        threads
            .iter()
            .flatten()
            .filter(|name| !name.contains("count") && !name.contains("loops_in"))
            .count()
    }
    assert_eq!(count(10_000), 0);
}

#[test]
fn a_type_name_can_be_given() {
    #[allow(non_camel_case_types, dead_code)]
    struct taken {}

    #[task_pool(workers = 2, type = TakenPool)]
    fn taken(number: u8) -> u8 {
        number
    }
    assert_eq!(TakenPool::submit(5).join().unwrap(), taken(5));
}

#[test]
fn what_is_fallible_can_be_said() {
    type Fetched = Result<u8, String>;

    #[task_pool(fallible = true)]
    fn alias(number: u8) -> Fetched {
        Ok(number)
    }
    let number: u8 = alias::submit(5).join().unwrap();
    assert_eq!(number, 5);

    mod own {
        #[derive(Debug, PartialEq)]
        pub(crate) struct Result(pub(crate) u8);
    }

    #[task_pool(fallible = false)]
    fn lookalike(number: u8) -> own::Result {
        own::Result(number)
    }
    assert_eq!(lookalike::submit(5).join().unwrap(), own::Result(5));
}
