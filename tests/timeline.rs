//! The picture that the example `timeline` draws: what is where on it, and that any browser can read it.

#[path = "../examples/timeline/axis.rs"]
mod axis;
#[path = "../examples/timeline/draw.rs"]
mod draw;
#[path = "../examples/timeline/lanes.rs"]
mod lanes;
#[path = "../examples/timeline/markup.rs"]
mod markup;
mod picture;
#[path = "../examples/timeline/recording.rs"]
mod recording;
#[path = "../examples/timeline/shapes.rs"]
mod shapes;

use std::time::Duration;

use picture::{Element, elements};
use recording::{Group, Kind, Outcome, Recording, Run};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn group(kind: Kind, name: &str, start: Duration, end: Duration) -> Group {
    Group {
        kind,
        name: name.into(),
        workers: Some(2),
        policy: "log".into(),
        start,
        end,
    }
}

fn run(worker: usize, index: u64, start: Duration, end: Duration) -> Run {
    Run {
        worker,
        group: 0,
        index,
        attempt: 1,
        outcome: Outcome::Completed,
        start,
        end,
    }
}

/// A loop `work` that takes as long as its runs.
fn recording(workers: &[&str], runs: Vec<Run>) -> Recording {
    let start = runs.iter().map(|run| run.start).min().unwrap_or_default();
    let end = runs.iter().map(|run| run.end).max().unwrap_or_default();
    Recording {
        groups: vec![group(Kind::Loop, "work", start, end)],
        workers: workers.iter().map(|&name| name.into()).collect(),
        runs,
    }
}

struct Drawn {
    elements: Vec<Element>,
}

fn drawn(recording: &Recording) -> Drawn {
    let elements = elements(&draw::svg(recording));
    let [width, height] = ["width", "height"].map(|name| elements[0].number(name));
    for rect in elements.iter().filter(|element| element.name == "rect") {
        if !rect.is("any") {
            let left = rect.attribute("x").parse().unwrap_or(0.0);
            let top = rect.attribute("y").parse().unwrap_or(0.0);
            assert!(
                left >= 0.0 && left + rect.number("width") <= width + 1.0,
                "{rect:?}"
            );
            assert!(
                top >= 0.0 && top + rect.number("height") <= height,
                "{rect:?}"
            );
        }
    }
    Drawn { elements }
}

impl Drawn {
    /// The bars of items whose tooltip begins with `title`, from the left to the right.
    fn bars(&self, title: &str) -> Vec<&Element> {
        let bars = self
            .elements
            .iter()
            .filter(|element| element.name == "rect");
        let mut bars: Vec<_> = bars.filter(|bar| bar.title.starts_with(title)).collect();
        bars.sort_by(|a, b| a.number("x").total_cmp(&b.number("x")));
        bars
    }

    fn bar(&self, title: &str) -> &Element {
        let bars = self.bars(title);
        assert_eq!(bars.len(), 1, "bars of {title:?}: {bars:?}");
        bars[0]
    }

    /// What can be read, from the first to the last written.
    fn texts(&self) -> Vec<&str> {
        let texts = self
            .elements
            .iter()
            .filter(|element| element.name == "text");
        texts.map(|element| element.text.as_str()).collect()
    }

    fn has_text(&self, text: &str) -> bool {
        self.texts().contains(&text)
    }

    /// The tooltips of signs, which are groups of shapes.
    fn signs(&self) -> Vec<&str> {
        let signs = self.elements.iter().filter(|element| element.name == "g");
        signs
            .map(|sign| sign.title.as_str())
            .filter(|title| !title.is_empty())
            .collect()
    }
}

#[test]
fn a_bar_is_as_long_as_its_run_and_where_its_run_was() {
    // The recording began long before.
    let hour = Duration::from_secs(3600);
    let runs = vec![
        run(0, 0, hour, hour + ms(25)),
        run(0, 1, hour + ms(50), hour + ms(100)),
        run(1, 2, hour + ms(25), hour + ms(50)),
    ];
    let drawn = drawn(&recording(&["a", "b"], runs));
    let [first, second, other] = ["work 0:", "work 1:", "work 2:"].map(|title| drawn.bar(title));
    let length = second.number("width");
    assert!(
        length > 300.0,
        "half of the time is nearly half of the picture"
    );
    assert!((first.number("width") - length / 2.0).abs() < 0.2);
    assert!((second.number("x") - first.number("x") - length).abs() < 0.2);
    assert!((other.number("x") - first.number("x") - length / 2.0).abs() < 0.2);
    assert_eq!(first.number("y"), second.number("y"), "one row a worker");
    assert!(other.number("y") >= first.number("y") + first.number("height"));
    assert_eq!(first.title, "work 0: completed after 25.0 ms");
    assert!(
        drawn.has_text("3 runs on 2 workers in 100 ms"),
        "{:?}",
        drawn.texts()
    );
    assert!(drawn.has_text("75 % busy") && drawn.has_text("25 % busy"));
}

