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

// Without a doc comment of its own: it would end up below the page that the facade includes.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn task_pool(options: TokenStream, item: TokenStream) -> TokenStream {
    task_pool::expand(options.into(), item.into()).into()
}
