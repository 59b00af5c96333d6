//! A measured row, as Markdown and as JSON.

use futureproof_benches::cpu::Disturbance;
use futureproof_benches::markdown::{digits, nanos, table};
use futureproof_benches::stats::Spread;
use serde_json::{Value, json};

use crate::bar::{Decides, Verdict};
use crate::case::ratios;

/// What all contenders whose name begins so have in common.
const OURS: &str = "ours";

/// A contender's times.
#[derive(Debug, Clone)]
pub struct Figures {
    pub name: &'static str,
    pub items: u64,
    /// Per item, one for each round.
    pub nanos: Vec<f64>,
}

#[derive(Debug, Default)]
pub struct Row {
    /// How many items a contender works on; `None` where that says nothing.
    pub items: Option<u64>,
    pub figures: Vec<Figures>,
    pub verdicts: Vec<Verdict>,
    pub notes: Vec<String>,
    /// What others took while contenders ran.
    pub disturbance: Disturbance,
}

impl Row {
    /// Returns whether every bar was met.
    pub fn met(&self) -> bool {
        self.verdicts.iter().all(Verdict::met)
    }

    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.figures.is_empty() {
            text += &self.contenders();
        }
        if !self.verdicts.is_empty() {
            if !text.is_empty() {
                text += "\n";
            }
            text += &self.bars();
        }
        if !self.figures.is_empty() || !self.verdicts.is_empty() {
            text += "\n";
        }
        let disturbance = remark(self.disturbance);
        for note in self.notes.iter().chain(&disturbance) {
            text += &format!("- {note}\n");
        }
        text
    }

    fn contenders(&self) -> String {
        let ours = self
            .figures
            .iter()
            .find(|figures| figures.name.starts_with(OURS));
        let rows: Vec<Vec<String>> = self
            .figures
            .iter()
            .map(|figures| {
                let spread = Spread::of(figures.nanos.iter().copied());
                let fewer = self.items.is_some_and(|items| items != figures.items);
                let note = if fewer {
                    format!(" ({} items)", figures.items)
                } else {
                    String::new()
                };
                vec![
                    format!("{}{note}", figures.name),
                    nanos(spread.median * figures.items as f64),
                    nanos(spread.median),
                    format!("{} – {}", digits(spread.low), digits(spread.high)),
                    ours.map_or_else(String::new, |ours| {
                        let ratio = ratios(&ours.nanos, &figures.nanos);
                        if std::ptr::eq(ours, figures) {
                            "1".into()
                        } else {
                            ratio_text(&ratio)
                        }
                    }),
                ]
            })
            .collect();
        table(
            &[
                "contender",
                "median",
                "per item",
                "quartiles, ns",
                "ours ÷ it (quartiles)",
            ],
            &rows,
        )
    }

    fn bars(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .verdicts
            .iter()
            .map(|verdict| {
                let range = match verdict.decides {
                    Decides::Median => [verdict.spread.low, verdict.spread.high],
                    Decides::Largest => [verdict.spread.min, verdict.spread.max],
                };
                let [low, high] = range.map(ratio_digits);
                vec![
                    verdict.what.clone(),
                    verdict.at_most(),
                    verdict.measured(),
                    format!("{low} – {high}"),
                    verdict.mark().into(),
                ]
            })
            .collect();
        table(&["bar", "at most", "measured", "spread", ""], &rows)
    }

    pub fn json(&self) -> Value {
        json!({
            "items": self.items,
            "contenders": self.figures.iter().map(|figures| json!({
                "name": figures.name,
                "items": figures.items,
                "nanos_per_item": figures.nanos,
            })).collect::<Vec<_>>(),
            "bars": self.verdicts.iter().map(|verdict| json!({
                "what": verdict.what,
                "unit": verdict.unit,
                "at_most": verdict.limit,
                "decides": format!("{:?}", verdict.decides).to_lowercase(),
                "median": verdict.spread.median,
                "quartiles": [verdict.spread.low, verdict.spread.high],
                "range": [verdict.spread.min, verdict.spread.max],
                "met": verdict.met(),
            })).collect::<Vec<_>>(),
            "notes": self.notes,
            "disturbance": { "others": self.disturbance.others, "stolen": self.disturbance.stolen },
        })
    }
}

impl Verdict {
    /// Writes the limit.
    pub fn at_most(&self) -> String {
        format!("≤ {}{}", digits(self.limit), self.unit_text())
    }

    /// Writes the figure that decides.
    pub fn measured(&self) -> String {
        ratio_digits(self.figure()) + &self.unit_text()
    }

    fn unit_text(&self) -> String {
        if self.unit == "×" {
            String::new()
        } else {
            format!(" {}", self.unit)
        }
    }
}

fn ratio_text(spread: &Spread) -> String {
    let [median, low, high] = [spread.median, spread.low, spread.high].map(ratio_digits);
    format!("{median} ({low} – {high})")
}

/// Says so if others had more than a hundredth of the processors' time.
fn remark(Disturbance { others, stolen }: Disturbance) -> Option<String> {
    (others + stolen > 0.01).then(|| {
        format!(
            "**Disturbed**: meanwhile other processes used {:.0} % of the processors' time, and the hypervisor withheld {:.0} %.",
            others * 100.0,
            stolen * 100.0
        )
    })
}

/// Ratios around one are told apart by their third digit after the point.
fn ratio_digits(ratio: f64) -> String {
    if (0.1..10.0).contains(&ratio) {
        format!("{ratio:.3}")
    } else {
        digits(ratio)
    }
}