#[test]
fn the_axis_has_round_numbers_with_a_unit_at_every_scale() {
    for exponent in 0..15 {
        for factor in [1, 3, 7] {
            let length = Duration::from_nanos(factor * 10_u64.pow(exponent));
            let recording = recording(&["a"], vec![run(0, 0, ms(1), ms(1) + length)]);
            let marks = axis::Scale::new(&recording, 100.0, 800.0).marks();
            let labels: Vec<_> = marks.iter().map(|(_, label)| label.as_str()).collect();
            assert!((2..=11).contains(&marks.len()), "{length:?}: {labels:?}");
            assert_eq!(marks[0].0, 100.0);
            let unit = labels[0].split_once(' ').expect("a number and a unit").1;
            assert!(["ns", "µs", "ms", "s"].contains(&unit), "{labels:?}");
            let step = labels[1].split_once(' ').expect("a number and a unit").0;
            let digits: String = step
                .chars()
                .filter(|char| ('1'..='9').contains(char))
                .collect();
            assert!(["1", "2", "5"].contains(&digits.as_str()), "{labels:?}");
            for pair in marks.windows(2) {
                assert!(pair[0].1 != pair[1].1, "{labels:?}");
                assert!(
                    (80.0..=800.0).contains(&(pair[1].0 - pair[0].0)),
                    "{marks:?}"
                );
            }
        }
    }
}

#[test]
fn any_name_can_be_written() {
    let wild = "<b> & \"c\" 'd' ]]>\u{1}\n\u{7f}\u{85}\u{ffff} ünï €";
    let mut recording = recording(&[wild], vec![run(0, 0, ms(0), ms(9))]);
    recording.groups[0].name = wild.into();
    recording.groups[0].policy = wild.into();
    let drawn = drawn(&recording);
    let shown = "<b> & \"c\" 'd' ]]>\u{2401}\u{240a}\u{fffd}\u{fffd}\u{fffd} ünï €";
    assert!(
        drawn
            .bar(shown)
            .title
            .ends_with(" 0: completed after 9.00 ms")
    );
    assert!(!draw::svg(&recording).contains("<b>"));
}

#[test]
fn a_long_name_is_cut_and_the_tooltip_has_all_of_it() {
    let long = "a-worker-whose-name-is-so-long-that-no-column-has-room-for-it";
    let drawn = drawn(&recording(&[long], vec![run(0, 0, ms(0), ms(9))]));
    let label = drawn.elements.iter().find(|element| element.title == long);
    let label = label.expect("the label has a tooltip");
    assert!(label.text.ends_with('…') && long.starts_with(label.text.trim_end_matches('…')));
}

#[test]
fn a_run_without_length_is_still_seen() {
    let runs = vec![
        run(0, 0, ms(5), ms(5)),
        run(0, 1, ms(0), ms(1)),
        run(0, 2, ms(9), ms(10)),
    ];
    let drawn = drawn(&recording(&["a"], runs));
    assert!(drawn.bar("work 0:").number("width") >= 1.0);

    // Nor has everything together a length here.
    let nothing = recording(
        &["a"],
        vec![run(0, 0, ms(5), ms(5)), run(0, 1, ms(5), ms(5))],
    );
    assert!(
        self::drawn(&nothing)
            .bar("work 0 to 1: 2 completed")
            .number("width")
            >= 1.0
    );
}

#[test]
fn what_is_thinner_than_a_pixel_is_merged_and_the_file_stays_small() {
    const ITEMS: u64 = 100_000;
    let us = Duration::from_micros;
    let runs = (0..ITEMS).map(|index| run((index % 4) as usize, index, us(index), us(index + 3)));
    let mut recording = recording(&["a", "b", "c", "d"], runs.collect());
    recording.runs[50_000].outcome = Outcome::Failed;
    recording.runs[50_000].end += us(1);
    let svg = draw::svg(&recording);
    assert!(svg.len() < 200_000, "{} bytes for {ITEMS} items", svg.len());
    let drawn = drawn(&recording);
    let bars = drawn.bars("work ");
    let count = |bar: &&Element| -> u64 {
        let words = bar.title.split([' ', ',']).collect::<Vec<_>>();
        let counts = words
            .windows(2)
            .filter(|pair| ["completed", "failed"].contains(&pair[1]));
        counts
            .map(|pair| pair[0].parse::<u64>().expect("a count"))
            .sum()
    };
    assert_eq!(
        bars.iter().map(count).sum::<u64>(),
        ITEMS,
        "each item is in one bar"
    );
    assert!(
        bars.iter().all(|bar| bar.number("width") < 5.0),
        "one sees where there is more"
    );
    let [sign] = drawn.signs()[..] else {
        panic!("one failure has one sign: {:?}", drawn.signs());
    };
    assert!(sign.contains("1 failed"), "{sign}");
}

