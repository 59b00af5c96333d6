//! What the layer of the example `timeline` keeps of real loops and pools, and the example as a whole.

#[path = "../examples/timeline/layer.rs"]
mod layer;
mod picture;
#[path = "../examples/timeline/recording.rs"]
mod recording;

use std::collections::BTreeSet;
use std::sync::Once;
use std::time::Duration;

use futureproof::{ErrorPolicy, Retry, parallel_for, task_pool};
use recording::{Kind, Outcome, Recording, Run};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

/// Gives what was recorded of `work`.
fn record(work: impl FnOnce()) -> Recording {
    // A call site that is first met while no subscriber exists may miss one that is just being created.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let everything = tracing_subscriber::registry();
        tracing::subscriber::set_global_default(everything).expect("this is the first");
    });
    let (layer, recorder) = layer::recorder();
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(layer::spans()));
    tracing::subscriber::with_default(subscriber, work);
    recorder.recording()
}

/// The runs of the loop or pool `name`, by index and attempt.
fn runs<'a>(recording: &'a Recording, name: &str) -> Vec<&'a Run> {
    let runs = recording.runs.iter();
    let mut runs: Vec<_> = runs
        .filter(|run| recording.groups[run.group].name == name)
        .collect();
    runs.sort_by_key(|run| (run.index, run.attempt));
    runs
}

#[test]
fn each_item_is_kept_once_with_its_worker_and_its_time() {
    let recording = record(|| {
        parallel_for!(
            workers = 3,
            name = "numbers",
            error_policy = "log",
            for _ in 0..100 {
                std::thread::yield_now();
            }
        );
    });
    let [group] = &recording.groups[..] else {
        panic!("one loop is one group: {:?}", recording.groups);
    };
    assert_eq!((group.kind, group.name.as_str()), (Kind::Loop, "numbers"));
    assert_eq!((group.workers, group.policy.as_str()), (Some(3), "log"));
    let runs = runs(&recording, "numbers");
    assert!(runs.iter().map(|run| run.index).eq(0..100));
    assert!(recording.workers.len() <= 3, "{:?}", recording.workers);
    let names: BTreeSet<_> = recording.workers.iter().collect();
    assert_eq!(
        names.len(),
        recording.workers.len(),
        "{:?}",
        recording.workers
    );
    for worker in 0..recording.workers.len() {
        let mut end = group.start;
        let mut runs: Vec<_> = runs.iter().filter(|run| run.worker == worker).collect();
        runs.sort_by_key(|run| run.start);
        for run in runs {
            assert!(
                end <= run.start && run.start <= run.end,
                "one after the other: {run:?}"
            );
            end = run.end;
        }
        assert!(end <= group.end);
    }
}

#[test]
fn an_item_is_kept_with_its_outcome() {
    let recording = record(|| {
        parallel_for!(
            workers = 2,
            name = "mixed",
            error_policy = "log",
            for text in ["1", "two", "panic", "4"] {
                assert!(text != "panic", "as it was asked");
                text.parse::<u32>()?;
            }
        );
    });
    let outcomes: Vec<_> = runs(&recording, "mixed")
        .iter()
        .map(|run| run.outcome)
        .collect();
    let expected = [
        Outcome::Completed,
        Outcome::Failed,
        Outcome::Panicked,
        Outcome::Completed,
    ];
    assert_eq!(outcomes, expected);

    let recording = record(|| {
        parallel_for!(
            workers = 1,
            name = "left",
            for number in 0..9 {
                if number == 2 {
                    break;
                }
            }
        );
    });
    let outcomes: Vec<_> = runs(&recording, "left")
        .iter()
        .map(|run| run.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [Outcome::Completed, Outcome::Completed, Outcome::Left]
    );
}

#[test]
fn nested_items_are_kept_inside_of_the_outer_one() {
    let recording = record(|| {
        parallel_for!(
            workers = 2,
            name = "outer",
            for _ in 0..3 {
                parallel_for!(workers = 2, name = "inner", for _ in 0..4 {});
            }
        );
    });
    let loops = recording.groups.iter().map(|group| group.name.as_str());
    assert_eq!(loops.filter(|&name| name == "inner").count(), 3);
    let outer = runs(&recording, "outer");
    assert_eq!(outer.len(), 3);
    let inner = runs(&recording, "inner");
    assert_eq!(inner.len(), 12);
    for inner in inner {
        let around = outer
            .iter()
            .find(|outer| outer.start <= inner.start && inner.end <= outer.end);
        assert!(around.is_some(), "{inner:?} is in none of {outer:?}");
    }
}

