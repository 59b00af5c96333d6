//! Spans and events where the subscriber is the default of the whole process.

#[path = "kit/ear.rs"]
mod ear;
mod kit;

use std::sync::Barrier;

use ear::Ear;
use futureproof_core::__private::{map, scope};
use futureproof_core::ErrorPolicy::Raise;
use futureproof_core::ParallelFor;
use kit::{Door, bodies, double, numbers, pool};

#[test]
fn the_default_subscriber_sees_loops_and_scopes_as_a_scoped_one_does() {
    // In a process of its own, so there is none yet, and no other test.
    let ear = Ear::for_all();
    tracing::subscriber::set_global_default(ear.clone()).unwrap();
    let outer = tracing::info_span!(target: "test", "outer");
    outer.in_scope(|| {
        let together = Barrier::new(3);
        ParallelFor::new()
            .workers(3)
            .batch(1)
            .for_each(0..3_u64, |n| {
                together.wait();
                tracing::info!(target: "test", n, "in the body");
            });
        let (door, pool) = (Door::new(), pool(2));
        let mut call = bodies(Raise);
        call.monitor = std::time::Duration::from_millis(101).into();
        scope(&pool, call, |tasks| {
            let inside = door.clone();
            tasks.submit(Box::new(move || {
                tracing::info!(target: "test", "in the task");
                inside.wait();
                Ok(())
            }));
            // The monitor's thread hears it, too.
            ear.wait_for(|said| said.get("in_flight") == Some("1"));
            door.open();
        })
        .unwrap();
        assert_eq!(map(&pool, numbers(Raise, double), 0..10).count(), 10);
    });
    let names: Vec<_> = ear.spans().iter().map(ear::Kept::name).collect();
    assert_eq!(names, ["outer", "parallel_for", "task_pool", "task_pool"]);
    assert!(ear.spans()[1..].iter().all(|span| span.parent == Some(0)));
    let said = ear.said_of("test");
    assert_eq!(said.len(), 4);
    assert!(
        said[..3].iter().all(|said| said.inside.last() == Some(&1)),
        "{said:#?}"
    );
    assert_eq!(said[3].inside.last(), Some(&2));
    for line in ear.monitor() {
        assert_eq!(line.inside, [0], "{line}");
    }
}
