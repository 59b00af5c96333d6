//! The door to the loop macro. It hands `$crate` on, so that expansions find this crate under any name.

#[doc = include_str!("parallel_for.md")]
#[cfg(not(rust_analyzer))]
#[macro_export]
macro_rules! parallel_for {
    ($($tokens:tt)*) => {
        $crate::__private::parallel_for!($crate, $($tokens)*)
    };
}

/// Runs a `for` loop on several workers: `?`, `break`, `continue` and `return` mean what they mean in a `for`.
///
/// ```
/// parallel_for!(
///     workers = 4,
///     reduce(bytes),
///     for path in paths {
///         bytes += std::fs::metadata(path)?.len();
///     }
/// );
/// ```
///
/// Options: `workers`, `error_policy`, `pool`, `name`, `reduce(…)`, `local(…)`, `batch`, `monitor`, `progress`, `live`, `stop`,
/// `deadline`. The loop evaluates to its [`Report`](crate::Report), with `stop` or `deadline` to a `Result` of it.
///
/// [More](https://docs.rs/futureproof/latest/futureproof/macro.parallel_for.html)
// The door for editors: a plain `for`, so that they understand a body that is half typed, and beside it the names of the
// options as fields that have documentation. Nothing here is ever run.
#[cfg(rust_analyzer)]
#[macro_export]
macro_rules! parallel_for {
    // The loop. In round brackets, a tuple or not, so that a comma may stand behind it.
    (@report $result:ty; for $($rest:tt)*) => {{
        let _ = (for $($rest)*);
        $crate::__private::unknown::value::<$result>()
    }};
    (@report $result:ty; $label:lifetime $($rest:tt)*) => {{
        let _ = ($label $($rest)*);
        $crate::__private::unknown::value::<$result>()
    }};

    // An option, and then what its name says.
    (@report $result:ty; $option:ident = $value:expr, $($rest:tt)*) => {{
        let _ = $crate::__private::unknown::options().$option.takes($value);
        $crate::parallel_for!(@after $option $result; $($rest)*)
    }};
    (@report $result:ty; $option:ident($($names:tt)*), $($rest:tt)*) => {{
        let _ = $crate::__private::unknown::options().$option;
        $crate::parallel_for!(@names $option($($names)*), $result; $($rest)*)
    }};
    (@after stop $result:ty; $($rest:tt)*) => {
        $crate::parallel_for!(@report ::core::result::Result<$crate::Report, $crate::Stopped>; $($rest)*)
    };
    (@after deadline $result:ty; $($rest:tt)*) => {
        $crate::parallel_for!(@report ::core::result::Result<$crate::Report, $crate::Stopped>; $($rest)*)
    };
    (@after $option:ident $result:ty; $($rest:tt)*) => {
        $crate::parallel_for!(@report $result; $($rest)*)
    };
    (@names reduce(max($name:ident) $(, $($names:tt)*)?), $result:ty; $($rest:tt)*) => {
        $crate::parallel_for!(@names reduce($name $(, $($names)*)?), $result; $($rest)*)
    };
    (@names reduce(min($name:ident) $(, $($names:tt)*)?), $result:ty; $($rest:tt)*) => {
        $crate::parallel_for!(@names reduce($name $(, $($names)*)?), $result; $($rest)*)
    };
    (@names reduce($name:ident $(, $($names:tt)*)?), $result:ty; $($rest:tt)*) => {{
        let _ = &mut $name;
        $crate::parallel_for!(@names reduce($($($names)*)?), $result; $($rest)*)
    }};
    (@names local($($name:ident = $value:expr),* $(,)?), $result:ty; $($rest:tt)*) => {{
        $(let mut $name = $value;)*
        $crate::parallel_for!(@report $result; $($rest)*)
    }};
    (@names $option:ident(), $result:ty; $($rest:tt)*) => {
        $crate::parallel_for!(@report $result; $($rest)*)
    };
    (@names $option:ident($($half:tt)*), $result:ty; $($rest:tt)*) => {{
        let _ = ($($half)*);
        $crate::parallel_for!(@report $result; $($rest)*)
    }};

    // An option that is half typed.
    (@report $result:ty; $option:ident = $value:tt for $($rest:tt)*) => {{
        let _ = $crate::__private::unknown::options().$option.takes($value);
        $crate::parallel_for!(@after $option $result; for $($rest)*)
    }};
    (@report $result:ty; $option:ident, $($rest:tt)*) => {{
        let _ = $crate::__private::unknown::options().$option;
        $crate::parallel_for!(@report $result; $($rest)*)
    }};
    (@report $result:ty; $option:ident for $($rest:tt)*) => {{
        let _ = $crate::__private::unknown::options().$option;
        $crate::parallel_for!(@report $result; for $($rest)*)
    }};
    (@report $result:ty; $option:ident $next:ident $($rest:tt)*) => {{
        let _ = $crate::__private::unknown::options().$option;
        $crate::parallel_for!(@report $result; $next $($rest)*)
    }};
    (@report $result:ty; $($rest:tt)*) => {{
        let _ = ($($rest)*);
        $crate::__private::unknown::value::<$result>()
    }};
    ($($tokens:tt)*) => {
        $crate::parallel_for!(@report $crate::Report; $($tokens)*)
    };
}

