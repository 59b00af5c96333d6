//! The text of a bar: one line, however narrow the terminal.

use std::time::Duration;

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};

use crate::monitor::progress::Counts;
use crate::monitor::screen::Page;

const LONGEST_LABEL: usize = 28;
const LONGEST_BAR: usize = 32;
/// A shorter bar says less than the percentage.
const SHORTEST_BAR: usize = 8;
/// One for each time the bar is shown.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const GAP: &str = "  ";

/// What a loop is called on the screen.
pub(super) struct Label {
    text: String,
    width: usize,
}

impl Label {
    pub(super) fn new(text: &str) -> Self {
        let text = clean(text);
        let width = measure_text_width(&text).min(LONGEST_LABEL);
        Self { text, width }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }
}

/// Replaces what would move the cursor, change colours, or turn round the direction of the rest of the line.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '?',
            _ if !char.is_control() => char,
            _ if char.is_whitespace() => ' ',
            _ => '?',
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Bar,
    Spinner,
    Done,
    Percent,
    Rate,
    Failed,
    Left,
}

/// What goes first where there is no room for all.
const GIVE_WAY: [Part; 5] = [
    Part::Rate,
    Part::Bar,
    Part::Percent,
    Part::Left,
    Part::Failed,
];

/// What a bar says.
pub(super) struct Line<'a> {
    pub(super) label: &'a Label,
    pub(super) counts: Counts,
    pub(super) total: Option<u64>,
    pub(super) rate: f64,
    pub(super) left: Option<Duration>,
    pub(super) turn: u64,
}

impl Line<'_> {
    pub(super) fn text(&self, page: Page) -> String {
        let width = page.labels.min(page.width / 3);
        let label = truncate_str(&self.label.text, width, "…");
        // Cut off before a wide character, it may be too narrow.
        let label = pad_str(&label, width, Alignment::Left, None);
        let mut parts = self.parts();
        let mut room = room(&label, &parts, page.width);
        for part in GIVE_WAY {
            if room.is_some() {
                break;
            }
            parts.retain(|(other, _)| *other != part);
            room = self::room(&label, &parts, page.width);
        }
        let Some(room) = room else {
            let texts = parts.iter().map(|(_, text)| format!("{GAP}{text}"));
            let line = texts.fold(label.into_owned(), |line, text| line + &text);
            return truncate_str(&line, page.width, "…").into_owned();
        };
        let mut line = label.into_owned();
        for (part, text) in &parts {
            line.push_str(GAP);
            match part {
                Part::Bar => {
                    let width = room.saturating_add(SHORTEST_BAR).min(LONGEST_BAR);
                    line.push_str(&bar(self.fraction(), width, page));
                }
                Part::Failed => line.push_str(&style(page).red().apply_to(text).to_string()),
                Part::Spinner => line.push_str(&style(page).cyan().apply_to(text).to_string()),
                _ => line.push_str(text),
            }
        }
        line
    }

    fn fraction(&self) -> f64 {
        match self.total {
            None | Some(0) => 1.0,
            Some(total) => (self.counts.ended() as f64 / total as f64).min(1.0),
        }
    }

    fn parts(&self) -> Vec<(Part, String)> {
        let done = self.counts.ended();
        let mut parts = match self.total {
            Some(total) => {
                let total = total.to_string();
                let digits = total.len();
                // Rounded down: a hundred is for when all is done.
                let percent = (self.fraction() * 100.0) as u64;
                vec![
                    (Part::Bar, " ".repeat(SHORTEST_BAR)),
                    (Part::Done, format!("{done:>digits$}/{total}")),
                    (Part::Percent, format!("{percent:>3}%")),
                ]
            }
            None => {
                let turn = SPINNER[(self.turn % SPINNER.len() as u64) as usize];
                vec![
                    (Part::Spinner, turn.to_owned()),
                    (Part::Done, format!("{done} done")),
                ]
            }
        };
        parts.push((Part::Rate, rate(self.rate)));
        if self.counts.failed > 0 {
            parts.push((Part::Failed, format!("{} failed", self.counts.failed)));
        }
        if let Some(left) = self.left {
            parts.push((Part::Left, format!("{} left", rough(left))));
        }
        parts
    }
}

/// How many columns are left over, if the parts fit.
fn room(label: &str, parts: &[(Part, String)], width: usize) -> Option<usize> {
    let widths = parts
        .iter()
        .map(|(_, text)| GAP.len() + measure_text_width(text));
    width.checked_sub(measure_text_width(label) + widths.sum::<usize>())
}

fn bar(fraction: f64, width: usize, page: Page) -> String {
    let full = ((fraction * width as f64) as usize).min(width);
    let (tip, rest) = match width - full {
        0 => ("", 0),
        rest => ("╸", rest - 1),
    };
    let filled = style(page)
        .cyan()
        .apply_to(format!("{}{tip}", "━".repeat(full)));
    let rest = style(page).dim().apply_to("─".repeat(rest));
    format!("{filled}{rest}")
}

fn style(page: Page) -> Style {
    Style::new().force_styling(page.colors)
}

/// A rate as a person says it, with the unit of time that makes it easy to read.
fn rate(per_s: f64) -> String {
    let (rate, unit) = match per_s {
        _ if per_s >= 0.1 => (per_s, "s"),
        _ if per_s * 60.0 >= 0.1 => (per_s * 60.0, "min"),
        _ if per_s > 0.0 => (per_s * 3600.0, "h"),
        _ => return "0/s".to_owned(),
    };
    match rate {
        1e6.. => format!("{:.1}M/{unit}", rate / 1e6),
        1e4.. => format!("{:.1}k/{unit}", rate / 1e3),
        99.95.. => format!("{rate:.0}/{unit}"),
        _ => format!("{rate:.1}/{unit}"),
    }
}

/// A duration as a person says it, rounded up.
fn rough(left: Duration) -> String {
    let seconds = left
        .as_secs()
        .saturating_add(u64::from(left.subsec_nanos() > 0));
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_unit_that_makes_them_easy_to_read() {
        let rates = [
            0.0,
            f64::NAN,
            0.001,
            0.05,
            0.1,
            99.9,
            99.96,
            9999.4,
            12_345.0,
            4.56e7,
        ];
        let texts = [
            "0/s", "0/s", "3.6/h", "3.0/min", "0.1/s", "99.9/s", "100/s", "9999/s", "12.3k/s",
            "45.6M/s",
        ];
        assert_eq!(rates.map(rate), texts);
    }

    #[test]
    fn times_are_rounded_up() {
        let times = [0.2, 59.0, 59.5, 3599.0, 86_000.0, 90_000.0, 1e12];
        let texts = [
            "1 s",
            "59 s",
            "1 min 0 s",
            "59 min 59 s",
            "23 h 53 min",
            "1 d 1 h",
            "11574074 d 1 h",
        ];
        assert_eq!(
            times.map(|time| rough(Duration::from_secs_f64(time))),
            texts
        );
    }
}
