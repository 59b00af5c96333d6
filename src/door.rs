//! The door to the loop macro. It hands `$crate` on, so that expansions find this crate under any name.

#[doc = include_str!("parallel_for.md")]
#[cfg(not(rust_analyzer))]
#[macro_export]
macro_rules! parallel_for {
    ($($tokens:tt)*) => {
        $crate::__private::parallel_for!($crate, $($tokens)*)
    };
}

/// The door for editors: a plain `for`, so that completion and hover work in a body that is half typed.
#[cfg(rust_analyzer)]
#[macro_export]
macro_rules! parallel_for {
    (@report $result:ty; reduce($($names:tt)*), $($rest:tt)*) => {
        $crate::parallel_for!(@report $result; $($rest)*)
    };
    (@report $result:ty; local($($name:ident = $value:expr),* $(,)?), $($rest:tt)*) => {{
        $(#[allow(unused_mut)] let mut $name = $value;)*
        $crate::parallel_for!(@report $result; $($rest)*)
    }};
    (@report $result:ty; stop = $value:expr, $($rest:tt)*) => {{
        let _: &$crate::StopToken = $value;
        $crate::parallel_for!(@report ::core::result::Result<$crate::Report, $crate::Stopped>; $($rest)*)
    }};
    (@report $result:ty; deadline = $value:expr, $($rest:tt)*) => {{
        let _ = $value;
        $crate::parallel_for!(@report ::core::result::Result<$crate::Report, $crate::Stopped>; $($rest)*)
    }};
    (@report $result:ty; $option:ident = $value:expr, $($rest:tt)*) => {{
        let _ = $value;
        $crate::parallel_for!(@report $result; $($rest)*)
    }};
    // Round brackets: a tuple or not, so that a comma may stand after the loop.
    (@report $result:ty; $($rest:tt)*) => {{
        let _ = ($($rest)*);
        $crate::__private::unknown::<$result>()
    }};
    ($($tokens:tt)*) => {
        $crate::parallel_for!(@report $crate::Report; $($tokens)*)
    };
}

/// Stands for the value of a loop where only its type matters.
#[cfg(rust_analyzer)]
#[doc(hidden)]
pub fn unknown<T>() -> T {
    unreachable!("editors do not run loops")
}
