//! A subscriber that panics at anything it is asked costs neither an item, nor a report, nor the process.

mod kit;

use std::panic::{self, AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use futureproof_core::__private::{as_completed, configure, map, scope, submit};
use futureproof_core::ErrorPolicy::{Ignore, Raise};
use futureproof_core::{Ended, ParallelFor, Retry, TaskHandle};
use kit::{Oops, double, half, no_hang, numbers, oops, pool};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, with_default};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// What a subscriber is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Enabled,
    CurrentSpan,
    NewSpan,
    Record,
    Event,
    Enter,
    Exit,
    CloneSpan,
    TryClose,
}

const CALLS: [Call; 9] = [
    Call::Enabled,
    Call::CurrentSpan,
    Call::NewSpan,
    Call::Record,
    Call::Event,
    Call::Enter,
    Call::Exit,
    Call::CloneSpan,
    Call::TryClose,
];

/// When a subscriber panics at the call that it does not like.
#[derive(Debug, Clone, Copy)]
enum Temper {
    Once,
    EveryTime,
    /// And at all others after it, as one does whose mutex is poisoned.
    AtEverythingFromThenOn,
}

const TEMPERS: [Temper; 3] = [
    Temper::Once,
    Temper::EveryTime,
    Temper::AtEverythingFromThenOn,
];

/// The payload of its panics.
struct Rudeness;

#[derive(Clone)]
struct Rude {
    level: Level,
    at: Vec<Call>,
    temper: Temper,
    panics: Arc<AtomicUsize>,
    /// Of the span that is said to be current, once there is one.
    current: Arc<Mutex<Option<&'static Metadata<'static>>>>,
}

impl Rude {
    fn new(level: Level, at: &[Call], temper: Temper) -> Self {
        Self {
            level,
            at: at.to_vec(),
            temper,
            panics: Arc::default(),
            current: Arc::default(),
        }
    }

    fn hear(&self, call: Call) {
        let panics = self.panics.load(Ordering::SeqCst);
        let is_rude = match self.temper {
            Temper::Once => self.at.contains(&call) && panics == 0,
            Temper::EveryTime => self.at.contains(&call),
            Temper::AtEverythingFromThenOn => panics > 0 || self.at.contains(&call),
        };
        if is_rude {
            self.panics.fetch_add(1, Ordering::SeqCst);
            panic_any(Rudeness);
        }
    }
}

impl Subscriber for Rude {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.hear(Call::Enabled);
        metadata.target().starts_with("futureproof") && *metadata.level() <= self.level
    }

    fn current_span(&self) -> Current {
        self.hear(Call::CurrentSpan);
        match *self.current.lock().unwrap() {
            Some(metadata) => Current::new(Id::from_u64(1), metadata),
            None => Current::none(),
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(Call::NewSpan);
        *self.current.lock().unwrap() = Some(span.metadata());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {
        self.hear(Call::Record);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.hear(Call::Event);
    }

    fn enter(&self, _: &Id) {
        self.hear(Call::Enter);
    }

    fn exit(&self, _: &Id) {
        self.hear(Call::Exit);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.hear(Call::CloneSpan);
        span.clone()
    }

    fn try_close(&self, _: Id) -> bool {
        self.hear(Call::TryClose);
        false
    }
}

/// Keeps panics that the tests want out of their output.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Rudeness>() && !info.payload().is::<Own>() {
                hook(info);
            }
        }));
    });
}

/// The payload of a body's panic.
struct Own;

/// Everything that has a span. Twice, as a subscriber may know of a current span in the second round only.
fn run_all() {
    for _ in 0..2 {
        loops_are_complete();
        tasks_are_complete();
    }
}

