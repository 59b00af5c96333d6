//! The monitor's one thread: what it shows, what it holds up (nothing), and what holds it up (nobody).

use std::collections::{BTreeSet, HashSet};
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::task::{scope, submit};

/// How many monitor threads there are.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // A thread may end while its name is read.
    tasks
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .filter(|name| name.trim_end() == "futureproof-mon")
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn many_loops_and_pools_share_one_thread_and_have_lines_of_their_own() {
    let said = hear(|ear| {
        let (doors, waits): (Vec<Sender<()>>, Vec<Receiver<()>>) =
            (0..5).map(|_| channel()).unzip();
        let (up, is_up) = channel();
        std::thread::scope(|threads_scope| {
            for (n, door) in waits.into_iter().enumerate() {
                let up = up.clone();
                let ear = ear.clone();
                threads_scope.spawn(move || {
                    ear.during(|| {
                        loop_here()
                            .name(format!("loop {n}"))
                            .for_each(pull_all(door), |_| up.send(()).unwrap());
                    });
                });
            }
            for door in &doors {
                door.send(()).unwrap();
                is_up.recv().unwrap();
            }
            let pools = [pool(1), pool(2)];
            let mut gates = Vec::new();
            let handles: Vec<_> = (pools.iter())
                .map(|pool| {
                    let (gate, body) = Gate::new();
                    let task = submit(pool, bodies(), (body,));
                    gate.is_reached();
                    gates.push(gate);
                    task
                })
                .collect();
            scope(&pools[1], numbers(), |tasks| {
                tasks.submit(2);
                assert!(tasks.as_completed().next().is_some());
                advance(100 * MS);
                assert_eq!(threads(), 1);
                advance(1900 * MS);
                assert_eq!(threads(), 1);
            })
            .unwrap();
            gates.iter().for_each(Gate::open);
            handles
                .into_iter()
                .for_each(|task| _ = task.join().unwrap());
            drop(doors);
        });
    });
    for n in 0..5 {
        let name = format!("loop {n}");
        let lines: Vec<_> = said
            .iter()
            .filter(|said| said.fields.starts_with(&format!("name={name} ")))
            .collect();
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[2].has("failed=0"), "{}", lines[2]);
    }
    let names = |message: &str| {
        (said.iter().filter(|said| said.message == message))
            .map(|said| said.fields.split(" workers").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("started").len(), 8);
    assert_eq!(
        names("started").iter().collect::<BTreeSet<_>>().len(),
        7,
        "two are called `body`"
    );
    let by: HashSet<_> = (said.iter().filter(|said| said.get("recent").is_some()))
        .map(|said| said.thread)
        .collect();
    assert_eq!(by.len(), 1);
}

/// What comes through a channel, as a source.
#[cfg(target_os = "linux")]
fn pull_all(door: Receiver<()>) -> crate::Pull<impl Iterator<Item = ()>> {
    crate::source::pull(door)
}

#[test]
fn the_monitor_speaks_on_its_own_thread_and_takes_no_worker() {
    let me = std::thread::current().id();
    let said = hear(|_| {
        let pool = pool(1);
        let ran = scope(&pool, bodies(), |tasks| {
            let (gate, body) = Gate::new();
            tasks.submit(body);
            gate.is_reached();
            pass(1);
            gate.open();
            tasks.submit(Box::new(|| Ok(1)));
            tasks.run()?;
            Ok(tasks.completed())
        });
        assert_eq!(ran.unwrap(), 2);
        loop_here().for_each(0..1, |_| pass(1));
        assert_eq!(pool.threads(), 1);
    });
    let progress: Vec<_> = said
        .iter()
        .filter(|said| said.get("recent").is_some())
        .collect();
    assert_eq!(progress.len(), 2);
    assert!(
        progress
            .iter()
            .all(|said| said.thread != me && said.thread_name == "futureproof-mon")
    );
}

