//! Reads the options and the function. The body stays an opaque token tree: nothing here depends on what is in it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Path, Signature, Token, Visibility};

use crate::diag::Errors;
use crate::{duration, nearest, policy};

const OPTIONS: &[&str] = &[
    "workers",
    "error_policy",
    "name",
    "capacity",
    "monitor",
    "keep_args",
    "type",
    "fallible",
    "associated",
    "crate",
];

/// What the attribute says, each value in the form in which it is used.
#[derive(Default)]
pub(super) struct Options {
    /// What the pool is made with, in the order of the text: `workers`, `name` and so on.
    pub(super) settings: Vec<Setting>,
    pub(super) keep_args: Option<bool>,
    /// `type = Name`: the companion's name where the function's own is taken.
    pub(super) type_name: Option<Ident>,
    pub(super) fallible: Option<bool>,
    pub(super) associated: Option<Ident>,
    pub(super) krate: Option<Path>,
}

/// An option whose value is an expression, evaluated once when the pool is first used.
pub(super) struct Setting {
    pub(super) key: Ident,
    pub(super) value: Value,
}

pub(super) enum Value {
    /// The name of a variant of `ErrorPolicy`.
    Policy(&'static str),
    /// Seconds and nanoseconds.
    Duration(u64, u32),
    Expression(TokenStream),
}

/// The annotated function.
pub(super) struct Function {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) sig: Signature,
    /// Everything before the body, as it was written.
    pub(super) head: TokenStream,
    pub(super) body: Group,
}

/// Reads all options; a mistake is recorded, and the option left out.
pub(super) fn options(args: TokenStream, errors: &Errors) -> Options {
    let mut options = Options::default();
    let read = |input: ParseStream<'_>| {
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            if let Err(error) = option(input, &mut options, &mut seen, errors) {
                errors.push(error);
            }
            skip_to_comma(input);
        }
        Ok(())
    };
    if let Err(error) = read.parse2(args) {
        errors.push(error);
    }
    options
}

fn option(
    input: ParseStream<'_>,
    options: &mut Options,
    seen: &mut Vec<Ident>,
    errors: &Errors,
) -> syn::Result<()> {
    let unnamed = |error: syn::Error| {
        syn::Error::new(
            error.span(),
            format!(
                "expected an option such as `workers = 5`; the options are {}",
                list(OPTIONS)
            ),
        )
    };
    let key = input.call(Ident::parse_any).map_err(unnamed)?;
    let text = key.to_string();
    let refusal = if !OPTIONS.contains(&text.as_str()) {
        Some(unknown_option(&text))
    } else if seen.contains(&key) {
        Some(format!("`{text}` is given twice; keep one of them"))
    } else {
        None
    };
    if let Some(message) = refusal {
        skip_value(input);
        return Err(syn::Error::new(key.span(), message));
    }
    seen.push(key.clone());
    if text == "associated" && (input.is_empty() || input.peek(Token![,])) {
        options.associated = Some(key);
        return Ok(());
    }
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(
            key.span(),
            format!("`{text}` needs a value: `{text} = {}`", example(&text)),
        ));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(
            key.span(),
            format!("`{text}` needs a value: `{text} = {}`", example(&text)),
        ));
    }
    match text.as_str() {
        "type" => options.type_name = Some(input.parse()?),
        "crate" => options.krate = Some(input.call(Path::parse_mod_style)?),
        "keep_args" => options.keep_args = Some(flag(input, &text)?),
        "fallible" => options.fallible = Some(flag(input, &text)?),
        "associated" => options.associated = flag(input, &text)?.then_some(key),
        _ => {
            let expr: Expr = input.parse()?;
            if let Some(value) = value(&text, &expr, errors) {
                options.settings.push(Setting { key, value });
            }
        }
    }
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error(format!("expected `,` after the value of `{text}`")));
    }
    Ok(())
}

fn unknown_option(text: &str) -> String {
    let hint = nearest::nearest(text, OPTIONS)
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    format!(
        "unknown option `{text}`; {hint}the options are {}",
        list(OPTIONS)
    )
}

