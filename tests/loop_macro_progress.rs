//! The option `progress`: what it takes. Nothing is drawn here, as stderr is not a terminal.

use futureproof::{ProgressBar, parallel_for};

#[test]
fn progress_is_on_or_off_or_a_label() {
    let (on, number) = (true, 3);
    for report in [
        parallel_for!(progress = true, for _ in 0..10 {}),
        parallel_for!(progress = false, for _ in 0..10 {}),
        parallel_for!(progress = "pages", for _ in 0..10 {}),
        parallel_for!(progress = format!("chapter {number}"), for _ in 0..10 {}),
        parallel_for!(progress = on && number > 5, for _ in 0..10 {}),
        parallel_for!(progress = ProgressBar::from("pages"), for _ in 0..10 {}),
    ] {
        assert_eq!(report.completed(), 10);
    }
}

#[test]
fn the_label_may_come_from_another_macro() {
    macro_rules! shown {
        ($label:literal, $on:expr) => {
            parallel_for!(progress = $label, for _ in 0..10 {}).completed()
                + parallel_for!(progress = $on, for _ in 0..10 {}).completed()
        };
    }
    assert_eq!(shown!("pages", true), 20);
}
