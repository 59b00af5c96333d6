//! What can be seen on a terminal in memory. Nothing here depends on time: a test decides when a bar is shown.

mod memory;

use std::panic;
use std::sync::atomic::Ordering;
use std::thread;

use self::memory::Terminal;
use super::*;
use crate::monitor::terminal;

fn bar(screen: &Arc<Screen>, label: &str, total: Option<u64>) -> Bar {
    Bar::on(screen.clone(), label, total, false)
}

fn nested(screen: &Arc<Screen>, label: &str) -> Bar {
    Bar::on(screen.clone(), label, None, true)
}

fn done(completed: u64) -> Counts {
    Counts {
        completed,
        ..Counts::default()
    }
}

fn log(screen: &Screen, line: &str) {
    screen.write(line.as_bytes()).unwrap().unwrap();
}

const LEFT: Option<Duration> = Some(Duration::from_secs(9));

#[test]
fn a_loop_of_known_length_has_a_bar_and_then_one_line() {
    let (terminal, screen) = Terminal::new(10, 80);
    let bar = bar(&screen, "resize", Some(5000));
    terminal.shows(&[]);
    bar.show(&done(1250), 406.2, LEFT);
    terminal.shows(&["resize  ━━━━━━━━╸───────────────────────  1250/5000   25%  406/s  9 s left"]);
    let counts = Counts {
        failed: 3,
        cancelled: 2,
        ..done(4995)
    };
    bar.show(&counts, 99.96, None);
    terminal.shows(&["resize  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  5000/5000  100%  100/s  3 failed"]);
    bar.end("resize: 4997 completed, 3 failed in 12.3 s (406/s)");
    terminal.shows(&["resize: 4997 completed, 3 failed in 12.3 s (406/s)"]);
}

#[test]
fn a_loop_of_unknown_length_has_a_spinner_that_turns() {
    let (terminal, screen) = Terminal::new(10, 60);
    let bar = bar(&screen, "crawl", None);
    bar.show(&done(12), 3.04, None);
    terminal.shows(&["crawl  ⠙  12 done  3.0/s"]);
    let counts = Counts {
        failed: 1,
        ..done(11)
    };
    bar.show(&counts, 0.0, None);
    terminal.shows(&["crawl  ⠹  12 done  0/s  1 failed"]);
}

#[test]
fn a_loop_that_ends_before_it_was_shown_prints_nothing() {
    let (terminal, screen) = Terminal::new(10, 60);
    bar(&screen, "short", None).end("short: 1 completed");
    drop(bar(&screen, "dropped", None));
    terminal.shows(&[]);
    assert_eq!(terminal.term.moves_since_last_check(), "");
}

#[test]
fn a_bar_does_not_come_back_after_its_end() {
    let (terminal, screen) = Terminal::new(10, 60);
    let bar = bar(&screen, "late", None);
    bar.show(&done(1), 1.0, None);
    bar.end("late: 2 completed");
    bar.show(&done(2), 1.0, None);
    bar.end("late: said twice");
    drop(bar);
    terminal.shows(&["late: 2 completed"]);
}

#[test]
fn a_bar_that_is_dropped_goes_without_a_word() {
    let (terminal, screen) = Terminal::new(10, 60);
    let (first, second) = (bar(&screen, "first", None), bar(&screen, "second", None));
    first.show(&done(1), 1.0, None);
    second.show(&done(2), 1.0, None);
    drop(first);
    terminal.shows(&["second  ⠙  2 done  1.0/s"]);
    drop(second);
    terminal.shows(&[]);
}

#[test]
fn bars_stand_one_below_the_other_and_summaries_go_above() {
    let (terminal, screen) = Terminal::new(10, 60);
    let short = bar(&screen, "a", Some(9));
    let long = bar(&screen, "longer", Some(9));
    let last = bar(&screen, "z", None);
    for bar in [&short, &long, &last, &short] {
        bar.show(&done(3), 1.5, None);
    }
    terminal.shows(&[
        "a       ━━━━━━━━━━╸─────────────────────  3/9   33%  1.5/s",
        "longer  ━━━━━━━━━━╸─────────────────────  3/9   33%  1.5/s",
        "z       ⠙  3 done  1.5/s",
    ]);
    long.end("longer: 9 completed");
    terminal.shows(&[
        "longer: 9 completed",
        "a       ━━━━━━━━━━╸─────────────────────  3/9   33%  1.5/s",
        "z       ⠙  3 done  1.5/s",
    ]);
    short.end("a: 9 completed");
    last.end("z: 3 completed");
    terminal.shows(&["longer: 9 completed", "a: 9 completed", "z: 3 completed"]);
}

