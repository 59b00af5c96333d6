//! What stands in a body in the place of a way out.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ExprReturn, Token};

use super::exits::{Exit, Hole};
use super::model::Policy;
use super::rewrite::Rewriter;

impl Rewriter<'_> {
    /// Passes an exit of a nested loop on, from where the nested loop ends.
    pub(super) fn pass_on(&mut self, exit: &Exit, value: &Ident) -> TokenStream {
        let span = self.names.at(exit.span());
        let value = value.to_token_stream();
        let flow = match exit {
            Exit::Try {
                value: place,
                question,
                conditions,
            } => {
                let conditions = [&self.conditions[..], conditions].concat();
                let exit = Exit::Try {
                    value: *place,
                    question: *question,
                    conditions,
                };
                self.failing(&exit, &value, &value)
            }
            Exit::Bail { .. } => self.failing(exit, &value, &self.residual(&value, span)),
            Exit::Return { .. } => self.leaving(exit, exit.carries_value().then_some(&value)),
            Exit::Break { label, .. } | Exit::Continue { label, .. } => {
                if self.in_scope(label) {
                    return exit.real(&value, &self.names);
                }
                if self.is_own(label) {
                    if matches!(exit, Exit::Continue { .. }) {
                        self.next(span)
                    } else {
                        self.own_break(span)
                    }
                } else {
                    self.leaving(exit, exit.carries_value().then_some(&value))
                }
            }
        };
        self.jump(&flow, span).into_token_stream()
    }

    /// The declaration of a nested loop's hole where the nested loop stands.
    pub(super) fn declare(&mut self, hole: &Hole) -> TokenStream {
        let untied = || {
            let (name, span) = (&hole.name, self.names.at(hole.exit.span()));
            let private = self.names.private(span);
            quote_spanned!(span=> let #name = #private::Hole::new();)
        };
        match &hole.exit {
            Exit::Break { label, .. } if self.in_scope(label) => {
                return hole.declaration(&self.names);
            }
            Exit::Break { label, .. } if self.is_own(label) => {
                self.gave_up = true;
                return untied();
            }
            // The error stays in this loop, whatever its type.
            Exit::Bail { .. } if matches!(self.policy, Policy::Log | Policy::Ignore) => {
                return untied();
            }
            _ => {}
        }
        self.want(hole.clone());
        TokenStream::new()
    }

    /// Leaves the loop from its body with `value`.
    pub(super) fn leaving(&mut self, exit: &Exit, value: Option<&TokenStream>) -> TokenStream {
        let flow = self
            .names
            .exit_flow(self.exits.len(), value, self.names.at(exit.span()));
        self.exits.push(exit.clone());
        flow
    }

    /// What the policy makes of a failure: `value` is what would leave, `residual` what would be described.
    pub(super) fn failing(
        &mut self,
        exit: &Exit,
        value: &TokenStream,
        residual: &TokenStream,
    ) -> TokenStream {
        let span = self.names.at(exit.span());
        match self.policy {
            Policy::Raise => self.leaving(exit, Some(value)),
            Policy::Log | Policy::Ignore => self.names.failure_flow(self.policy, residual, span),
            Policy::Unknown => {
                let failed = self.names.failure_flow(self.policy, residual, span);
                let raised = self.leaving(exit, Some(value));
                let (private, policy) = (self.names.private(span), &self.names.policy);
                quote_spanned!(span=> match #policy { #private::ErrorPolicy::Raise => #raised, _ => #failed })
            }
        }
    }

    pub(super) fn next(&self, span: Span) -> TokenStream {
        let private = self.names.private(span);
        quote_spanned!(span=> #private::Flow::Next)
    }

    pub(super) fn own_break(&mut self, span: Span) -> TokenStream {
        self.breaks = true;
        let private = self.names.private(span);
        quote_spanned!(span=> #private::Flow::Break)
    }

    /// A value proved `Send` where the user wrote it.
    pub(super) fn sent(&self, value: &TokenStream, span: Span) -> TokenStream {
        let private = self.names.private(span);
        quote_spanned!(span=> #private::send(#value))
    }

    /// The error of a macro as the residual of a `?`.
    pub(super) fn residual(&self, error: &TokenStream, span: Span) -> TokenStream {
        let private = self.names.private(span);
        quote_spanned!(span=> ::core::result::Result::<#private::Never, _>::Err(#error))
    }

    /// The value of an exit, of the type that the exit needs.
    pub(super) fn filled(&mut self, exit: &Exit, value: &TokenStream) -> TokenStream {
        let Some(hole) = exit.hole(&self.names) else {
            return value.clone();
        };
        let name = hole.name.clone();
        self.want(hole);
        let span = self.names.at(exit.span());
        quote_spanned!(span=> #name.fill(#value))
    }

    pub(super) fn want(&mut self, hole: Hole) {
        if self.holes.iter().all(|wanted| wanted.name != hole.name) {
            self.holes.push(hole);
        }
    }

    /// Ends the closure with `flow`.
    pub(super) fn jump(&self, flow: &TokenStream, span: Span) -> ExprReturn {
        let worker = &self.names.worker;
        let value = if self.in_local {
            quote_spanned!(span=> #worker.failed(#flow))
        } else {
            flow.clone()
        };
        ExprReturn {
            attrs: Vec::new(),
            return_token: Token![return](span),
            expr: Some(Box::new(Expr::Verbatim(value))),
        }
    }

    pub(super) fn leaving_with(&mut self, exit: &Exit, value: Option<&Expr>) -> TokenStream {
        let value = value.map(|value| {
            let sent = self.sent(&value.to_token_stream(), self.names.at(exit.span()));
            self.filled(exit, &sent)
        });
        self.leaving(exit, value.as_ref())
    }
}
