//! `#[task_pool]`: the function as it was written, and beside it a companion through which many calls of it run at once.

mod body;
mod call;
mod check;
mod companion;
mod expand;
mod function;
mod lifetimes;
mod model;
mod options;
mod pieces;
mod shape;
#[cfg(test)]
mod tests;
mod values;

#[cfg(test)]
pub(crate) use self::options::OPTIONS;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Errors;

/// The function always comes out again, so a mistake in the options does not make every call of it a second one.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let options = options::read(args, &errors);
    let expansion = match function::read(&item) {
        Ok(function) => match check::function(&function, &options, &errors) {
            check::Fit::No => item,
            fit => {
                let model = model::resolve(&function, options, fit == check::Fit::Runs);
                expand::expand(&model, &function)
            }
        },
        Err(error) => {
            errors.push(error);
            item
        }
    };
    let errors = errors.into_compile_errors();
    quote!(#expansion #errors)
}