#[test]
fn lines_are_said_outside_of_the_loops_span_where_it_was_started() {
    let ear = Ear::new();
    alone(|| {
        ear.during(|| {
            let outer = tracing::info_span!(target: "test", "outer");
            outer.in_scope(|| {
                loop_here().for_each(0..1, |_| {
                    tracing::info!(target: "test", "the body");
                    pass(4);
                });
                scope(&pool(1), bodies(), |tasks| {
                    let (gate, body) = Gate::new();
                    tasks.submit(body);
                    gate.is_reached();
                    pass(4);
                    gate.open();
                })
                .unwrap();
            });
        });
    });
    let outer = ear.spans_of("outer")[0].0;
    let lines = ear.monitor();
    assert_eq!(lines.len(), 16, "{lines:#?}");
    for line in &lines {
        assert_eq!(line.inside, [outer], "{line}");
    }
    let span = ear.spans_of("parallel_for")[0].0;
    assert_eq!(ear.said_of("test")[0].inside, [outer, span]);
}

/// Does something at each event on the monitor's thread, and nothing else.
struct OnMonitor<F>(F);

impl<F: Fn() + Send + Sync + 'static> Subscriber for OnMonitor<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "futureproof::monitor"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        if std::thread::current().name() == Some("futureproof-mon") {
            (self.0)();
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_loop_ends_while_a_subscriber_holds_the_monitor_up() {
    alone(|| {
        ear::keep_call_sites_awake();
        let (held, is_held) = channel();
        let (let_go, held_until) = channel::<()>();
        let held_until = Mutex::new(held_until);
        let subscriber = OnMonitor(move || {
            _ = held.send(());
            _ = held_until.lock().unwrap().recv();
        });
        let mut clock = None;
        tracing::subscriber::with_default(subscriber, || {
            let pool = pool(2);
            // A body need not be `Sync` on a single worker, but it has to be here.
            let (clock, is_held) = (Mutex::new(&mut clock), Mutex::new(is_held));
            let report = loop_here().for_each(0..2, |n| {
                if n == 0 {
                    // It returns when the monitor has spoken.
                    **clock.lock().unwrap() = Some(std::thread::spawn(|| advance(100 * MS)));
                    is_held.lock().unwrap().recv().unwrap();
                }
            });
            assert_eq!(report.completed(), 2);
            // Others are not held up either, from their start to their end.
            ParallelFor::new().pool(&pool).for_each(0..100, |_| {});
            scope(&pool, numbers(), |tasks| tasks.map([0, 2])).unwrap();
            submit(&pool, numbers(), (2,)).join().unwrap();
        });
        drop(let_go);
        clock.unwrap().join().unwrap();
    });
}

#[test]
fn the_monitor_lets_go_of_what_has_ended() {
    alone(|| {
        ear::keep_call_sites_awake();
        let held = Arc::new(());
        let inside = held.clone();
        // Whoever holds the subscriber holds this.
        let subscriber = OnMonitor(move || _ = &inside);
        tracing::subscriber::with_default(subscriber, || {
            loop_here().for_each(0..1, |_| pass(1));
            scope(&pool(1), numbers(), |tasks| tasks.map([0, 2])).unwrap();
        });
        pass(1);
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn a_subscriber_that_panics_ends_neither_the_monitor_nor_a_loop() {
    alone(|| {
        ear::keep_call_sites_awake();
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let (panicked, panics) = channel();
        let subscriber = OnMonitor(move || {
            panicked.send(std::thread::current().id()).unwrap();
            panic!("the subscriber's");
        });
        let completed = tracing::subscriber::with_default(subscriber, || {
            loop_here().for_each(0..5, |_| pass(1)).completed()
        });
        panic::set_hook(hook);
        assert_eq!(completed, 5);
        let threads: Vec<_> = panics.try_iter().collect();
        assert_eq!(threads.len(), 6, "the start and five intervals");
        assert!(
            threads.iter().all(|thread| *thread == threads[0]),
            "it is the same thread"
        );
    });
    // It goes on for others.
    let said = hear(|_| _ = loop_here().for_each(0..1, |_| pass(1)));
    assert_eq!(said.len(), 4);
}
