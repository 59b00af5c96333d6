//! Alarms.

use super::{Tally, explore, explore_with_timeouts, pool};
use crate::pool::Work;
use crate::sync::{Arc, Instant};

#[derive(Default)]
struct Sleeper {
    alarms: Tally,
    abandoned: Tally,
}

impl Work for Sleeper {
    fn work(&self) {}

    fn abandon(&self) {
        self.abandoned.add();
    }

    fn alarm(&self) {
        self.alarms.add();
    }
}

fn as_work(sleeper: &Arc<Sleeper>) -> Arc<dyn Work> {
    sleeper.clone()
}

#[test]
fn an_alarm_comes_though_the_timer_is_about_to_retire() {
    explore_with_timeouts(2, || {
        let pool = pool(1);
        let sleeper = Arc::new(Sleeper::default());
        for alarm in 1..=2 {
            let due = Instant::now();
            assert!(pool.shared().alarm_at(&as_work(&sleeper), due));
            sleeper.alarms.wait_for(alarm);
        }
        drop(pool);
        assert_eq!(sleeper.abandoned.get(), 0);
    });
}

#[test]
fn an_alarm_that_is_asked_for_while_the_pool_closes_comes_or_is_abandoned_or_refused() {
    explore(|| {
        let pool = pool(1);
        let sleeper = Arc::new(Sleeper::default());
        let other = {
            let (shared, sleeper) = (pool.shared().clone(), sleeper.clone());
            loom::thread::spawn(move || shared.alarm_at(&as_work(&sleeper), Instant::now()))
        };
        drop(pool);
        let accepted = other.join().unwrap();
        let (alarms, abandoned) = (sleeper.alarms.get(), sleeper.abandoned.get());
        assert!(alarms + abandoned <= 1);
        assert!(!accepted || alarms + abandoned == 1);
    });
}

#[test]
fn two_who_ask_for_alarms_both_get_theirs() {
    explore(|| {
        let pool = Arc::new(pool(1));
        let ours = Arc::new(Sleeper::default());
        let other = {
            let pool = pool.clone();
            loom::thread::spawn(move || {
                let theirs = Arc::new(Sleeper::default());
                pool.shared().alarm_at(&as_work(&theirs), Instant::now());
                theirs.alarms.wait_for(1);
            })
        };
        pool.shared().alarm_at(&as_work(&ours), Instant::now());
        ours.alarms.wait_for(1);
        other.join().unwrap();
    });
}
