//! The shapes of bars and signs, and what they mean.

use crate::lanes::Tally;
use crate::markup::{COLOURS, Px, put};
use crate::recording::{Kind, Outcome};

/// The height of a row.
pub(crate) const ROW: f64 = 34.0;
/// A bar leaves this much of its row free above and below.
const PADDING: f64 = 5.0;
/// How much lower the top of a bar is than that of the one it is inside of.
const STEP: f64 = 8.0;
const LEAST_HEIGHT: f64 = 6.0;

/// How a bar looks.
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) class: String,
    pub(crate) opacity: f64,
}

impl Shape {
    /// Writes a rectangle without its end, for what belongs into it.
    pub(crate) fn open(&self, out: &mut String, left: f64, right: f64, top: f64, height: f64) {
        let kind = kind_text(self.kind);
        let width = (right - left).max(1.0);
        put!(
            out,
            r#"<rect class="{kind} {}" x="{}" y="{}" "#,
            self.class,
            Px(left),
            Px(top)
        );
        put!(out, r#"width="{}" height="{}""#, Px(width), Px(height));
        if self.kind == Kind::Pool {
            put!(out, r#" rx="{}""#, Px(f64::min(5.0, width / 2.0)));
        }
        if self.opacity < 0.995 {
            put!(out, r#" opacity="{:.2}""#, self.opacity);
        }
        out.push('>');
    }
}

pub(crate) fn colour(series: usize) -> String {
    format!("k{}", series % COLOURS)
}

pub(crate) fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Loop => "loop",
        Kind::Pool => "pool",
    }
}

/// The top and the height of a bar in the row at `y`.
pub(crate) fn place(y: f64, depth: usize) -> (f64, f64) {
    let whole = ROW - 2.0 * PADDING;
    let down = (STEP * depth as f64).min(whole - LEAST_HEIGHT);
    (y + PADDING + down, whole - down)
}

/// A sign around (0, 0). Each has its shape, for those who cannot tell the colours apart.
pub(crate) fn sign(out: &mut String, outcome: Outcome) {
    out.push_str(match outcome {
        Outcome::Completed => "",
        Outcome::Left => {
            "<path class=\"badge left\" d=\"M0-6.5 6.5 0 0 6.5-6.5 0Z\"/><path class=\"sign\" d=\"M-2.5 0h5m-2-2 2 2-2 2\"/>"
        }
        Outcome::Failed => {
            "<circle class=\"badge failed\" r=\"6\"/><path class=\"sign\" d=\"M-2.2-2.2 2.2 2.2M-2.2 2.2 2.2-2.2\"/>"
        }
        Outcome::Panicked => {
            "<path class=\"badge panicked\" d=\"M0-8 7.5 5.5h-15Z\"/><path class=\"sign dark\" d=\"M0-3.5v4M0 3.2v.1\"/>"
        }
    });
}

/// What the signs and shapes mean.
pub(crate) fn legend(out: &mut String, y: f64, left: f64, tally: &Tally, waits: bool) {
    let mut x = left;
    let mut entry = |draw: &dyn Fn(&mut String), text: &str| {
        put!(out, r#"<g transform="translate({} {})">"#, Px(x), Px(y));
        draw(out);
        put!(out, r#"<text class="m" x="14" y="3.5">{text}</text></g>"#);
        x += 38.0 + 5.5 * text.chars().count() as f64;
    };
    let place = r#"x="-8" y="-6" width="16" height="12""#;
    entry(
        &|out| put!(out, r#"<rect class="loop any" {place}/>"#),
        "item of a loop",
    );
    entry(
        &|out| put!(out, r#"<rect class="pool any" {place} rx="5"/>"#),
        "task of a pool",
    );
    for outcome in Outcome::ALL.into_iter().skip(1) {
        if tally.of(outcome) > 0 {
            entry(&|out| sign(out, outcome), outcome.text());
        }
    }
    if waits {
        let line = r#"<path class="wait" d="M-8 0H8"/>"#;
        entry(&|out| out.push_str(line), "waits for its next attempt");
    }
}
