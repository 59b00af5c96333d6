//! Writes the function and its companion: calls and data, nothing that decides or loops.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::function::Function;
use super::model::{Model, Place};
use super::options::Setting;
use super::values::Value;
use super::{body, call, companion};

pub(super) fn expand(model: &Model, function: &Function) -> TokenStream {
    let itself = itself(model, function);
    let functions = [
        companion::scope(model),
        companion::map(model, "map", "in the order of the input"),
        companion::map(model, "as_completed", "in the order of completion"),
        companion::submit(model),
        companion::try_submit(model),
        companion::configure(model),
        companion::pool(model),
        options(model),
        call::call(model),
    ];
    let companion = match &model.place {
        Place::Type(name) => companion_type(model, name, &functions),
        Place::Siblings => siblings(model, &functions),
    };
    quote!(#itself #companion)
}

/// The function as it was written, but for the loops in its body.
fn itself(model: &Model, function: &Function) -> TokenStream {
    let head = &function.head;
    let nested_fns = matches!(model.place, Place::Type(_));
    let body = body::with_pool(&function.body, &model.pool(), nested_fns);
    quote!(#head #body)
}

/// A type that has no values, to carry the functions.
fn companion_type(model: &Model, name: &Ident, functions: &[TokenStream]) -> TokenStream {
    let Model {
        vis,
        attrs,
        impl_attrs,
        ..
    } = model;
    let doc = format!(
        "The task pool of {}: many calls of it at once.",
        model.link()
    );
    let (itself, allowed) = (model.type_name(), allowed());
    quote! {
        #[doc = #doc]
        #allowed
        #[allow(clippy::exhaustive_enums)]
        #(#attrs)*
        #vis enum #name {}

        #allowed
        #(#impl_attrs)*
        impl #itself { #(#functions)* }
    }
}

/// Functions beside a method: each carries what the type would.
fn siblings(model: &Model, functions: &[TokenStream]) -> TokenStream {
    let (attrs, allowed) = (&model.attrs, allowed());
    functions
        .iter()
        .map(|function| quote!(#allowed #(#attrs)* #function))
        .collect()
}

/// Lints that a function passes and its companion need not: names, private types and unused parts are the function's.
fn allowed() -> TokenStream {
    quote! {
        #[allow(
            dead_code,
            deprecated,
            missing_copy_implementations,
            missing_debug_implementations,
            non_camel_case_types,
            non_snake_case,
            private_bounds,
            private_interfaces,
            trivial_bounds,
            unreachable_pub,
            clippy::impl_trait_in_params,
            clippy::multiple_bound_locations,
            clippy::too_many_arguments,
        )]
    }
}

/// The options, evaluated once, at first use.
fn options(model: &Model) -> TokenStream {
    let (p, name, text) = (model.private(), model.function("__options"), model.text());
    let settings = model
        .settings
        .iter()
        .map(|setting| builder_call(&p, setting));
    quote! {
        #[doc(hidden)]
        fn #name() -> &'static #p::TaskOptions {
            // An expression among the options may name any item of the user's, but none of this name.
            static __FUTUREPROOF_OPTIONS: #p::LazyLock<#p::TaskOptions> =
                #p::LazyLock::new(|| #p::TaskOptions::new(#text) #(#settings)* .build());
            &__FUTUREPROOF_OPTIONS
        }
    }
}

/// `.workers(5)`
pub(super) fn builder_call(p: &TokenStream, Setting { key, value }: &Setting) -> TokenStream {
    let value = match value {
        Value::Policy(name) => {
            let name = Ident::new(name, Span::call_site());
            quote!(#p::ErrorPolicy::#name)
        }
        Value::Duration(span) => duration(p, *span),
        Value::Rate(rate) => {
            let (starts, per) = (rate.starts, duration(p, rate.per));
            let burst = rate.burst.map(|burst| quote!(.burst(#burst)));
            quote!(#p::RateLimit::new(#starts, #per) #burst)
        }
        Value::Expression(expr) => expr.clone(),
    };
    quote!(.#key(#value))
}

fn duration(p: &TokenStream, span: Duration) -> TokenStream {
    let (seconds, nanos) = (span.as_secs(), span.subsec_nanos());
    quote!(#p::Duration::new(#seconds, #nanos))
}
