//! Checks what literals among the options' values say. Whatever else a value is, rustc sees to it.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, ExprLit, Ident, Lit, LitStr};

use crate::diag::Errors;
use crate::rate::{self, Rate};
use crate::{duration, policy, progress};

/// An option's value, in the form in which it is written down.
pub(super) enum Value {
    /// The name of a variant of `ErrorPolicy`.
    Policy(&'static str),
    Duration(Duration),
    Rate(Rate),
    Expression(TokenStream),
}

/// `None` after an error: the option is then left out.
pub(super) fn read(key: &Ident, expr: &Expr, errors: &Errors) -> Option<Value> {
    match value(key, expr) {
        Ok(value) => Some(value),
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn value(key: &Ident, expr: &Expr) -> syn::Result<Value> {
    let word = key.to_string();
    let wrong = |message: String| Err(syn::Error::new_spanned(expr, message));
    match (word.as_str(), literal(expr)) {
        ("error_policy", Some(Lit::Str(text))) => return policy::variant(text).map(Value::Policy),
        ("error_policy", _) => {
            if let Some(error) = policy::without_quotes(expr) {
                return Err(error);
            }
        }
        ("monitor", Some(Lit::Str(text))) => {
            return span(
                text,
                "the interval of `monitor` must be longer than zero; `monitor = false` turns it off",
            );
        }
        ("progress", literal) => progress::check(key, literal)?,
        ("timeout", Some(Lit::Str(text))) => {
            return span(
                text,
                "`timeout` must be longer than zero; leave it out for no limit",
            );
        }
        ("rate_limit", Some(Lit::Str(text))) => return rate::parse(text).map(Value::Rate),
        ("timeout", Some(Lit::Int(_) | Lit::Float(_))) => {
            return wrong("`timeout` needs a unit; write it like `timeout = \"2s\"`".into());
        }
        ("rate_limit", Some(Lit::Int(_) | Lit::Float(_))) => {
            return wrong(
                "`rate_limit` needs a span of time; write it like `rate_limit = \"10/s\"`".into(),
            );
        }
        ("capacity", _) if is_negative(expr) => {
            return wrong(
                "`capacity` must not be negative; leave it out for as many as there are workers"
                    .into(),
            );
        }
        _ if is_zero(expr) || is_negative(expr) => {
            if let Some(without) = without(&word) {
                return wrong(format!(
                    "`{key}` must be at least 1; leave it out {without}"
                ));
            }
        }
        _ => {}
    }
    Ok(Value::Expression(expr.to_token_stream()))
}

/// What leaving out an option means that counts from 1 on.
fn without(key: &str) -> Option<&'static str> {
    match key {
        "workers" => Some("for the machine's parallelism"),
        "raise_after" => Some("to stop at the first failure"),
        "retry" => Some("to try once: the first attempt counts"),
        "max_tasks_per_thread" => Some("to keep the threads"),
        _ => None,
    }
}

fn span(text: &LitStr, zero: &str) -> syn::Result<Value> {
    match duration::parse(text)? {
        Duration::ZERO => Err(syn::Error::new(text.span(), zero)),
        span => Ok(Value::Duration(span)),
    }
}

/// The literal that `expr` is, also where a `macro_rules!` variable has put it into an invisible group.
pub(super) fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn is_zero(expr: &Expr) -> bool {
    matches!(literal(expr), Some(Lit::Int(number)) if number.base10_digits() == "0")
}

/// A literal negative number.
fn is_negative(expr: &Expr) -> bool {
    matches!(expr, Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_))
        && matches!(literal(&unary.expr), Some(Lit::Int(_))))
}
