//! `parallel_for!`: four passes (parse, model, check, expand), and what stands beside an error.

mod braces;
mod check;
mod exits;
mod expand;
mod fallback;
mod leave;
mod macros;
mod methods;
mod model;
mod names;
mod parse;
mod reads;
mod rewrite;
#[cfg(test)]
mod tests;
mod torn;

#[cfg(test)]
pub(crate) use self::names::OPTIONS;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use quote::quote_spanned;

use self::rewrite::Rewriter;
use crate::diag::Errors;

/// Expands one loop; `input` is the path to the crate, a comma, and what the user wrote.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    let (Some(TokenTree::Ident(krate)), Some(TokenTree::Punct(_))) = (tokens.next(), tokens.next())
    else {
        return syn::Error::new(Span::call_site(), "use `futureproof::parallel_for!`")
            .to_compile_error();
    };
    let site = krate.span();
    let errors = Errors::new();
    let (syntax, options) = read(krate, tokens.collect(), &errors);
    // Made beforehand: the expansion takes the syntax apart.
    let fallback = fallback::fallback(&syntax, &options);
    let expanded = finish(syntax, options, &errors, None);
    match expanded {
        Some(expanded) if errors.is_empty() => {
            drop(errors.into_compile_errors());
            expanded
        }
        _ => {
            let errors = errors.into_compile_errors();
            quote_spanned!(site=> { #errors #fallback })
        }
    }
}

/// The loop as the user wrote it, where it would stand beside an error; `input` as for [`expand`].
#[cfg(test)]
pub(crate) fn original(input: TokenStream) -> Option<TokenStream> {
    let mut tokens = input.into_iter();
    let Some(TokenTree::Ident(krate)) = tokens.next() else {
        return None;
    };
    let errors = Errors::new();
    let syntax = parse::parse(krate, tokens.skip(1).collect(), &errors);
    drop(errors.into_compile_errors());
    syntax.original
}

/// Expands a loop that may stand in the body of another one; `None` where that cannot be done.
fn compile(
    krate: Ident,
    tokens: TokenStream,
    errors: &Errors,
    outer: Option<&mut Rewriter<'_>>,
) -> Option<TokenStream> {
    let (syntax, options) = read(krate, tokens, errors);
    finish(syntax, options, errors, outer)
}

fn read(krate: Ident, tokens: TokenStream, errors: &Errors) -> (parse::Syntax, model::Options) {
    let syntax = parse::parse(krate, tokens, errors);
    let options = model::resolve(&syntax.options, errors);
    (syntax, options)
}

fn finish(
    syntax: parse::Syntax,
    options: model::Options,
    errors: &Errors,
    outer: Option<&mut Rewriter<'_>>,
) -> Option<TokenStream> {
    let found = model::assemble(syntax, options)?;
    check::check(&found, errors);
    expand::expand(found, errors, outer)
}
