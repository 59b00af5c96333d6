//! Other macros in a body: their arguments are rewritten as expressions where they hold a way out, and left alone where
//! they do not.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::visit_mut::VisitMut;
use syn::{Attribute, Expr, Macro, Token};

use super::exits::Exit;
use super::model::Policy;
use super::rewrite::{Rewriter, parens};
use crate::diag::Errors;

/// A macro that means more to the loop than its arguments.
enum Special {
    /// A nested `parallel_for!`.
    Loop,
    /// A macro that hides `return Err(…)`; does it always take it?
    Bail { always: bool },
}

/// Macros are known by their name, whatever the path.
fn special(mac: &Macro) -> Option<Special> {
    special_name(&name(mac))
}

fn special_name(name: &str) -> Option<Special> {
    match name {
        "parallel_for" => Some(Special::Loop),
        "bail" => Some(Special::Bail { always: true }),
        "ensure" | "ensure_eq" | "ensure_ne" => Some(Special::Bail { always: false }),
        _ => None,
    }
}

/// Macros that take tokens as data.
fn quotes(name: &str) -> bool {
    matches!(
        name,
        "stringify" | "quote" | "quote_spanned" | "parse_quote" | "parse_quote_spanned"
    )
}

fn name(mac: &Macro) -> String {
    mac.path
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

/// Rewrites the ways out in the arguments of an ordinary macro.
pub(super) fn rewrite_arguments(mac: &mut Macro, rewriter: &mut Rewriter<'_>) {
    let name = name(mac);
    // A loop that is still there could not be read, and says so itself.
    if special(mac).is_some() || quotes(&name) || !holds(&mac.tokens, &is_way_out) {
        return;
    }
    let arguments = |input: ParseStream<'_>| arguments(input, &name, rewriter);
    if let Ok(tokens) = arguments.parse2(mac.tokens.clone()) {
        mac.tokens = tokens;
    }
}

impl Rewriter<'_> {
    /// A macro that is more than its arguments: a nested loop, or one that hides a `return`.
    pub(super) fn special(&mut self, mac: &Macro, attrs: &mut Vec<Attribute>) -> Option<Expr> {
        let span = self.names.at(mac.path.segments.last()?.ident.span());
        let tokens = match special(mac)? {
            Special::Loop => {
                let errors = Errors::new();
                let tokens =
                    super::compile(self.krate.clone(), mac.tokens.clone(), &errors, Some(self));
                let failed = !errors.is_empty();
                // The nested macro is left standing, and says it all again for itself.
                drop(errors.into_compile_errors());
                self.gave_up |= failed || tokens.is_none();
                tokens.filter(|_| !failed)?
            }
            Special::Bail { always } => {
                refuse_jumps(mac, self.errors);
                self.bail(mac, always, span)
            }
        };
        Some(parens(std::mem::take(attrs), tokens, span))
    }

    fn bail(&mut self, mac: &Macro, always: bool, span: Span) -> TokenStream {
        let exit = Exit::Bail { at: span };
        let error = quote_spanned!(span=> __error);
        let value = match self.policy {
            Policy::Raise | Policy::Unknown => {
                let sent = self.sent(&error, span);
                self.filled(&exit, &sent)
            }
            Policy::Log | Policy::Ignore => error.clone(),
        };
        let residual = self.residual(&error, span);
        let flow = self.failing(&exit, &value, &residual);
        let jump = self.jump(&flow, span);
        let private = self.names.private(span);
        let (run, passed) = if always {
            (
                quote_spanned!(span=> #mac),
                quote_spanned!(span=> ::core::unreachable!()),
            )
        } else {
            (
                quote_spanned!(span=> #mac; ::core::result::Result::Ok(())),
                quote_spanned!(span=> ()),
            )
        };
        quote_spanned! {span=>
            match #private::broke(|| { #run }) {
                ::core::result::Result::Ok(()) => #passed,
                ::core::result::Result::Err(__error) => #jump,
            }
        }
    }
}

/// Records `return`, `break` and `continue` in a macro whose arguments cannot be rewritten.
fn refuse_jumps(mac: &Macro, errors: &Errors) {
    refuse(&mac.tokens, &name(mac), errors);
}

fn arguments(
    input: ParseStream<'_>,
    name: &str,
    rewriter: &mut Rewriter<'_>,
) -> syn::Result<TokenStream> {
    let mut output = TokenStream::new();
    while !input.is_empty() {
        if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?.to_tokens(&mut output);
            continue;
        }
        if at_separator(input) {
            output.extend([input.parse::<TokenTree>()?]);
            continue;
        }
        let ahead = input.fork();
        let parsed = ahead
            .parse::<Expr>()
            .ok()
            .filter(|_| ahead.is_empty() || at_separator(&ahead));
        let mut tokens = TokenStream::new();
        while !input.is_empty()
            && if parsed.is_some() {
                input.cursor() != ahead.cursor()
            } else {
                !at_separator(input)
            }
        {
            tokens.extend([input.parse::<TokenTree>()?]);
        }
        match parsed {
            Some(mut expr) if holds(&tokens, &is_way_out) => {
                rewriter.visit_expr_mut(&mut expr);
                expr.to_tokens(&mut output);
            }
            Some(_) => output.extend(tokens),
            None => {
                refuse(&tokens, name, rewriter.errors);
                output.extend(tokens);
            }
        }
    }
    Ok(output)
}

fn at_separator(input: ParseStream<'_>) -> bool {
    input.peek(Token![,]) || input.peek(Token![;]) || input.peek(Token![=>])
}

/// Records the first jump in tokens that are no expression.
fn refuse(tokens: &TokenStream, name: &str, errors: &Errors) {
    holds(tokens, &|_, token| {
        let TokenTree::Ident(word) = token else {
            return false;
        };
        let jump = is_jump(token);
        if jump {
            let message = format!(
                "`{word}` among the arguments of `{name}!` cannot leave the loop from there; move it out of the macro, \
                 e.g. into a `match` or a `let … else` before it"
            );
            errors.at(word, message);
        }
        jump
    });
}

/// Is there a token, at any depth, for which `is` holds, given the one before it?
fn holds(tokens: &TokenStream, is: &impl Fn(Option<&TokenTree>, &TokenTree) -> bool) -> bool {
    let mut before = None;
    tokens.clone().into_iter().any(|token| {
        let found = is(before.as_ref(), &token)
            || matches!(&token, TokenTree::Group(group) if holds(&group.stream(), is));
        before = Some(token);
        found
    })
}

fn is_jump(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if *word == "return" || *word == "break" || *word == "continue")
}

/// Could this token be, or begin, a way out? A `?` only behind an operand: `?Sized` and `?field` are something else.
fn is_way_out(before: Option<&TokenTree>, token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => is_jump(token) || *word == "await",
        TokenTree::Punct(punct) if punct.as_char() == '?' => match before {
            Some(TokenTree::Group(group)) => {
                group.delimiter() != Delimiter::None || !group.stream().is_empty()
            }
            Some(TokenTree::Ident(_) | TokenTree::Literal(_)) => true,
            Some(TokenTree::Punct(punct)) => punct.as_char() == '?',
            None => false,
        },
        TokenTree::Punct(punct) if punct.as_char() == '!' => {
            matches!(before, Some(TokenTree::Ident(name)) if special_name(&name.to_string()).is_some())
        }
        _ => false,
    }
}