#[test]
fn many_failures_side_by_side_have_few_signs() {
    let us = Duration::from_micros;
    let mut recording = recording(
        &["a"],
        (0..50_000)
            .map(|index| run(0, index, us(index), us(index + 1)))
            .collect(),
    );
    for run in &mut recording.runs {
        run.outcome =
            [Outcome::Failed, Outcome::Completed, Outcome::Panicked][run.index as usize % 3];
    }
    assert!(draw::svg(&recording).len() < 300_000);
    let drawn = drawn(&recording);
    assert!(
        (10..100).contains(&drawn.signs().len()),
        "{} signs",
        drawn.signs().len()
    );
}

#[test]
fn failures_are_marked_by_colour_and_by_shape() {
    let mut runs: Vec<_> = (0..4)
        .map(|index| run(0, index, ms(index * 100), ms(index * 100 + 90)))
        .collect();
    for (run, outcome) in runs.iter_mut().zip(Outcome::ALL) {
        run.outcome = outcome;
    }
    for kind in [Kind::Loop, Kind::Pool] {
        let mut recording = recording(&["a"], runs.clone());
        recording.groups[0].kind = kind;
        let drawn = drawn(&recording);
        for (index, class) in [(0, "k0"), (1, "left"), (2, "failed"), (3, "panicked")] {
            assert!(drawn.bar(&format!("work {index}:")).is(class));
        }
        let signs = drawn.signs();
        assert_eq!(signs.len(), 3, "what completed has no sign: {signs:?}");
        assert!(signs[1].starts_with("work 2: failed after"), "{signs:?}");
        let shapes = drawn.elements.iter().filter(|element| element.is("badge"));
        let shapes: Vec<_> = shapes
            .map(|shape| (shape.name.as_str(), shape.attribute("d")))
            .take(3)
            .collect();
        assert!(shapes[0] != shapes[1] && shapes[1] != shapes[2] && shapes[0] != shapes[2]);
        assert!(drawn.has_text("1 completed, 1 left, 1 failed, 1 panicked"));
        for explained in ["left", "failed", "panicked"] {
            assert!(drawn.has_text(explained), "{:?}", drawn.texts());
        }
    }
}

#[test]
fn loops_and_pools_look_different() {
    let mut recording = recording(
        &["a"],
        vec![run(0, 0, ms(0), ms(9)), run(0, 0, ms(10), ms(19))],
    );
    recording
        .groups
        .push(group(Kind::Pool, "fetch", ms(0), ms(19)));
    recording.runs[1].group = 1;
    let drawn = drawn(&recording);
    let (looped, pooled) = (drawn.bar("work 0"), drawn.bar("fetch 0"));
    assert!(looped.is("loop") && looped.attribute("rx").is_empty());
    assert!(pooled.is("pool") && pooled.number("rx") > 2.0);
    assert!(looped.is("k0") && pooled.is("k1"), "each has its colour");
    assert!(drawn.has_text("loop, 2 workers, log") && drawn.has_text("pool, 2 workers, log"));
}

#[test]
fn loops_of_one_name_share_a_line_and_a_colour() {
    let mut recording = recording(
        &["a"],
        vec![run(0, 0, ms(0), ms(9)), run(0, 0, ms(20), ms(29))],
    );
    recording.groups[0].end = ms(9);
    recording
        .groups
        .push(group(Kind::Loop, "work", ms(20), ms(29)));
    recording.runs[1].group = 1;
    let drawn = drawn(&recording);
    assert_eq!(drawn.bars("loop work").len(), 2);
    assert!(drawn.bars("work 0").iter().all(|bar| bar.is("k0")));
    assert!(drawn.has_text("2 runs"));
}

