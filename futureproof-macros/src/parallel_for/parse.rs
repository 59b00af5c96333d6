//! First pass: tokens to syntax. Every mistake is recorded and parsing goes on behind it.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Block, Expr, Label, Lifetime, Pat, Stmt, Token, token};

use crate::diag::{Errors, end_of, parse_tokens};

/// What stands in one `parallel_for!(…)`.
pub(super) struct Syntax {
    /// The path to the crate: the `$crate` that the door handed over.
    pub(super) krate: Ident,
    pub(super) options: Vec<Opt>,
    /// `None` where the head of the loop cannot be read.
    pub(super) head: Option<Head>,
    /// `None` where the body is missing or cannot be read.
    pub(super) body: Option<Body>,
    /// The loop as the user wrote it; `None` where rustc would only repeat our error about it.
    pub(super) original: Option<TokenStream>,
}

/// One option, as written.
pub(super) struct Opt {
    pub(super) name: Ident,
    pub(super) form: Form,
}

pub(super) enum Form {
    /// `name = EXPR`
    Value(Expr),
    /// `name(…)`
    List(token::Paren, TokenStream),
}

pub(super) struct Head {
    /// Where the loop begins.
    pub(super) place: Span,
    pub(super) label: Option<Lifetime>,
    pub(super) pat: Pat,
    pub(super) source: Expr,
}

pub(super) struct Body {
    pub(super) brace: token::Brace,
    /// Inner attributes, `#![…]`.
    pub(super) attrs: Vec<Attribute>,
    pub(super) stmts: Vec<Stmt>,
    /// Is there any `cfg` in it?
    pub(super) conditional: bool,
}

const SHAPE: &str = "`parallel_for!([option,]* for PAT in EXPR { BODY })`";

/// Reads the tokens between the macro's parentheses.
pub(super) fn parse(krate: Ident, tokens: TokenStream, errors: &Errors) -> Syntax {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut syntax = Syntax {
        krate,
        options: Vec::new(),
        head: None,
        body: None,
        original: None,
    };
    let start = start_of_loop(&tokens);
    let (options, rest) = tokens.split_at(start.unwrap_or(tokens.len()));
    if let (Some(at), Some(last)) = (rest.first(), options.last())
        && !is_punct(last, ',')
    {
        errors.at_span(at.span(), "expected `,` between the options and the loop");
    }
    syntax.options = in_tokens(options, errors, |input| Ok(list(input, errors, Opt::parse)));
    if rest.is_empty() {
        // Where an option is wrong already, its error says more than "no loop".
        if errors.is_empty() {
            let at = tokens.last().map_or_else(Span::call_site, TokenTree::span);
            errors.at_span(at, format!("the loop is missing; write {SHAPE}"));
        }
        return syntax;
    }
    let rest = attributes(rest, errors);
    match keyword(rest) {
        Some(word) if word == "for" => read_loop(rest, &mut syntax, errors),
        found => {
            let at = found.as_ref().map_or_else(|| rest[0].span(), Ident::span);
            let what = found.map_or_else(|| "block".to_owned(), |word| word.to_string());
            errors.at_span(
                at,
                format!(
                    "`parallel_for!` runs a `for` loop: the items of a `{what}` are not known beforehand; \
                     write `for PAT in EXPR {{ … }}`, e.g. `for job in receiver`, or over `std::iter::from_fn(move || …)`"
                ),
            );
            syntax.original = Some(one_expression(rest));
        }
    }
    syntax
}

