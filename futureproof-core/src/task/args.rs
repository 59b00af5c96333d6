//! One `submit` per number of arguments, and the items that `map` takes.

use std::time::Duration;

use super::accept::Patience;
use super::configured::{Configured, ConfiguredTask};
use super::handle::{self, TaskHandle};
use super::manager::TaskManager;
use super::refused::TrySubmitError;

/// Items that `map` takes: the argument itself for functions of one parameter, tuples for those of several.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::IntoArgs;
///
/// let args: (i32,) = 7.into_args(); // the item for a function of one parameter
/// assert_eq!(args, (7,));
/// let args: (&str, i32) = ("a", 7).into_args(); // for one of two
/// assert_eq!(args, ("a", 7));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the arguments `{Args}` of this function",
    label = "items of this iterator are `{Self}`",
    note = "a function of one parameter takes that parameter as the item; functions of several take tuples"
)]
pub trait IntoArgs<Args> {
    /// The arguments as a tuple.
    fn into_args(self) -> Args;
}

impl<A> IntoArgs<(A,)> for A {
    fn into_args(self) -> (A,) {
        (self,)
    }
}

macro_rules! arities {
    ($($(#[$attribute:meta])* ($($name:ident: $Arg:ident),*))*) => {$(
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments)] // The annotated function's own list.
        impl<'env, $($Arg,)* K, T, E> TaskManager<'env, ($($Arg,)*), K, T, E> {
            /// Accepts a task and returns its index. The parameters are those of the function, from none to eight.
            ///
            /// Blocks while the pool is saturated: while all workers are busy and `capacity` tasks wait. On one of the
            /// pool's own threads it does not block but accepts beyond the capacity, so that tasks can submit tasks. After a
            /// close or a stop the task is accepted and ends as cancelled, so a loop around `submit` should look at
            /// [`is_closed`](Self::is_closed); [`submit_timeout`](Self::submit_timeout) gives the arguments back instead.
            ///
            /// Results are kept until they are read. For very long or endless input use [`map`](Self::map), which also
            /// waits for its reader.
            pub fn submit(&self $(, $name: $Arg)*) -> usize {
                self.submit_args(($($name,)*), None)
            }

            /// Accepts a task unless the pool is saturated or the manager was closed or stopped; never blocks.
            ///
            /// # Errors
            ///
            /// [`TrySubmitError`], which gives the arguments back.
            pub fn try_submit(&self $(, $name: $Arg)*) -> Result<usize, TrySubmitError<($($Arg,)*)>> {
                self.try_submit_args(($($name,)*), None, Patience::None)
            }

            /// Accepts a task, waiting at most for `limit` while the pool is saturated; on one of the pool's own threads it does
            /// not wait, like [`submit`](Self::submit).
            ///
            /// # Errors
            ///
            /// [`TrySubmitError`], which gives the arguments back: when the time is over, or the manager was closed or stopped.
            pub fn submit_timeout(
                &self,
                limit: Duration
                $(, $name: $Arg)*
            ) -> Result<usize, TrySubmitError<($($Arg,)*)>> {
                self.try_submit_args(($($name,)*), None, Patience::limited(limit))
            }
        }

        $(#[$attribute])*
        #[allow(clippy::too_many_arguments)] // The annotated function's own list.
        impl<'env, $($Arg,)* K, T, E> ConfiguredTask<'_, 'env, ($($Arg,)*), K, T, E> {
            /// Accepts the task, like [`TaskManager::submit`], and returns its index.
            pub fn submit(self $(, $name: $Arg)*) -> usize {
                self.manager.submit_args(($($name,)*), Some(self.limits))
            }

            /// Accepts the task, like [`TaskManager::try_submit`].
            ///
            /// # Errors
            ///
            /// [`TrySubmitError`], which gives the arguments back.
            pub fn try_submit(self $(, $name: $Arg)*) -> Result<usize, TrySubmitError<($($Arg,)*)>> {
                self.manager.try_submit_args(($($name,)*), Some(self.limits), Patience::None)
            }
        }

        $(#[$attribute])*
        #[allow(clippy::too_many_arguments)] // The annotated function's own list.
        impl<$($Arg,)* K, T, E> Configured<($($Arg,)*), K, T, E>
        where
            $($Arg: Send + 'static,)*
            K: Send + 'static,
            T: Send + 'static,
            E: Send + 'static,
        {
            /// Submits one task with these options, like `f::submit`.
            pub fn submit(&self $(, $name: $Arg)*) -> TaskHandle<T, E, K> {
                handle::submit_on(&self.pool, self.call.clone(), ($($name,)*))
            }

            /// Submits one task with these options unless the pool is saturated or closed, like `f::try_submit`.
            ///
            /// # Errors
            ///
            /// [`TrySubmitError`], which gives the arguments back.
            pub fn try_submit(
                &self
                $(, $name: $Arg)*
            ) -> Result<TaskHandle<T, E, K>, TrySubmitError<($($Arg,)*)>> {
                handle::try_submit_on(&self.pool, self.call.clone(), ($($name,)*))
            }
        }
    )*};
}

// Pages show the first two; editors complete all of them.
arities! {
    (a: A)
    (a: A, b: B)
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    ()
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    (a: A, b: B, c: C)
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    (a: A, b: B, c: C, d: D)
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    (a: A, b: B, c: C, d: D, e: F)
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    (a: A, b: B, c: C, d: D, e: F, f: G)
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    (a: A, b: B, c: C, d: D, e: F, f: G, g: H)
    #[cfg_attr(not(rust_analyzer), doc(hidden))]
    (a: A, b: B, c: C, d: D, e: F, f: G, g: H, h: I)
}

macro_rules! tuples {
    ($(($($Arg:ident),*))*) => {$(
        impl<$($Arg),*> IntoArgs<($($Arg,)*)> for ($($Arg,)*) {
            fn into_args(self) -> Self {
                self
            }
        }
    )*};
}

tuples! {
    ()
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
}
