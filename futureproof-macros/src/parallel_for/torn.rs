//! Finds where the body changes one reduced variable because of another, and where it adds to one of which a whole value is
//! kept: each is merged by itself, so what belongs together would be torn apart.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Stmt};

use super::methods::grows;
use super::model::{How, Loop, Reduced};
use crate::diag::Errors;

/// Records the first such change of each variable. `bound` are the names that the loop binds itself: in doubt they mean
/// something else.
pub(super) fn check(found: &Loop, bound: &HashSet<String>, errors: &Errors) {
    let mut torn = Torn {
        reduced: (found.options.reduce.iter())
            .filter(|reduced| !bound.contains(&reduced.name.to_string()))
            .collect(),
        because: Vec::new(),
        answers: Vec::new(),
        told: Vec::new(),
        errors,
    };
    // Decisions by the others are errors of their own.
    if torn.reduced.iter().any(|it| it.how != How::Added) {
        torn.visit_stmts(&found.body.stmts);
    }
}

struct Torn<'a> {
    reduced: Vec<&'a Reduced>,
    /// The largest and smallest values that decided whether this place is reached.
    because: Vec<&'a Reduced>,
    /// Variables of the body that hold the answer to a comparison with one of them: `let better = n > best;`.
    answers: Vec<(Ident, Vec<&'a Reduced>)>,
    told: Vec<&'a Ident>,
    errors: &'a Errors,
}

impl<'a> Torn<'a> {
    /// The largest and smallest values that the condition reads.
    fn read_in(&self, condition: &Expr) -> Vec<&'a Reduced> {
        let mut names = Names::default();
        names.visit_expr(condition);
        // The last one of a name is the one that is meant.
        let answers = names
            .0
            .iter()
            .filter_map(|read| self.answers.iter().rev().find(|(name, _)| name == read));
        (self.reduced.iter().copied())
            .filter(|it| it.how != How::Added && names.0.contains(&it.name))
            .chain(answers.flat_map(|(_, read)| read.iter().copied()))
            .collect()
    }

    /// Visits what is reached because of `condition`.
    fn because(&mut self, condition: &Expr, visit: impl FnOnce(&mut Self)) {
        let before = self.because.len();
        let read = self.read_in(condition);
        self.because.extend(read);
        visit(self);
        self.because.truncate(before);
    }

    /// Behind `if n <= best { continue; }` the rest is reached because of `best`.
    fn visit_stmts(&mut self, stmts: &[Stmt]) {
        let (before, answers) = (self.because.len(), self.answers.len());
        for stmt in stmts {
            self.visit_stmt(stmt);
            if let Stmt::Expr(Expr::If(found), _) = stmt
                && leaves(&found.then_branch)
            {
                let read = self.read_in(&found.cond);
                self.because.extend(read);
            }
        }
        self.because.truncate(before);
        self.answers.truncate(answers);
    }

    fn change(&mut self, place: &Expr) {
        let Some(name) = root(place) else { return };
        let Some(changed) = self.reduced.iter().find(|it| it.name == *name) else {
            return;
        };
        let other = self.because.iter().rev().find(|it| it.name != *name);
        let Some(Reduced { name: other, how }) = other else {
            return;
        };
        if self.told.contains(&&changed.name) {
            return;
        }
        self.told.push(&changed.name);
        let how = if *how == How::Largest { "max" } else { "min" };
        self.errors.at(
            name,
            format!(
                "`{name}` changes here because of `{other}`, but each of them is merged by itself, so they would not stay \
                 together; make them one tuple, `{other} = {other}.{how}((…, …))` with `reduce({how}({other}))`, or \
                 give each an `if` of its own, or `push` what you need and look after the loop"
            ),
        );
    }

    /// Is this a variable of which a whole value is kept?
    fn is_kept(&self, place: &Expr) -> bool {
        let name = match place {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        let mut reduced = self.reduced.iter();
        name.is_some_and(|name| reduced.any(|it| it.how != How::Added && it.name == *name))
    }

    /// Is this a variable to which methods add?
    fn is_added(&self, place: &Expr) -> bool {
        root(place).is_some_and(|name| {
            let mut reduced = self.reduced.iter();
            reduced.any(|it| it.how == How::Added && it.name == *name)
        })
    }
}