/// The loop of another kind, without what may wrongly follow it; all tokens where it cannot be read.
fn one_expression(tokens: &[TokenTree]) -> TokenStream {
    let read = |input: ParseStream<'_>| {
        let expr = Expr::parse_with_earlier_boundary_rule(input)?;
        input.parse::<TokenStream>()?;
        // What is called on a loop, say, needs its semicolon.
        Ok(quote!(#expr;))
    };
    let all: TokenStream = tokens.iter().cloned().collect();
    read.parse2(all.clone()).unwrap_or(all)
}

/// The tokens without the last ones, if those are whole tokens: syn also reads what invisible groups hold one by one.
fn without(tokens: &[TokenTree], last: TokenStream) -> Option<TokenStream> {
    let at = tokens.len().checked_sub(last.clone().into_iter().count())?;
    let (first, rest) = tokens.split_at(at);
    let rest: TokenStream = rest.iter().cloned().collect();
    (rest.is_empty() || rest.to_string() == last.to_string())
        .then(|| first.iter().cloned().collect())
}

/// Reads `['label:] for PAT in EXPR { BODY }` and what wrongly follows it.
fn read_loop(tokens: &[TokenTree], syntax: &mut Syntax, errors: &Errors) {
    in_tokens(tokens, errors, |input| {
        let label: Option<Label> = if input.peek(Lifetime) {
            Some(input.parse()?)
        } else {
            None
        };
        let for_token: Token![for] = input.parse()?;
        if input.is_empty() {
            return Err(syn::Error::new(
                for_token.span,
                format!("the loop ends here; write {SHAPE}"),
            ));
        }
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        if !input.peek(Token![in]) {
            let at = if input.is_empty() {
                for_token.span
            } else {
                input.span()
            };
            return Err(syn::Error::new(
                at,
                "expected `in` after the pattern: `for PAT in EXPR { BODY }`",
            ));
        }
        let in_token: Token![in] = input.parse()?;
        if input.is_empty() || (input.peek(token::Brace) && !input.peek2(token::Brace)) {
            let message = "expected what to loop over after `in`: `for PAT in EXPR { BODY }`";
            return Err(syn::Error::new(in_token.span, message));
        }
        let source = Expr::parse_without_eager_brace(input)?;
        syntax.head = Some(Head {
            place: for_token.span,
            label: label.map(|label| label.name),
            pat,
            source,
        });
        if !input.peek(token::Brace) {
            let at = if input.is_empty() {
                for_token.span
            } else {
                input.span()
            };
            return Err(syn::Error::new(
                at,
                "the loop has no body; write `{ … }` after the expression",
            ));
        }
        let body: TokenTree = input.parse()?;
        syntax.original = without(tokens, input.fork().parse()?);
        trailing(input, errors);
        if let TokenTree::Group(group) = body {
            let read = |input: ParseStream<'_>| {
                Ok((Attribute::parse_inner(input)?, Block::parse_within(input)?))
            };
            let read = parse_tokens(group.stream(), group.span_close(), read);
            let (attrs, stmts) = read.map_err(|error| {
                let text = format!("`parallel_for!` cannot read this body: {error}");
                syn::Error::new(error.span(), text)
            })?;
            syntax.body = Some(Body {
                brace: token::Brace {
                    span: group.delim_span(),
                },
                attrs,
                stmts,
                conditional: mentions_cfg(group.stream()),
            });
        }
        Ok(())
    });
}

/// A comma may follow the loop; anything else is a mistake.
fn trailing(input: ParseStream<'_>, errors: &Errors) {
    let comma: Option<Token![,]> = input.parse().ok();
    if input.is_empty() {
        return;
    }
    let option =
        input.peek(Ident::peek_any) && (input.peek2(Token![=]) || input.peek2(token::Paren));
    errors.push(input.error(if option {
        "options come before the loop; move this in front of `for`"
    } else if comma.is_some() {
        "nothing may follow the loop"
    } else {
        "nothing may follow the body of the loop"
    }));
    skip(input, |_| false);
}

impl Parse for Opt {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected an option or `for`; write {SHAPE}")));
        }
        let name = Ident::parse_any(input)?;
        if input.peek(Token![=]) && !input.peek(Token![==]) {
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(syn::Error::new(
                    name.span(),
                    format!("`{name} =` lacks its value"),
                ));
            }
            Ok(Self {
                name,
                form: Form::Value(input.parse()?),
            })
        } else if input.peek(token::Paren) {
            let content;
            let paren = syn::parenthesized!(content in input);
            Ok(Self {
                name,
                form: Form::List(paren, content.parse()?),
            })
        } else {
            Err(syn::Error::new(
                name.span(),
                format!("expected `{name} = …`, an option, or `for`"),
            ))
        }
    }
}

