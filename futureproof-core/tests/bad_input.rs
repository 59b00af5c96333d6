//! Bad input at run time: the message names the option, the value and what is allowed.

use std::panic::catch_unwind;
use std::process::Command;
use std::time::Duration;

use futureproof_core::{
    ErrorPolicy, MonitorInterval, ParallelFor, TaskPool, default_workers, pull, pull_here,
};

fn message_of(bad: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let payload = catch_unwind(bad).expect_err("bad input must be refused");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).into(),
    }
}

#[test]
fn zero_workers_are_refused_by_loops_and_pools() {
    let expected =
        "`workers` must be at least 1, but it is 0; leave the option out for the default";
    assert_eq!(message_of(|| drop(ParallelFor::new().workers(0))), expected);
    assert_eq!(
        message_of(|| drop(TaskPool::builder().workers(0))),
        expected
    );
}

#[test]
fn a_batch_of_zero_is_refused() {
    let message = message_of(|| drop(ParallelFor::new().batch(0)));
    assert!(
        message.starts_with("`batch` must be at least 1, but it is 0"),
        "{message}"
    );
}

#[test]
fn a_monitor_interval_of_zero_is_refused() {
    let message = message_of(|| {
        let _ = MonitorInterval::from(Duration::ZERO);
    });
    assert!(
        message.starts_with("`monitor` must be longer than 0 s"),
        "{message}"
    );
}

#[test]
fn an_unknown_policy_is_refused_with_the_list() {
    let error = "rise".parse::<ErrorPolicy>().unwrap_err().to_string();
    assert_eq!(
        error,
        r#"unknown error policy "rise"; it must be "raise", "log" or "ignore""#
    );
    for policy in ["raise", "LOG", "Ignore"] {
        assert_eq!(
            policy.parse::<ErrorPolicy>().unwrap().as_str(),
            policy.to_lowercase()
        );
    }
}

#[test]
fn a_pool_name_with_a_nul_byte_is_refused() {
    let message = message_of(|| drop(TaskPool::builder().name("a\0b")));
    assert!(
        message.contains(r#"must not contain a NUL byte, but it is "a\0b""#),
        "{message}"
    );
}

/// Not a test of its own: what the child processes of the next one run.
#[test]
fn child_prints_the_default_number_of_workers() {
    if std::env::var_os("PRINT_DEFAULT_WORKERS").is_some() {
        println!("default: {}", default_workers());
        let report = ParallelFor::new().for_each(0..100, |_| {});
        println!("completed: {}", report.completed());
    }
}

#[test]
fn the_environment_sets_the_default_number_of_workers_and_is_checked() {
    let run = |value: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "child_prints_the_default_number_of_workers",
            ])
            .env("PRINT_DEFAULT_WORKERS", "1")
            .env("FUTUREPROOF_WORKERS", value)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (ok, text) = run("7");
    assert!(
        ok && text.contains("default: 7") && text.contains("completed: 100"),
        "{text}"
    );
    for bad in ["0", "many", "-3", "1.5", "", "99999999"] {
        let (ok, text) = run(bad);
        let expected = format!(
            "FUTUREPROOF_WORKERS must be a number of workers from 1 to 65536, but it is {bad:?}"
        );
        assert!(!ok && text.contains(&expected), "{bad}: {text}");
    }
}

#[test]
fn absurd_numbers_are_cut_down_to_what_can_be() {
    let items = (0..1000).filter(|n| n % 2 == 0);
    let pool = TaskPool::builder().workers(2).build();
    let loop_of = |workers| ParallelFor::new().workers(workers).batch(usize::MAX);
    let report = loop_of(usize::MAX)
        .pool(&pool)
        .for_each(pull(items.clone()), |_| {});
    assert_eq!(report.completed(), 500);
    let report = loop_of(2).for_each(pull(items.clone()), |_| {});
    assert_eq!(report.completed(), 500);
    let report = loop_of(2).for_each(pull_here(items), |_| {});
    assert_eq!(report.completed(), 500);
    let report = loop_of(2).deadline(Duration::MAX).for_each(0..10, |_| {});
    assert_eq!(report.completed(), 10);
}