#[task_pool(
    workers = 2,
    retry = Retry::attempts(3).backoff(Duration::from_millis(1)),
    error_policy = "ignore"
)]
fn halve(number: u32) -> Result<u32, String> {
    if number.is_multiple_of(2) {
        Ok(number / 2)
    } else {
        Err(format!("{number} is odd"))
    }
}

#[test]
fn every_attempt_of_a_task_is_kept() {
    let recording = record(|| {
        let halves = halve::map(0..4).filter(Result::is_ok).count();
        assert_eq!(halves, 2);
    });
    let [group] = &recording.groups[..] else {
        panic!("one use of a pool is one group: {:?}", recording.groups);
    };
    assert_eq!(
        (group.kind, group.name.as_str(), group.workers),
        (Kind::Pool, "halve", Some(2))
    );
    let attempts: Vec<_> = runs(&recording, "halve")
        .iter()
        .map(|run| (run.index, run.attempt, run.outcome == Outcome::Completed))
        .collect();
    let failed = |index| (1..=3).map(move |attempt| (index, attempt, false));
    let mut expected = vec![(0, 1, true), (2, 1, true)];
    expected.extend(failed(1).chain(failed(3)));
    expected.sort_unstable();
    assert_eq!(attempts, expected);
    let names = recording.workers.iter();
    assert!(
        names.clone().all(|name| name.starts_with("halve-")),
        "{names:?}"
    );
}

#[test]
fn a_task_belongs_to_its_pool_also_when_it_is_submitted_one_by_one_or_in_a_loop() {
    let recording = record(|| {
        assert_eq!(halve::submit(8).join().ok(), Some(4));
        parallel_for!(
            workers = 2,
            name = "submitting",
            for number in 0..3 {
                assert!(halve::submit(number * 2).join().is_ok());
            }
        );
    });
    assert_eq!(runs(&recording, "submitting").len(), 3);
    let tasks = runs(&recording, "halve");
    assert_eq!(tasks.len(), 4);
    assert!(
        tasks
            .iter()
            .all(|run| recording.groups[run.group].kind == Kind::Pool)
    );
}

#[test]
fn the_builder_of_loops_is_recorded_as_the_macro_is() {
    let recording = record(|| {
        let report = futureproof::ParallelFor::new()
            .workers(2)
            .name("built")
            .error_policy(ErrorPolicy::Ignore)
            .for_each(0..5, |_| {});
        assert_eq!(report.completed(), 5);
    });
    assert_eq!(runs(&recording, "built").len(), 5);
    assert_eq!(recording.groups[0].policy, "ignore");
}

#[test]
#[cfg(not(miri))]
fn the_example_writes_a_picture_of_all_that_it_ran() {
    let (printed, svg) = picture::run("timeline", "svg");
    assert!(printed.contains("browser"), "{printed}");
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
    let elements = picture::elements(&svg);
    let has = |text: &str| {
        elements
            .iter()
            .any(|element| element.name == "text" && element.text == text)
    };
    let rows = [
        "fetch", "render", "figures", "index", "main", "fetch-1", "fetch-4",
    ];
    for row in rows {
        assert!(has(row), "{row}");
    }
    for tally in [
        "41 runs",
        "6 failed",
        "36 runs",
        "3 failed, 1 panicked",
        "18 runs",
        "1500 runs",
    ] {
        assert!(has(tally), "{tally}");
    }
    let badges = |class| {
        elements
            .iter()
            .filter(move |element| element.is("badge") && element.is(class))
    };
    assert_eq!(
        badges("panicked").count(),
        2,
        "at the item, and where it is explained"
    );
    assert!(badges("failed").count() > 2);
    let waits = elements.iter().filter(|element| element.is("wait"));
    assert_eq!(
        waits.count(),
        6,
        "five second attempts, and the explanation"
    );
}