/// Reads a comma-separated list, recording what cannot be read and going on behind the next comma.
pub(super) fn list<T>(
    input: ParseStream<'_>,
    errors: &Errors,
    item: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> Vec<T> {
    let mut items = Vec::new();
    while !input.is_empty() {
        match item(input) {
            Ok(item) => {
                items.push(item);
                if !input.is_empty() && !input.peek(Token![,]) {
                    errors.push(input.error("expected `,`"));
                }
            }
            Err(error) => errors.push(error),
        }
        skip(input, |input| input.peek(Token![,]));
        let _: Option<Token![,]> = input.parse().ok();
    }
    items
}

/// Throws tokens away up to the place that `stop` recognises.
fn skip(input: ParseStream<'_>, stop: impl Fn(ParseStream<'_>) -> bool) {
    while !input.is_empty() && !stop(input) && input.parse::<TokenTree>().is_ok() {}
}

/// Runs `read` over `tokens`; an error it gives is recorded.
pub(super) fn in_tokens<T: Default>(
    tokens: &[TokenTree],
    errors: &Errors,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> T {
    let mut value = T::default();
    let all = |input: ParseStream<'_>| {
        match read(input) {
            Ok(read) => value = read,
            Err(error) => errors.push(error),
        }
        skip(input, |_| false);
        Ok(())
    };
    let tokens: TokenStream = tokens.iter().cloned().collect();
    let end = end_of(&tokens);
    if let Err(error) = parse_tokens(tokens, end, all) {
        errors.push(error);
    }
    value
}

/// Where the loop begins: at a keyword or label that starts the input or follows a comma, else (a comma was forgotten)
/// at the first `for`.
fn start_of_loop(tokens: &[TokenTree]) -> Option<usize> {
    let starts = |&at: &usize| at == 0 || is_punct(&tokens[at - 1], ',');
    let is_loop = |&at: &usize| {
        keyword(attribute_free(&tokens[at..])).is_some() || is_label(attribute_free(&tokens[at..]))
    };
    let is_for = |&at: &usize| {
        matches!(&tokens[at], TokenTree::Ident(word) if word == "for")
            && tokens.get(at + 1).is_some_and(|next| !is_punct(next, '<'))
    };
    let all = 0..tokens.len();
    all.clone()
        .filter(starts)
        .find(is_loop)
        .or_else(|| all.clone().find(is_for))
}

/// The loop's keyword behind an optional label; `None` for what is no loop.
fn keyword(tokens: &[TokenTree]) -> Option<Ident> {
    let tokens = if is_label(tokens) {
        &tokens[3..]
    } else {
        tokens
    };
    match tokens {
        // `for<'a> |…| …` is a closure.
        [TokenTree::Ident(word), next, ..] if word == "for" && is_punct(next, '<') => None,
        [TokenTree::Ident(word), next, ..] if *word == "while" || *word == "loop" => {
            // `loop = …` is a (wrong) option.
            (!is_punct(next, '=')).then(|| word.clone())
        }
        [TokenTree::Ident(word), ..] if word == "for" => Some(word.clone()),
        _ => None,
    }
}

fn is_label(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(quote), TokenTree::Ident(_), colon, ..]
        if quote.as_char() == '\'' && quote.spacing() == Spacing::Joint && is_punct(colon, ':'))
}

/// What stands behind the leading attributes.
fn attribute_free(mut tokens: &[TokenTree]) -> &[TokenTree] {
    while let [hash, TokenTree::Group(_), rest @ ..] = tokens
        && is_punct(hash, '#')
    {
        tokens = rest;
    }
    tokens
}

fn attributes<'a>(tokens: &'a [TokenTree], errors: &Errors) -> &'a [TokenTree] {
    let rest = attribute_free(tokens);
    if rest.len() < tokens.len() {
        let attributes: TokenStream = tokens[..tokens.len() - rest.len()]
            .iter()
            .cloned()
            .collect();
        errors.at(
            &quote!(#attributes),
            "an attribute cannot stand on the loop; put it in front of `parallel_for!`",
        );
    }
    rest
}

fn mentions_cfg(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "cfg",
        TokenTree::Group(group) => mentions_cfg(group.stream()),
        _ => false,
    })
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}
