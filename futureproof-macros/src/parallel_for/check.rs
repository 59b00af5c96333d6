//! Third pass: rules that need the options and the body together.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Item, PatIdent};

use super::model::{How, Loop};
use crate::diag::Errors;

pub(super) fn check(found: &Loop, errors: &Errors) {
    for reduced in &found.options.reduce {
        if !found
            .body
            .stmts
            .iter()
            .any(|stmt| mentions(quote::quote!(#stmt), &reduced.name.to_string()))
        {
            let name = &reduced.name;
            errors.at(
                name,
                format!("the body never uses `{name}`; remove it from `reduce`"),
            );
        }
    }
    let mut body = Body::default();
    body.visit_pat(&found.pat);
    found
        .body
        .stmts
        .iter()
        .for_each(|stmt| body.visit_stmt(stmt));
    let mut reported = HashSet::new();
    for Assignment {
        place,
        operator,
        whole,
    } in &body.assignments
    {
        let name = place.to_string();
        if body.bound.contains(&name)
            || found.options.local.iter().any(|local| local.name == *place)
        {
            continue;
        }
        match found
            .options
            .reduce
            .iter()
            .find(|reduced| reduced.name == *place)
            .map(|reduced| reduced.how)
        {
            Some(How::Added) => {
                if let Some(error) = wrong_for_added(place, operator.as_ref(), *whole) {
                    errors.push(error);
                }
            }
            Some(How::Largest | How::Smallest) => {}
            None if !found.options.names_missing
                && name.chars().any(char::is_lowercase)
                && reported.insert(name) =>
            {
                errors.at(place, capture(place, operator.as_ref()));
            }
            None => {}
        }
    }
}

/// The names that the loop binds itself, or may bind.
pub(super) fn bound(found: &Loop) -> HashSet<String> {
    let mut body = Body::default();
    body.visit_pat(&found.pat);
    found
        .body
        .stmts
        .iter()
        .for_each(|stmt| body.visit_stmt(stmt));
    body.bound
}

/// `place op= …`, or `place = …` where there is no operator.
struct Assignment {
    place: Ident,
    operator: Option<BinOp>,
    /// Is it the variable itself that is assigned, not a part of it?
    whole: bool,
}

/// What an assignment to a summed variable would lose.
fn wrong_for_added(place: &Ident, operator: Option<&BinOp>, whole: bool) -> Option<syn::Error> {
    match operator {
        Some(BinOp::AddAssign(_) | BinOp::SubAssign(_)) => None,
        Some(operator) => Some(syn::Error::new(
            operator.span(),
            format!(
                "`{place}` is added up from parts that start at zero, so only `+=` and `-=` mean here what they mean in a \
                 sequential loop; for the largest or smallest value write `reduce(max({place}))` or `reduce(min({place}))`"
            ),
        )),
        // A part of it may be a value with a way of merging of its own.
        None if !whole => None,
        None => Some(syn::Error::new(
            place.span(),
            format!(
                "assigning `{place}` would lose what other workers add to it; write `{place} += …`, or \
                 `reduce(max({place}))` or `reduce(min({place}))` to keep the largest or smallest value"
            ),
        )),
    }
}

fn capture(place: &Ident, operator: Option<&BinOp>) -> String {
    let reduce = match operator {
        Some(BinOp::AddAssign(_) | BinOp::SubAssign(_)) => {
            format!("`reduce({place})` in front of `for` adds up what they add")
        }
        _ => format!(
            "in front of `for`, `reduce(max({place}))` or `reduce(min({place}))` keeps the largest or smallest value"
        ),
    };
    format!(
        "`{place}` belongs to the function around the loop, and several workers would assign it at once; \
         {reduce}, `local({place} = …)` gives each worker its own"
    )
}

/// What the body binds and assigns.
#[derive(Default)]
struct Body {
    /// Names that may mean something else than a capture; in doubt a name counts as bound, and rustc decides.
    bound: HashSet<String>,
    assignments: Vec<Assignment>,
}

impl Body {
    fn assigned(&mut self, place: &Expr, operator: Option<BinOp>) {
        match place {
            Expr::Tuple(tuple) => tuple
                .elems
                .iter()
                .for_each(|place| self.assigned(place, operator)),
            Expr::Array(array) => array
                .elems
                .iter()
                .for_each(|place| self.assigned(place, operator)),
            _ => {
                let whole = matches!(place, Expr::Path(_) | Expr::Paren(_));
                self.assignments.extend(root(place).map(|place| Assignment {
                    place,
                    operator,
                    whole,
                }));
            }
        }
    }
}

/// The variable that a place is a part of; none behind a dereference, which may lead anywhere.
fn root(place: &Expr) -> Option<Ident> {
    match place {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        Expr::Paren(inner) => root(&inner.expr),
        Expr::Group(inner) => root(&inner.expr),
        Expr::Index(index) => root(&index.expr),
        Expr::Field(field) => root(&field.base),
        _ => None,
    }
}

impl Visit<'_> for Body {
    fn visit_expr_assign(&mut self, assign: &syn::ExprAssign) {
        self.assigned(&assign.left, None);
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, binary: &syn::ExprBinary) {
        if is_assignment(&binary.op) {
            self.assigned(&binary.left, Some(binary.op));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_pat_ident(&mut self, pat: &PatIdent) {
        self.bound.insert(pat.ident.to_string());
        visit::visit_pat_ident(self, pat);
    }

    fn visit_item(&mut self, item: &Item) {
        // Its code is not the loop's, but it may define what the body assigns.
        match item {
            Item::Static(item) => self.bound.insert(item.ident.to_string()),
            Item::Const(item) => self.bound.insert(item.ident.to_string()),
            Item::Macro(item) => {
                collect_idents(&item.mac.tokens, &mut self.bound);
                true
            }
            _ => false,
        };
    }

    fn visit_macro(&mut self, mac: &syn::Macro) {
        // The common ones bind nothing, and what a nested loop binds is its own.
        const PLAIN: &[&str] = &[
            "print",
            "println",
            "eprint",
            "eprintln",
            "format",
            "format_args",
            "write",
            "writeln",
            "panic",
            "assert",
            "assert_eq",
            "assert_ne",
            "debug_assert",
            "debug_assert_eq",
            "debug_assert_ne",
            "dbg",
            "vec",
            "todo",
            "unreachable",
            "unimplemented",
            "matches",
            "trace",
            "debug",
            "info",
            "warn",
            "error",
            "bail",
            "ensure",
            "parallel_for",
        ];
        let plain = mac
            .path
            .segments
            .last()
            .is_some_and(|name| PLAIN.iter().any(|plain| name.ident == plain));
        if !plain {
            collect_idents(&mac.tokens, &mut self.bound);
        }
    }
}

fn is_assignment(operator: &BinOp) -> bool {
    use BinOp::{
        AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, DivAssign, MulAssign, RemAssign,
        ShlAssign, ShrAssign, SubAssign,
    };
    matches!(
        operator,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

fn collect_idents(tokens: &TokenStream, idents: &mut HashSet<String>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => {
                idents.insert(ident.to_string());
            }
            TokenTree::Group(group) => collect_idents(&group.stream(), idents),
            _ => {}
        }
    }
}

/// Does `name` occur, as a word or in a format string (`{name}`, `{name:?}`)?
pub(super) fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            text.contains(&format!("{{{name}}}")) || text.contains(&format!("{{{name}:"))
        }
        TokenTree::Punct(_) => false,
    })
}
