//! The ways out of a loop's body: which there are, what stands at their place in the body, and what stands in the user's
//! function.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Lifetime, Token};

use super::model::Policy;

/// Is this the same wherever, and whenever, it is evaluated?
fn is_constant(expr: &Expr, merged: &HashSet<String>) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Path(path) => path
            .path
            .get_ident()
            .is_some_and(|name| name == "None" || merged.contains(&name.to_string())),
        Expr::Tuple(tuple) => tuple.elems.iter().all(|part| is_constant(part, merged)),
        Expr::Paren(inner) => is_constant(&inner.expr, merged),
        _ => false,
    }
}

/// One place in the body that leaves the loop, with the user's own tokens.
#[derive(Clone)]
pub(super) enum Exit {
    /// `EXPR?`, with the place of EXPR and the conditions of the `#[cfg]`s it stands under: where it is compiled away,
    /// nothing else says what its value is.
    Try {
        value: Span,
        question: Token![?],
        conditions: Vec<TokenStream>,
    },
    /// A macro that hides `return Err(…)`.
    Bail { at: Span },
    Return {
        token: Token![return],
        value: Option<Given>,
    },
    /// `break 'label` out of the loop.
    Break {
        token: Token![break],
        label: Lifetime,
        value: Option<Given>,
    },
    /// `continue 'label` of a loop outside.
    Continue {
        token: Token![continue],
        label: Lifetime,
    },
}

/// What a `return` or a `break` gives.
#[derive(Clone)]
pub(super) struct Given {
    /// The `Ok`, `Err` and `Some` around the value, outermost first. They are put on outside, so that what is not in
    /// the value, such as the function's error type in `return Ok(value)`, need not be `Send`.
    wrappers: Vec<Expr>,
    inner: Inner,
}

#[derive(Clone)]
enum Inner {
    /// Written down outside; nothing travels.
    Constant(Box<Expr>),
    /// Worked out in the body, at this place.
    Value(Span),
}

impl Given {
    /// Takes the wrappers off; what is left has to travel, if it is there. The variables in `merged` hold outside what
    /// the sequential loop would have put there, so they are read there.
    pub(super) fn new<'e>(expr: &'e Expr, merged: &HashSet<String>) -> (Self, Option<&'e Expr>) {
        let mut wrappers = Vec::new();
        let mut inner = expr;
        while let Expr::Call(call) = inner
            && let (Expr::Path(path), Some(argument), 1) =
                (&*call.func, call.args.first(), call.args.len())
            && path.path.segments.last().is_some_and(|name| {
                ["Ok", "Err", "Some"]
                    .iter()
                    .any(|known| name.ident == known)
            })
        {
            wrappers.push((*call.func).clone());
            inner = argument;
        }
        if is_constant(inner, merged) {
            (
                Self {
                    wrappers,
                    inner: Inner::Constant(Box::new(inner.clone())),
                },
                None,
            )
        } else {
            (
                Self {
                    wrappers,
                    inner: Inner::Value(inner.span()),
                },
                Some(inner),
            )
        }
    }

    fn travels(&self) -> Option<Span> {
        match self.inner {
            Inner::Constant(_) => None,
            Inner::Value(span) => Some(span),
        }
    }

    /// The whole again, with `value` for what travelled.
    fn whole(&self, value: &TokenStream) -> TokenStream {
        let inner = match &self.inner {
            Inner::Constant(constant) => constant.to_token_stream(),
            Inner::Value(_) => value.clone(),
        };
        self.wrappers.iter().rev().fold(
            inner,
            |inner, wrapper| quote_spanned!(wrapper.span()=> #wrapper(#inner)),
        )
    }

    /// A name for the wrappers: values in the same ones have the same type.
    fn key(&self) -> String {
        self.wrappers
            .iter()
            .map(|wrapper| {
                wrapper
                    .to_token_stream()
                    .to_string()
                    .replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            })
            .collect()
    }
}

impl Exit {
    /// Where in the body the value comes from that travels to the exit, if there is one.
    fn travels(&self) -> Option<Span> {
        match self {
            Self::Try { value, .. } => Some(*value),
            Self::Bail { at } => Some(*at),
            Self::Return { value, .. } | Self::Break { value, .. } => {
                value.as_ref().and_then(Given::travels)
            }
            Self::Continue { .. } => None,
        }
    }

    pub(super) fn carries_value(&self) -> bool {
        self.travels().is_some()
    }