/// What editors show of a loop's value and of its options.
#[cfg(rust_analyzer)]
#[doc(hidden)]
pub mod unknown {
    use std::marker::PhantomData;

    use crate::{LiveReport, StopToken, TaskPool};

    /// Stands for a value of which only the type matters.
    pub fn value<T>() -> T {
        unreachable!("editors do not run loops")
    }

    /// The options of [`parallel_for!`](crate::parallel_for!).
    #[derive(Debug)]
    pub struct Options<'a> {
        /// How many threads work on the loop at most, the calling one included.
        ///
        /// Default: the pool's number of workers; without a pool the environment variable `FUTUREPROOF_WORKERS`, else the
        /// machine's parallelism.
        pub workers: Takes<usize>,
        /// What the failure of an item does, by `?` or by a panic: `"raise"`, `"log"`, `"ignore"`, or an expression of type
        /// `ErrorPolicy`.
        ///
        /// `"raise"`, the default, ends the loop with it. `"log"` and `"ignore"` count it and go on.
        pub error_policy: TakesAny,
        /// A `&TaskPool` that lends the threads.
        ///
        /// Default: in a function with `#[task_pool]` its own, elsewhere the one of the process.
        pub pool: Takes<&'a TaskPool>,
        /// The loop's name in logs, spans, bars and metrics. Default: its place in the source code.
        pub name: TakesAny,
        /// `reduce(a, max(b), min(c))`: variables that the body may change.
        ///
        /// Each worker adds to a part of its own, and the parts are merged in input order. Numbers add, `Vec` and `String`
        /// append, sets unite, maps merge their values; `max` and `min` keep the largest and the smallest.
        pub reduce: (),
        /// `local(x = EXPR, …)`: a variable for each worker, made before its first item, and mutable in the body.
        pub local: (),
        /// How many items a worker may hold at most; 1 means that nothing is ever read ahead. Default: 8192 for iterators
        /// that are pulled.
        pub batch: Takes<usize>,
        /// The interval of the progress log: `"500ms"`, a `Duration`, or `false` for never. Default: 2 s.
        pub monitor: TakesAny,
        /// A progress bar on stderr: `true`, `false`, its label, or a `ProgressBar`.
        ///
        /// Needs the cargo feature `progress`.
        pub progress: TakesAny,
        /// A `&LiveReport`, which any thread may ask while the loop runs.
        pub live: Takes<&'a LiveReport>,
        /// A `&StopToken` that stops the loop before the next item.
        ///
        /// The loop then evaluates to a `Result<Report, Stopped>`.
        pub stop: Takes<&'a StopToken>,
        /// Stops the loop so long after its start: `"30s"` or a `Duration`.
        ///
        /// The loop then evaluates to a `Result<Report, Stopped>`.
        pub deadline: TakesAny,
    }

    /// The options of a loop.
    pub fn options<'a>() -> Options<'a> {
        value()
    }

    /// An option with a value of this type.
    #[derive(Debug)]
    pub struct Takes<T>(PhantomData<fn(T)>);

    impl<T> Takes<T> {
        #[doc(hidden)]
        pub fn takes(&self, _: T) {}
    }

    /// An option with values of several types.
    #[derive(Debug)]
    pub struct TakesAny;

    impl TakesAny {
        #[doc(hidden)]
        pub fn takes<T>(&self, _: T) {}
    }
}
