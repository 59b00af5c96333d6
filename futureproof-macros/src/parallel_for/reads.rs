//! Finds where the body reads a summed variable, of which it has a worker's part alone.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprMethodCall, Token, UnOp};

use super::check;
use super::methods::{answers, empties, grows, is_change, reads, rearranges};
use super::model::{How, Loop};
use crate::diag::Errors;

/// Records where the body first reads each of the summed variables, as far as can be told: what a method does, only its name
/// says. `bound` are the names that the loop binds itself: in doubt they mean something else.
pub(super) fn check(found: &Loop, bound: &HashSet<String>, errors: &Errors) {
    let reduced = found.options.reduce.iter();
    let mut reads = Reads {
        summed: reduced
            .filter(|reduced| reduced.how == How::Added)
            .map(|reduced| &reduced.name)
            .filter(|name| !bound.contains(&name.to_string()))
            .collect(),
        deciding: false,
        leaving: false,
        indexed: HashSet::new(),
        errors,
    };
    if reads.summed.is_empty() {
        return;
    }
    let stmts = &found.body.stmts;
    let mut indexed = Indexed::default();
    stmts.iter().for_each(|stmt| indexed.visit_stmt(stmt));
    reads.indexed = &indexed.changed - &indexed.grown;
    stmts.iter().for_each(|stmt| reads.visit_stmt(stmt));
}

struct Reads<'a> {
    /// Those that no error is about yet.
    summed: Vec<&'a Ident>,
    /// Does something depend on the value that is being visited?
    deciding: bool,
    /// Does it leave the loop? Then it is looked at elsewhere.
    leaving: bool,
    /// Those whose elements are added to, and that do not grow: arrays, since of a `Vec` no element would be there.
    indexed: HashSet<String>,
    errors: &'a Errors,
}

impl Reads<'_> {
    fn deciding(&mut self, deciding: bool, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.deciding, deciding);
        visit(self);
        self.deciding = before;
    }

    fn decide(&mut self, value: &Expr) {
        self.deciding(true, |this| this.visit_expr(value));
    }

    fn is_indexed(&self, place: &Expr) -> bool {
        root(place).is_some_and(|name| self.indexed.contains(&name.to_string()))
    }

    fn is_summed(&self, name: &Ident) -> bool {
        self.summed.contains(&name)
    }

    /// Records that the variable is read.
    fn read(&mut self, name: &Ident) {
        self.summed.retain(|summed| *summed != name);
        let instead = if self.deciding {
            "decide by it after the loop, `break` or `return` on the item itself, or collect the items and filter them \
             after the loop"
        } else {
            "read it after the loop; to number the items, loop over the `enumerate()` of the input"
        };
        self.errors.at(
            name,
            format!("`{name}` is only this worker's part here, not the whole so far; {instead}"),
        );
    }

    /// Records that what is in the variable is taken away or moved.
    fn rearranged(&mut self, name: &Ident, method: &Ident) {
        self.summed.retain(|summed| *summed != name);
        self.errors.at(
            method,
            format!(
                "`{name}` is only this worker's part here, not the whole so far, so `{method}` would do something else than in a \
                 sequential loop; `{method}` after the loop; what belongs to this item alone is a variable of the body, and a \
                 buffer to be used again is `local({name} = …)`"
            ),
        );
    }

    /// Visits what a method is called on: a variable may be changed by that.
    fn receiver(&mut self, place: &Expr) {
        match place {
            Expr::Path(path) if path.path.get_ident().is_some() => {}
            Expr::Paren(inner) => self.receiver(&inner.expr),
            Expr::Group(inner) => self.receiver(&inner.expr),
            Expr::Field(field) => self.receiver(&field.base),
            Expr::Index(index) => {
                self.receiver(&index.expr);
                self.visit_expr(&index.index);
            }
            other => self.visit_expr(other),
        }
    }

    /// Visits a variable that is only changed, and what it is changed with.
    fn change(&mut self, place: &Expr) {
        match place {
            Expr::Path(path)
                if path
                    .path
                    .get_ident()
                    .is_some_and(|name| self.is_summed(name)) => {}
            Expr::Paren(inner) => self.change(&inner.expr),
            Expr::Group(inner) => self.change(&inner.expr),
            Expr::Try(question) => self.change(&question.expr),
            Expr::Field(field) => self.change(&field.base),
            Expr::Index(index) => {
                self.change(&index.expr);
                self.visit_expr(&index.index);
            }
            Expr::MethodCall(call) => {
                self.change(&call.receiver);
                call.args
                    .iter()
                    .for_each(|argument| self.visit_expr(argument));
            }
            other => self.visit_expr(other),
        }
    }
}

