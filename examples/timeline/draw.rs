//! A recording as one SVG file that needs nothing else.

use crate::axis::{Scale, brief};
use crate::lanes::{Bar, Lane, Series, Tally, Wait, lanes, series, waits};
use crate::markup::{DARK, Px, STYLE, Text, fit, put};
use crate::recording::{Outcome, Recording};
use crate::shapes::{ROW, Shape, colour, kind_text, legend, place, sign};

const WIDTH: f64 = 1000.0;
/// For the numbers at the right.
const RIGHT: f64 = 128.0;
const GAUGE: f64 = 88.0;
const TOP: f64 = 40.0;
const SERIES_BAR: f64 = 8.0;
/// Signs that are closer than this are one.
const SIGN: f64 = 13.0;
/// Lines in the tooltip of a sign.
const MOST_LINES: usize = 12;
/// Lines from one attempt to the next: more of them would hide everything else.
const MOST_WAITS: usize = 200;

/// Draws `recording`; the same recording always gives the same text.
pub(crate) fn svg(recording: &Recording) -> String {
    let groups = recording.groups.iter().map(|group| &group.name);
    let names = recording.workers.iter().chain(groups);
    let chars = names.map(|name| name.chars().count()).max();
    let chars = chars.unwrap_or(0).clamp(18, 26);
    let left = 24.0 + 7.0 * chars as f64;
    let scale = Scale::new(recording, left, WIDTH - left - RIGHT);
    let (series, of) = series(recording, &scale);
    let lanes = lanes(recording, &of, &scale);
    let picture = Picture {
        recording,
        scale,
        series,
        lanes,
        chars,
    };
    picture.draw()
}

struct Picture<'a> {
    recording: &'a Recording,
    scale: Scale,
    series: Vec<Series<'a>>,
    lanes: Vec<Lane<'a>>,
    /// How many characters fit into the column at the left.
    chars: usize,
}

