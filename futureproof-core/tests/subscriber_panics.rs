//! A subscriber that panics at every event, in a process of its own.

mod common;

use common::no_hang;
use futureproof_core::{ParallelFor, TaskPool};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Panics at every event.
struct Rude;

impl Subscriber for Rude {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        panic!("the subscriber");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn no_item_is_lost_and_no_pool_hangs_when_the_subscriber_panics() {
    no_hang(|| {
        tracing::subscriber::set_global_default(Rude).unwrap();
        let run = |pool: &TaskPool| {
            ParallelFor::new()
                .pool(pool)
                .monitor(false)
                .batch(1)
                .for_each(0..1000, |_| std::thread::yield_now())
        };
        let pool = TaskPool::builder()
            .workers(3)
            .on_thread_start(|| -> () { panic!("the hook") })
            .build();
        assert_eq!(run(&pool).completed(), 1000);
        drop(pool);
        // No system has room for such a stack, and the warning panics.
        let pool = TaskPool::builder().workers(3).stack_size(1 << 46).build();
        assert_eq!(run(&pool).completed(), 1000);
    });
}
