//! Reads the options.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::{Expr, Ident, Lit, Path, Token};

use super::values::{self, Value};
use crate::diag::{Errors, end_of, parse_tokens};
use crate::nearest;

/// Every option, with a value as an example.
pub(crate) const OPTIONS: &[(&str, &str)] = &[
    ("workers", "5"),
    ("error_policy", "\"raise\""),
    ("raise_after", "3"),
    ("retry", "3"),
    ("retry_if", "|error| error.is_transient()"),
    ("timeout", "\"2s\""),
    ("rate_limit", "\"10/s\""),
    ("capacity", "5"),
    ("name", "\"downloads\""),
    ("monitor", "\"500ms\""),
    ("progress", "true"),
    ("max_tasks_per_thread", "1000"),
    ("on_thread_start", "|| set_up()"),
    ("on_thread_stop", "|| clean_up()"),
    ("keep_args", "false"),
    ("type", "Name"),
    ("fallible", "true"),
    ("associated", "true"),
    ("crate", "path::to::futureproof"),
];

/// What other libraries call the same, where the spelling does not give it away.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("max_workers", "workers"),
    ("threads", "workers"),
    ("concurrency", "workers"),
    ("retries", "retry"),
    ("max_retries", "retry"),
    ("attempts", "retry"),
    ("rate", "rate_limit"),
    ("throttle", "rate_limit"),
    ("time_limit", "timeout"),
    ("max_tasks", "max_tasks_per_thread"),
    ("initializer", "on_thread_start"),
    ("bar", "progress"),
];

/// What the attribute says, each value in the form in which it is used.
#[derive(Default)]
pub(super) struct Options {
    /// What the pool is made with, in the order of the text: `workers`, `name` and so on.
    pub(super) settings: Vec<Setting>,
    /// Which errors are worth another attempt, in terms of the function's own types.
    pub(super) retry_if: Option<Setting>,
    pub(super) keep_args: Option<bool>,
    /// `type = Name`: the companion's name where the function's own is taken.
    pub(super) type_name: Option<Ident>,
    pub(super) fallible: Option<bool>,
    pub(super) associated: Option<Ident>,
    pub(super) krate: Option<Path>,
    /// The names of all options, also of those whose values are mistaken.
    given: Vec<Ident>,
}

/// An option whose value is an expression. Those of the pool are evaluated once, when it is first used.
pub(super) struct Setting {
    pub(super) key: Ident,
    pub(super) value: Value,
}

impl Options {
    /// The name of an option where it stands, if it is given.
    pub(super) fn given(&self, option: &str) -> Option<&Ident> {
        self.given.iter().find(|key| *key == option)
    }
}

/// Reads all options; a mistake is recorded, and the option left out.
pub(super) fn read(args: TokenStream, errors: &Errors) -> Options {
    let mut options = Options::default();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = option(input, &mut options, errors) {
                errors.push(error);
            }
            skip_to_comma(input);
        }
        Ok(())
    };
    let end = end_of(&args);
    if let Err(error) = parse_tokens(args, end, read) {
        errors.push(error);
    }
    options
}

fn option(input: ParseStream<'_>, options: &mut Options, errors: &Errors) -> syn::Result<()> {
    let unnamed = |error: syn::Error| {
        syn::Error::new(
            error.span(),
            format!(
                "expected an option such as `workers = 5`; the options are {}",
                list()
            ),
        )
    };
    let key = input.call(Ident::parse_any).map_err(unnamed)?;
    let text = key.to_string();
    let known = OPTIONS.iter().find(|(name, _)| *name == text);
    let refusal = match known {
        None => Some(unknown_option(&text)),
        Some(_) if options.given(&text).is_some() => {
            Some(format!("`{text}` is given twice; keep one of them"))
        }
        Some(_) => None,
    };
    if let Some(message) = refusal {
        skip_value(input);
        return Err(syn::Error::new(key.span(), message));
    }
    options.given.push(key.clone());
    if text == "associated" && (input.is_empty() || input.peek(Token![,])) {
        options.associated = Some(key);
        return Ok(());
    }
    let has_value = input.parse::<Option<Token![=]>>()?.is_some()
        && !input.is_empty()
        && !input.peek(Token![,]);
    if !has_value {
        let example = known.map_or("", |(_, example)| example);
        return Err(syn::Error::new(
            key.span(),
            format!("`{text}` needs a value: `{text} = {example}`"),
        ));
    }
    match text.as_str() {
        "type" => options.type_name = Some(input.parse()?),
        "crate" => options.krate = Some(krate(input)?),
        "keep_args" => options.keep_args = Some(flag(input, &text)?),
        "fallible" => options.fallible = Some(flag(input, &text)?),
        "associated" => options.associated = flag(input, &text)?.then_some(key),
        _ => {
            let expr: Expr = input.parse()?;
            let value = values::read(&key, &expr, errors);
            let setting = value.map(|value| Setting { key, value });
            match text.as_str() {
                "retry_if" => options.retry_if = setting,
                _ => options.settings.extend(setting),
            }
        }
    }
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error(format!("expected `,` after the value of `{text}`")));
    }
    Ok(())
}

/// The path of the crate, which is a module: the type `Self` is none.
fn krate(input: ParseStream<'_>) -> syn::Result<Path> {
    let path = input.call(Path::parse_mod_style)?;
    match path.segments.iter().find(|part| part.ident == "Self") {
        Some(part) => Err(syn::Error::new(
            part.ident.span(),
            "`crate` takes the path of this crate, e.g. `crate = path::to::futureproof`",
        )),
        None => Ok(path),
    }
}

fn unknown_option(text: &str) -> String {
    match text {
        "stop" | "deadline" => format!(
            "`{text}` belongs to one use of the pool, not to the pool; write `f::configure().{text}(…).scope(…)`"
        ),
        "live" => {
            "`live` belongs to a loop; a scope has `tasks.report()`, and the pool `f::pool().stats()`".into()
        }
        "reduce" | "local" | "batch" => format!(
            "unknown option `{text}`; it belongs to `parallel_for!`; the options are {}",
            list()
        ),
        _ => match meant(text) {
            Some(name) => format!("unknown option `{text}`; did you mean `{name}`?"),
            None => format!("unknown option `{text}`; the options are {}", list()),
        },
    }
}

/// The option that an unknown one was most likely meant to be.
fn meant(text: &str) -> Option<&'static str> {
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == text);
    let names: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
    other.map_or_else(|| nearest::nearest(text, &names), |(_, name)| Some(*name))
}

/// Of an option that decides which code is written.
fn flag(input: ParseStream<'_>, key: &str) -> syn::Result<bool> {
    let expr: Expr = input.parse()?;
    match values::literal(&expr) {
        Some(Lit::Bool(flag)) => Ok(flag.value),
        _ => Err(syn::Error::new_spanned(
            expr.to_token_stream(),
            format!(
                "`{key}` decides which code is written, so it must be `true` or `false` itself, not an expression"
            ),
        )),
    }
}

/// `` `a`, `b` and `c` ``
fn list() -> String {
    let quoted: Vec<String> = OPTIONS
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    match quoted.split_last() {
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Passes over `= EXPR`, so that a comma inside of it is not taken for its end.
fn skip_value(input: ParseStream<'_>) {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok() && ahead.parse::<Expr>().is_ok() {
        input.advance_to(&ahead);
    }
}

/// Puts the reader behind the next comma, whatever is left of the option that it was in.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.parse::<Token![,]>().is_ok() || input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
