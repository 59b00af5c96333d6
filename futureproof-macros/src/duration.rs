//! Durations as people write them in options: `"500ms"`, `"2s"`, `"1.5s"`, `"1m"`, `"2h"`.

use std::time::Duration;

use syn::LitStr;

const FORM: &str = "write a number and a unit, e.g. \"500ms\", \"2s\", \"1.5s\", \"1m\" or \"2h\"";

/// Reads the literal of an option; the error points at the literal and says how to write one.
pub(crate) fn parse(literal: &LitStr) -> syn::Result<Duration> {
    read(&literal.value()).map_err(|message| syn::Error::new(literal.span(), message))
}

/// Units, and what else people call them.
const OTHER_UNITS: &[(&str, &[&str])] = &[
    ("ns", &["nanos", "nanosecond", "nanoseconds"]),
    (
        "us",
        &["μs", "usec", "micros", "microsecond", "microseconds"],
    ),
    (
        "ms",
        &["msec", "msecs", "millis", "millisecond", "milliseconds"],
    ),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("min", &["mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
];

/// Reads `number unit`, exactly: no rounding of what fits into nanoseconds.
fn read(text: &str) -> Result<Duration, String> {
    read_part(text, text)
}

/// Reads a part of `text`, which is what errors quote.
pub(crate) fn read_part(part: &str, text: &str) -> Result<Duration, String> {
    let trimmed = part.trim();
    let split = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')
        .unwrap_or(trimmed.len());
    let (number, unit) = (&trimmed[..split], trimmed[split..].trim_start());
    if number.is_empty() {
        return Err(format!("\"{text}\" is not a duration; {FORM}"));
    }
    let nanos_per_unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" | "min" => 60 * 1_000_000_000,
        "h" => 3_600 * 1_000_000_000,
        "" => return Err(format!("\"{text}\" has no unit; {FORM}")),
        other => return Err(unknown_unit(other, text)),
    };
    nanos(number, nanos_per_unit)
        .and_then(|nanos| {
            let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
            let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
            Some(Duration::new(seconds, rest))
        })
        .ok_or_else(|| format!("\"{text}\" is not a duration, or too long for one; {FORM}"))
}

fn unknown_unit(unit: &str, text: &str) -> String {
    let word = unit.to_lowercase();
    let meant = OTHER_UNITS
        .iter()
        .find(|(name, others)| word == *name || others.contains(&word.as_str()));
    match meant {
        Some((name, _)) => format!(
            "unknown unit `{unit}` in \"{text}\"; write \"{}\"",
            text.replacen(unit, name, 1)
        ),
        None => {
            format!("unknown unit `{unit}` in \"{text}\"; the units are ns, us, ms, s, m and h")
        }
    }
}

/// `number × unit` in nanoseconds, digits below a nanosecond cut off.
fn nanos(number: &str, unit: u128) -> Option<u128> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() || (fraction.is_empty() && number.contains('.')) {
        return None;
    }
    let mut sum = whole.parse::<u128>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.chars() {
        // Scaled before it is divided, so that "1.5m" is exact; the places are powers of ten below the unit.
        let value = u128::from(digit.to_digit(10)?);
        sum = sum.checked_add(place * value / 10)?;
        place /= 10;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(read("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(read("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(read("2 s"), Ok(Duration::from_secs(2)));
        assert_eq!(read("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(read("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(read("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(read("0.25h"), Ok(Duration::from_secs(900)));
        assert_eq!(read("1_000us"), Ok(Duration::from_millis(1)));
        assert_eq!(read("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(read("5").unwrap_err().contains("no unit"));
        assert!(
            read("5 parsecs")
                .unwrap_err()
                .contains("unknown unit `parsecs`")
        );
        for (wrong, right) in [
            ("5sec", "5s"),
            ("5 seconds", "5 s"),
            ("1.5Hours", "1.5h"),
            ("20 Millis", "20 ms"),
            ("3 minutes", "3 min"),
            ("7S", "7s"),
        ] {
            let message = read(wrong).unwrap_err();
            assert!(
                message.ends_with(&format!("write \"{right}\"")),
                "{message}"
            );
            assert!(read(right).is_ok());
        }
        for wrong in ["", "s", "-1s", "soon", "1..2s", ".5s", "1.s", "1.2.3s"] {
            assert!(
                read(wrong).unwrap_err().contains("not a duration"),
                "{wrong}"
            );
        }
        assert!(
            read("99999999999999999999999999h")
                .unwrap_err()
                .contains("too long")
        );
    }
}
