//! Reads the function. The body stays an opaque token tree: nothing here depends on what is in it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Signature, Visibility};

/// The annotated function.
pub(super) struct Function {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) sig: Signature,
    /// Everything before the body, as it was written.
    pub(super) head: TokenStream,
    pub(super) body: Group,
}

/// Reads a function, free or associated.
pub(super) fn read(item: &TokenStream) -> syn::Result<Function> {
    let not_a_function = |error: syn::Error| {
        let place = item
            .clone()
            .into_iter()
            .next()
            .map_or_else(|| error.span(), |first| first.span());
        syn::Error::new(
            place,
            "`#[task_pool]` goes on a function; annotate the function whose calls are to run at once",
        )
    };
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let last = tokens.pop();
    let head: TokenStream = tokens.into_iter().collect();
    let Head { attrs, vis, sig } = match syn::parse2(head.clone()) {
        Ok(head) => head,
        Err(error) => return Err(not_a_function(error)),
    };
    match last {
        Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => Ok(Function {
            attrs,
            vis,
            sig,
            head,
            body,
        }),
        other => Err(syn::Error::new(
            other.map_or_else(|| sig.span(), |token| token.span()),
            "`#[task_pool]` needs a function with a body; annotate the one that does the work",
        )),
    }
}

/// A function up to its body.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
        })
    }
}
