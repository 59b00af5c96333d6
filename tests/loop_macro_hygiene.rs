//! The expansion keeps clear of the user's names, whatever they are, and of the lints they turn on.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    unused,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    missing_debug_implementations,
    missing_docs,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
// It contradicts `unreachable_pub`.
#![allow(clippy::redundant_pub_crate)]

/// Names that a careless expansion would mean instead of its own.
#[allow(
    dead_code,
    non_upper_case_globals,
    missing_debug_implementations,
    unreachable_pub
)]
mod traps {
    pub mod core {}
    pub mod std {}
    pub mod futureproof {}
    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub enum Option {}
    pub enum Result {}
    pub enum Exit {}
    pub trait Send {}
    pub const input: i32 = 1;
    pub const value: i32 = 1;
    pub const residual: i32 = 1;
    pub const report: i32 = 1;
    pub const error: i32 = 1;
    pub static looping: i32 = 1;
    pub static more: i32 = 1;
    pub static worker: i32 = 1;

    /// A method of everything, with the names of those that an expansion may call.
    pub trait Methods {
        fn source(&self) {}
        fn branch(&self) {}
        fn parts(&self) {}
        fn batch(&self) {}
        fn settle(&self) {}
        fn failed(&self) {}
        fn fill(&self) {}
        fn take(&self) {}
        fn or_stopped(&self) {}
        fn workers(&self) {}
    }
    impl<T: ?::std::marker::Sized> Methods for T {}
}

type Parsed<T> = ::std::result::Result<T, ::std::num::ParseIntError>;

mod among_traps {
    #[allow(unused_imports)]
    use super::traps::*;

    pub(super) fn everything(
        texts: &[&str],
        policy: ::futureproof::ErrorPolicy,
    ) -> super::Parsed<(i32, i32)> {
        let (mut total, mut top) = (0, 0);
        let _ = ::futureproof::parallel_for!(
            workers = 2,
            name = "everything",
            error_policy = policy,
            deadline = "1m",
            reduce(total, max(top)),
            local(buffer = ::std::string::String::new()),
            'own: for text in texts {
                buffer.push_str(text);
                ::std::assert!(buffer.len() >= text.len());
                let n: i32 = text.parse()?;
                if n == 9 {
                    return ::std::result::Result::Ok((9, 9));
                }
                if n == 8 {
                    break 'own;
                }
                if n == 7 {
                    continue;
                }
                total += n;
                if n > top {
                    top = n;
                }
            }
        );
        ::std::result::Result::Ok((total, top))
    }

    pub(super) fn logged(texts: &[&str]) -> u64 {
        ::futureproof::parallel_for!(
            error_policy = "log",
            for text in texts {
                let _: i32 = text.parse()?;
            }
        )
        .failed()
    }

    pub(super) fn nested(rows: &[&[&str]]) -> super::Parsed<i32> {
        let mut total = 0;
        let found = 'found: {
            let _ = ::futureproof::parallel_for!(
                reduce(total),
                'rows: for row in rows {
                    let _ = ::futureproof::parallel_for!(
                        reduce(total),
                        for text in *row {
                            match text.parse::<i32>()? {
                                1 => continue 'rows,
                                2 => break 'found 2 + 2,
                                n => total += n,
                            }
                        }
                    );
                }
            );
            0
        };
        ::std::result::Result::Ok(total + found)
    }
}

/// Names of the expansion's own are the user's to use.
fn own_names_of_the_user() -> i32 {
    let (__input, __value, __report) = (1, 2, 3);
    let mut sum = 0;
    let _ = ::futureproof::parallel_for!(
        reduce(sum),
        for __residual in [10, 20] {
            sum += __residual + __input + __value + __report;
        }
    );
    sum
}

/// A loop in a user's macro, with fragments of every kind.
macro_rules! in_a_macro {
    ($workers:expr, $policy:literal, $pattern:pat, $source:expr, $sum:ident, $body:block) => {
        ::futureproof::parallel_for!(
            workers = $workers,
            error_policy = $policy,
            reduce($sum),
            for $pattern in $source $body
        )
    };
}

fn through_a_macro(texts: &[&str]) -> Parsed<i32> {
    let mut sum = 0;
    let _ = in_a_macro!(
        1 + 1,
        "raise",
        (index, text),
        ::std::iter::Iterator::enumerate(texts.iter()),
        sum,
        {
            if index == 5 {
                break;
            }
            sum += text.parse::<i32>()?;
        }
    );
    ::std::result::Result::Ok(sum)
}

#[test]
fn shadowed_names_do_no_harm() {
    use ::futureproof::ErrorPolicy;
    use ::std::{assert, assert_eq, result::Result::Ok};

    assert_eq!(
        among_traps::everything(&["1", "2", "7", "3"], ErrorPolicy::Raise),
        Ok((6, 3))
    );
    assert_eq!(
        among_traps::everything(&["1", "2", "8", "3"], ErrorPolicy::Raise),
        Ok((3, 2))
    );
    assert_eq!(
        among_traps::everything(&["1", "9", "x"], ErrorPolicy::Raise),
        Ok((9, 9))
    );
    assert!(among_traps::everything(&["x"], ErrorPolicy::Raise).is_err());
    assert_eq!(
        among_traps::everything(&["x", "4"], ErrorPolicy::Ignore),
        Ok((4, 4))
    );
    assert_eq!(among_traps::logged(&["1", "x"]), 1);
    assert_eq!(among_traps::nested(&[&["5", "1", "6"], &["7"]]), Ok(12));
    assert_eq!(among_traps::nested(&[&["5", "2", "6"], &["7"]]), Ok(9));
    assert_eq!(own_names_of_the_user(), 42);
    assert_eq!(through_a_macro(&["1", "2"]), Ok(3));
    assert!(through_a_macro(&["1", "x"]).is_err());
}
