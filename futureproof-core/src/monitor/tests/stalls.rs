//! Warnings of loops in which nothing completes.

use std::sync::Barrier;

use super::*;
use crate::source::pull;
use crate::stop::is_stopping;

/// How long nothing had completed at each warning.
fn stalled(said: &[Said]) -> Vec<String> {
    (warnings(said).iter())
        .map(|said| said.get("stalled_s").unwrap().to_owned())
        .collect()
}

#[test]
fn a_stall_is_warned_of_after_3_6_and_12_intervals_and_once_each() {
    let said = hear(|_| {
        loop_here().for_each(0..2, |n| {
            if n == 0 {
                pass(23);
            }
        });
    });
    assert_eq!(stalled(&said), ["6.0", "12.0", "24.0"]);
    // One more for the fourth.
    let said = hear(|_| _ = loop_here().for_each(0..1, |_| pass(24)));
    assert_eq!(stalled(&said), ["6.0", "12.0", "24.0", "48.0"]);
}

#[test]
fn two_intervals_without_an_end_are_no_stall() {
    let said = hear(|_| {
        loop_here().for_each(0..3, |n| {
            // The first one ends with the look in which the item before it is counted.
            pass(if n == 0 { 2 } else { 3 });
        });
    });
    assert_eq!(stalled(&said), [""; 0]);
}

#[test]
fn a_stall_ends_when_an_item_ends_and_the_next_one_is_counted_anew() {
    let said = hear(|_| {
        loop_here().for_each(0..3, |n| match n {
            0 => pass(4),
            // One interval in which item 0 has ended, and four without an end.
            1 => pass(5),
            _ => {}
        });
    });
    assert_eq!(stalled(&said), ["6.0", "6.0"]);
    let warnings = warnings(&said);
    let items: Vec<_> = warnings
        .iter()
        .map(|said| said.get("index").unwrap())
        .collect();
    assert_eq!(items, ["0", "1"]);
}

#[test]
fn a_stall_names_the_item_and_how_long_it_has_been_running() {
    let said = hear(|_| {
        loop_here().for_each(0..9, |n| match n {
            // Item 4 is seen first after 2 s.
            3 => advance(1900 * MS),
            4 => {
                advance(100 * MS);
                pass(3);
            }
            _ => {}
        });
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].to_string(),
        "WARN nothing has completed for 6.0 s: item 4 has been running for 6.0 s or more: name=here \
         waits_for=workers stalled_s=6.0 index=4 running_s=6.0 in_flight=1 waiting=0"
    );
}

#[test]
fn a_stall_says_that_a_loop_which_was_left_only_waits_for_what_is_running() {
    let said = hear(|_| {
        let pool = pool(2);
        let both = Barrier::new(2);
        let outcome = ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .try_for_each(0..100, |n| {
                both.wait();
                if n == 0 {
                    return Err("left");
                }
                while !is_stopping() {
                    std::thread::yield_now();
                }
                pass(3);
                Ok(())
            });
        assert_eq!(outcome.unwrap_err(), "left");
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1, "{said:#?}");
    assert_eq!(warnings[0].get("ending"), Some("true"));
    let end = " or more; it is ending, and starts nothing more";
    assert!(warnings[0].message.ends_with(end), "{}", warnings[0]);
}

#[test]
fn a_stall_names_the_item_that_has_been_running_longest() {
    let said = hear(|_| {
        let pool = pool(2);
        let (both, again) = (Barrier::new(2), Barrier::new(2));
        ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .for_each(0..3, |n| match n {
                0 => {
                    both.wait();
                    again.wait();
                }
                1 => {
                    both.wait();
                    pass(1);
                }
                _ => {
                    pass(4);
                    again.wait();
                }
            });
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1);
    // The other one has been seen from the start on, this one since the second look.
    assert!(
        warnings[0].has("waits_for=workers stalled_s=6.0 index=0"),
        "{}",
        warnings[0]
    );
    assert!(warnings[0].has("in_flight=2"), "{}", warnings[0]);
}

#[test]
fn a_stall_on_a_source_that_gives_nothing_says_so() {
    let said = hear(|_| {
        let items = (0..4).inspect(|&n| {
            if n == 2 {
                // The next one is not there for a while.
                pass(5);
            }
        });
        loop_here().for_each(pull(items), |_| {});
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].to_string(),
        "WARN nothing has completed for 6.0 s: no item is running, the workers wait for input: name=here \
         waits_for=source stalled_s=6.0 in_flight=0 waiting=0"
    );
}

#[test]
fn a_stall_on_an_item_says_who_else_waits_for_the_source() {
    let said = hear(|_| {
        let pool = pool(2);
        let (stuck, go_on) = (Barrier::new(2), Barrier::new(2));
        let items = (0..2).inspect(|&n| {
            if n == 1 {
                stuck.wait();
                go_on.wait();
            }
        });
        ParallelFor::new()
            .pool(&pool)
            .batch(1)
            .for_each(pull(items), |n| {
                if n == 0 {
                    stuck.wait();
                    pass(4);
                    go_on.wait();
                }
            });
    });
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].has("waits_for=workers"), "{}", warnings[0]);
    assert!(warnings[0].has("index=0"), "{}", warnings[0]);
    assert!(
        warnings[0].message.ends_with(", 1 worker waits for input"),
        "{}",
        warnings[0]
    );
}

#[test]
fn a_loop_that_is_getting_on_is_not_stalled_however_slow() {
    let said = hear(|_| _ = loop_here().for_each(0..20, |_| pass(2)));
    assert_eq!(stalled(&said), [""; 0]);
    assert_eq!(
        values(&said, "recent")
            .iter()
            .filter(|recent| **recent == "1")
            .count(),
        19
    );
}
