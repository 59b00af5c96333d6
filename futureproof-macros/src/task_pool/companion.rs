//! The functions of the companion: each hands the pool and the call to the runtime's function of its name.
//!
//! Those that are not generic are `#[inline]`, so that a library's functions cost code only where they are used.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Model;
use super::pieces::{Signature, Types};

/// `f::scope(|tasks| …)`
pub(super) fn scope(model: &Model) -> TokenStream {
    let Model {
        vis,
        env,
        output_param,
        ..
    } = model;
    let (krate, name) = (&model.krate, model.function("scope"));
    let Types {
        args,
        kept,
        ok,
        err,
    } = Types::of(model, &model.borrowing);
    let doc = format!(
        "Runs many calls of {} at once, whose arguments may borrow: all have ended when it returns.",
        model.link()
    );
    let signature = Signature::of(
        &model.borrowing,
        output_param,
        quote!(#output_param: #krate::ScopeOutput<#err>),
    );
    let Signature { params, bounds } = signature;
    let run = model.hand_over("scope", quote!(body));
    quote! {
        #[doc = #doc]
        ///
        /// # Errors
        ///
        /// The first failure of a task under the policy `raise`, or the error of `body`.
        #vis fn #name<#params>(
            body: impl ::core::ops::FnOnce(&#krate::TaskManager<#env, #args, #kept, #ok, #err>) -> #output_param,
        ) -> ::core::result::Result<#output_param::Value, #krate::ScopeError<#err>>
        where #bounds
        {
            #run
        }
    }
}

/// `f::map(inputs)` and `f::as_completed(inputs)`
pub(super) fn map(model: &Model, name: &str, order: &str) -> TokenStream {
    let Model {
        vis,
        input_param: input,
        ..
    } = model;
    let (krate, run, name) = (
        &model.krate,
        model.hand_over(name, quote!(inputs)),
        model.function(name),
    );
    let Types {
        args,
        kept,
        ok,
        err,
    } = Types::of(model, &model.owning);
    let doc = format!(
        "Calls {} for each input and gives the results {order}, pulling inputs as they are needed.",
        model.link()
    );
    let needed = quote! {
        #input: ::core::iter::IntoIterator,
        #input::IntoIter: ::core::marker::Send + 'static,
        #input::Item: #krate::IntoArgs<#args>
    };
    let Signature { params, bounds } = Signature::of(&model.owning, input, needed);
    quote! {
        #[doc = #doc]
        #vis fn #name<#params>(inputs: #input) -> #krate::Results<#args, #kept, #ok, #err>
        where #bounds
        {
            #run
        }
    }
}

/// `f::submit(args…)`
pub(super) fn submit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let Types { kept, ok, err, .. } = Types::of(model, &model.owning);
    let doc = format!(
        "Queues one call of {} and gives a handle to its result.",
        model.link()
    );
    let handle = quote!(#krate::TaskHandle<#ok, #err, #kept>);
    submission(model, "submit", &quote!(#[doc = #doc]), &handle)
}

/// `f::try_submit(args…)`
pub(super) fn try_submit(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let types = Types::of(model, &model.owning);
    let Types {
        args,
        kept,
        ok,
        err,
    } = types;
    let doc = format!(
        "Queues one call of {} unless that would have to wait.",
        model.link()
    );
    let doc = quote! {
        #[doc = #doc]
        ///
        /// # Errors
        ///
        /// Gives the arguments back when the pool is saturated, or was closed or stopped.
    };
    let handle = quote!(::core::result::Result<#krate::TaskHandle<#ok, #err, #kept>, #krate::TrySubmitError<#args>>);
    submission(model, "try_submit", &doc, &handle)
}

/// A function with the parameters of the annotated one.
fn submission(model: &Model, name: &str, doc: &TokenStream, gives: &TokenStream) -> TokenStream {
    let Model {
        vis, args: names, ..
    } = model;
    let run = model.hand_over(name, quote!((#(#names,)*)));
    let name = model.function(name);
    let types = &model.owning.args;
    let Signature { params, bounds } = Signature::of_shape(&model.owning);
    quote! {
        #doc
        #[inline]
        #vis fn #name<#params>(#(#names: #types),*) -> #gives
        where #bounds
        {
            #run
        }
    }
}

/// `f::configure()`, which borrows as `scope` does: what else it leads to asks for `'static` itself.
pub(super) fn configure(model: &Model) -> TokenStream {
    let vis = &model.vis;
    let (krate, name, run) = (
        &model.krate,
        model.function("configure"),
        model.hand_over("configure", quote!()),
    );
    let Types {
        args,
        kept,
        ok,
        err,
    } = Types::of(model, &model.borrowing);
    let doc = format!(
        "Begins one use of {} with other options than its own.",
        model.link()
    );
    let Signature { params, bounds } = Signature::of_shape(&model.borrowing);
    quote! {
        #[doc = #doc]
        #[inline]
        #vis fn #name<#params>() -> #krate::Configured<#args, #kept, #ok, #err>
        where #bounds
        {
            #run
        }
    }
}

/// `f::pool()`
pub(super) fn pool(model: &Model) -> TokenStream {
    let vis = &model.vis;
    let (krate, name, options) = (
        &model.krate,
        model.function("pool"),
        model.function("__options"),
    );
    let doc = format!(
        "Returns the pool that the calls of {} run on.",
        model.link()
    );
    quote! {
        #[doc = #doc]
        #[inline]
        #[must_use]
        #vis fn #name() -> &'static #krate::TaskPool {
            &Self::#options().pool
        }
    }
}
