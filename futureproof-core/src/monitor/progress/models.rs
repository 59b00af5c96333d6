//! Counting while somebody looks.

use super::*;
use crate::models::explore;
use crate::sync::Arc;

fn progress(workers: usize) -> Arc<Progress> {
    let name = "model".into();
    let progress = Progress::new(name, workers, None, None, Duration::ZERO, "item");
    Arc::new(progress)
}

/// The ways in which one item can end.
fn ends() -> [Done; 4] {
    let none = Done::default();
    [
        Done {
            completed: 1,
            ..none
        },
        Done { errors: 1, ..none },
        Done {
            panicked: 1,
            ..none
        },
        Done { left: 1, ..none },
    ]
}

#[test]
fn a_look_never_sees_an_item_both_ended_and_in_flight() {
    for done in ends() {
        explore(move || {
            let progress = progress(1);
            let looked_at = progress.clone();
            let worker = loom::thread::spawn(move || {
                progress.publish(0, At::Item(0), Done::default());
                progress.publish(0, At::Nothing, done);
            });
            assert!(looked_at.counts().started <= 1);
            worker.join().unwrap();
            let last = looked_at.counts();
            assert_eq!((last.started, last.in_flight), (1, 0));
        });
    }
}

#[test]
fn a_look_never_sees_an_item_of_a_worker_without_a_slot_twice() {
    for done in ends().into_iter().take(3) {
        explore(move || {
            let progress = progress(0);
            let looked_at = progress.clone();
            let worker = loom::thread::spawn(move || {
                progress.add_seatless(Done::default(), false, true);
                progress.add_seatless(done, true, false);
            });
            assert!(looked_at.counts().started <= 1);
            worker.join().unwrap();
            let last = looked_at.counts();
            assert_eq!((last.started, last.in_flight), (1, 0));
        });
    }
}

#[test]
fn a_later_look_never_sees_less() {
    explore(|| {
        let progress = progress(1);
        let looked_at = progress.clone();
        let worker = loom::thread::spawn(move || {
            progress.publish_item(0, 0);
            progress.publish_completed(0, 1);
            progress.publish_item(0, 1);
            progress.publish_completed(0, 2);
        });
        let (first, second) = (looked_at.counts(), looked_at.counts());
        assert!(first.started <= 2 && second.started <= 2);
        assert!(first.completed <= second.completed);
        worker.join().unwrap();
        assert_eq!(looked_at.counts().completed, 2);
    });
}