/// Calls that add to a collection or string; to `insert` one value may also mean an `Option`.
fn adds(call: &ExprMethodCall) -> bool {
    grows(&call.method) && (call.method != "insert" || call.args.len() != 1)
}

/// The variable that `place` is a part of.
fn root(place: &Expr) -> Option<&Ident> {
    match place {
        Expr::Path(path) => path.path.get_ident(),
        Expr::Field(field) => root(&field.base),
        Expr::Index(index) => root(&index.expr),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Unary(unary) => root(&unary.expr),
        Expr::Paren(inner) => root(&inner.expr),
        Expr::Group(inner) => root(&inner.expr),
        _ => None,
    }
}

impl Visit<'_> for Torn<'_> {
    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::If(found) => {
                self.visit_expr(&found.cond);
                self.because(&found.cond, |this| {
                    this.visit_block(&found.then_branch);
                    if let Some((_, otherwise)) = &found.else_branch {
                        this.visit_expr(otherwise);
                    }
                });
            }
            Expr::While(found) => {
                self.because(&found.cond, |this| this.visit_block(&found.body));
            }
            Expr::Match(found) => {
                self.visit_expr(&found.expr);
                self.because(&found.expr, |this| {
                    found.arms.iter().for_each(|arm| this.visit_arm(arm));
                });
            }
            Expr::Assign(found) => {
                self.change(&found.left);
                self.visit_expr(&found.right);
            }
            Expr::Binary(found) if super::check::is_assignment(&found.op) => {
                self.change(&found.left);
                self.visit_expr(&found.right);
            }
            Expr::MethodCall(call) if adds(call) && self.is_kept(&call.receiver) => {
                let method = &call.method;
                if let Some(name) = root(&call.receiver) {
                    self.errors.at(
                        method,
                        format!(
                            "`{name}` keeps the largest or smallest of whole values, which one worker has; to `{method}` into \
                             it, write `reduce({name})`; a whole value is assigned, `{name} = …`"
                        ),
                    );
                }
            }
            Expr::MethodCall(call) if self.is_added(&call.receiver) => {
                self.change(&call.receiver);
                call.args
                    .iter()
                    .for_each(|argument| self.visit_expr(argument));
            }
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_block(&mut self, block: &syn::Block) {
        self.visit_stmts(&block.stmts);
    }

    fn visit_local(&mut self, local: &syn::Local) {
        visit::visit_local(self, local);
        if let (syn::Pat::Ident(name), Some(init)) = (&local.pat, &local.init) {
            let decides = matches!(&*init.expr, Expr::Binary(_) | Expr::Unary(_));
            let read = if decides {
                self.read_in(&init.expr)
            } else {
                Vec::new()
            };
            // Also without an answer: the name means something else from here on.
            self.answers.push((name.ident.clone(), read));
        }
    }

    fn visit_item(&mut self, _: &syn::Item) {}
    fn visit_type(&mut self, _: &syn::Type) {}
    fn visit_attribute(&mut self, _: &syn::Attribute) {}
}

/// Does the block end with `continue`, `break` or `return`?
fn leaves(block: &syn::Block) -> bool {
    matches!(
        block.stmts.last(),
        Some(Stmt::Expr(
            Expr::Continue(_) | Expr::Break(_) | Expr::Return(_),
            _
        ))
    )
}

/// The names of variables in an expression.
#[derive(Default)]
struct Names(HashSet<Ident>);

impl Visit<'_> for Names {
    fn visit_expr_path(&mut self, path: &syn::ExprPath) {
        self.0.extend(path.path.get_ident().cloned());
    }
}
