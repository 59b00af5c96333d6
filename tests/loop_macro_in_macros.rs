//! Exits among the arguments of other macros, and those that `bail!` and `ensure!` hide.

mod twins;

use std::fmt;
use std::num::ParseIntError;

use twins::{agree, twins};

/// An error like that of anyhow or eyre: made from any error, itself not one.
#[derive(Debug, PartialEq)]
struct Report(String);

impl<E: std::error::Error> From<E> for Report {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The macros of anyhow and eyre, as they are written there.
macro_rules! bail {
    ($($message:tt)*) => {
        return ::std::result::Result::Err(Report(format!($($message)*)))
    };
}

macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            bail!($($message)*);
        }
    };
}

/// The `ensure!` of snafu: the function says what the error becomes.
mod typed {
    macro_rules! ensure {
        ($condition:expr, $error:expr) => {
            if !$condition {
                return ::std::result::Result::Err($error).map_err(::std::convert::Into::into);
            }
        };
    }
    pub(crate) use ensure;
}

macro_rules! first_of {
    ($first:expr; $($rest:expr),*) => {{
        $(let _ = $rest;)*
        $first
    }};
}

macro_rules! by_name {
    ($($name:ident = $value:expr => $then:expr),* $(,)?) => {{
        $(if $value { $then; })*
    }};
}

twins! {
    fn formatted(workers: usize, texts: &[&str]) -> Result<Vec<String>, ParseIntError> {
        let mut lines = Vec::new();
        parallel_for!(workers = workers, reduce(lines), for text in texts {
            lines.push(format!("{} {:?} {again} {text}", text.parse::<i32>()?, if text.len() > 3 { continue } else { text }, again = text.parse::<u8>()?));
            assert_eq!(text.parse::<i32>()?, text.parse::<i32>()?, "{text}");
            assert!(matches!(text.parse::<i32>()?, i32::MIN..=i32::MAX) || return Ok(vec![]));
            lines.extend(vec![text.parse::<i16>()?.to_string(); 2]);
            lines.push(format!("{}", format_args!("{}", vec![text.parse::<i32>()?, if *text == "9" { break } else { 1 }].len())));
        });
        Ok(lines)
    }

    fn of_every_shape(workers: usize, texts: &[&str]) -> Result<Vec<i32>, ParseIntError> {
        let mut seen = Vec::new();
        parallel_for!(workers = workers, reduce(seen), for text in texts {
            seen.push(first_of!(text.parse::<i32>()?; text.len(), if text.is_empty() { return Ok(vec![-3]) } else { 1 }));
            by_name!(
                nine = *text == "9" => break,
                ten = text.parse::<i32>()? == 10 => continue,
                twelve = *text == "12" => return Ok(vec![12]),
            );
            let add = |a: i32, b: i32| first_of!(a + b; { if a == 5 { return -5 } });
            seen.push(add(text.parse()?, 1));
            let _ = stringify!(return text?; break);
        });
        Ok(seen)
    }

    fn bailing(workers: usize, texts: &[&str]) -> Result<i32, Report> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), for text in texts {
            ensure!(text.len() < 4, "{text} is too long");
            let n: i32 = match *text {
                "" => bail!("empty"),
                "stop" => break,
                _ => text.parse()?,
            };
            ensure!(text.parse::<i32>()? < 100, "{n} is too large");
            if n == 42 { crate::bail!("{}", n) }
            sum += n;
            for other in texts { if n == -1 && other == text { bail!("minus") } }
        });
        Ok(sum)
    }

    fn typed_by_the_function(workers: usize, texts: &[&str]) -> Result<i32, String> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), for text in texts {
            super::super::typed::ensure!(text.len() < 4, *text);
            sum += text.len() as i32;
        });
        Ok(sum)
    }

    fn bailing_in_a_nested_loop(workers: usize, texts: &[&str]) -> Result<i32, Report> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), for text in texts {
            parallel_for!(workers = workers, reduce(sum), for letter in text.chars() {
                ensure!(letter != 'x', "x in {text}");
                sum += letter.to_digit(10).unwrap_or_default() as i32;
            });
            if text.is_empty() { bail!("empty") }
        });
        Ok(sum)
    }
}

pub(crate) use bail;

const TEXTS: &[&[&str]] = &[
    &["1", "2", "3"],
    &["1", "1234", "5"],
    &["1", "", "x"],
    &["1", "x", ""],
    &["7", "9", "x"],
    &["10", "12", "9", "x"],
    &["42"],
    &["5", "-1"],
    &["100"],
    &[],
];

#[test]
fn exits_in_the_arguments_of_macros() {
    for texts in TEXTS {
        agree(
            |w| formatted::parallel(w, texts),
            |w| formatted::sequential(w, texts),
        );
        agree(
            |w| of_every_shape::parallel(w, texts),
            |w| of_every_shape::sequential(w, texts),
        );
    }
}

#[test]
fn bail_and_ensure_leave_the_function() {
    for texts in TEXTS {
        agree(
            |w| bailing::parallel(w, texts),
            |w| bailing::sequential(w, texts),
        );
        agree(
            |w| typed_by_the_function::parallel(w, texts),
            |w| typed_by_the_function::sequential(w, texts),
        );
        agree(
            |w| bailing_in_a_nested_loop::parallel(w, texts),
            |w| bailing_in_a_nested_loop::sequential(w, texts),
        );
    }
}

#[test]
fn under_log_and_ignore_they_are_the_items_failure() {
    for policy in [
        futureproof::ErrorPolicy::Log,
        futureproof::ErrorPolicy::Ignore,
    ] {
        let run = || -> Result<u64, Report> {
            let report = futureproof::parallel_for!(
                workers = 2,
                error_policy = policy,
                for n in [1_i32, 2, 3] {
                    ensure!(n != 2, "two");
                }
            );
            Ok(report.failed())
        };
        assert_eq!(run(), Ok(1));
    }
    // A literal policy keeps every error inside, so the function need not have a `Result`.
    let report = futureproof::parallel_for!(
        workers = 2,
        error_policy = "ignore",
        for n in [1_i32, 2, 3] {
            if n == 1 {
                bail!("one");
            }
            ensure!(n != 2, "two");
        }
    );
    assert_eq!((report.completed(), report.failed()), (1, 2));
}
