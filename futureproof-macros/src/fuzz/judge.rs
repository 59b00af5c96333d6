//! What is promised of every input, whatever it is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Block, File, ItemImpl, LitStr};

use super::case::{Case, Kind, count};
use crate::{parallel_for, task_pool};

/// What a macro made of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// How many errors; an input with none is accepted.
    pub(super) errors: usize,
    /// How many tokens went in, and how many came out.
    pub(super) tokens: (usize, usize),
}

/// A broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Panic,
    /// The expansion is no Rust.
    Unparsable,
    /// An error points at nothing that the user wrote.
    Nowhere,
    /// An error says nothing.
    Silent,
    /// What is no loop or function is taken for one.
    Unnoticed,
    TooLarge,
}

/// The tokens of an expansion: at most so many, and so many more for each token of the input. A pool's companion says
/// the types of the function's arguments and result in each of its own functions, some of them several times.
fn budget(kind: Kind, tokens: usize) -> usize {
    match kind {
        Kind::Loop => 200 + 60 * tokens,
        Kind::Pool => 2000 + 400 * tokens,
    }
}

/// Expands one input; `None` for a text that is no sequence of tokens.
pub(super) fn judge(kind: Kind, text: &str) -> Result<Option<Verdict>, (Fault, String)> {
    let Some(case) = Case::read(kind, text) else {
        return Ok(None);
    };
    let (inner, item) = (stream(&case.inner), stream(&case.item));
    let expanded = catch_unwind(AssertUnwindSafe(|| match kind {
        Kind::Loop => parallel_for::expand(handed_over(&inner)),
        Kind::Pool => task_pool::expand(inner.clone(), item.clone()),
    }));
    let Ok(expanded) = expanded else {
        return Err((Fault::Panic, "it panics".to_owned()));
    };
    let errors = errors(expanded.clone());
    for error in &errors {
        let message = &error.message;
        if message.trim().is_empty() {
            return Err((Fault::Silent, "an error without a message".to_owned()));
        }
        // An empty macro call has no place but itself.
        let is_empty = inner.is_empty() && item.is_empty();
        if !is_empty && !error.places.iter().all(|place| is_inside(*place, text)) {
            return Err((Fault::Nowhere, format!("nowhere: {message}")));
        }
    }
    let (before, after) = (
        count(inner.clone()) + count(item.clone()),
        count(expanded.clone()),
    );
    if after > budget(kind, before) {
        return Err((Fault::TooLarge, format!("{before} tokens become {after}")));
    }
    match kind {
        Kind::Loop => loop_is_rust(inner, &expanded, errors.is_empty())?,
        Kind::Pool => pool_is_rust(&inner, &case.item, &expanded, errors.is_empty())?,
    }
    Ok(Some(Verdict {
        errors: errors.len(),
        tokens: (before, after),
    }))
}

fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

/// What the facade's door hands over. The crate's name has no place in the input, so an error there shows.
fn handed_over(inner: &TokenStream) -> TokenStream {
    let krate = Ident::new("krate", Span::call_site());
    quote!(#krate, #inner)
}

fn loop_is_rust(
    inner: TokenStream,
    expanded: &TokenStream,
    accepted: bool,
) -> Result<(), (Fault, String)> {
    let original = parallel_for::original(handed_over(&inner));
    // A loop that cannot be read stands beside its error, so that rustc can say more about it.
    let readable = original
        .as_ref()
        .is_none_or(|original| is_block(quote!({ #original })));
    if accepted && (original.is_none() || !readable) {
        return Err((Fault::Unnoticed, "what is no loop is accepted".to_owned()));
    }
    if readable && !is_block(quote!({ let _ = #expanded; })) {
        return Err((Fault::Unparsable, expanded.to_string()));
    }
    Ok(())
}

fn pool_is_rust(
    options: &TokenStream,
    item: &[TokenTree],
    expanded: &TokenStream,
    accepted: bool,
) -> Result<(), (Fault, String)> {
    if are_items(expanded.clone()) {
        return Ok(());
    }
    let item_stream = stream(item);
    if are_items(item_stream.clone()) {
        return Err((Fault::Unparsable, expanded.to_string()));
    }
    // The item comes out as it went in, and rustc says what is wrong in the body.
    let mut emptied = item.to_vec();
    if let Some(TokenTree::Group(body)) = emptied.last()
        && body.delimiter() == Delimiter::Brace
    {
        let last = emptied.len() - 1;
        emptied[last] = Group::new(Delimiter::Brace, TokenStream::new()).into();
        let emptied = stream(&emptied);
        if are_items(emptied.clone()) {
            let expanded = task_pool::expand(options.clone(), emptied);
            return if are_items(expanded.clone()) {
                Ok(())
            } else {
                Err((Fault::Unparsable, expanded.to_string()))
            };
        }
    }
    if accepted {
        return Err((
            Fault::Unnoticed,
            "what is no function is accepted".to_owned(),
        ));
    }
    let errors: TokenStream = expanded.clone().into_iter().skip(item.len()).collect();
    if are_items(errors.clone()) {
        Ok(())
    } else {
        Err((Fault::Unparsable, errors.to_string()))
    }
}

fn is_block(tokens: TokenStream) -> bool {
    syn::parse2::<Block>(tokens).is_ok()
}

/// Are these items of a module, or of an `impl`?
fn are_items(tokens: TokenStream) -> bool {
    let as_associated = |input: ParseStream<'_>| input.parse::<ItemImpl>();
    syn::parse2::<File>(tokens.clone()).is_ok()
        || as_associated.parse2(quote!(impl X { #tokens })).is_ok()
}

/// One `compile_error!`.
struct Error {
    message: String,
    places: Vec<Span>,
}

fn errors(expanded: TokenStream) -> Vec<Error> {
    let mut found = Vec::new();
    let mut before: Vec<TokenTree> = Vec::new();
    for token in expanded {
        if let TokenTree::Group(group) = &token {
            match before.as_slice() {
                [.., TokenTree::Ident(name), TokenTree::Punct(_)] if *name == "compile_error" => {
                    let text = syn::parse2::<LitStr>(group.stream());
                    found.push(Error {
                        message: text.map(|text| text.value()).unwrap_or_default(),
                        places: vec![name.span(), group.span()],
                    });
                }
                _ => found.extend(errors(group.stream())),
            }
        }
        before.push(token);
    }
    found
}

/// Is this a part of the input, and of nothing else that was ever read?
fn is_inside(place: Span, text: &str) -> bool {
    let part = text.get(place.byte_range());
    part.is_some_and(|part| !part.is_empty() && place.source_text().as_deref() == Some(part))
}
