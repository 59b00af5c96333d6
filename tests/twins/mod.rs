//! Every loop twice: as it is written, and with `parallel_for!` meaning the plain `for` that its options stand around.

use std::fmt::Debug;

/// The sequential twin of `parallel_for!`: drops the options, keeps the loop.
macro_rules! sequential {
    (for $($rest:tt)*) => { for $($rest)* };
    ($label:lifetime : for $($rest:tt)*) => { $label: for $($rest)* };
    (local($($name:ident = $value:expr),*), $($rest:tt)*) => {{
        $(let mut $name = $value;)*
        $crate::twins::sequential!($($rest)*)
    }};
    ($option:ident($($names:tt)*), $($rest:tt)*) => { $crate::twins::sequential!($($rest)*) };
    ($option:ident = $value:expr, $($rest:tt)*) => {{
        _ = $value;
        $crate::twins::sequential!($($rest)*)
    }};
}

/// Defines a function twice, `name::parallel` and `name::sequential`.
macro_rules! twins {
    ($($(#[$meta:meta])* fn $name:ident $arguments:tt -> $output:ty $body:block)*) => {$(
        mod $name {
            #![allow(unused, clippy::all)]
            use super::*;

            mod in_parallel {
                use super::super::*;
                use futureproof::parallel_for;
                $(#[$meta])* pub(in super::super) fn run $arguments -> $output $body
            }

            mod in_sequence {
                use super::super::*;
                use crate::twins::sequential as parallel_for;
                $(#[$meta])* pub(in super::super) fn run $arguments -> $output $body
            }

            pub(super) use in_parallel::run as parallel;
            pub(super) use in_sequence::run as sequential;
        }
    )*};
}

pub(crate) use {sequential, twins};

/// Runs both twins with 1, 2, 3 and 16 workers, several times, and compares what they give.
pub(crate) fn agree<T: PartialEq + Debug>(
    parallel: impl Fn(usize) -> T,
    sequential: impl Fn(usize) -> T,
) {
    for workers in [1, 2, 3, 16] {
        let expected = sequential(workers);
        for round in 0..20 {
            assert_eq!(
                parallel(workers),
                expected,
                "{workers} workers, round {round}"
            );
        }
    }
}
