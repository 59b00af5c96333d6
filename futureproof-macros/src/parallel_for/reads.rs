//! Finds where the body decides by a summed variable, of which it has a worker's part alone.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, UnOp};

use super::model::{How, Loop};
use crate::diag::Errors;

/// Records the first decision of the body by each of the summed variables. `bound` are the names that the loop binds
/// itself: in doubt they mean something else.
pub(super) fn check(found: &Loop, bound: &HashSet<String>, errors: &Errors) {
    let reduced = found.options.reduce.iter();
    let mut reads = Reads {
        summed: reduced
            .filter(|reduced| reduced.how == How::Added)
            .map(|reduced| &reduced.name)
            .filter(|name| !bound.contains(&name.to_string()))
            .collect(),
        deciding: false,
        errors,
    };
    if !reads.summed.is_empty() {
        found
            .body
            .stmts
            .iter()
            .for_each(|stmt| reads.visit_stmt(stmt));
    }
}

struct Reads<'a> {
    /// Those that no error is about yet.
    summed: Vec<&'a Ident>,
    /// Does something depend on the value that is being visited?
    deciding: bool,
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

    fn is_summed(&self, name: &Ident) -> bool {
        self.summed.contains(&name)
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

/// Methods that find a place to change, or whose result says nothing of what else is there.
fn changes(method: &Ident) -> bool {
    let method = method.to_string();
    method == "entry"
        || method.ends_with("_mut")
        || method.starts_with("write")
        || method.starts_with("try_")
}

/// Is there such a method in this chain of calls?
fn is_change(chain: &Expr) -> bool {
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
            Expr::Path(path) if self.deciding => {
                let name = path.path.get_ident().filter(|_| path.qself.is_none());
                if let Some(name) = name.filter(|name| self.is_summed(name)) {
                    self.summed.retain(|summed| *summed != name);
                    self.errors.at(
                        name,
                        format!(
                            "`{name}` is only this worker's part here, not the whole so far; decide by it after the loop, \
                             `break` or `return` on the item itself, or collect the items and filter them after the loop"
                        ),
                    );
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
            Expr::Binary(found) if super::check::is_assignment(&found.op) => {
                self.deciding(false, |this| visit::visit_expr_binary(this, found));
            }
            Expr::Unary(found) if matches!(found.op, UnOp::Not(_)) => self.decide(&found.expr),
            Expr::Reference(found) if found.mutability.is_some() => self.change(&found.expr),
            Expr::MethodCall(_) | Expr::Field(_) | Expr::Index(_) if is_change(expr) => {
                self.change(expr);
            }
            // What leaves has errors of its own, and a closure may be there for what it does.
            Expr::Assign(_)
            | Expr::Return(_)
            | Expr::Break(_)
            | Expr::ForLoop(_)
            | Expr::Loop(_)
            | Expr::Closure(_)
            | Expr::Async(_) => {
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
            _ => visit::visit_local(self, local),
        }
    }

    fn visit_pat(&mut self, pat: &syn::Pat) {
        match pat {
            syn::Pat::Guard(guarded) => self.decide(&guarded.guard),
            other => visit::visit_pat(self, other),
        }
    }

    fn visit_item(&mut self, _: &syn::Item) {}
    fn visit_type(&mut self, _: &syn::Type) {}
    fn visit_attribute(&mut self, _: &syn::Attribute) {}
}