#[test]
fn nested_items_are_inside_of_the_outer_one_and_not_counted_twice() {
    let mut runs = vec![run(0, 7, ms(0), ms(100)), run(0, 8, ms(200), ms(200))];
    runs.extend((0..5).map(|index| run(0, index, ms(10 + index * 10), ms(20 + index * 10))));
    let mut recording = recording(&["a"], runs);
    recording
        .groups
        .push(group(Kind::Loop, "inner", ms(10), ms(60)));
    for run in &mut recording.runs[2..] {
        run.group = 1;
    }
    let drawn = drawn(&recording);
    let (outer, inner) = (drawn.bar("work 7"), drawn.bar("inner 3"));
    assert!(inner.number("y") > outer.number("y"));
    assert!(
        inner.number("y") + inner.number("height") <= outer.number("y") + outer.number("height")
    );
    assert!(drawn.has_text("50 % busy"));
    assert!(drawn.has_text("3"), "the inner items have their numbers");
    assert!(
        !drawn.has_text("7"),
        "where others are, there is no room for one"
    );
    let order = |title: &str| {
        drawn
            .elements
            .iter()
            .position(|element| element.title.starts_with(title))
    };
    assert!(
        order("inner 0") > order("work 7"),
        "what is drawn later is in front"
    );
}

#[test]
fn each_worker_has_a_row_and_they_are_sorted_as_people_sort() {
    let names = ["pool-10", "main", "pool-2", "idle", "pool-1"];
    let runs = [0, 1, 2, 4].map(|worker| run(worker, worker as u64, ms(0), ms(9)));
    let drawn = drawn(&recording(&names, runs.to_vec()));
    let rows: Vec<_> = drawn
        .texts()
        .into_iter()
        .filter(|text| names.contains(text))
        .collect();
    assert_eq!(
        rows,
        ["main", "pool-1", "pool-2", "pool-10"],
        "who did nothing has no row"
    );

    let alone = self::drawn(&recording(&["main"], vec![run(0, 0, ms(0), ms(9))]));
    assert_eq!(
        alone
            .texts()
            .into_iter()
            .filter(|text| text.ends_with(" busy"))
            .count(),
        1
    );
    assert!(
        alone.has_text("1 run on 1 worker in 9.00 ms"),
        "{:?}",
        alone.texts()
    );
}

#[test]
fn the_attempts_of_a_task_are_joined_by_a_line() {
    let mut runs = vec![
        run(0, 5, ms(0), ms(10)),
        run(1, 5, ms(40), ms(50)),
        run(1, 6, ms(0), ms(10)),
    ];
    runs[0].outcome = Outcome::Failed;
    runs[1].attempt = 2;
    let mut recording = recording(&["a", "b"], runs);
    recording.groups[0].kind = Kind::Pool;
    let drawn = drawn(&recording);
    let lines = drawn
        .elements
        .iter()
        .filter(|element| element.is("wait") && !element.title.is_empty());
    let lines: Vec<_> = lines.map(|line| line.title.as_str()).collect();
    assert_eq!(lines, ["work 5 waited 30.0 ms for attempt 2"]);
    assert_eq!(
        drawn.bar("work 5, attempt 2").title,
        "work 5, attempt 2: completed after 10.0 ms"
    );
}

#[test]
fn a_recording_of_nothing_is_a_picture_too() {
    let drawn = drawn(&Recording::default());
    assert!(
        drawn.has_text("0 runs on 0 workers in 0 ns"),
        "{:?}",
        drawn.texts()
    );
}

#[test]
fn the_picture_asks_for_nothing_from_elsewhere() {
    let svg = draw::svg(&recording(&["a"], vec![run(0, 0, ms(0), ms(9))]));
    let svg = svg.replace("http://www.w3.org/2000/svg", "");
    for word in [
        "http",
        "href",
        "url(",
        "@import",
        "<script",
        "<image",
        "<foreignObject",
    ] {
        assert!(!svg.contains(word), "{word}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
}

#[test]
fn random_recordings_are_drawn_inside_of_the_picture() {
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..200 {
        let us = Duration::from_micros;
        let workers = 1 + random(5) as usize;
        let groups = (0..1 + random(8)).map(|_| {
            let start = random(1000);
            let kind = [Kind::Loop, Kind::Pool][random(2) as usize];
            group(
                kind,
                ["x", "y", "z"][random(3) as usize],
                us(start),
                us(start + random(1000)),
            )
        });
        let groups: Vec<_> = groups.collect();
        let length = 1 + 10_u64.pow(random(5) as u32);
        let runs = (0..random(300)).map(|_| {
            let start = us(random(3000));
            Run {
                worker: random(workers as u64) as usize,
                group: random(groups.len() as u64) as usize,
                index: random(1 << 20),
                attempt: 1 + random(3),
                outcome: Outcome::ALL[random(4) as usize],
                start,
                end: start + us(random(length)),
            }
        });
        let runs = runs.collect();
        let workers = (0..workers).map(|worker| format!("w-{worker}")).collect();
        drawn(&Recording {
            groups,
            workers,
            runs,
        });
    }
}
