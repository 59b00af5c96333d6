//! `StopToken::on_ctrl_c`, with real signals: each test is a process of its own that sends itself SIGINT.
#![cfg(target_os = "linux")]

mod python_kit;

use std::io::ErrorKind;
use std::process::{Command, ExitStatus, exit};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futureproof::{ScopeError, StopCause, StopToken, parallel_for, task_pool};
use python_kit::{Counter, process, wait_until, work_until_told_to_stop};

/// Runs `test` in a process of its own in which SIGINT does what it does by default, however the tests were started.
fn alone(name: &str, test: impl FnOnce()) -> ExitStatus {
    // A signal that is handled here is at its default there; one that is ignored would be ignored there too.
    static ONCE: Once = Once::new();
    if std::env::var_os("FUTUREPROOF_TEST_ALONE").is_none() {
        ONCE.call_once(|| ctrlc::set_handler(|| exit(130)).unwrap());
    }
    python_kit::alone(name, test)
}

#[test]
fn the_first_ctrl_c_stops_the_loop_and_the_program_goes_on() {
    let status = alone(
        "the_first_ctrl_c_stops_the_loop_and_the_program_goes_on",
        || {
            let stop = StopToken::on_ctrl_c().unwrap();
            let late = AtomicUsize::new(0);
            let outcome = parallel_for!(
                workers = 3,
                stop = &stop,
                for n in 0_u64.. {
                    if n == 10 {
                        process::signal("INT");
                    }
                    if n >= 10 {
                        late.fetch_add(1, Ordering::SeqCst);
                        work_until_told_to_stop();
                    }
                }
            );
            let stopped = outcome.unwrap_err();
            assert_eq!(stopped.cause(), StopCause::Token);
            assert!(stopped.report().completed() >= 10);
            assert!(late.into_inner() <= 3, "only bodies that were running");
            exit(7);
        },
    );
    assert_eq!(status.code(), Some(7), "{status}");
}

#[test]
fn the_second_ctrl_c_ends_the_process_though_a_body_never_does() {
    let status = alone(
        "the_second_ctrl_c_ends_the_process_though_a_body_never_does",
        || {
            let stop = StopToken::on_ctrl_c().unwrap();
            let _ = parallel_for!(
                workers = 2,
                stop = &stop,
                for n in 0..2 {
                    if n == 0 {
                        process::signal("INT");
                        // Two signals at once may arrive as one.
                        wait_until(|| stop.is_stopped());
                        process::signal("INT");
                    }
                    loop {
                        thread::park();
                    }
                }
            );
        },
    );
    assert_eq!(status.code(), Some(130), "{status}");
}

#[test]
fn the_first_ctrl_c_stops_scopes_and_streams_that_hold_the_token() {
    static STARTED: Counter = Counter::new();

    #[task_pool(workers = 2, capacity = 500)]
    fn task(n: usize) -> usize {
        STARTED.add();
        if n == 10 {
            process::signal("INT");
        }
        if n >= 10 {
            work_until_told_to_stop();
        }
        n
    }

    let status = alone(
        "the_first_ctrl_c_stops_scopes_and_streams_that_hold_the_token",
        || {
            let stop = StopToken::on_ctrl_c().unwrap();
            let outcome = task::configure().stop(&stop).scope(|tasks| {
                for n in 0..500 {
                    tasks.submit(n);
                }
                for done in tasks.as_completed() {
                    println!("{done:?}");
                }
            });
            match outcome {
                Err(ScopeError::Stopped(stopped)) => {
                    assert_eq!(stopped.cause(), StopCause::Token);
                    assert!(stopped.report().completed() >= 10, "{stopped}");
                    assert!(stopped.report().cancelled() >= 480, "{stopped}");
                }
                other => panic!("{other:?}"),
            }
            assert!(STARTED.get() <= 11 + 2);
            // What comes later is stopped before it has begun.
            let late = task::configure().stop(&stop).map(0..);
            assert!(late.flatten().next().is_none());
            exit(7);
        },
    );
    assert_eq!(status.code(), Some(7), "{status}");
}

/// The first one cancels a task, whose end somebody listens to who never returns
#[test]
fn the_second_ctrl_c_ends_the_process_though_the_first_has_called_code_that_hangs() {
    static HUNG: Counter = Counter::new();

    #[task_pool(workers = 1, capacity = 1)]
    fn park() {
        loop {
            thread::park();
        }
    }

    let status = alone(
        "the_second_ctrl_c_ends_the_process_though_the_first_has_called_code_that_hangs",
        || {
            let stop = StopToken::on_ctrl_c().unwrap();
            let running = park::submit();
            let queued = park::configure().stop(&stop).submit();
            queued.on_finish(|_| {
                HUNG.add();
                park();
            });
            process::signal("INT");
            HUNG.wait_for(1);
            process::signal("INT");
            let _ = running.join();
        },
    );
    assert_eq!(status.code(), Some(130), "{status}");
}

#[test]
fn all_calls_return_clones_of_one_token() {
    let status = alone("all_calls_return_clones_of_one_token", || {
        let tokens: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> = (0..8).map(|_| scope.spawn(StopToken::on_ctrl_c)).collect();
            let tokens = callers.into_iter().map(|caller| caller.join().unwrap());
            tokens.map(Result::unwrap).collect()
        });
        assert!(tokens.iter().all(|token| !token.is_stopped()));
        tokens[3].stop();
        assert!(tokens.iter().all(StopToken::is_stopped));
        assert!(StopToken::on_ctrl_c().unwrap().is_stopped());
    });
    assert!(status.success(), "{status}");
}

#[test]
fn a_program_with_a_handler_of_its_own_is_told_so_and_keeps_it() {
    let status = alone(
        "a_program_with_a_handler_of_its_own_is_told_so_and_keeps_it",
        || {
            ctrlc::set_handler(|| exit(7)).unwrap();
            for _ in 0..2 {
                let error = StopToken::on_ctrl_c().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AlreadyExists);
                let text = error.to_string();
                assert!(text.contains("handler of its own already"), "{text}");
            }
            process::signal("INT");
            loop {
                thread::park();
            }
        },
    );
    assert_eq!(status.code(), Some(7), "{status}");
}

/// As shells start the background jobs of a script.
#[test]
fn ctrl_c_stops_the_token_although_the_process_was_started_with_it_ignored() {
    const NAME: &str = "ctrl_c_stops_the_token_although_the_process_was_started_with_it_ignored";
    const IGNORING: &str = "FUTUREPROOF_TEST_IGNORES_SIGINT";
    if std::env::var_os(IGNORING).is_none() {
        let output = Command::new("sh")
            .args(["-c", r#"trap "" INT; exec "$0" "$@""#])
            .arg(std::env::current_exe().unwrap())
            .args([NAME, "--exact"])
            .env(IGNORING, "yes")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let status = python_kit::alone(NAME, || {
        let stop = StopToken::on_ctrl_c().unwrap();
        process::signal("INT");
        wait_until(|| stop.is_stopped());
        exit(7);
    });
    assert_eq!(status.code(), Some(7), "{status}");
}