    /// Where rustc should point for what is wrong with this exit.
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Try { question, .. } => question.span,
            Self::Bail { at } => *at,
            Self::Return { token, .. } => token.span,
            Self::Break { token, .. } => token.span,
            Self::Continue { token, .. } => token.span,
        }
    }

    /// The name that the value has in the user's function. It has the user's hygiene, so that rustc shows it together
    /// with the token beside it as the one expression that the user wrote.
    pub(super) fn value_name(&self) -> Ident {
        Ident::new(
            "futureproof_exit_value",
            self.travels().unwrap_or_else(|| self.span()),
        )
    }

    /// The exit itself, in the user's function: an expression that never ends.
    pub(super) fn real(&self, value: &TokenStream, names: &Names) -> TokenStream {
        let span = names.at(self.span());
        match self {
            Self::Try { question, .. } => quote_spanned!(span=> match #value #question {}),
            Self::Bail { .. } => quote_spanned!(span=> return ::core::result::Result::Err(#value)),
            Self::Return {
                token,
                value: given,
            } => {
                let given = given.as_ref().map(|given| given.whole(value));
                quote!(#token #given)
            }
            Self::Break {
                token,
                label,
                value: given,
            } => {
                let given = given.as_ref().map(|given| given.whole(value));
                quote!(#token #label #given)
            }
            Self::Continue { token, label } => quote!(#token #label),
        }
    }

    /// The hole that gives the value of this exit its expected type.
    pub(super) fn hole(&self, names: &Names) -> Option<Hole> {
        match self {
            Self::Return {
                value: Some(given), ..
            } if self.carries_value() => Some(format!("__returned_{}", given.key())),
            Self::Bail { .. } => Some("__error_returned".into()),
            // Prefixed, so that no label makes it one of the names above.
            Self::Break {
                label,
                value: Some(given),
                ..
            } if self.carries_value() => {
                Some(format!("__label_{}_{}", label.ident.unraw(), given.key()))
            }
            _ => None,
        }
        .map(|name: String| Hole {
            exit: self.clone(),
            name: Ident::new(&name, names.site),
        })
    }
}

/// A stand-in for a value of the type that an exit needs, declared where the exit itself would be allowed.
#[derive(Clone)]
pub(super) struct Hole {
    pub(super) exit: Exit,
    pub(super) name: Ident,
}

impl Hole {
    /// Lets the surroundings of the loop decide the type: an exit that is never taken.
    pub(super) fn declaration(&self, names: &Names) -> TokenStream {
        let Self { exit, name } = self;
        let span = names.at(exit.span());
        let private = names.private(span);
        let leave = exit.real(&quote_spanned!(span=> #name.take()), names);
        quote_spanned!(span=> let #name = #private::Hole::new(); if false { #leave; })
    }
}

/// The names that one expansion uses, and whose they are.
///
/// They have the hygiene of the facade's `$crate`: no name, label or lint of the user's meets them, and a path that begins
/// with `$crate` has one origin, so that rustc can show it at one place. The prefix keeps clear of the user's constants,
/// which a pattern would mean before it binds a name, and of items, which hygiene does not cover. Nested loops are
/// expanded in one go, so each depth has its own.
pub(super) struct Names {
    /// `$crate`
    krate: Ident,
    /// For tokens about the whole loop.
    pub(super) site: Span,
    /// The enum of the ways out.
    pub(super) exit: Ident,
    pub(super) policy: Ident,
    pub(super) worker: Ident,
}

impl Names {
    /// The names of the loop that stands at `place`, in `depth` others.
    pub(super) fn new(krate: &Ident, depth: usize, place: Span) -> Self {
        let site = krate.span().located_at(place);
        Self {
            krate: krate.clone(),
            site,
            exit: format_ident!("__Exit{depth}", span = site),
            policy: format_ident!("__policy{depth}", span = site),
            worker: format_ident!("__worker{depth}", span = site),
        }
    }

    /// Our hygiene at the user's place: what is wrong with such a token is shown there.
    pub(super) fn at(&self, place: Span) -> Span {
        self.site.located_at(place)
    }

    /// `$crate::__private`
    pub(super) fn private(&self, span: Span) -> TokenStream {
        let mut krate = self.krate.clone();
        krate.set_span(span);
        quote_spanned!(span=> #krate::__private)
    }

    pub(super) fn variant(&self, index: usize, span: Span) -> Ident {
        format_ident!("V{index}", span = self.at(span))
    }

    /// What the body gives for an item that leaves the loop through the `index`th exit.
    pub(super) fn exit_flow(
        &self,
        index: usize,
        value: Option<&TokenStream>,
        span: Span,
    ) -> TokenStream {
        let (private, exit, variant) = (self.private(span), &self.exit, self.variant(index, span));
        let value = value.map(|value| quote_spanned!(span=> (#value)));
        quote_spanned!(span=> #private::Flow::Exit(#exit::#variant #value))
    }

    /// What the body gives for an item that failed under `policy`; `value` is the residual of the `?`.
    pub(super) fn failure_flow(
        &self,
        policy: Policy,
        value: &TokenStream,
        span: Span,
    ) -> TokenStream {
        let private = self.private(span);
        if policy == Policy::Ignore {
            return quote_spanned!(span=> { _ = #value; #private::Flow::Failed(#private::Failure::ignored()) });
        }
        quote_spanned!(span=> #private::Flow::Failed((&&&&&#private::Describe(&#value)).__failure()))
    }
}