#[test]
fn log_lines_go_above_the_bars_in_one_piece() {
    let (terminal, screen) = Terminal::new(10, 30);
    log(&screen, "before\n");
    let (first, second) = (bar(&screen, "one", None), bar(&screen, "two", None));
    first.show(&done(1), 0.0, None);
    second.show(&done(1), 0.0, None);
    log(
        &screen,
        "a line that is longer than the terminal is wide\nand another\n",
    );
    terminal.shows(&[
        "before",
        "a line that is longer than the",
        " terminal is wide",
        "and another",
        "one  ⠙  1 done  0/s",
        "two  ⠙  1 done  0/s",
    ]);
    first.end("one: done");
    log(&screen, "after\n");
    second.end("two: done");
    log(&screen, "last\n");
    assert_eq!(
        terminal.lines()[4..],
        ["one: done", "after", "two: done", "last"]
    );
}

#[test]
fn a_log_line_that_comes_in_parts_is_written_when_it_is_complete() {
    let (terminal, screen) = Terminal::new(10, 30);
    let bar = bar(&screen, "bar", None);
    bar.show(&done(1), 0.0, None);
    let mut stderr = terminal::stderr();
    stderr.write_lines(&screen, b"one, ").unwrap();
    stderr
        .write_lines(&screen, "zwö".as_bytes().split_last().unwrap().1)
        .unwrap();
    terminal.shows(&["bar  ⠙  1 done  0/s"]);
    stderr.write_lines(&screen, b"\xb6\ntwo\nthree").unwrap();
    terminal.shows(&["one, zwö", "two", "bar  ⠙  1 done  0/s"]);
    stderr.write_line(&screen).unwrap();
    stderr.write_line(&screen).unwrap();
    terminal.shows(&["one, zwö", "two", "three", "bar  ⠙  1 done  0/s"]);
}

#[test]
fn a_line_that_was_begun_is_ended_before_a_bar_is_drawn() {
    let (terminal, screen) = Terminal::new(10, 30);
    log(&screen, "begun, ");
    log(&screen, "continued");
    let bar = bar(&screen, "bar", None);
    bar.show(&done(1), 0.0, None);
    log(&screen, "begun below a bar");
    terminal.shows(&[
        "begun, continued",
        "begun below a bar",
        "bar  ⠙  1 done  0/s",
    ]);
    let _suspended = screen.suspend();
    log(&screen, "a question? ");
    bar.end("bar: done");
    assert_eq!(terminal.lines()[2..], ["a question?", "bar: done"]);
}

#[test]
fn suspended_bars_are_gone_until_the_last_one_resumes_them() {
    let (terminal, screen) = Terminal::new(10, 40);
    let (first, second) = (bar(&screen, "one", None), bar(&screen, "two", None));
    first.show(&done(1), 0.0, None);
    let outer = screen.suspend();
    terminal.shows(&[]);
    let inner = screen.suspend();
    first.show(&done(2), 0.0, None);
    second.show(&done(2), 0.0, None);
    log(&screen, "logged\n");
    drop(outer);
    terminal.shows(&["logged"]);
    drop(inner);
    // The second one has its line with the next frame.
    terminal.shows(&["logged", "one  ⠹  2 done  0/s"]);
    second.show(&done(3), 0.0, None);
    terminal.shows(&["logged", "one  ⠹  2 done  0/s", "two  ⠹  3 done  0/s"]);
}

#[test]
fn a_loop_that_ends_while_bars_are_suspended_has_its_line() {
    let (terminal, screen) = Terminal::new(10, 40);
    let bar = bar(&screen, "one", None);
    let suspended = screen.suspend();
    bar.show(&done(1), 0.0, None);
    bar.end("one: done");
    drop(suspended);
    terminal.shows(&["one: done"]);
}

#[test]
fn bars_of_nested_loops_come_late_and_last_and_go_without_a_word() {
    let (terminal, screen) = Terminal::new(24, 40);
    for _ in 0..100 {
        let short = nested(&screen, "short");
        (1..NESTED_AFTER).for_each(|_| short.show(&done(1), 0.0, None));
        terminal.shows(&[]);
        short.end("short: done");
    }
    let inner = nested(&screen, "inner");
    (0..NESTED_AFTER).for_each(|_| inner.show(&done(1), 0.0, None));
    let outer = bar(&screen, "outer", None);
    outer.show(&done(1), 0.0, None);
    terminal.shows(&["outer  ⠙  1 done  0/s", "inner  ⠋  1 done  0/s"]);
    inner.end("inner: done");
    terminal.shows(&["outer  ⠙  1 done  0/s"]);
}

#[test]
fn bars_leave_room_on_the_terminal() {
    let (terminal, screen) = Terminal::new(6, 40);
    let many: Vec<Bar> = (0..20).map(|_| nested(&screen, "inner")).collect();
    for _ in 0..NESTED_AFTER {
        many.iter().for_each(|bar| bar.show(&done(1), 0.0, None));
    }
    assert_eq!(terminal.lines().len(), 3);
    let outer: Vec<Bar> = (0..9)
        .map(|n| bar(&screen, &format!("outer{n}"), None))
        .collect();
    outer.iter().for_each(|bar| bar.show(&done(1), 0.0, None));
    let labels = || -> Vec<String> {
        let lines = terminal.lines();
        lines.iter().map(|line| line[..6].to_owned()).collect()
    };
    assert_eq!(labels(), ["outer0", "outer1", "inner ", "inner ", "inner "]);
    many.iter().for_each(|bar| bar.end("inner: done"));
    outer.iter().for_each(|bar| bar.show(&done(1), 0.0, None));
    assert_eq!(labels(), ["outer0", "outer1", "outer2", "outer3", "outer4"]);
    // Also those that had no room say how they went.
    outer[8].end("outer8: done");
    assert_eq!(terminal.lines()[0], "outer8: done");
}