impl Picture<'_> {
    fn draw(&self) -> String {
        let tally = self.tally();
        let lanes_top = TOP + ROW * self.series.len() as f64 + 18.0;
        let bottom = lanes_top + ROW * self.lanes.len() as f64;
        let height = bottom + 62.0;
        let summary = format!(
            "{} on {} in {}",
            count(tally.total(), "run"),
            count(self.lanes.len() as u32, "worker"),
            brief(self.scale.total())
        );
        let mut out = String::new();
        put!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" "#
        );
        put!(
            out,
            r#"width="{WIDTH}" height="{height}" role="img" aria-label="Timeline: {summary}">"#
        );
        put!(
            out,
            "\n<style>{STYLE}@media(prefers-color-scheme:dark){{\n{DARK}}}</style>\n"
        );
        put!(
            out,
            r#"<rect class="bg" width="{WIDTH}" height="{height}"/>"#
        );
        put!(
            out,
            "\n<text class=\"b\" x=\"12\" y=\"24\">{summary}</text>"
        );
        put!(
            out,
            r#"<text class="r" x="{}" y="24">{}</text>"#,
            Px(WIDTH - 12.0),
            tally.text()
        );
        out.push('\n');
        self.backgrounds(&mut out, TOP, self.series.len());
        self.backgrounds(&mut out, lanes_top, self.lanes.len());
        self.axis(&mut out, bottom);
        for (at, series) in self.series.iter().enumerate() {
            self.series(&mut out, TOP + ROW * at as f64, at, series);
        }
        for (at, lane) in self.lanes.iter().enumerate() {
            self.lane(&mut out, lanes_top + ROW * at as f64, lane);
        }
        let waits = waits(&self.lanes);
        self.waits(&mut out, lanes_top, &waits);
        // Above everything else, so that no failure hides behind a bar.
        for (at, lane) in self.lanes.iter().enumerate() {
            self.signs(&mut out, lanes_top + ROW * at as f64, lane);
        }
        legend(
            &mut out,
            height - 24.0,
            self.scale.left + 8.0,
            &tally,
            !waits.is_empty(),
        );
        out.push_str("</svg>\n");
        out
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for run in &self.recording.runs {
            tally.add(run.outcome, 1);
        }
        tally
    }

    /// Every other row is shaded.
    fn backgrounds(&self, out: &mut String, top: f64, rows: usize) {
        for row in (0..rows).step_by(2) {
            let y = Px(top + ROW * row as f64);
            put!(
                out,
                "<rect class=\"row\" y=\"{y}\" width=\"{WIDTH}\" height=\"{ROW}\"/>\n"
            );
        }
    }

    fn axis(&self, out: &mut String, bottom: f64) {
        for (x, label) in self.scale.marks() {
            let (x, y) = (Px(x), Px(bottom + 16.0));
            put!(
                out,
                r#"<path class="grid" d="M{x} {TOP}V{}"/>"#,
                Px(bottom + 4.0)
            );
            put!(
                out,
                "<text class=\"m c\" x=\"{x}\" y=\"{y}\">{label}</text>\n"
            );
        }
        let (left, right) = (Px(self.scale.left), Px(self.scale.width));
        put!(
            out,
            "<path class=\"axis\" d=\"M{left} {}h{right}\"/>\n",
            Px(bottom)
        );
    }

    /// The two lines at the left and at the right of a row.
    fn label(&self, out: &mut String, y: f64, name: &str, below: &str) {
        let (first, second) = (y + if below.is_empty() { 21.0 } else { 15.0 }, Px(y + 28.0));
        put!(
            out,
            r#"<text class="b" x="12" y="{}">{}"#,
            Px(first),
            Text(&fit(name, self.chars))
        );
        if name.chars().count() > self.chars {
            put!(out, "<title>{}</title>", Text(name));
        }
        out.push_str("</text>");
        if !below.is_empty() {
            put!(
                out,
                r#"<text class="m" x="12" y="{second}">{}</text>"#,
                Text(below)
            );
        }
        out.push('\n');
    }

    fn series(&self, out: &mut String, y: f64, at: usize, series: &Series<'_>) {
        let group = series.group;
        let kind = kind_text(group.kind);
        let workers = group.workers.map(|workers| count(workers as u32, "worker"));
        let policy = Some(group.policy.clone()).filter(|policy| !policy.is_empty());
        let below = [Some(kind.to_owned()), workers, policy];
        let below = below.into_iter().flatten().collect::<Vec<_>>().join(", ");
        self.label(out, y, &group.name, &fit(&below, self.chars * 7 / 5));
        for &(left, right) in &series.spans {
            let shape = Shape {
                kind: group.kind,
                class: colour(at),
                opacity: 1.0,
            };
            shape.open(out, left, right, y + (ROW - SERIES_BAR) / 2.0, SERIES_BAR);
            put!(out, "<title>{kind} {}</title></rect>", Text(&group.name));
        }
        let x = Px(self.scale.left + self.scale.width + 12.0);
        let (tally, first, second) = (&series.tally, Px(y + 15.0), Px(y + 27.0));
        let runs = count(tally.total(), "run");
        let bad = [Outcome::Failed, Outcome::Panicked].into_iter();
        let bad = bad.filter(|&outcome| tally.of(outcome) > 0);
        let bad = bad.map(|outcome| format!("{} {}", tally.of(outcome), outcome.text()));
        let bad = bad.collect::<Vec<_>>().join(", ");
        put!(out, r#"<text class="m" x="{x}" y="{first}">{runs}</text>"#);
        put!(
            out,
            r#"<text class="m bad" x="{x}" y="{second}">{bad}</text>"#
        );
        out.push('\n');
    }

    fn lane(&self, out: &mut String, y: f64, lane: &Lane<'_>) {
        self.label(out, y, lane.name, "");
        for bar in &lane.bars {
            self.bar(out, y, bar);
        }
        let share = self.scale.share(lane.busy);
        let x = Px(self.scale.left + self.scale.width + 12.0);
        let (text, gauge, busy) = (Px(y + 15.0), Px(y + 21.0), Px(GAUGE * share));
        let percent = share * 100.0;
        put!(
            out,
            r#"<text class="m" x="{x}" y="{text}">{percent:.0} % busy</text>"#
        );
        for (class, width) in [("gauge", Px(GAUGE)), ("busy", busy)] {
            put!(
                out,
                r#"<rect class="{class}" x="{x}" y="{gauge}" width="{width}" height="4"/>"#
            );
        }
        out.push('\n');
    }

    fn bar(&self, out: &mut String, y: f64, bar: &Bar<'_>) {
        let group = self.series[bar.series].group;
        let (top, height) = place(y, bar.depth);
        let tally = &bar.tally;
        let mostly = Outcome::ALL
            .into_iter()
            .rev()
            .max_by_key(|&outcome| tally.of(outcome));
        let class = match mostly {
            Some(Outcome::Completed) | None => colour(bar.series),
            Some(bad) => bad.text().to_owned(),
        };
        let (class, opacity) = match tally.total() {
            1 => (class, 1.0),
            // The colour is as strong as the worker was busy.
            _ => {
                let length = bar.last.end.saturating_sub(bar.first.start).as_secs_f64();
                let busy = bar.busy.as_secs_f64() / length.max(1e-9);
                (class + " many", busy.clamp(0.3, 1.0))
            }
        };
        let kind = group.kind;
        let shape = Shape {
            kind,
            class,
            opacity,
        };
        shape.open(out, bar.left, bar.right, top, height);
        let words = bar.words(&group.name);
        put!(out, "<title>{}</title></rect>", Text(&words));
        let index = bar.first.index.to_string();
        let room = bar.right - bar.left > 6.0 * index.len() as f64 + 5.0 && height > 12.0;
        if room && tally.total() == 1 && !bar.holds {
            let (x, y) = ((bar.left + bar.right) / 2.0, top + height / 2.0 + 3.5);
            put!(
                out,
                r#"<text class="n" x="{}" y="{}">{index}</text>"#,
                Px(x),
                Px(y)
            );
        }
        out.push('\n');
    }

    /// Lines from each attempt to the next one of the same task.
    fn waits(&self, out: &mut String, lanes_top: f64, waits: &[Wait<'_>]) {
        for Wait { from, to, series } in waits.iter().take(MOST_WAITS) {
            let (left, right) = (self.scale.x(from.1.end), self.scale.x(to.1.start));
            let [above, below] = [from.0, to.0].map(|lane| lanes_top + ROW * (lane as f64 + 0.5));
            let bend = ((right - left) / 2.0).max(4.0);
            // On one and the same worker the line goes below what ran in between.
            let dip = if from.0 == to.0 { ROW / 2.0 + 1.0 } else { 0.0 };
            let (name, index) = (Text(&self.series[*series].group.name), from.1.index);
            let (waited, attempt) = (brief(to.1.start.saturating_sub(from.1.end)), to.1.attempt);
            put!(out, r#"<path class="wait" d="M{} {}"#, Px(left), Px(above));
            put!(out, "C{} {} ", Px(left + bend), Px(above + dip));
            put!(out, "{} {} ", Px(right - bend), Px(below + dip));
            put!(out, r#"{} {}">"#, Px(right), Px(below));
            put!(
                out,
                "<title>{name} {index} waited {waited} for attempt {attempt}</title></path>\n"
            );
        }
    }

    fn signs(&self, out: &mut String, y: f64, lane: &Lane<'_>) {
        let mut bad: Vec<_> = lane
            .bars
            .iter()
            .filter(|bar| bar.tally.worst() > Outcome::Completed)
            .collect();
        bad.sort_by(|a, b| a.right.total_cmp(&b.right));
        let mut rest = bad.as_slice();
        while let Some(first) = rest.first() {
            let near = rest.partition_point(|bar| bar.right < first.right + SIGN);
            let (together, after) = rest.split_at(near);
            rest = after;
            let worst = together.iter().map(|bar| bar.tally.worst()).max();
            let lines = together.iter().take(MOST_LINES);
            let lines: Vec<_> = lines
                .map(|bar| Text(&bar.words(&self.series[bar.series].group.name)).to_string())
                .collect();
            let more = match together.len() - lines.len() {
                0 => String::new(),
                more => format!("\n… and {more} more"),
            };
            let (top, _) = place(y, first.depth);
            let x = first.right.min(self.scale.left + self.scale.width - 2.0);
            put!(
                out,
                "<g transform=\"translate({} {})\">",
                Px(x),
                Px(top + 2.0)
            );
            sign(out, worst.unwrap_or(Outcome::Failed));
            put!(out, "<title>{}{more}</title></g>\n", lines.join("\n"));
        }
    }
}

fn count(number: u32, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}
