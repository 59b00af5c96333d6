//! What methods do to a reduced variable, as far as their names say: the macro knows no types.

use proc_macro2::Ident;
use syn::{Expr, ExprMethodCall};

/// Calls of a collection's or string's methods that read and change nothing. A type of the user's own may have methods of
/// these names; those of other numbers of arguments are surely its own.
pub(super) fn reads(call: &ExprMethodCall) -> bool {
    const OF_ALL: &[&str] = &[
        "clone",
        "first",
        "is_empty",
        "iter",
        "keys",
        "last",
        "len",
        "to_owned",
        "to_string",
        "to_vec",
        "values",
    ];
    const OF_ONE: &[&str] = &["contains", "contains_key"];
    let named = |names: &[&str]| names.iter().any(|name| call.method == name);
    match call.args.first() {
        None => named(OF_ALL),
        Some(Expr::Reference(_) | Expr::Range(_) | Expr::Lit(_)) if call.method == "get" => true,
        Some(_) => call.args.len() == 1 && named(OF_ONE),
    }
}

/// Calls that take away or move what is there, of which a part has not all.
pub(super) fn rearranges(call: &ExprMethodCall) -> bool {
    const OF_ALL: &[&str] = &[
        "clear",
        "dedup",
        "pop",
        "pop_back",
        "pop_first",
        "pop_front",
        "pop_last",
        "reverse",
        "sort",
        "sort_unstable",
    ];
    const OF_ONE: &[&str] = &[
        "dedup_by",
        "dedup_by_key",
        "drain",
        "retain",
        "sort_by",
        "sort_by_key",
        "sort_by_cached_key",
        "sort_unstable_by",
        "sort_unstable_by_key",
        "split_off",
        "swap_remove",
        "truncate",
    ];
    let named = |names: &[&str]| names.iter().any(|name| call.method == name);
    match call.args.first() {
        None => named(OF_ALL),
        Some(Expr::Reference(_) | Expr::Lit(_)) if call.method == "remove" => call.args.len() == 1,
        // Of a `Vec`, in front of what others have put there.
        Some(Expr::Lit(_)) if call.method == "insert" => call.args.len() == 2,
        Some(_) => call.args.len() == 1 && named(OF_ONE),
    }
}

/// Methods that make a collection longer.
pub(super) fn grows(method: &Ident) -> bool {
    let method = method.to_string();
    ["append", "extend", "insert", "push", "resize"]
        .iter()
        .any(|start| method.starts_with(start))
}

/// `take`, `replace` or `swap` of `std::mem`, by which a part would be emptied.
pub(super) fn empties(function: &Expr) -> Option<&Ident> {
    let Expr::Path(path) = function else {
        return None;
    };
    let name = &path.path.segments.last()?.ident;
    ["take", "replace", "swap"]
        .iter()
        .any(|known| name == known)
        .then_some(name)
}

/// Does the method say of what it adds whether that was there?
pub(super) fn answers(local: &syn::Local) -> bool {
    let unused = match &local.pat {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(name) => name.ident.to_string().starts_with('_'),
        _ => false,
    };
    let expr = local.init.as_ref().map(|init| &*init.expr);
    !unused
        && matches!(expr, Some(Expr::MethodCall(call)) if call.method == "insert" || call.method == "replace")
}

/// Methods that find a place to change, or whose result says nothing of what else is there.
fn changes(method: &Ident) -> bool {
    let method = method.to_string();
    method == "entry"
        || method.ends_with("_mut")
        || method.starts_with("write")
        || method.starts_with("try_")
}

/// Is there such a method in this chain of calls?
pub(super) fn is_change(chain: &Expr) -> bool {
    match chain {
        Expr::MethodCall(call) => changes(&call.method) || is_change(&call.receiver),
        Expr::Field(field) => is_change(&field.base),
        Expr::Index(index) => is_change(&index.expr),
        Expr::Paren(inner) => is_change(&inner.expr),
        Expr::Group(inner) => is_change(&inner.expr),
        Expr::Try(question) => is_change(&question.expr),
        _ => false,
    }
}