#[test]
fn a_wide_label_and_control_characters_do_no_harm() {
    let (terminal, screen) = Terminal::new(6, 60);
    let bar = bar(&screen, "a\x1b[31m\tb\nc\u{202e}d\r\x07", None);
    bar.show(&done(1), 0.0, None);
    terminal.shows(&["a?[31m b c?d ?  ⠙  1 done  0/s"]);
    bar.end("a\x1b[31m\nb: done");
    terminal.shows(&["a?[31m b: done"]);
    let wide = Bar::on(screen, &"宽".repeat(50), Some(4), false);
    wide.show(&done(1), 0.0, None);
    let line = format!(
        "{}…   ━━━━━╸────────────────  1/4   25%  0/s",
        "宽".repeat(9)
    );
    assert_eq!(terminal.lines()[1], line);
}

#[test]
fn a_bar_takes_one_line_however_narrow_the_terminal() {
    let seen = |width: u16| {
        let (terminal, screen) = Terminal::new(9, width);
        let bar = bar(&screen, "photos/summer", Some(5000));
        let counts = Counts {
            failed: 3,
            ..done(1250)
        };
        bar.show(&counts, 406.2, LEFT);
        bar.show(&counts, 406.2, LEFT);
        let lines = terminal.lines();
        assert_eq!(lines.len(), 1, "{width} columns: {lines:#?}");
        bar.end("done");
        terminal.shows(&["done"]);
        lines[0].clone()
    };
    assert_eq!(
        seen(80),
        "photos/summer  ━━━━━╸───────────────  1253/5000   25%  406/s  3 failed  9 s left"
    );
    assert_eq!(
        seen(66),
        "photos/summer  ━━━╸──────────  1253/5000   25%  3 failed  9 s left"
    );
    assert_eq!(
        seen(50),
        "photos/summer  1253/5000   25%  3 failed  9 s left"
    );
    assert_eq!(seen(40), "photos/summer  1253/5000  3 failed");
    assert_eq!(seen(24), "photos/…  1253/5000");
    for width in 4..200 {
        seen(width);
    }
}

#[test]
fn a_terminal_that_fails_or_panics_hurts_nobody() {
    let (terminal, screen) = Terminal::new(6, 60);
    let (first, second) = (bar(&screen, "one", None), bar(&screen, "two", None));
    first.show(&done(1), 0.0, None);
    terminal.fails.store(true, Ordering::Relaxed);
    second.show(&done(1), 0.0, None);
    assert!(screen.write(b"lost\n").unwrap().is_err());
    drop(screen.suspend());
    second.end("two: done");
    terminal.fails.store(false, Ordering::Relaxed);
    first.show(&done(2), 0.0, None);
    assert_eq!(terminal.lines().last().unwrap(), "one  ⠹  2 done  0/s");

    terminal.panics.store(true, Ordering::Relaxed);
    first.show(&done(3), 0.0, None);
    terminal.panics.store(false, Ordering::Relaxed);
    let before = terminal.lines();
    // From now on all is quiet, and text goes past the screen.
    first.show(&done(4), 0.0, None);
    first.end("one: done");
    drop(first);
    drop(screen.suspend());
    assert!(screen.write(b"elsewhere\n").is_none());
    assert_eq!(terminal.lines(), before);
}

/// Runs `f` on a thread that is unwinding.
fn while_unwinding(f: impl FnOnce() + Send) {
    struct Call<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for Call<F> {
        fn drop(&mut self) {
            assert!(thread::panicking());
            self.0.take().unwrap()();
        }
    }
    let outcome = thread::scope(|scope| {
        let call = Call(Some(f));
        let thread = scope.spawn(move || {
            let _call = call;
            panic::resume_unwind(Box::new(()));
        });
        thread.join()
    });
    assert!(outcome.is_err());
}

#[test]
fn a_thread_that_unwinds_may_log_suspend_and_end_loops() {
    let (terminal, screen) = Terminal::new(6, 40);
    let (first, second) = (bar(&screen, "one", None), bar(&screen, "two", None));
    first.show(&done(1), 0.0, None);
    second.show(&done(1), 0.0, None);
    while_unwinding(|| {
        log(&screen, "logged\n");
        let suspended = screen.suspend();
        terminal.shows(&["logged"]);
        drop(suspended);
        first.end("one: failed");
    });
    terminal.shows(&["logged", "one: failed", "two  ⠙  1 done  0/s"]);
}

#[test]
fn no_terminal_no_bar() {
    let bar = Bar(None);
    bar.show(&done(1), 0.0, None);
    bar.end("x: done");
    assert!(!Bar::is_possible() || Bar::new("x", None).0.is_some());
}
