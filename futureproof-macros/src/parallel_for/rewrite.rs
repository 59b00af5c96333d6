//! Turns the ways out of a body into values: `?`, `return`, `break` and `continue` end the closure that the body becomes,
//! and what has to leave the user's function is noted, to be done there.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, ExprBreak, ExprContinue, ExprParen, ExprReturn, ExprTry, Lifetime,
    MacroDelimiter, Pat, Stmt, Token, token,
};

use super::braces::before_braces;
use super::exits::{Exit, Given, Hole, Names};
use super::model::Policy;
use super::{check, macros};
use crate::diag::Errors;

/// Rewrites one loop's body, and remembers what it found.
pub(super) struct Rewriter<'a> {
    pub(super) names: Names,
    pub(super) krate: &'a Ident,
    /// How many loops this one is nested in.
    pub(super) depth: usize,
    pub(super) errors: &'a Errors,
    /// The ways out of the loop, one for each place.
    pub(super) exits: Vec<Exit>,
    /// The holes that the values of these exits go through.
    pub(super) holes: Vec<Hole>,
    /// Does the body end this very loop?
    pub(super) breaks: bool,
    /// Has the compiler, or a nested `parallel_for!`, a better error for what is in the body? Then the loop stays as it is.
    pub(super) gave_up: bool,
    /// Set while the value of a `local` is rewritten, whose code runs before the body.
    pub(super) in_local: bool,
    /// The reduced variables of this loop and those around it, of which the body sees a worker's part alone.
    pub(super) parts: HashSet<String>,
    /// Those of them that are whole again where a `return` is done.
    pub(super) merged: HashSet<String>,
    pub(super) policy: Policy,
    label: Option<&'a Lifetime>,
    /// What `break` and `continue` may mean instead of this loop, outermost first.
    scopes: Vec<Scope>,
    /// The conditions of the `#[cfg]`s around the code being visited.
    pub(super) conditions: Vec<TokenStream>,
    /// Is there any `cfg` in the body?
    pub(super) conditional: bool,
    /// Inside a `try` block `?` belongs to the block.
    try_blocks: usize,
}

/// A loop or a labelled block of the user's inside the body.
struct Scope {
    label: Option<Ident>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(
        krate: &'a Ident,
        depth: usize,
        place: Span,
        policy: Policy,
        label: Option<&'a Lifetime>,
        errors: &'a Errors,
    ) -> Self {
        Self {
            names: Names::new(krate, depth, place),
            krate,
            depth,
            errors,
            exits: Vec::new(),
            holes: Vec::new(),
            breaks: false,
            gave_up: false,
            in_local: false,
            policy,
            label,
            scopes: Vec::new(),
            parts: HashSet::new(),
            merged: HashSet::new(),
            conditions: Vec::new(),
            conditional: false,
            try_blocks: 0,
        }
    }

    pub(super) fn in_scope(&self, label: &Lifetime) -> bool {
        self.scopes
            .iter()
            .any(|scope| scope.label.as_ref() == Some(&label.ident))
    }

    pub(super) fn is_own(&self, label: &Lifetime) -> bool {
        self.label.is_some_and(|own| own.ident == label.ident)
    }

    /// Is a `break` or `continue` with this label about this loop, or one around it?
    fn concerns_us(&self, label: Option<&Lifetime>) -> bool {
        label.map_or(self.scopes.is_empty(), |label| !self.in_scope(label))
    }

    /// Records a `break` or `continue` of this loop in a place that is not in the body.
    fn outside_body(&self, word: &impl ToTokens) {
        if self.in_local {
            let name = word.to_token_stream();
            self.errors.at(word, format!("`{name}` in the value of a `local`, which is made before the body; use it in the body"));
        }
    }

    /// Visits what stands under these attributes.
    fn under(&mut self, attrs: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let outside = self.conditions.len();
        let conditions = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
        self.conditions.extend(
            conditions.filter_map(|attr| Some(attr.meta.require_list().ok()?.tokens.clone())),
        );
        visit(self);
        self.conditions.truncate(outside);
    }

