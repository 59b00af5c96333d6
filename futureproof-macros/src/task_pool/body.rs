//! Gives the `parallel_for!` loops in a function's body the function's pool, by writing `pool = f::pool(),` into them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

/// The body with `pool` in front of the options of each loop that does not name a pool itself. Loops are recognised by
/// the macro's name, behind any path and inside of anything, other macros too.
///
/// `nested_fns` says whether `pool` means the same in a function inside of the body: `Self` does not.
pub(super) fn with_pool(body: &Group, pool: &TokenStream, nested_fns: bool) -> Group {
    match (Rewrite { pool, nested_fns }).tokens(body.stream()) {
        Some(tokens) => regrouped(body, tokens),
        None => body.clone(),
    }
}

struct Rewrite<'a> {
    pool: &'a TokenStream,
    nested_fns: bool,
}

impl Rewrite<'_> {
    /// `None` where there is nothing to change: a group that is built anew loses the places of its brackets.
    fn tokens(&self, tokens: TokenStream) -> Option<TokenStream> {
        let mut changed = false;
        let mut state = State::Elsewhere;
        let mut inside_item = false;
        let mut out = Vec::new();
        for token in tokens {
            let (next, token) = match token {
                TokenTree::Ident(ident) => {
                    // What follows `fn` is the name of a function; `fn(` is a type.
                    inside_item |= state == State::Fn && !self.nested_fns;
                    let next = match ident.to_string().as_str() {
                        "parallel_for" => State::Name,
                        "fn" => State::Fn,
                        "mod" => State::Mod,
                        _ => {
                            inside_item |= state == State::Mod;
                            State::Elsewhere
                        }
                    };
                    (next, TokenTree::Ident(ident))
                }
                TokenTree::Punct(punct) => {
                    inside_item &= punct.as_char() != ';';
                    let next = if state == State::Name && punct.as_char() == '!' {
                        State::Bang
                    } else {
                        State::Elsewhere
                    };
                    (next, TokenTree::Punct(punct))
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && inside_item => {
                    inside_item = false;
                    (State::Elsewhere, TokenTree::Group(group))
                }
                TokenTree::Group(group) => {
                    let inner = self.tokens(group.stream());
                    let pool =
                        (state == State::Bang && !names_pool(group.stream())).then_some(self.pool);
                    let tokens = match (pool, inner) {
                        (None, None) => None,
                        (None, inner) => inner,
                        (Some(pool), inner) => {
                            let inner = inner.unwrap_or_else(|| group.stream());
                            Some(quote!(pool = #pool, #inner))
                        }
                    };
                    changed |= tokens.is_some();
                    let group =
                        tokens.map_or_else(|| group.clone(), |tokens| regrouped(&group, tokens));
                    (State::Elsewhere, TokenTree::Group(group))
                }
                token @ TokenTree::Literal(_) => (State::Elsewhere, token),
            };
            state = next;
            out.push(token);
        }
        changed.then(|| out.into_iter().collect())
    }
}

/// What the last token was, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Elsewhere,
    /// `parallel_for`
    Name,
    /// `parallel_for!`
    Bang,
    Fn,
    Mod,
}

/// Whether `pool =` is among the options, which end where the loop begins.
fn names_pool(arguments: TokenStream) -> bool {
    let mut starts = true;
    let mut tokens = arguments.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if let (true, TokenTree::Ident(word)) = (starts, &token) {
            if word == "for" {
                return false;
            }
            if word == "pool"
                && matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '=')
            {
                return true;
            }
        }
        // An option begins behind a comma, the loop also behind its label.
        starts = matches!(&token, TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ':'));
    }
    false
}

/// A group as it was, around other tokens.
fn regrouped(group: &Group, tokens: TokenStream) -> Group {
    let mut regrouped = Group::new(group.delimiter(), tokens);
    regrouped.set_span(group.span());
    regrouped
}
