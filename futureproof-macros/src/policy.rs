//! What both macros say of error policies.

use syn::{Expr, Ident, LitStr};

use crate::nearest::nearest;

const POLICIES: &[&str] = &["raise", "log", "ignore"];

/// The variant of `ErrorPolicy` behind a literal.
pub(crate) fn variant(text: &LitStr) -> syn::Result<&'static str> {
    let name = text.value();
    match name.as_str() {
        "raise" => Ok("Raise"),
        "log" => Ok("Log"),
        "ignore" => Ok("Ignore"),
        _ => {
            let meant = nearest(&name, POLICIES).map(|near| format!("did you mean {near:?}? "));
            Err(syn::Error::new(
                text.span(),
                format!(
                    "unknown error policy {name:?}; {}the policies are \"raise\", \"log\" and \"ignore\"",
                    meant.unwrap_or_default()
                ),
            ))
        }
    }
}

/// Refuses `error_policy = log`, a policy's name without its quotes.
pub(crate) fn without_quotes(value: &Expr) -> Option<syn::Error> {
    let name: &Ident = match value {
        Expr::Path(path) => path.path.get_ident()?,
        Expr::Group(group) => return without_quotes(&group.expr),
        _ => return None,
    };
    POLICIES.iter().any(|policy| name == policy).then(|| {
        syn::Error::new(
            name.span(),
            format!("a policy is a string; write `error_policy = \"{name}\"`"),
        )
    })
}
