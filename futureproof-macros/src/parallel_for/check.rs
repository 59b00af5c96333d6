//! Third pass: rules that need the options and the body together.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Item, PatIdent};

use super::model::{How, Loop};
use super::{reads, torn};
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
    reads::check(found, &body.bound, errors);
    torn::check(found, &body.bound, errors);
    let mut reported = HashSet::new();
    for assignment in &body.assignments {
        let place = &assignment.place;
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
                if let Some(error) = assignment.wrong_for_added() {
                    errors.push(error);
                }
            }
            Some(how @ (How::Largest | How::Smallest)) => {
                if let Some(error) = assignment.wrong_for_extreme(how) {
                    errors.push(error);
                }
            }
            None if !found.options.names_missing
                && name.chars().any(char::is_lowercase)
                && reported.insert(name) =>
            {
                errors.at(place, assignment.of_capture());
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

/// `place op= value`, or `place = value` where there is no operator.
struct Assignment {
    place: Ident,
    operator: Option<BinOp>,
    part: Part,
    value: Value,
}

/// How much of the variable is assigned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Element,
    Field,
    /// `a.0`, of the variable itself.
    TupleField,
}

/// As much of the value's type as can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Option,
    Collection,
    /// What overflows on purpose.
    Wrapping,
    Other,
}

impl Value {
    fn of(expr: &Expr) -> Self {
        match expr {
            Expr::Paren(inner) => Self::of(&inner.expr),
            Expr::Group(inner) => Self::of(&inner.expr),
            Expr::Path(path) if path.path.is_ident("None") => Self::Option,
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if path.path.is_ident("Some") => Self::Option,
                Expr::Path(path) if makes_collection(&path.path) => Self::Collection,
                _ => Self::Other,
            },
            Expr::Macro(found)
                if found.mac.path.is_ident("vec") || found.mac.path.is_ident("format") =>
            {
                Self::Collection
            }
            Expr::MethodCall(call) if call.method == "collect" || call.method == "to_vec" => {
                Self::Collection
            }
            Expr::MethodCall(call) if call.method.to_string().starts_with("wrapping_") => {
                Self::Wrapping
            }
            _ => Self::Other,
        }
    }
}

/// `Vec::new`, `String::from`
fn makes_collection(path: &syn::Path) -> bool {
    const COLLECTIONS: &[&str] = &[
        "Vec",
        "VecDeque",
        "LinkedList",
        "String",
        "HashSet",
        "BTreeSet",
        "BinaryHeap",
        "HashMap",
        "BTreeMap",
    ];
    path.segments
        .iter()
        .any(|segment| COLLECTIONS.iter().any(|name| segment.ident == name))
}

impl Assignment {
    /// What an assignment to a summed variable would lose.
    fn wrong_for_added(&self) -> Option<syn::Error> {
        let place = &self.place;
        let lost = |advice: String| {
            Some(syn::Error::new(
                place.span(),
                format!("assigning `{place}` would lose what other workers add to it; {advice}"),
            ))
        };
        match (&self.operator, self.part, self.value) {
            (Some(BinOp::AddAssign(_) | BinOp::SubAssign(_)), ..) => None,
            (Some(operator), ..) => {
                let extreme = match operator {
                    BinOp::BitOrAssign(_) => format!(
                        "for a flag write `reduce(max({place}))` and `{place} = {place}.max(…)`"
                    ),
                    BinOp::BitAndAssign(_) => format!(
                        "for a flag write `reduce(min({place}))` and `{place} = {place}.min(…)`"
                    ),
                    _ => format!(
                        "for the largest or smallest value write `reduce(max({place}))` or `reduce(min({place}))`"
                    ),
                };
                Some(syn::Error::new(
                    operator.span(),
                    format!(
                        "`{place}` is added up from parts that start at zero, so only `+=` and `-=` mean here what they \
                         mean in a sequential loop; {extreme}"
                    ),
                ))
            }
            (None, Part::Element, _) => Some(syn::Error::new(
                place.span(),
                format!(
                    "assigning elements of `{place}` would lose what other workers put there; {}",
                    self.instead_of_element()
                ),
            )),
            (None, Part::TupleField, _) => lost(
                "tuples are added up, part by part: give each its own variable, with `reduce(max(…))` for a largest, or \
                 let the part be a `futureproof::Max`"
                    .to_owned(),
            ),
            // A field may be a value with a way of merging of its own.
            (None, Part::Field, _) => None,
            (None, Part::Whole, Value::Option) => lost(format!(
                "`reduce(max({place}))` or `reduce(min({place}))` keeps the largest or smallest value; for the first or last \
                 one `push` into a `Vec` with `reduce(…)`, which is in the order of the items, and take it after the loop"
            )),
            (None, Part::Whole, Value::Collection) => lost(format!(
                "only add to it (`push`, `extend`, `insert`), or, if each item needs its own, make it in the body: `let mut {place} = …`"
            )),
            (None, Part::Whole, Value::Wrapping) => lost(format!(
                "make `{place}` a `std::num::Wrapping`, and write `{place} += …`"
            )),
            (None, Part::Whole, Value::Other) => lost(format!(
                "write `{place} += …`, or `reduce(max({place}))` or `reduce(min({place}))` to keep the largest or smallest value"
            )),
        }
    }

