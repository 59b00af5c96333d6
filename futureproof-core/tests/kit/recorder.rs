//! A recorder that keeps everything it is told, for tests of the metrics.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// What has been recorded. Clones record to the same place.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    values: BTreeMap<String, f64>,
    samples: BTreeMap<String, Vec<f64>>,
    descriptions: Vec<(String, Option<Unit>)>,
}

impl Ledger {
    pub fn new() -> Self {
        Self::default()
    }

    /// The sum of all changes of a counter or gauge, such as `futureproof_tasks_waiting{kind=pool,name=f}`; labels are
    /// sorted. `None` if it has never been registered.
    pub fn value(&self, key: &str) -> Option<f64> {
        self.state().values.get(key).copied()
    }

    /// All counters and gauges with these labels, without the common part of their names, where they are not 0.
    pub fn totals(&self, kind: &str, name: &str) -> Vec<(String, f64)> {
        let labels = format!("{{kind={kind},name={name}}}");
        (self.state().values.iter())
            .filter_map(|(key, value)| Some((key.strip_suffix(&labels)?, *value)))
            .filter(|(_, value)| *value != 0.0)
            .map(|(key, value)| (key.replace("futureproof_tasks_", ""), value))
            .collect()
    }

    pub fn samples(&self, key: &str) -> Vec<f64> {
        self.state().samples.get(key).cloned().unwrap_or_default()
    }

    pub fn keys(&self) -> Vec<String> {
        let state = self.state();
        let mut keys: Vec<_> = state.values.keys().chain(state.samples.keys()).collect();
        keys.sort();
        keys.into_iter().cloned().collect()
    }

    pub fn descriptions(&self) -> Vec<(String, Option<Unit>)> {
        self.state().descriptions.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        self.state().descriptions.push((name.as_str().into(), unit));
    }

    fn handle(&self, key: &Key) -> Arc<Handle> {
        let mut labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        labels.sort();
        let key = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::new(Handle {
            ledger: self.clone(),
            key,
        })
    }

    fn number(&self, key: &Key) -> Arc<Handle> {
        let handle = self.handle(key);
        handle.add(0.0);
        handle
    }
}

impl Recorder for Ledger {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.number(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.number(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let handle = self.handle(key);
        self.state().samples.entry(handle.key.clone()).or_default();
        Histogram::from_arc(handle)
    }
}

struct Handle {
    ledger: Ledger,
    key: String,
}

impl Handle {
    fn add(&self, by: f64) {
        *self
            .ledger
            .state()
            .values
            .entry(self.key.clone())
            .or_default() += by;
    }
}

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {
        panic!("loops of one name would not add up");
    }
}

impl GaugeFn for Handle {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {
        panic!("loops of one name would not add up");
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        let mut state = self.ledger.state();
        state
            .samples
            .entry(self.key.clone())
            .or_default()
            .push(value);
    }
}
