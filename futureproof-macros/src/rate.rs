//! Rates as people write them in options: `"10/s"`, `"600/min"`, `"5/100ms"`, `"10/s burst 5"`.

use std::time::Duration;

use syn::LitStr;

use crate::duration;

const FORM: &str =
    "write a number, `/` and a time, e.g. \"10/s\", \"600/min\", \"5/100ms\" or \"10/s burst 5\"";

/// So many starts in a span of time, of which so many may come at once.
#[derive(Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) starts: u32,
    pub(crate) per: Duration,
    pub(crate) burst: Option<u32>,
}

/// Reads the literal of an option; the error points at the literal and says how to write one.
pub(crate) fn parse(literal: &LitStr) -> syn::Result<Rate> {
    read(&literal.value()).map_err(|message| syn::Error::new(literal.span(), message))
}

fn read(text: &str) -> Result<Rate, String> {
    let (rate, burst) = match text.split_once("burst") {
        Some((rate, burst)) => (rate, Some(burst)),
        None => (text, None),
    };
    let no_rate = || format!("\"{text}\" is not a rate; {FORM}");
    let (starts, per) = rate.split_once('/').ok_or_else(no_rate)?;
    let number = |part: &str| part.trim().parse::<u32>().map_err(|_| no_rate());
    let mut per = per.trim().to_owned();
    if per.starts_with(char::is_alphabetic) {
        per.insert_str(0, "1 ");
    }
    let has_unit = per.contains(char::is_alphabetic);
    let rate = Rate {
        starts: number(starts)?,
        per: duration::read_part(&per, text)
            .map_err(|why| if has_unit { why } else { no_rate() })?,
        burst: burst.map(number).transpose()?,
    };
    if rate.starts == 0 {
        return Err(format!(
            "\"{text}\" would start nothing; allow at least 1 start"
        ));
    }
    if rate.per.is_zero() {
        return Err(format!("the time in \"{text}\" must be longer than zero"));
    }
    if rate.burst == Some(0) {
        return Err(format!(
            "the burst in \"{text}\" must be at least 1; leave it out for evenly spaced starts"
        ));
    }
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(starts: u32, per: Duration, burst: Option<u32>) -> Result<Rate, String> {
        Ok(Rate { starts, per, burst })
    }

    #[test]
    fn reads_what_people_write() {
        let second = Duration::from_secs(1);
        assert_eq!(read("10/s"), rate(10, second, None));
        assert_eq!(read(" 600 / min "), rate(600, 60 * second, None));
        assert_eq!(read("5/100ms"), rate(5, second / 10, None));
        assert_eq!(read("1/1.5s"), rate(1, second * 3 / 2, None));
        assert_eq!(read("100/2 h"), rate(100, 7200 * second, None));
        assert_eq!(read("10/s burst 5"), rate(10, second, Some(5)));
    }

    #[test]
    fn says_what_is_wrong() {
        for (wrong, why) in [
            ("", "not a rate"),
            ("10", "not a rate"),
            ("fast", "not a rate"),
            ("/s", "not a rate"),
            ("10/", "not a rate"),
            ("10/5", "not a rate"),
            ("-1/s", "not a rate"),
            ("1.5/s", "not a rate"),
            ("10/s burst", "not a rate"),
            ("10/s burst many", "not a rate"),
            ("10/s 5", "unknown unit `s 5`"),
            ("10/day", "unknown unit `day` in \"10/day\"; the units are"),
            ("10/2 days", "unknown unit `days`"),
            ("10/sec", "unknown unit `sec` in \"10/sec\"; write \"10/s\""),
            ("600/minute burst 5", "write \"600/min burst 5\""),
            ("5/100 millis", "write \"5/100 ms\""),
            ("0/s", "at least 1 start"),
            ("10/0s", "longer than zero"),
            ("10/s burst 0", "at least 1"),
        ] {
            let message = read(wrong).unwrap_err();
            assert!(message.contains(why), "{wrong}: {message}");
        }
    }
}
