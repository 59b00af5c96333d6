//! Pieces of code that several of the companion's functions need.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::Token;
use syn::punctuated::Punctuated;

use super::model::{Model, Place};
use super::shape::Shape;

/// The types of one call.
pub(super) struct Types {
    pub(super) args: TokenStream,
    pub(super) kept: TokenStream,
    pub(super) ok: TokenStream,
    pub(super) err: TokenStream,
}

impl Types {
    pub(super) fn of(model: &Model, shape: &Shape) -> Self {
        let (types, output) = (&shape.args, &shape.output);
        let args = quote!((#(#types,)*));
        let kept = if model.keep_args {
            args.clone()
        } else {
            quote!(())
        };
        if model.fallible {
            Self {
                args,
                kept,
                ok: shape.ok(&model.krate),
                err: shape.err(&model.krate),
            }
        } else {
            Self {
                args,
                kept,
                ok: output.to_token_stream(),
                err: quote!(::core::convert::Infallible),
            }
        }
    }
}

/// The generic parameters and bounds of a companion's function.
pub(super) struct Signature {
    pub(super) params: Punctuated<TokenStream, Token![,]>,
    pub(super) bounds: Punctuated<TokenStream, Token![,]>,
}

impl Signature {
    /// With one type parameter more, and what is needed of it.
    pub(super) fn of(shape: &Shape, param: &Ident, needed: TokenStream) -> Self {
        let Self {
            mut params,
            mut bounds,
        } = Self::of_shape(shape);
        params.push(param.to_token_stream());
        bounds.push(needed);
        Self { params, bounds }
    }

    pub(super) fn of_shape(shape: &Shape) -> Self {
        let written = shape
            .generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates);
        Self {
            params: shape
                .generics
                .params
                .iter()
                .map(ToTokens::to_token_stream)
                .collect(),
            bounds: written
                .map(ToTokens::to_token_stream)
                .chain(shape.bounds.iter().cloned())
                .collect(),
        }
    }
}

impl Model {
    /// `futureproof::__private`
    pub(super) fn private(&self) -> TokenStream {
        let krate = &self.krate;
        quote!(#krate::__private)
    }

    /// The function, ready to be called.
    pub(super) fn itself(&self) -> TokenStream {
        let (mut name, turbofish) = (self.name.clone(), turbofish(&self.turbofish));
        name.set_span(name.span().located_at(self.at));
        match self.place {
            Place::Type(_) => quote!(#name #turbofish),
            Place::Siblings => quote!(Self::#name #turbofish),
        }
    }

    /// The body of a companion's function: the runtime's function of that name, called with the pool, the call and `last`.
    ///
    /// Its tokens are all in one place, and `sendable` asks the same in all of them, so that a type that cannot be sent is one
    /// error and not one for each. The place is the function's `fn`: editors take what is at the name for the name.
    pub(super) fn hand_over(&self, function: &str, last: TokenStream) -> TokenStream {
        let (p, turbofish) = (self.private(), turbofish(&self.companion_turbofish()));
        let (pool, call, function) = (
            self.function("pool"),
            self.function("__call"),
            format_ident!("{function}"),
        );
        let body =
            quote!(#p::#function(Self::#pool(), #p::sendable(Self::#call #turbofish ()), #last));
        relocated(body, self.at)
    }

    /// The function in a doc comment.
    pub(super) fn link(&self) -> String {
        let text = self.text();
        match self.place {
            Place::Type(_) if self.name == text => format!("[`{text}()`](fn@{text})"),
            // A raw identifier, or a method whose type is not known here.
            _ => format!("`{text}()`"),
        }
    }
}

/// The tokens with their places changed, and their hygiene kept.
pub(super) fn relocated(tokens: TokenStream, place: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        if let TokenTree::Group(group) = token {
            token = TokenTree::Group(Group::new(
                group.delimiter(),
                relocated(group.stream(), place),
            ));
        }
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.into_iter().map(relocate).collect()
}

/// `::<T, N>`
fn turbofish(params: &[Ident]) -> Option<TokenStream> {
    (!params.is_empty()).then(|| quote!(::<#(#params),*>))
}
