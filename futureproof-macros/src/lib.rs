//! The procedural macros of the `futureproof` crate. They are reached through its `parallel_for!` and `#[task_pool]`,
//! whose documentation is there; this crate is an implementation detail.

#![forbid(unsafe_code)]

#[cfg(test)]
mod budget;
mod diag;
mod duration;
#[cfg(test)]
mod fuzz;
mod nearest;
mod parallel_for;
mod policy;
mod progress;
mod rate;
mod task_pool;

use proc_macro::TokenStream;

/// Expands `parallel_for!`; the facade's door puts its `$crate` and a comma before the user's tokens.
#[doc(hidden)]
#[proc_macro]
pub fn __parallel_for(input: TokenStream) -> TokenStream {
    parallel_for::expand(input.into()).into()
}

// Without a doc comment of its own: it would end up below the page that the facade includes. Editors show this one alone.
#[cfg_attr(
    rust_analyzer,
    doc = "Gives a function a pool: beside the function, under the same name, comes a type through which many calls of it \
           run at once.\n\n\
           `f::scope(|tasks| …)`, `f::map(inputs)`, `f::as_completed(inputs)`, `f::submit(args…)`, `f::try_submit(args…)`, \
           `f::configure()`, `f::pool()`; of a method `f_scope` to `f_pool`.\n\n\
           Options: `workers`, `error_policy`, `raise_after`, `retry`, `retry_if`, `timeout`, `rate_limit`, `capacity`, `name`, \
           `monitor`, `progress`, `keep_args`, `on_thread_start`, `on_thread_stop`, `max_tasks_per_thread`, `type`, `fallible`, `associated`, `crate`.\n\n\
           [More](https://docs.rs/futureproof/latest/futureproof/attr.task_pool.html)"
)]
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn task_pool(options: TokenStream, item: TokenStream) -> TokenStream {
    task_pool::expand(options.into(), item.into()).into()
}
