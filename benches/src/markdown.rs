//! Tables in Markdown.

use std::fmt::Write as _;

/// Writes a table; columns after the first are aligned to the right, and padded so that the source reads well, too.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    line(&mut text, &widths, head.iter().copied());
    for (column, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(*width);
        text.push_str(&if column == 0 {
            format!("|-{dashes}-")
        } else {
            format!("|-{dashes}:")
        });
    }
    text.push_str("|\n");
    for row in rows {
        line(&mut text, &widths, row.iter().map(String::as_str));
    }
    text
}

fn line<'a>(text: &mut String, widths: &[usize], cells: impl Iterator<Item = &'a str>) {
    for (column, (cell, &width)) in cells.zip(widths).enumerate() {
        let written = if column == 0 {
            write!(text, "| {cell:<width$} ")
        } else {
            write!(text, "| {cell:>width$} ")
        };
        written.expect("a String takes everything");
    }
    text.push_str("|\n");
}

/// Writes a time with three digits and the unit that suits it.
#[must_use]
pub fn nanos(nanos: f64) -> String {
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    format!("{} {unit}", digits(value))
}

/// Writes a number with three digits, or all those before the point.
#[must_use]
pub fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let rows = [
            vec!["ours".into(), "1".into()],
            vec!["a peer".into(), "22.5".into()],
        ];
        let expected =
            "| who    |   ns |\n|--------|-----:|\n| ours   |    1 |\n| a peer | 22.5 |\n";
        assert_eq!(table(&["who", "ns"], &rows), expected);
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        assert_eq!(nanos(0.4567), "0.457 ns");
        assert_eq!(nanos(1234.0), "1.23 µs");
        assert_eq!(nanos(56_700_000.0), "56.7 ms");
    }
}
