//! Expressions of the user's in front of braces of ours, as in `match EXPR { … }`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Expr;

/// The expression, in parentheses where the braces would else belong to it.
pub(super) fn before_braces(expr: &Expr, span: Span) -> TokenStream {
    if takes_braces(expr) {
        quote_spanned!(span=> (#expr))
    } else {
        expr.to_token_stream()
    }
}

/// Is a struct literal at the start, or something at the end that a block could be the value of?
fn takes_braces(expr: &Expr) -> bool {
    match expr {
        Expr::Struct(_) | Expr::Return(_) | Expr::Break(_) | Expr::Yield(_) => true,
        Expr::Await(found) => takes_braces(&found.base),
        Expr::Call(found) => takes_braces(&found.func),
        Expr::Field(found) => takes_braces(&found.base),
        Expr::Group(found) => takes_braces(&found.expr),
        Expr::Index(found) => takes_braces(&found.expr),
        Expr::MethodCall(found) => takes_braces(&found.receiver),
        Expr::Try(found) => takes_braces(&found.expr),
        Expr::Assign(found) => takes_braces(&found.left) || takes_braces(&found.right),
        Expr::Binary(found) => takes_braces(&found.left) || takes_braces(&found.right),
        Expr::Cast(found) => takes_braces(&found.expr),
        Expr::Closure(found) => takes_braces(&found.body),
        Expr::RawAddr(found) => takes_braces(&found.expr),
        Expr::Reference(found) => takes_braces(&found.expr),
        Expr::Unary(found) => takes_braces(&found.expr),
        Expr::Range(found) => {
            let ends = [&found.start, &found.end];
            ends.into_iter().flatten().any(|end| takes_braces(end))
        }
        _ => false,
    }
}