/// `None` after an error: the pool then gets its default.
fn value(key: &str, expr: &Expr, errors: &Errors) -> Option<Value> {
    match (key, literal(expr)) {
        ("error_policy", Some(Lit::Str(text))) => {
            let variant = policy::variant(text).map_err(|error| errors.push(error));
            variant.ok().map(Value::Policy)
        }
        ("error_policy", _) => match policy::without_quotes(expr) {
            None => Some(Value::Expression(expr.to_token_stream())),
            Some(error) => {
                errors.push(error);
                None
            }
        },
        ("monitor", Some(Lit::Str(text))) => interval(text, errors),
        ("workers", _) if is_zero(expr) || is_negative(expr) => {
            errors.at(
                expr,
                format!(
                    "`workers` must be at least 1; leave it out for {}",
                    default_of(key)
                ),
            );
            None
        }
        ("capacity", _) if is_negative(expr) => {
            errors.at(
                expr,
                format!(
                    "`capacity` must not be negative; leave it out for {}",
                    default_of(key)
                ),
            );
            None
        }
        _ => Some(Value::Expression(expr.to_token_stream())),
    }
}

fn interval(text: &LitStr, errors: &Errors) -> Option<Value> {
    match duration::parse(text) {
        Ok(interval) if interval.is_zero() => {
            errors.at(text, "the interval of `monitor` must be longer than zero; `monitor = false` turns it off");
            None
        }
        Ok(interval) => Some(Value::Duration(interval.as_secs(), interval.subsec_nanos())),
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

/// The literal that `expr` is, also where a `macro_rules!` variable has put it into an invisible group.
fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// A literal zero, or a negative number.
fn is_zero(expr: &Expr) -> bool {
    matches!(literal(expr), Some(Lit::Int(number)) if number.base10_digits() == "0")
}

fn is_negative(expr: &Expr) -> bool {
    matches!(expr, Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_))
        && matches!(literal(&unary.expr), Some(Lit::Int(_))))
}

fn flag(input: ParseStream<'_>, key: &str) -> syn::Result<bool> {
    let expr: Expr = input.parse()?;
    match literal(&expr) {
        Some(Lit::Bool(flag)) => Ok(flag.value),
        _ => Err(syn::Error::new_spanned(
            &expr,
            format!(
                "`{key}` decides which code is written, so it must be `true` or `false` itself, not an expression"
            ),
        )),
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "error_policy" => "\"raise\"",
        "name" => "\"downloads\"",
        "monitor" => "\"500ms\"",
        "keep_args" => "false",
        "type" => "Name",
        "fallible" | "associated" => "true",
        "crate" => "path::to::futureproof",
        _ => "5",
    }
}

fn default_of(key: &str) -> &'static str {
    match key {
        "workers" => "the machine's parallelism",
        _ => "as many as there are workers",
    }
}

/// `` `a`, `b` and `c` ``
fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
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

/// Reads a function, free or associated.
pub(super) fn function(item: &TokenStream) -> syn::Result<Function> {
    let not_a_function = |error: syn::Error| {
        let place = item
            .clone()
            .into_iter()
            .next()
            .map_or_else(|| error.span(), |first| first.span());
        syn::Error::new(
            place,
            "`#[task_pool]` goes on a function; annotate the function whose calls are to run at once",
        )
    };
    let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let last = tokens.pop();
    let head: TokenStream = tokens.into_iter().collect();
    let Head { attrs, vis, sig } = match syn::parse2(head.clone()) {
        Ok(head) => head,
        Err(error) => return Err(not_a_function(error)),
    };
    match last {
        Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => Ok(Function {
            attrs,
            vis,
            sig,
            head,
            body,
        }),
        other => Err(syn::Error::new(
            other.map_or_else(|| sig.span(), |token| token.span()),
            "`#[task_pool]` needs a function with a body; annotate the one that does the work",
        )),
    }
}

/// A function up to its body.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
        })
    }
}
