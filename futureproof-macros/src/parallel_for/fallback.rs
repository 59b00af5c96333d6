//! What stands beside an error: the sequential loop, so that the compiler goes on to check the user's code, and a value
//! of the right type, so that nothing around the loop breaks.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::braces::before_braces;
use super::model::Options;
use super::parse::{Form, Syntax};
use crate::policy;

pub(super) fn fallback(syntax: &Syntax, options: &Options) -> TokenStream {
    let krate = &syntax.krate;
    let site = krate.span();
    // Wrong options too: what they mention is not unused for that.
    let values = syntax
        .options
        .iter()
        .filter_map(|option| match &option.form {
            Form::Value(Expr::Lit(_)) | Form::List(..) => None,
            // A policy's name without its quotes is nothing to mention.
            Form::Value(value)
                if option.name == "error_policy" && policy::without_quotes(value).is_some() =>
            {
                None
            }
            Form::Value(value) => Some(quote_spanned!(site=> _ = &(#value);)),
        });
    let locals = options.local.iter().map(|local| {
        let (name, value) = (&local.name, &local.value);
        quote_spanned!(site=> #[allow(unused)] let mut #name = #value;)
    });
    let sequential = match (&syntax.original, &syntax.head) {
        (Some(original), _) => original.to_token_stream(),
        (None, Some(head)) => {
            // What it borrows from lives until the end of the `match`, as in a `for`.
            let source = before_braces(&head.source, site);
            let items = Ident::new("__items", site.located_at(head.source.span()));
            quote_spanned!(site=> match #source { #items => for _ in #items {} })
        }
        (None, None) => TokenStream::new(),
    };
    let private = quote_spanned!(site=> #krate::__private);
    let report = if options.stoppable {
        quote_spanned!(site=> ::core::result::Result<#private::Report, #private::Stopped>)
    } else {
        quote_spanned!(site=> #private::Report)
    };
    quote_spanned! {site=>
        #(#values)*
        #(#locals)*
        #sequential
        #private::Hole::<#report>::new().take()
    }
}
