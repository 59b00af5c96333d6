//! A table of numbers: Markdown for the page, JSON for later comparison.

use futureproof_benches::markdown;
use serde_json::{Value, json};

/// How the numbers of a column are written.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// A share of one, such as an efficiency.
    Share,
    /// A difference of shares, in percentage points.
    Points,
    /// A time in nanoseconds.
    Nanos,
    /// A whole number.
    Count,
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Share if value > 0.0 && value < 0.005 => "< 0.01".into(),
            Self::Share => format!("{value:.2}"),
            Self::Points => format!("{:+.0}", 100.0 * value),
            Self::Nanos => markdown::nanos(value),
            Self::Count => format!("{value:.0}"),
        }
    }
}

/// A table of numbers with a name for each row and column.
#[derive(Debug)]
pub struct Grid {
    key: &'static str,
    corner: &'static str,
    columns: Vec<(String, Unit)>,
    rows: Vec<(String, Vec<Option<f64>>)>,
}

impl Grid {
    pub fn new(key: &'static str, corner: &'static str) -> Self {
        Self {
            key,
            corner,
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub fn column(mut self, name: impl Into<String>, unit: Unit) -> Self {
        self.columns.push((name.into(), unit));
        self
    }

    pub fn columns<T: ToString>(self, names: &[T], unit: Unit) -> Self {
        names
            .iter()
            .fold(self, |grid, name| grid.column(name.to_string(), unit))
    }

    /// Adds a row; what is `None` is written as a dash.
    pub fn row(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = Option<f64>>) {
        self.rows.push((name.into(), values.into_iter().collect()));
    }

    pub fn markdown(&self) -> String {
        let head: Vec<&str> = std::iter::once(self.corner)
            .chain(self.columns.iter().map(|(name, _)| name.as_str()))
            .collect();
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|(name, values)| {
                let cells = values.iter().zip(&self.columns).map(|(value, (_, unit))| {
                    value.map_or_else(|| "–".into(), |value| unit.write(value))
                });
                std::iter::once(name.clone()).chain(cells).collect()
            })
            .collect();
        markdown::table(&head, &rows)
    }

    /// The key under which the table is filed, and its rows.
    pub fn json(&self) -> (String, Value) {
        let rows: serde_json::Map<String, Value> = self
            .rows
            .iter()
            .map(|(name, values)| {
                let cells: serde_json::Map<String, Value> = values
                    .iter()
                    .zip(&self.columns)
                    .map(|(value, (column, _))| (column.clone(), json!(value)))
                    .collect();
                (name.clone(), Value::Object(cells))
            })
            .collect();
        (self.key.into(), Value::Object(rows))
    }
}
