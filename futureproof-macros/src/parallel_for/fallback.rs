//! What stands beside an error: the sequential loop, so that the compiler goes on to check the user's code, and a value
//! of the right type, so that nothing around the loop breaks.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Item};

use super::braces::before_braces;
use super::model::{Options, Policy};
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
    let goes_on = matches!(options.policy, Policy::Log | Policy::Ignore);
    let private = quote_spanned!(site=> #krate::__private);
    let locals = options.local.iter().map(|local| {
        let (name, mut value) = (&local.name, local.value.clone());
        if goes_on {
            Untried(&private).visit_expr_mut(&mut value);
        }
        quote_spanned!(site=> #[allow(unused)] let mut #name = #value;)
    });
    let sequential = match (&syntax.original, &syntax.head) {
        (Some(original), _) => match syn::parse2::<Expr>(original.clone()) {
            // The `?` of the input leaves the function under every policy.
            Ok(Expr::ForLoop(mut sequential)) if goes_on => {
                Untried(&private).visit_block_mut(&mut sequential.body);
                sequential.to_token_stream()
            }
            _ => original.clone(),
        },
        (None, Some(head)) => {
            // What it borrows from lives until the end of the `match`, as in a `for`.
            let source = before_braces(&head.source, site);
            let items = Ident::new("__items", site.located_at(head.source.span()));
            quote_spanned!(site=> match #source { #items => for _ in #items {} })
        }
        (None, None) => TokenStream::new(),
    };
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

/// Puts a call where `?` would leave the function, which under log and ignore it does not.
struct Untried<'a>(&'a TokenStream);

impl VisitMut for Untried<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            // What is in these belongs to them.
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => return,
            Expr::Try(found) => {
                self.visit_expr_mut(&mut found.expr);
                let (private, value) = (self.0, &found.expr);
                let span = found.question_token.spans[0];
                *expr = Expr::Verbatim(quote_spanned!(span=> #private::untried(#value)));
                return;
            }
            _ => {}
        }
        visit_mut::visit_expr_mut(self, expr);
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