fn loops_are_complete() {
    let pool = pool(3);
    let mut sum = 0_u64;
    let options = ParallelFor::new().pool(&pool).batch(1);
    let report = options.fold_into(&mut sum, 0..50_u64, |sum, n| *sum += n);
    assert_eq!((sum, report.completed()), (1225, 50));
    assert_eq!(report.ended(), Ended::Exhausted);

    let body = |n: u64| match n % 5 {
        0 => panic_any(Own),
        1 => oops("no"),
        _ => Ok(()),
    };
    let options = ParallelFor::new().pool(&pool).error_policy(Ignore);
    let report = options.try_for_each(0..50, body).unwrap();
    assert_eq!((report.completed(), report.failed()), (30, 20));

    // What leaves a loop is the body's own panic.
    let body = |n: u64| {
        if n == 7 {
            panic_any(Own)
        }
    };
    let options = ParallelFor::new().pool(&pool);
    let left = catch_unwind(AssertUnwindSafe(|| options.for_each(0..50, body)));
    assert!(left.unwrap_err().is::<Own>());
}

fn tasks_are_complete() {
    let pool = pool(3);
    let report = scope(&pool, numbers(Raise, double), |tasks| {
        tasks.map(0..25);
        (25..50).for_each(|n| _ = tasks.submit(n));
        assert_eq!(tasks.as_completed().flatten().count(), 50);
        Ok(tasks.report())
    });
    assert_eq!(report.unwrap().completed(), 50);

    assert_eq!(
        map(&pool, numbers(Raise, double), 0..50).flatten().count(),
        50
    );
    let mut results = as_completed(&pool, numbers(Ignore, half), 0..50);
    assert!(results.next().is_some());
    // Its inputs are not asked for more.
    let report = results.stop();
    assert!(report.completed() + report.failed() > 0);

    let retry = Retry::attempts(3).backoff(Duration::from_micros(1));
    let twice = configure(&pool, numbers(Ignore, half)).retry(retry);
    assert!(twice.submit(1).join().is_err());
    let handles: Vec<_> = (0..20)
        .map(|n| submit(&pool, numbers(Ignore, own), (n,)))
        .collect();
    let ended = handles.into_iter().map(TaskHandle::join);
    assert_eq!(ended.filter(Result::is_ok).count(), 10);
}

/// Panics at odd numbers.
fn own((n,): (u64,)) -> Result<u64, Oops> {
    if n % 2 == 1 { panic_any(Own) } else { Ok(n) }
}

#[track_caller]
fn survives(level: Level, at: &[Call], temper: Temper) -> usize {
    let rude = Rude::new(level, at, temper);
    let panics = rude.panics.clone();
    let run = || no_hang(|| with_default(rude, run_all));
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        panic!("something is lost at {level}, with {at:?} {temper:?}");
    }
    panics.load(Ordering::SeqCst)
}

#[test]
fn nothing_is_lost_when_the_subscriber_panics_at_one_kind_of_call() {
    hush();
    for call in CALLS {
        for temper in TEMPERS {
            survives(Level::INFO, &[call], temper);
        }
    }
}

#[test]
fn nothing_is_lost_when_it_does_so_and_every_item_has_a_span() {
    hush();
    for call in CALLS {
        for temper in TEMPERS {
            let panics = survives(Level::TRACE, &[call], temper);
            assert!(panics > 0, "{call:?} is never asked");
        }
    }
}

#[test]
fn nothing_is_lost_when_the_subscriber_panics_at_two_calls_in_a_row() {
    hush();
    for (n, &first) in CALLS.iter().enumerate() {
        for &second in &CALLS[n + 1..] {
            for level in [Level::INFO, Level::TRACE] {
                survives(level, &[first, second], Temper::EveryTime);
            }
        }
    }
}

#[test]
fn nothing_is_lost_when_the_subscriber_panics_at_all_but_one_call() {
    hush();
    for call in CALLS {
        let mut others = CALLS.to_vec();
        others.retain(|other| *other != call);
        survives(Level::TRACE, &others, Temper::EveryTime);
    }
    survives(Level::TRACE, &CALLS, Temper::EveryTime);
}
