//! The program's output, and its place in `benches/SCALING.md`.

use std::fmt::Write as _;
use std::path::Path;

use futureproof_benches::machine;
use serde_json::{Map, Value, json};

use crate::grid::Grid;
use crate::measure::Costs;

const BEGIN: &str = "<!-- Written by `benches/run scaling --write`: everything up to the end mark is its output. -->\n";
const END: &str = "<!-- End of the output. -->\n";

/// What the program has found out, in Markdown and in JSON.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    values: Map<String, Value>,
}

impl Page {
    pub fn new(rounds: usize) -> Self {
        let mut page = Self::default();
        let machine = format!(
            "Measured on {}, on {} with {} cores, {}; medians of {rounds} rounds.",
            machine::date(),
            machine::processor(),
            machine::cores(),
            machine::system(),
        );
        page.paragraph(&machine);
        page.values.insert("machine".into(), machine.into());
        page
    }

    pub fn heading(&mut self, heading: &str) {
        self.paragraph(&format!("### {heading}"));
    }

    pub fn paragraph(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        writeln!(self.text, "{text}").expect("a String takes everything");
    }

    pub fn costs(&mut self, costs: &Costs) {
        self.paragraph(costs.table().trim_end());
        let values: Map<String, Value> = costs
            .figures()
            .iter()
            .map(|figure| {
                let spread = figure.spread;
                let value =
                    json!({ "median": spread.median, "low": spread.low, "high": spread.high });
                (figure.key.into(), value)
            })
            .collect();
        self.values.insert("costs".into(), values.into());
    }

    pub fn grid(&mut self, grid: &Grid) {
        self.paragraph(grid.markdown().trim_end());
        let (key, value) = grid.json();
        self.values.insert(key, value);
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn json(self) -> String {
        let text = serde_json::to_string_pretty(&self.values);
        text.expect("numbers and names can be written") + "\n"
    }

    /// Replaces what stands between the marks in a file.
    pub fn write_into(&self, path: &Path) -> Result<(), String> {
        let describe = |error| format!("{}: {error}", path.display());
        let old = std::fs::read_to_string(path).map_err(describe)?;
        let new = between_marks(&old, &self.text)
            .ok_or_else(|| format!("{}: the marks are missing", path.display()))?;
        std::fs::write(path, new).map_err(describe)
    }
}

/// The page with its part between the marks replaced, if it has the marks.
fn between_marks(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{text}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let once = between_marks(&page, "new\n").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\nnew\n\n{END}after\n"));
        assert_eq!(between_marks(&once, "new\n"), Some(once.clone()));
        assert_eq!(between_marks("no marks", "new"), None);
    }
}
