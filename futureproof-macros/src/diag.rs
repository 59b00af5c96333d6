//! The error collector: every check pushes and carries on, so one compile shows every mistake.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};

/// Collects errors through a shared reference.
///
/// Dropping it without asking for the errors is a bug in this crate, and panics, because the user's mistake would pass
/// unseen.
pub(crate) struct Errors {
    /// `None` once the errors have been taken.
    found: RefCell<Option<Vec<syn::Error>>>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self {
            found: RefCell::new(Some(Vec::new())),
        }
    }

    pub(crate) fn push(&self, error: syn::Error) {
        if let Some(found) = self.found.borrow_mut().as_mut() {
            found.push(error);
        }
    }

    /// Records `message` at the tokens of `place`.
    pub(crate) fn at(&self, place: &impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(place, message));
    }

    /// Records `message` at `span`.
    pub(crate) fn at_span(&self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn len(&self) -> usize {
        self.found.borrow().as_ref().map_or(0, Vec::len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the collection: one `compile_error!` for each error, nothing where there is none.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        let found = self.found.borrow_mut().take().unwrap_or_default();
        found.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// Parses `tokens` with `read`. What is missing behind the last of them is reported at `end`; syn alone would point at the
/// whole macro call.
pub(crate) fn parse_tokens<T>(
    tokens: TokenStream,
    end: Span,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    group.set_span(end);
    let within = |input: ParseStream<'_>| {
        let content;
        syn::parenthesized!(content in input);
        read(&content)
    };
    within.parse2(group.into_token_stream())
}

/// The place of the last token.
pub(crate) fn end_of(tokens: &TokenStream) -> Span {
    let last = tokens.clone().into_iter().last();
    last.map_or_else(Span::call_site, |last| last.span())
}

impl Drop for Errors {
    fn drop(&mut self) {
        if !thread::panicking() && self.found.borrow().is_some() {
            panic!("errors were collected but never reported");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_reported() {
        let errors = Errors::new();
        assert!(errors.is_empty());
        errors.at_span(Span::call_site(), "first");
        errors.at(&quote::quote!(a b), "second");
        assert!(!errors.is_empty());
        let tokens = errors.into_compile_errors().to_string();
        assert!(
            tokens.contains("first") && tokens.contains("second"),
            "{tokens}"
        );
    }

    #[test]
    #[should_panic(expected = "never reported")]
    fn forgetting_them_is_a_bug() {
        drop(Errors::new());
    }
}
