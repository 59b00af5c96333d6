//! The exit cell's index, and stop tokens.

use super::{Tally, explore};
use crate::pool::Work;
use crate::raw::watched::Watched;
use crate::stop::{Signals, StopToken};
use crate::sync::Arc;

#[test]
fn of_several_exits_the_lowest_counts() {
    explore(|| {
        let signals = Arc::new(Signals::new(None, None));
        let lower = |index| {
            let signals = signals.clone();
            loom::thread::spawn(move || {
                signals.lower_exit(index);
                assert!(signals.is_past_exit(index + 1), "known to whoever leaves");
            })
        };
        let exits = [lower(2), lower(1)];
        let mut last = usize::MAX;
        for _ in 0..2 {
            let seen = (0..4).find(|&index| signals.is_past_exit(index + 1));
            assert!(!signals.is_past_exit(0) && !signals.is_past_exit(1));
            let seen = seen.unwrap_or(usize::MAX);
            assert!(seen <= last, "an exit is only ever lowered");
            last = seen;
        }
        for exit in exits {
            exit.join().unwrap();
        }
        assert!(signals.has_exit());
        assert!(signals.is_past_exit(2) && !signals.is_past_exit(1));
    });
}

#[test]
fn whoever_sees_a_stop_sees_what_came_before_it() {
    explore(|| {
        let token = StopToken::new();
        let reason = Arc::new(Watched::new());
        let stopper = {
            let (token, reason) = (token.clone(), reason.clone());
            loom::thread::spawn(move || {
                reason.write();
                token.stop();
            })
        };
        let signals = Signals::new(Some(token), None);
        if signals.stop_cause().is_some() {
            reason.read();
        }
        stopper.join().unwrap();
        assert!(signals.stop_cause().is_some());
    });
}

/// Hears of a stop.
#[derive(Default)]
struct Ear(Tally);

impl Work for Ear {
    fn work(&self) {}

    fn abandon(&self) {}

    fn alarm(&self) {
        self.0.add();
    }
}

#[test]
fn a_listener_hears_of_a_stop_or_sees_it() {
    explore(|| {
        let token = StopToken::new();
        let ear = Arc::new(Ear::default());
        let stopper = {
            let token = token.clone();
            loom::thread::spawn(move || token.stop())
        };
        let work: Arc<dyn Work> = ear.clone();
        token.listen(&work);
        if !token.is_stopped() {
            ear.0.wait_for(1);
        }
        token.unlisten(&work);
        stopper.join().unwrap();
        assert!(ear.0.get() <= 1, "it is told once");
    });
}

#[test]
fn a_callback_that_comes_with_the_stop_is_called_once() {
    explore(|| {
        let token = StopToken::new();
        let called = Arc::new(Tally::default());
        let stopper = {
            let token = token.clone();
            loom::thread::spawn(move || token.stop())
        };
        let hears = called.clone();
        token.on_stop(move || hears.add());
        stopper.join().unwrap();
        assert_eq!(called.get(), 1);
    });
}