    /// What is assigned to a variable that keeps its largest or smallest value is a value as a whole.
    fn wrong_for_extreme(&self, how: How) -> Option<syn::Error> {
        let place = &self.place;
        let (how, keeps) = match how {
            How::Smallest => ("min", "smallest"),
            _ => ("max", "largest"),
        };
        let (at, wrong) = match (&self.operator, self.part) {
            (Some(operator), _) => (
                operator.span(),
                "only `=` means here what it means in a sequential loop",
            ),
            (None, Part::Whole) => return None,
            (None, _) => (place.span(), "a part of it cannot be assigned by itself"),
        };
        Some(syn::Error::new(
            at,
            format!(
                "`{place}` keeps the {keeps} of whole values, so {wrong}; write `{place} = {place}.{how}(…)`, or \
                 `reduce({place})` to add up"
            ),
        ))
    }

    /// What an assignment to a captured variable needs.
    fn of_capture(&self) -> String {
        let place = &self.place;
        if place == "self" {
            return "`self` belongs to the function around the loop, and several workers would assign it at once; use a variable \
                    of the function with `reduce(…)`, and put it into `self` after the loop"
                .to_owned();
        }
        let reduce = match (&self.operator, self.part) {
            (Some(BinOp::AddAssign(_) | BinOp::SubAssign(_)), _) => {
                format!("`reduce({place})` in front of `for` adds up what they add")
            }
            (None | Some(_), Part::Element)
                if !matches!(
                    self.operator,
                    Some(BinOp::AddAssign(_) | BinOp::SubAssign(_))
                ) =>
            {
                return format!(
                    "`{place}` belongs to the function around the loop, and several workers would assign its elements at once; {}",
                    self.instead_of_element()
                );
            }
            (Some(BinOp::BitOrAssign(_)), Part::Whole) => format!(
                "for a flag write `reduce(max({place}))` in front of `for`, and `{place} = {place}.max(…)`"
            ),
            (Some(BinOp::BitAndAssign(_)), Part::Whole) => format!(
                "for a flag write `reduce(min({place}))` in front of `for`, and `{place} = {place}.min(…)`"
            ),
            _ => format!(
                "in front of `for`, `reduce(max({place}))` or `reduce(min({place}))` keeps the largest or smallest value"
            ),
        };
        format!(
            "`{place}` belongs to the function around the loop, and several workers would assign it at once; \
             {reduce}, `local({place} = …)` gives each worker its own"
        )
    }

    /// `place[i] = value`
    fn instead_of_element(&self) -> String {
        let place = &self.place;
        format!(
            "loop over the elements, `for (i, x) in {place}.iter_mut().enumerate()` (or over a `zip` with them), \
             or `push` in the order of the items, with `reduce({place})` in front of `for`"
        )
    }
}

/// What the body binds and assigns.
#[derive(Default)]
struct Body {
    /// Names that may mean something else than a capture; in doubt a name counts as bound, and rustc decides.
    bound: HashSet<String>,
    assignments: Vec<Assignment>,
}

impl Body {
    fn assigned(&mut self, place: &Expr, operator: Option<BinOp>, value: Value) {
        match place {
            Expr::Tuple(tuple) => tuple
                .elems
                .iter()
                .for_each(|place| self.assigned(place, operator, Value::Other)),
            Expr::Array(array) => array
                .elems
                .iter()
                .for_each(|place| self.assigned(place, operator, Value::Other)),
            _ => self.assignments.extend(root(place).map(|root| Assignment {
                place: root,
                operator,
                part: part(place),
                value,
            })),
        }
    }
}

fn part(place: &Expr) -> Part {
    match place {
        Expr::Paren(inner) => part(&inner.expr),
        Expr::Group(inner) => part(&inner.expr),
        Expr::Index(_) => Part::Element,
        Expr::Field(field) if part(&field.base) == Part::Element => Part::Element,
        Expr::Field(field)
            if matches!(field.member, syn::Member::Unnamed(_))
                && part(&field.base) == Part::Whole =>
        {
            Part::TupleField
        }
        Expr::Field(_) => Part::Field,
        _ => Part::Whole,
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
        self.assigned(&assign.left, None, Value::of(&assign.right));
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, binary: &syn::ExprBinary) {
        if is_assignment(&binary.op) {
            self.assigned(&binary.left, Some(binary.op), Value::of(&binary.right));
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

pub(super) fn is_assignment(operator: &BinOp) -> bool {
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
