//! Second pass: syntax to facts. Options are looked up and their literals read; what is left for the expander holds no
//! question any more.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lifetime, Lit, Pat, Token, token};

use super::names::{self, OPTIONS};
use super::parse::{self, Body, Form, Opt, Syntax};
use crate::diag::Errors;
use crate::duration;
use crate::policy;
use crate::progress;

/// One loop, ready to be expanded.
pub(super) struct Loop {
    /// The path to the crate.
    pub(super) krate: Ident,
    /// Where it begins.
    pub(super) place: Span,
    pub(super) options: Options,
    pub(super) label: Option<Lifetime>,
    pub(super) pat: Pat,
    pub(super) source: Expr,
    pub(super) body: Body,
}

#[derive(Default)]
pub(super) struct Options {
    /// What goes to the loop's builder, in the order of the text.
    pub(super) settings: Vec<Setting>,
    pub(super) policy: Policy,
    pub(super) reduce: Vec<Reduced>,
    pub(super) local: Vec<Local>,
    /// Could not all names of `reduce` and `local` be read? Then nothing can be said about the others.
    pub(super) names_missing: bool,
    /// With `stop` or `deadline` the loop evaluates to a `Result`.
    pub(super) stoppable: bool,
}

pub(super) struct Setting {
    /// The builder's method, with the span of the option.
    pub(super) method: Ident,
    pub(super) value: Value,
}

