//! One input of a macro, as text: what a failure prints and the corpus keeps is what runs.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree, extra};

/// How a group without delimiters, which a fragment of a `macro_rules!` becomes, is written as text.
const NONE: &str = "NONE";

/// Which macro it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Loop,
    Pool,
}

/// The tokens of one use. The spans mean nothing; [`Case::read`] gives those that do.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) kind: Kind,
    /// What stands between the brackets of the macro or of the attribute.
    pub(super) inner: Vec<TokenTree>,
    /// The annotated item; empty for a loop.
    pub(super) item: Vec<TokenTree>,
}

impl Case {
    /// As a user would write it.
    pub(super) fn text(&self) -> String {
        let inner = text(&self.inner);
        match self.kind {
            Kind::Loop => format!("parallel_for!({inner})"),
            Kind::Pool => format!("#[task_pool({inner})] {}", text(&self.item)),
        }
    }

    /// The tokens of a text, with their places in it; `None` where they are no tokens, or no use of a macro.
    pub(super) fn read(kind: Kind, text: &str) -> Option<Self> {
        // Else each input would be kept, for its spans.
        extra::invalidate_current_thread_spans();
        let tokens: Vec<TokenTree> = TokenStream::from_str(text).ok()?.into_iter().collect();
        let (inner, item) = match (kind, tokens.as_slice()) {
            (
                Kind::Loop,
                [
                    TokenTree::Ident(_),
                    TokenTree::Punct(_),
                    TokenTree::Group(inner),
                ],
            ) => (inner.stream(), Vec::new()),
            // rustc itself refuses an attribute on nothing.
            (Kind::Pool, [TokenTree::Punct(_), TokenTree::Group(attribute), item @ ..])
                if !item.is_empty() =>
            {
                let path: Vec<TokenTree> = attribute.stream().into_iter().collect();
                let inner = match path.as_slice() {
                    [TokenTree::Ident(_), TokenTree::Group(inner)] => inner.stream(),
                    [TokenTree::Ident(_)] => TokenStream::new(),
                    _ => return None,
                };
                (inner, unmarked(item.iter().cloned().collect()))
            }
            _ => return None,
        };
        Some(Self {
            kind,
            inner: unmarked(inner),
            item,
        })
    }
}

/// How many tokens there are, at all depths.
pub(super) fn count(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 2 + count(group.stream()),
            _ => 1,
        })
        .sum()
}

/// All uses of the macros in some source code, those in other macros included.
pub(super) fn uses(tokens: TokenStream) -> Vec<Case> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let before = &tokens[..at];
        match before {
            [.., TokenTree::Ident(name), TokenTree::Punct(bang)]
                if *name == "parallel_for" && bang.as_char() == '!' =>
            {
                found.push(Case {
                    kind: Kind::Loop,
                    inner: unmarked(group.stream()),
                    item: Vec::new(),
                });
            }
            [.., TokenTree::Punct(hash)] if hash.as_char() == '#' => {
                found.extend(pool(group, &tokens[at + 1..]));
            }
            _ => {}
        }
        found.extend(uses(group.stream()));
    }
    found
}

/// `[task_pool(…)]` and the item behind it.
fn pool(attribute: &Group, behind: &[TokenTree]) -> Option<Case> {
    let path: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let inner = match path.as_slice() {
        [.., TokenTree::Ident(name), TokenTree::Group(inner)] if *name == "task_pool" => {
            inner.stream()
        }
        [.., TokenTree::Ident(name)] if *name == "task_pool" => TokenStream::new(),
        _ => return None,
    };
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let end = behind.iter().position(is_end)?;
    Some(Case {
        kind: Kind::Pool,
        inner: unmarked(inner),
        item: unmarked(behind[..=end].iter().cloned().collect()),
    })
}

fn text(tokens: &[TokenTree]) -> String {
    marked(tokens).to_string()
}

/// Groups without delimiters as `NONE!{…}`.
fn marked(tokens: &[TokenTree]) -> TokenStream {
    let mut out = TokenStream::new();
    for token in tokens {
        let TokenTree::Group(group) = token else {
            out.extend([token.clone()]);
            continue;
        };
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let inner = marked(&inner);
        if group.delimiter() == Delimiter::None {
            let name = Ident::new(NONE, group.span());
            out.extend(quote::quote!(#name!{#inner}));
        } else {
            out.extend([TokenTree::from(Group::new(group.delimiter(), inner))]);
        }
    }
    out
}

/// `NONE!{…}` as groups without delimiters.
fn unmarked(tokens: TokenStream) -> Vec<TokenTree> {
    let mut out: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = &token else {
            out.push(token);
            continue;
        };
        let is_marked = group.delimiter() == Delimiter::Brace
            && matches!(out.as_slice(), [.., TokenTree::Ident(name), TokenTree::Punct(bang)]
                if *name == NONE && bang.as_char() == '!');
        let delimiter = if is_marked {
            out.truncate(out.len() - 2);
            Delimiter::None
        } else {
            group.delimiter()
        };
        let inner = unmarked(group.stream());
        let mut new = Group::new(delimiter, inner.into_iter().collect());
        new.set_span(group.span());
        out.push(new.into());
    }
    out
}