    fn statement(&mut self, stmt: &mut Stmt) {
        let Stmt::Macro(found) = stmt else {
            return visit_mut::visit_stmt_mut(self, stmt);
        };
        let Some(new) = self.special(&found.mac, &mut found.attrs) else {
            return self.visit_macro_mut(&mut found.mac);
        };
        // A macro with braces is a statement without a semicolon; an expression is not.
        let braced = matches!(found.mac.delimiter, MacroDelimiter::Brace(_));
        let semi = found
            .semi_token
            .or_else(|| braced.then(|| Token![;](self.names.site)));
        *stmt = Stmt::Expr(new, semi);
    }

    fn within(&mut self, label: Option<&Ident>, visit: impl FnOnce(&mut Self)) {
        self.scopes.push(Scope {
            label: label.cloned(),
        });
        visit(self);
        self.scopes.pop();
    }

    fn question(&mut self, question: &mut ExprTry) -> Expr {
        self.visit_expr_mut(&mut question.expr);
        let operand = &question.expr;
        let exit = Exit::Try {
            conditions: self.conditions.clone(),
            value: operand.span(),
            question: question.question_token,
        };
        let span = self.names.at(exit.span());
        let residual = quote_spanned!(span=> __residual);
        let flow = self.failing(&exit, &self.sent(&residual, span), &residual);
        let jump = self.jump(&flow, span);
        let private = self.names.private(span);
        let operand = before_braces(operand, span);
        // The operand is bound first: what is not fit for `?` is then one error, at the `?`.
        let tokens = quote_spanned! {span=>
            match #operand {
                __tried => match #private::Try::branch(__tried) {
                    ::core::ops::ControlFlow::Continue(__value) => __value,
                    ::core::ops::ControlFlow::Break(__residual) => #jump,
                },
            }
        };
        parens(std::mem::take(&mut question.attrs), tokens, span)
    }

    /// What a `return` or a `break` gives, and what of it has to travel.
    fn given<'e>(
        &self,
        value: Option<&'e Expr>,
        merged: &HashSet<String>,
    ) -> (Option<Given>, Option<&'e Expr>) {
        let Some(value) = value else {
            return (None, None);
        };
        let (given, travels) = Given::new(value, merged);
        if let Some(travels) = travels
            && let Some(part) = self
                .parts
                .iter()
                .find(|part| check::mentions(travels.to_token_stream(), part))
        {
            self.errors.at(
                travels,
                format!(
                    "`{part}` is only one worker's part here; leave the loop with `break` and use `{part}` after the loop"
                ),
            );
        }
        (Some(given), travels)
    }

    fn return_(&mut self, found: &mut ExprReturn) {
        if let Some(value) = &mut found.expr {
            self.visit_expr_mut(value);
        }
        let merged = self.merged.clone();
        let (given, travels) = self.given(found.expr.as_deref(), &merged);
        let exit = Exit::Return {
            token: found.return_token,
            value: given,
        };
        let flow = self.leaving_with(&exit, travels);
        let attrs = std::mem::take(&mut found.attrs);
        *found = ExprReturn {
            attrs,
            ..self.jump(&flow, self.names.at(exit.span()))
        };
    }

    fn break_(&mut self, found: &mut ExprBreak) -> Option<Expr> {
        if let Some(value) = &mut found.expr {
            self.visit_expr_mut(value);
        }
        if !self.concerns_us(found.label.as_ref()) {
            return None;
        }
        let span = self.names.at(found.break_token.span);
        let flow = match &found.label {
            Some(label) if !self.is_own(label) => {
                // A label may be inside an outer loop's body, where its variables are not whole yet.
                let merged = if self.depth == 0 {
                    self.merged.clone()
                } else {
                    HashSet::new()
                };
                let (given, travels) = self.given(found.expr.as_deref(), &merged);
                let exit = Exit::Break {
                    token: found.break_token,
                    label: label.clone(),
                    value: given,
                };
                self.leaving_with(&exit, travels)
            }
            _ => {
                self.outside_body(&found.break_token);
                // A `for` loop has no value.
                self.gave_up |= found.expr.is_some();
                self.own_break(span)
            }
        };
        let attrs = std::mem::take(&mut found.attrs);
        Some(Expr::Return(ExprReturn {
            attrs,
            ..self.jump(&flow, span)
        }))
    }

    fn continue_(&mut self, found: &mut ExprContinue) -> Option<Expr> {
        if !self.concerns_us(found.label.as_ref()) {
            return None;
        }
        let span = self.names.at(found.continue_token.span);
        let flow = match &found.label {
            Some(label) if !self.is_own(label) => self.leaving(
                &Exit::Continue {
                    token: found.continue_token,
                    label: label.clone(),
                },
                None,
            ),
            _ => {
                self.outside_body(&found.continue_token);
                self.next(span)
            }
        };
        let attrs = std::mem::take(&mut found.attrs);
        Some(Expr::Return(ExprReturn {
            attrs,
            ..self.jump(&flow, span)
        }))
    }
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let new = match expr {
            Expr::Try(question) if self.try_blocks == 0 => Some(self.question(question)),
            Expr::Return(found) => return self.return_(found),
            Expr::Break(found) => self.break_(found),
            Expr::Continue(found) => self.continue_(found),
            // What is in these belongs to them.
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => return,
            Expr::Await(found) => {
                self.errors.at(
                    &found.await_token,
                    "`.await` cannot stand in the body of a parallel loop, which runs on threads; \
                     run the future to its end with a `block_on` (in an async function, with the loop in `spawn_blocking`), or use a \
                     loop of your async runtime",
                );
                return self.visit_expr_mut(&mut found.base);
            }
            Expr::ForLoop(inner) => {
                self.visit_expr_mut(&mut inner.expr);
                let label = inner.label.as_ref().map(|label| &label.name.ident);
                return self.within(label, |this| this.visit_block_mut(&mut inner.body));
            }
            Expr::While(inner) => {
                let label = inner.label.as_ref().map(|label| &label.name.ident);
                return self.within(label, |this| {
                    this.visit_expr_mut(&mut inner.cond);
                    this.visit_block_mut(&mut inner.body);
                });
            }
            Expr::Loop(inner) => {
                let label = inner.label.as_ref().map(|label| &label.name.ident);
                return self.within(label, |this| this.visit_block_mut(&mut inner.body));
            }
            Expr::Block(block) if block.label.is_some() => {
                let label = block.label.as_ref().map(|label| &label.name.ident);
                return self.within(label, |this| this.visit_block_mut(&mut block.block));
            }
            Expr::TryBlock(block) => {
                self.try_blocks += 1;
                self.visit_block_mut(&mut block.block);
                self.try_blocks -= 1;
                return;
            }
            Expr::Macro(found) => match self.special(&found.mac, &mut found.attrs) {
                Some(new) => Some(new),
                None => return self.visit_macro_mut(&mut found.mac),
            },
            other => return visit_mut::visit_expr_mut(self, other),
        };
        if let Some(new) = new {
            *expr = new;
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        // The attributes of a statement may belong to its first operand; its tokens know no such difference.
        let attrs = if self.conditional {
            leading_attrs(stmt)
        } else {
            Vec::new()
        };
        self.under(&attrs, |this| this.statement(stmt));
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        let attrs = arm.attrs.clone();
        self.under(&attrs, |this| visit_mut::visit_arm_mut(this, arm));
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        let attrs = field.attrs.clone();
        self.under(&attrs, |this| visit_mut::visit_field_value_mut(this, field));
    }

    fn visit_macro_mut(&mut self, mac: &mut syn::Macro) {
        macros::rewrite_arguments(mac, self);
    }

    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        // The guard of a match arm is the only part of a pattern that runs code of the body.
        if let Pat::Guard(guarded) = pat {
            self.visit_expr_mut(&mut guarded.guard);
        }
    }

    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}
    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
}

fn leading_attrs(stmt: &Stmt) -> Vec<Attribute> {
    let attrs = |input: ParseStream<'_>| {
        let attrs = Attribute::parse_outer(input);
        input.parse::<TokenStream>()?;
        attrs
    };
    attrs.parse2(stmt.to_token_stream()).unwrap_or_default()
}

/// An expression that keeps together wherever it is put; the parentheses are ours, so that no lint minds them.
pub(super) fn parens(attrs: Vec<Attribute>, tokens: TokenStream, span: Span) -> Expr {
    Expr::Paren(ExprParen {
        attrs,
        paren_token: token::Paren(span),
        expr: Box::new(Expr::Verbatim(tokens)),
    })
}