pub(super) enum Value {
    Expr(Expr),
    Duration(Duration),
    /// A literal policy other than `"raise"`: the variant of `ErrorPolicy`.
    Policy(&'static str),
    /// A policy known at run time only; later used by name.
    PolicyExpr(Expr),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Policy {
    #[default]
    Raise,
    Log,
    Ignore,
    /// Known at run time only: compiled as under raise.
    Unknown,
}

pub(super) struct Reduced {
    pub(super) name: Ident,
    pub(super) how: How,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Added,
    Largest,
    Smallest,
}

/// One value per worker: `local(name = value)`.
pub(super) struct Local {
    pub(super) name: Ident,
    pub(super) value: Expr,
}

/// Looks the options up; what is wrong is recorded and left out.
pub(super) fn resolve(options: &[Opt], errors: &Errors) -> Options {
    let mut resolved = Options::default();
    let mut seen: Vec<&Ident> = Vec::new();
    for option in options {
        if seen.contains(&&option.name) {
            let name = &option.name;
            let hint = match &option.form {
                Form::List(..) => format!("write one `{name}(a, b, …)`"),
                Form::Value(_) => "keep one of them".to_owned(),
            };
            errors.at(name, format!("`{name}` is given twice; {hint}"));
            resolved.names_missing |= binds(&name.to_string());
            continue;
        }
        seen.push(&option.name);
        resolved.add(option, errors);
    }
    resolved
}

/// Puts a loop together, if the parts of it could be read.
pub(super) fn assemble(syntax: Syntax, options: Options) -> Option<Loop> {
    let Syntax {
        krate, head, body, ..
    } = syntax;
    let (head, body) = (head?, body?);
    Some(Loop {
        krate,
        place: head.place,
        options,
        label: head.label,
        pat: head.pat,
        source: head.source,
        body,
    })
}

impl Options {
    fn add(&mut self, option: &Opt, errors: &Errors) {
        let name = &option.name;
        let word = name.to_string();
        let before = errors.len();
        self.stoppable |= word == "stop" || word == "deadline";
        match (word.as_str(), &option.form) {
            ("reduce", Form::List(paren, tokens)) => {
                let names = elements(paren, tokens, "reduce(a, max(b), min(c))", reduced, errors);
                let taken: Vec<&Ident> = self.local.iter().map(|local| &local.name).collect();
                self.reduce = unique(names, |reduced: &Reduced| &reduced.name, &taken, errors);
            }
            ("local", Form::List(paren, tokens)) => {
                let names = elements(paren, tokens, "local(x = EXPR)", local, errors);
                let taken: Vec<&Ident> = self.reduce.iter().map(|reduced| &reduced.name).collect();
                self.local = unique(names, |local: &Local| &local.name, &taken, errors);
            }
            ("reduce", Form::Value(_)) => {
                errors.at(name, "names go in parentheses: `reduce(a, b, …)`");
            }
            ("local", Form::Value(_)) => {
                errors.at(name, "values go in parentheses: `local(x = EXPR, …)`");
            }
            (known, Form::List(..)) if OPTIONS.contains(&known) => {
                errors.at(name, format!("this option is written `{name} = …`"));
            }
            (known, Form::Value(value)) if OPTIONS.contains(&known) => {
                self.set(name, value, errors);
            }
            (unknown, _) => {
                let near = names::meant(unknown);
                self.names_missing |= near.is_some_and(binds);
                errors.at(name, names::unknown(unknown, near));
            }
        }
        self.names_missing |= binds(&word) && errors.len() > before;
    }

    /// `name = value`, for a name that is known to be one of the options written so.
    fn set(&mut self, name: &Ident, value: &Expr, errors: &Errors) {
        let word = name.to_string();
        let literal = literal(value);
        let value = match (word.as_str(), literal) {
            ("error_policy", Some(Lit::Str(text))) => match policy::variant(text) {
                Ok("Raise") => return,
                Ok(variant) => {
                    self.policy = if variant == "Log" {
                        Policy::Log
                    } else {
                        Policy::Ignore
                    };
                    Value::Policy(variant)
                }
                Err(error) => return errors.push(error),
            },
            ("error_policy", Some(other)) => {
                return errors.at(other, "a policy is \"raise\", \"log\" or \"ignore\", or an expression of type `ErrorPolicy`");
            }
            ("error_policy", None) => {
                if let Some(error) = policy::without_quotes(value) {
                    return errors.push(error);
                }
                self.policy = Policy::Unknown;
                Value::PolicyExpr(value.clone())
            }
            ("workers", Some(Lit::Int(zero))) if is_zero(zero) => {
                return errors.at(
                    zero,
                    "a loop needs at least one worker (the calling thread is one); leave `workers` out for the pool's number",
                );
            }
            ("batch", Some(Lit::Int(zero))) if is_zero(zero) => {
                return errors.at(
                    zero,
                    "a batch holds at least one item; `batch = 1` never reads ahead",
                );
            }
            ("monitor" | "deadline", Some(Lit::Str(text))) => match duration::parse(text) {
                Ok(interval) if word == "monitor" && interval.is_zero() => {
                    return errors.at(text, "the monitor's interval must be longer than zero; `monitor = false` turns it off");
                }
                Ok(duration) => Value::Duration(duration),
                Err(error) => return errors.push(error),
            },
            ("progress", literal) => match progress::check(name, literal) {
                Ok(()) => Value::Expr(value.clone()),
                Err(error) => return errors.push(error),
            },
            ("live", Some(other)) => {
                return errors.at(
                    other,
                    "`live` takes a reference to a `LiveReport`; write `live = &report`, and in front of the loop \
                     `let report = LiveReport::new();`",
                );
            }
            _ => Value::Expr(value.clone()),
        };
        self.settings.push(Setting {
            method: name.clone(),
            value,
        });
    }
}

/// Does this option say what names in the body mean?
fn binds(option: &str) -> bool {
    option == "reduce" || option == "local"
}

/// The elements between an option's parentheses.
fn elements<T>(
    paren: &token::Paren,
    tokens: &TokenStream,
    form: &str,
    element: fn(ParseStream<'_>) -> syn::Result<T>,
    errors: &Errors,
) -> Vec<T> {
    if tokens.is_empty() {
        errors.at_span(paren.span.join(), format!("no names here; write `{form}`"));
    }
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    parse::in_tokens(&tokens, errors, |input| {
        Ok(parse::list(input, errors, element))
    })
}

/// `a`, `max(a)` or `min(a)`.
fn reduced(input: ParseStream<'_>) -> syn::Result<Reduced> {
    const HINT: &str = "`reduce` takes names of variables: `reduce(a, max(b), min(c))`; \
                        bind other places to a variable before the loop";
    let start = input.fork();
    let first = Ident::parse_any(input).map_err(|_| start.error(HINT))?;
    if input.peek(token::Paren) {
        let how = match first.to_string().as_str() {
            "max" => How::Largest,
            "min" => How::Smallest,
            other => {
                let message = format!(
                    "`{other}` is no way to reduce; there are `max(a)`, `min(a)` and plain `a` (add, append, unite)"
                );
                return Err(syn::Error::new(first.span(), message));
            }
        };
        let content;
        syn::parenthesized!(content in input);
        let names: TokenStream = content.parse()?;
        let one = |input: ParseStream<'_>| {
            Ok((
                input.parse::<Ident>()?,
                input.is_empty(),
                input.parse::<TokenStream>()?,
            ))
        };
        let (name, alone, _) = one
            .parse2(names)
            .map_err(|_| syn::Error::new(first.span(), HINT))?;
        if !alone {
            return Err(syn::Error::new(
                first.span(),
                format!("`{first}` takes one name; write `{first}(a), {first}(b)`"),
            ));
        }
        return Ok(Reduced { name, how });
    }
    let is_keyword = syn::parse2::<Ident>(first.to_token_stream()).is_err();
    if !(input.is_empty() || input.peek(Token![,])) || is_keyword {
        return Err(syn::Error::new(first.span(), HINT));
    }
    Ok(Reduced {
        name: first,
        how: How::Added,
    })
}

/// `x = EXPR`; the value is mutable without saying so.
fn local(input: ParseStream<'_>) -> syn::Result<Local> {
    if input.peek(Token![mut]) {
        return Err(
            input.error("a `local` is mutable in the body without `mut`; write `local(x = EXPR)`")
        );
    }
    let name: Ident = input.parse().map_err(|error| {
        syn::Error::new(
            error.span(),
            "expected the name of the value: `local(x = EXPR)`",
        )
    })?;
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(
            name.span(),
            format!("`{name}` lacks its value; write `local({name} = EXPR)`"),
        ));
    }
    input.parse::<Token![=]>()?;
    Ok(Local {
        name,
        value: input.parse()?,
    })
}

/// Leaves out, and records, what has the name of another one.
fn unique<T>(
    found: Vec<T>,
    name: impl Fn(&T) -> &Ident,
    taken: &[&Ident],
    errors: &Errors,
) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in found {
        let new = name(&item);
        if taken.contains(&new) || kept.iter().any(|other| name(other) == new) {
            errors.at(new, format!("`{new}` is named twice; keep one of them"));
        } else {
            kept.push(item);
        }
    }
    kept
}

/// The literal that an expression is, also inside the invisible group of a `macro_rules!` fragment.
fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn is_zero(number: &syn::LitInt) -> bool {
    number.base10_digits() == "0"
}