/// Collects the variables with elements that are changed, as in `a[i] += …`, and those that grow.
#[derive(Default)]
struct Indexed {
    changed: HashSet<String>,
    grown: HashSet<String>,
}

impl Indexed {
    fn changed(&mut self, place: &Expr) {
        if matches!(place, Expr::Index(_)) {
            self.changed.extend(root(place).map(ToString::to_string));
        }
    }
}

impl Visit<'_> for Indexed {
    fn visit_expr_binary(&mut self, found: &syn::ExprBinary) {
        if check::is_assignment(&found.op) {
            self.changed(&found.left);
        }
        visit::visit_expr_binary(self, found);
    }

    fn visit_expr_reference(&mut self, found: &syn::ExprReference) {
        if found.mutability.is_some() {
            self.changed(&found.expr);
        }
        visit::visit_expr_reference(self, found);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        self.changed(&call.receiver);
        if let Some(name) = root(&call.receiver) {
            if grows(&call.method) {
                self.grown.insert(name.to_string());
            } else if call.method == "get_mut" || call.method == "iter_mut" || call.method == "swap"
            {
                self.changed.insert(name.to_string());
            }
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// The variable that an element, at any depth, belongs to.
fn root(place: &Expr) -> Option<&Ident> {
    match place {
        Expr::Index(index) => root(&index.expr),
        place => variable(place),
    }
}

/// The variable itself, in brackets or not.
fn variable(place: &Expr) -> Option<&Ident> {
    match place {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        Expr::Paren(inner) => variable(&inner.expr),
        Expr::Group(inner) => variable(&inner.expr),
        _ => None,
    }
}

fn decides(operator: &BinOp) -> bool {
    use BinOp::{And, Eq, Ge, Gt, Le, Lt, Ne, Or};
    matches!(
        operator,
        And(_) | Or(_) | Eq(_) | Ne(_) | Lt(_) | Le(_) | Gt(_) | Ge(_)
    )
}

impl Visit<'_> for Reads<'_> {
    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Path(path) => {
                let name = path.path.get_ident().filter(|_| path.qself.is_none());
                if let Some(name) = name.filter(|name| self.is_summed(name))
                    && (self.deciding || !self.leaving)
                {
                    self.read(name);
                }
            }
            Expr::If(found) => {
                self.decide(&found.cond);
                self.visit_block(&found.then_branch);
                if let Some((_, otherwise)) = &found.else_branch {
                    self.visit_expr(otherwise);
                }
            }
            Expr::While(found) => {
                self.decide(&found.cond);
                self.deciding(false, |this| this.visit_block(&found.body));
            }
            Expr::Match(found) => {
                self.decide(&found.expr);
                found.arms.iter().for_each(|arm| self.visit_arm(arm));
            }
            Expr::Binary(found) if decides(&found.op) => {
                self.decide(&found.left);
                self.decide(&found.right);
            }
            // `sum += 1` is no reading, nor is it a value.
            Expr::Binary(found) if check::is_assignment(&found.op) => {
                self.deciding(false, |this| {
                    this.change(&found.left);
                    this.visit_expr(&found.right);
                });
            }
            // What is assigned is checked elsewhere.
            Expr::Assign(found) => self.deciding(false, |this| {
                if !matches!(*found.left, Expr::Tuple(_) | Expr::Array(_)) {
                    this.change(&found.left);
                }
                this.visit_expr(&found.right);
            }),
            Expr::Unary(found) if matches!(found.op, UnOp::Not(_)) => self.decide(&found.expr),
            Expr::Reference(found) if found.mutability.is_some() => self.change(&found.expr),
            Expr::MethodCall(_) | Expr::Field(_) | Expr::Index(_) if is_change(expr) => {
                self.change(expr);
            }
            // An array's parts have its length.
            Expr::MethodCall(call) if call.method == "len" && self.is_indexed(&call.receiver) => {}
            Expr::Call(call) => {
                let emptied = empties(&call.func).and_then(|function| {
                    let mut places = call.args.iter().filter_map(|argument| match argument {
                        Expr::Reference(found) if found.mutability.is_some() => {
                            variable(&found.expr)
                        }
                        _ => None,
                    });
                    Some((places.find(|name| self.is_summed(name))?, function))
                });
                match emptied {
                    Some((name, function)) => self.rearranged(name, function),
                    None => visit::visit_expr_call(self, call),
                }
            }
            // A type of the user's own, as where a field is assigned.
            Expr::Field(syn::ExprField {
                base,
                member: syn::Member::Named(_),
                ..
            }) if !self.deciding && variable(base).is_some() => {}
            Expr::MethodCall(call) if !self.deciding => {
                let name = variable(&call.receiver).filter(|name| self.is_summed(name));
                match name {
                    Some(name) if rearranges(call) => self.rearranged(name, &call.method),
                    _ if reads(call) => self.visit_expr(&call.receiver),
                    _ => self.receiver(&call.receiver),
                }
                call.args
                    .iter()
                    .for_each(|argument| self.visit_expr(argument));
            }
            Expr::Return(_) | Expr::Break(_) => {
                let before = std::mem::replace(&mut self.leaving, true);
                self.deciding(false, |this| visit::visit_expr(this, expr));
                self.leaving = before;
            }
            // A closure may be there for what it does.
            Expr::ForLoop(_) | Expr::Loop(_) | Expr::Closure(_) | Expr::Async(_) => {
                self.deciding(false, |this| visit::visit_expr(this, expr));
            }
            _ => visit::visit_expr(self, expr),
        }
    }

    /// Of a block only the value matters to what is around it.
    fn visit_block(&mut self, block: &syn::Block) {
        let value = block.stmts.len().checked_sub(1);
        for (index, stmt) in block.stmts.iter().enumerate() {
            match stmt {
                syn::Stmt::Expr(expr, None) if Some(index) == value => self.visit_expr(expr),
                other => self.deciding(false, |this| this.visit_stmt(other)),
            }
        }
    }

    fn visit_local(&mut self, local: &syn::Local) {
        match &local.init {
            Some(init) if init.diverge.is_some() => {
                self.deciding(true, |this| visit::visit_local(this, local));
            }
            _ if answers(local) => {
                self.deciding(true, |this| visit::visit_local(this, local));
            }
            _ => visit::visit_local(self, local),
        }
    }

    fn visit_pat(&mut self, pat: &syn::Pat) {
        match pat {
            syn::Pat::Guard(guarded) => self.decide(&guarded.guard),
            other => visit::visit_pat(self, other),
        }
    }

    /// The arguments of macros that read them as a function would, and the names in their format strings.
    fn visit_macro(&mut self, mac: &syn::Macro) {
        const FORMATS: &[&str] = &[
            "print", "println", "eprint", "eprintln", "format", "write", "writeln", "panic", "dbg",
            "vec", "trace", "debug", "info", "warn", "error",
        ];
        const ASSERTS: &[&str] = &[
            "assert",
            "assert_eq",
            "assert_ne",
            "debug_assert",
            "debug_assert_eq",
            "debug_assert_ne",
        ];
        let Some(last) = mac.path.segments.last() else {
            return;
        };
        let named = |names: &[&str]| names.iter().any(|name| last.ident == name);
        if !named(FORMATS) && !named(ASSERTS) {
            return;
        }
        // They write to the first one.
        let changed = usize::from(named(&["write", "writeln"]));
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone());
        for (index, argument) in arguments.iter().flatten().enumerate() {
            if index < changed {
                self.change(argument);
            } else {
                self.deciding(named(ASSERTS), |this| this.visit_expr(argument));
            }
        }
        if self.leaving && !named(ASSERTS) {
            return;
        }
        let given = |name: &Ident| {
            arguments.iter().flatten().any(|argument| {
                matches!(argument, Expr::Assign(given) if variable(&given.left) == Some(name))
            })
        };
        for name in self.summed.clone() {
            if !given(name)
                && let Some(literal) = in_format_string(&mac.tokens, &name.to_string())
            {
                let mut at = name.clone();
                at.set_span(literal);
                self.read(&at);
            }
        }
    }

    fn visit_item(&mut self, _: &syn::Item) {}
    fn visit_type(&mut self, _: &syn::Type) {}
    fn visit_attribute(&mut self, _: &syn::Attribute) {}
}

/// Where `{name}` or `{name:…}` stands in a literal.
fn in_format_string(tokens: &TokenStream, name: &str) -> Option<Span> {
    tokens.clone().into_iter().find_map(|token| {
        let TokenTree::Literal(literal) = token else {
            return None;
        };
        // `{{` is a brace.
        let text = literal.to_string().replace("{{", "").replace("}}", "");
        let named = [format!("{{{name}}}"), format!("{{{name}:")];
        named
            .iter()
            .any(|name| text.contains(name))
            .then(|| literal.span())
    })
}
