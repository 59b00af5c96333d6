use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, with_local_recorder,
};

use super::*;

#[path = "../../../tests/kit/recorder.rs"]
mod ledger;
mod sampling;

use ledger::Ledger;

fn meters(recorder: &dyn Recorder, name: &str) -> Meters {
    with_local_recorder(recorder, || {
        Meters::new(name, "loop").expect("there is a recorder")
    })
}

fn numbers(numbers: &[(&str, f64)]) -> Vec<(String, f64)> {
    (numbers.iter())
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

#[test]
fn without_a_recorder_there_is_nothing_to_do() {
    assert!(!Meters::are_wanted());
    assert!(Meters::new("test", "loop").is_none());
    with_local_recorder(&Ledger::new(), || assert!(Meters::are_wanted()));
}

#[test]
fn a_recorder_without_fields_is_seen_in_a_box_and_as_a_constant() {
    #[derive(Clone, Copy)]
    struct Empty;

    impl Recorder for Empty {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::noop()
        }
        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    // As the facade keeps the recorder of the process.
    let boxed: &'static dyn Recorder = Box::leak(Box::new(Empty));
    assert!(recorder::is_installed(boxed));
    assert!(recorder::is_installed(&Empty));
    assert!(recorder::is_installed(&Ledger::new()));
    static STATIC: Empty = Empty;
    assert!(!recorder::is_installed(&STATIC), "as the facade's stand-in");
}

#[test]
fn every_metric_is_registered_with_both_labels_and_described_once_with_its_unit() {
    let ledger: &'static Ledger = Box::leak(Box::new(Ledger::new()));
    let _meters = [meters(ledger, "test"), meters(ledger, "test")];
    let names = COUNTERS.iter().chain(&GAUGES).chain([&DURATION]);
    let mut keys: Vec<_> = (names.clone())
        .map(|(name, _)| format!("{name}{{kind=loop,name=test}}"))
        .collect();
    keys.sort();
    assert_eq!(ledger.keys(), keys);
    let unit = |name| match name {
        "futureproof_task_duration_seconds" => Unit::Seconds,
        _ => Unit::Count,
    };
    let described: Vec<_> = names
        .map(|(name, _)| ((*name).to_owned(), Some(unit(name))))
        .collect();
    // Other tests' recorders may come between, and then this one is told again.
    assert_eq!(ledger.descriptions()[..described.len()], described);
    assert!(ledger.descriptions().len() <= 2 * described.len());
}

#[test]
fn in_the_end_counters_have_the_counts_and_gauges_are_back_at_zero() {
    let ledger = Ledger::new();
    let mut meters = meters(&ledger, "test");
    let mut counts = Counts {
        started: 5,
        completed: 2,
        in_flight: 3,
        waiting: 7,
        ..Counts::default()
    };
    meters.delta(&counts).record();
    assert_eq!(
        ledger.totals("loop", "test"),
        numbers(&[
            ("completed_total", 2.0),
            ("in_flight", 3.0),
            ("started_total", 5.0),
            ("waiting", 7.0)
        ])
    );
    counts = Counts {
        started: 9,
        completed: 4,
        failed: 3,
        panicked: 1,
        cancelled: 5,
        retried: 6,
        in_flight: 1,
        waiting: 1,
    };
    meters.delta(&counts).record();
    assert_eq!(
        ledger.value("futureproof_tasks_in_flight{kind=loop,name=test}"),
        Some(1.0)
    );
    counts.started += 1;
    counts.completed += 1;
    meters.end(&counts).record();
    assert_eq!(
        ledger.totals("loop", "test"),
        numbers(&[
            ("cancelled_total", 5.0),
            ("completed_total", 5.0),
            ("failed_total", 2.0),
            ("panicked_total", 1.0),
            ("retried_total", 6.0),
            ("started_total", 10.0)
        ])
    );
}

#[test]
fn a_sum_that_lags_behind_is_not_counted_twice() {
    let ledger = Ledger::new();
    let mut meters = meters(&ledger, "test");
    for completed in [5, 4, 6] {
        let counts = Counts {
            started: completed,
            completed,
            ..Counts::default()
        };
        meters.delta(&counts).record();
    }
    assert_eq!(
        ledger.totals("loop", "test"),
        numbers(&[("completed_total", 6.0), ("started_total", 6.0)])
    );
}

#[test]
fn loops_of_one_name_add_up() {
    let ledger = Ledger::new();
    let mut both = [meters(&ledger, "test"), meters(&ledger, "test")];
    let counts = Counts {
        started: 11,
        completed: 10,
        in_flight: 1,
        ..Counts::default()
    };
    for meters in &mut both {
        meters.delta(&counts).record();
    }
    assert_eq!(
        ledger.value("futureproof_tasks_in_flight{kind=loop,name=test}"),
        Some(2.0)
    );
    for meters in &mut both {
        meters.end(&counts).record();
    }
    assert_eq!(
        ledger.totals("loop", "test"),
        numbers(&[("completed_total", 20.0), ("started_total", 22.0)])
    );
}

#[test]
fn what_was_taken_down_and_not_recorded_is_recorded_by_whoever_comes_next() {
    let ledger = Ledger::new();
    let mut meters = meters(&ledger, "test");
    let mut counts = Counts {
        cancelled: 1,
        ..Counts::default()
    };
    let late = meters.delta(&counts);
    counts.cancelled = 3;
    meters.end(&counts).record();
    let expected = numbers(&[("cancelled_total", 3.0)]);
    assert_eq!(ledger.totals("loop", "test"), expected);
    late.record();
    assert_eq!(ledger.totals("loop", "test"), expected);
}

/// Counts what has been recorded, and lets a test hold up the first time.
struct Slow {
    total: AtomicU64,
    reached: Mutex<Option<mpsc::Sender<()>>>,
    door: Barrier,
}

impl CounterFn for Slow {
    fn increment(&self, value: u64) {
        let first = self.reached.lock().take();
        if let Some(reached) = first {
            reached.send(()).expect("the test waits for it");
            self.door.wait();
        }
        self.total.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, _: u64) {}
}

struct Counters(Arc<Slow>);

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match key.name() {
            "futureproof_tasks_completed_total" => Counter::from_arc(self.0.clone()),
            _ => Counter::noop(),
        }
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn the_end_waits_for_what_is_being_recorded() {
    let (reached, is_reached) = mpsc::channel();
    let slow = Arc::new(Slow {
        total: AtomicU64::new(0),
        reached: Mutex::new(Some(reached)),
        door: Barrier::new(2),
    });
    let mut meters = meters(&Counters(slow.clone()), "test");
    let mut counts = Counts {
        completed: 1,
        ..Counts::default()
    };
    let delta = meters.delta(&counts);
    std::thread::scope(|scope| {
        scope.spawn(|| delta.record());
        is_reached.recv().expect("it records");
        let held = meters.shared.turn.try_lock().is_none();
        counts.completed = 3;
        let end = meters.end(&counts);
        let total = &slow.total;
        let total = scope.spawn(move || {
            end.record();
            total.load(Ordering::Relaxed)
        });
        slow.door.wait();
        assert_eq!(total.join().expect("it ends"), 3);
        assert!(held, "whoever records has to be waited for");
    });
}

/// Panics at everything, also when its handles are dropped.
struct Wild;

impl CounterFn for Wild {
    fn increment(&self, _: u64) {
        panic!("increment");
    }
    fn absolute(&self, _: u64) {
        panic!("absolute");
    }
}

impl HistogramFn for Wild {
    fn record(&self, _: f64) {
        panic!("record");
    }
}

impl Drop for Wild {
    fn drop(&mut self) {
        panic!("drop");
    }
}

/// Gives panicking handles, or panics.
struct Panics<'a>(&'a Ledger);

impl Recorder for Panics<'_> {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe");
    }
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe");
    }
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("describe");
    }
    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        match key.name() {
            "futureproof_tasks_completed_total" => self.0.register_counter(key, metadata),
            _ => Counter::from_arc(Arc::new(Wild)),
        }
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("register");
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Wild))
    }
}

#[test]
fn a_recorder_that_panics_costs_the_metrics_that_it_panics_at_and_nothing_else() {
    let ledger = Ledger::new();
    let mut meters = meters(&Panics(&ledger), "test");
    let counts = Counts {
        completed: 1,
        failed: 1,
        in_flight: 1,
        ..Counts::default()
    };
    let mut sampler = Sampler::new(meters.durations(), 0);
    sampler.ran(1, 1, 1);
    sampler.ran(1, 1, 2);
    meters.delta(&counts).record();
    let end = meters.end(&counts);
    drop((meters, sampler));
    end.record();
    drop(end);
    assert_eq!(
        ledger.totals("loop", "test"),
        numbers(&[("completed_total", 1.0)])
    );
}
