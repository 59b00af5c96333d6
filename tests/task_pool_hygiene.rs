//! `#[task_pool]`: nothing that a user may have in scope gets in the way of what it writes, and no lint finds fault with it.

#![deny(
    warnings,
    missing_docs,
    unused,
    rust_2018_idioms,
    nonstandard_style,
    future_incompatible,
    absolute_paths_not_starting_with_crate,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents,
    missing_copy_implementations,
    missing_debug_implementations,
    non_ascii_idents,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic
)]

/// The names that the expansion uses, with another meaning.
#[allow(dead_code, non_camel_case_types)]
mod shadowed {
    #![no_implicit_prelude]

    use ::std::string::ToString as _;

    mod core {}
    mod std {}
    mod futureproof {}
    struct Result;
    struct Option;
    struct Some;
    struct Ok;
    struct Err;
    struct Clone;
    struct Send;
    struct FnOnce;
    struct IntoIterator;
    struct LazyLock;
    struct TaskPool;
    struct O;
    struct I;
    struct arg0;
    const OPTIONS: usize = 2;

    impl ::std::clone::Clone for O {
        fn clone(&self) -> Self {
            O
        }
    }

    #[::futureproof::task_pool(workers = OPTIONS, error_policy = "log", monitor = "1s")]
    fn count(word: u8, o: O, i: &I) -> u8 {
        let _ = (o, i);
        word
    }

    #[::futureproof::task_pool]
    fn call(
        word: &str,
        f: impl ::std::ops::Fn(&str) -> u8,
    ) -> ::std::result::Result<u8, ::std::string::String> {
        let length = f(word);
        if length > 3 {
            ::std::result::Result::Err(word.to_string())
        } else {
            ::std::result::Result::Ok(length)
        }
    }

    #[::futureproof::task_pool(keep_args = false)]
    fn text<T: ::std::string::ToString + ?::std::marker::Sized>(
        of: &mut T,
    ) -> ::std::string::String {
        of.to_string()
    }

    pub(super) fn run() {
        ::std::assert_eq!(count::submit(5, O, &I).join().unwrap(), 5);
        ::std::assert_eq!(call::submit("x", |_| 3).join().unwrap(), 3);
        let mut three = 3;
        let outcome = text::scope(|tasks| {
            let _ = tasks.submit(&mut three);
        });
        ::std::assert!(outcome.is_ok());
    }
}

#[test]
fn other_meanings_of_common_names_do_not_matter() {
    shadowed::run();
}

mod renamed {
    pub(crate) use futureproof as inner;
}

#[renamed::inner::task_pool(workers = 2, crate = crate::renamed::inner)]
fn by_another_path(number: u8) -> u8 {
    number
}

#[test]
fn the_crate_may_have_another_path() {
    assert_eq!(by_another_path::submit(5).join().unwrap(), 5);
}

macro_rules! declare {
    ($name:ident, $workers:expr, $policy:literal, $ty:ty) => {
        #[futureproof::task_pool(workers = $workers, error_policy = $policy)]
        fn $name(first: $ty, second: &$ty) -> usize {
            usize::try_from(first + *second).unwrap_or(0)
        }
    };
}

declare!(declared, 1 + 1, "log", u64);

#[test]
fn functions_may_come_from_a_macro() {
    assert_eq!(declared::pool().workers(), 2);
    assert_eq!(declared::submit(5, &6).join().unwrap(), 11);
}

/// What a crate with strict lints may export.
pub mod strict {
    use std::num::{IntErrorKind, ParseIntError};
    use std::time::Duration;

    use futureproof::{Retry, task_pool};

    /// Loads.
    ///
    /// # Errors
    ///
    /// If it is no number.
    #[task_pool(workers = 5, error_policy = "log", monitor = Duration::from_secs(1), capacity = 3, name = "loader")]
    pub fn load(text: &str, _wait: Duration) -> Result<usize, ParseIntError> {
        text.parse()
    }

    /// Adds.
    #[task_pool]
    #[must_use]
    pub fn add(words: &[&str], (a, _): (u8, u8)) -> usize {
        words.len() + usize::from(a)
    }

    /// Copies.
    #[task_pool]
    #[must_use]
    pub fn copy<T: Clone + Sync>(value: &T) -> T {
        value.clone()
    }

    /// Has had its day.
    #[task_pool]
    #[deprecated(note = "use `add`")]
    #[must_use]
    pub const fn old(number: u8) -> u8 {
        number
    }

    /// Retries, with limits.
    ///
    /// # Errors
    ///
    /// If it is no number.
    #[task_pool(
        retry = Retry::attempts(2).jitter(false),
        retry_if = |error| error.kind() != &IntErrorKind::Empty,
        timeout = "5s",
        rate_limit = "1000/s burst 1000",
        raise_after = 2,
        max_tasks_per_thread = 10,
        on_thread_start = || Ok::<(), &str>(()),
        on_thread_stop = || ()
    )]
    pub fn patient(text: &str) -> Result<usize, ParseIntError> {
        text.parse()
    }

    /// Takes much.
    #[task_pool]
    #[must_use]
    pub const fn large(words: [u64; 64]) -> u64 {
        words[0]
    }

    /// Has methods.
    #[derive(Debug, Clone, Copy)]
    pub struct Client(u8);

    impl Client {
        /// Gets.
        #[task_pool]
        #[must_use]
        pub fn get(&self, path: &str) -> usize {
            path.len() + usize::from(self.0)
        }

        /// Changes.
        #[task_pool(keep_args = false)]
        pub fn set(&mut self, value: u8) {
            self.0 = value;
        }
    }
}

#[task_pool_of_little_use]
fn partly_used(number: u8) -> u8 {
    number
}

use futureproof::task_pool as task_pool_of_little_use;

#[test]
fn a_companion_need_not_be_used_in_full() {
    let _ = strict::load("5", std::time::Duration::ZERO);
    assert_eq!(partly_used::submit(3).join().unwrap(), 3);
}
