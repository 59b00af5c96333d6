//! Writes the function and its companion: calls and data, nothing that decides or loops.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;

use super::body;
use super::model::{Model, Place};
use super::parse::{Function, Setting, Value};
use super::pieces::{Signature, Types, relocated};

pub(super) fn expand(model: &Model, function: &Function) -> TokenStream {
    let itself = itself(model, function);
    let functions = [
        scope(model),
        map(model, "map", "in the order of the input"),
        map(model, "as_completed", "in the order of completion"),
        submit(model),
        pool(model),
        options(model),
        call(model),
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
    let allowed = allowed();
    quote! {
        #[doc = #doc]
        #allowed
        #(#attrs)*
        #vis enum #name {}

        #allowed
        #(#impl_attrs)*
        impl #name { #(#functions)* }
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
            clippy::multiple_bound_locations,
            clippy::too_many_arguments,
        )]
    }
}

/// `f::scope(|tasks| …)`
fn scope(model: &Model) -> TokenStream {
    let Model {
        vis,
        env,
        output_param,
        ..
    } = model;
    let (p, name) = (model.private(), model.function("scope"));
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
        quote!(#output_param: #p::ScopeOutput<#err>),
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
            body: impl #p::FnOnce(&#p::TaskManager<#env, #args, #kept, #ok, #err>) -> #output_param,
        ) -> #p::Result<#output_param::Value, #p::ScopeError<#err>>
        where #bounds
        {
            #run
        }
    }
}

/// `f::map(inputs)` and `f::as_completed(inputs)`
fn map(model: &Model, name: &str, order: &str) -> TokenStream {
    let Model {
        vis,
        input_param: input,
        ..
    } = model;
    let (p, run, name) = (
        model.private(),
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
        #input: #p::IntoIterator,
        #input::IntoIter: #p::Send + 'static,
        #input::Item: #p::IntoArgs<#args>
    };
    let Signature { params, bounds } = Signature::of(&model.owning, input, needed);
    quote! {
        #[doc = #doc]
        #vis fn #name<#params>(inputs: #input) -> #p::Results<#args, #kept, #ok, #err>
        where #bounds
        {
            #run
        }
    }
}

/// `f::submit(args…)`
fn submit(model: &Model) -> TokenStream {
    let Model {
        vis, args: names, ..
    } = model;
    let (p, name, run) = (
        model.private(),
        model.function("submit"),
        model.hand_over("submit", quote!((#(#names,)*))),
    );
    let Types { kept, ok, err, .. } = Types::of(model, &model.owning);
    let types = &model.owning.args;
    let doc = format!(
        "Queues one call of {} and gives a handle to its result.",
        model.link()
    );
    let Signature { params, bounds } = Signature::of_shape(&model.owning);
    quote! {
        #[doc = #doc]
        #vis fn #name<#params>(#(#names: #types),*) -> #p::TaskHandle<#ok, #err, #kept>
        where #bounds
        {
            #run
        }
    }
}

/// `f::pool()`
fn pool(model: &Model) -> TokenStream {
    let vis = &model.vis;
    let (p, name, options) = (
        model.private(),
        model.function("pool"),
        model.function("__options"),
    );
    let doc = format!(
        "Returns the pool that the calls of {} run on.",
        model.link()
    );
    quote! {
        #[doc = #doc]
        #[must_use]
        #vis fn #name() -> &'static #p::TaskPool {
            &Self::#options().pool
        }
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
fn builder_call(p: &TokenStream, Setting { key, value }: &Setting) -> TokenStream {
    let value = match value {
        Value::Policy(name) => {
            let name = Ident::new(name, Span::call_site());
            quote!(#p::ErrorPolicy::#name)
        }
        Value::Duration(seconds, nanos) => quote!(#p::Duration::new(#seconds, #nanos)),
        Value::Expression(expr) => expr.clone(),
    };
    quote!(.#key(#value))
}

/// The function as data.
fn call(model: &Model) -> TokenStream {
    let (p, name, text) = (model.private(), model.function("__call"), model.text());
    let Types {
        args,
        kept,
        ok,
        err,
    } = Types::of(model, &model.borrowing);
    let (options, Signature { params, bounds }) = (
        model.function("__options"),
        Signature::of_shape(&model.borrowing),
    );
    let locals: Vec<Ident> = (0..model.args.len())
        .map(|index| format_ident!("__arg{index}", span = Span::mixed_site()))
        .collect();

    let (run, describe, keep);
    if model.runs {
        let function = model.itself();
        let result = quote!(#function(#(#locals),*));
        run = match model.fallible {
            true => quote!(|(#(#locals,)*)| #p::Fallible::into_result(#result)),
            false => quote!(|(#(#locals,)*)| #p::Ok(#result)),
        };
    } else {
        run = quote!(|_| loop {});
    }
    if model.keep_args {
        let keeps = locals
            .iter()
            .zip(&model.borrowing.args)
            .map(|(local, ty)| relocated(quote!(#p::keep(#local)), ty.span()));
        keep = quote!(|(#(#locals,)*)| (#(#keeps,)*));
        describe = quote!(|(#(#locals,)*)| #p::Some(#p::call_text(#text, &[#((&#p::Show(#locals)).show()),*])));
    } else {
        keep = quote!(|_| ());
        describe = quote!(|_| #p::None);
    }
    let not_a_result = model.may_be_result.then(|| not_a_result(model));
    // Look-up ignores lifetimes, and would take a `Box<dyn Error + '_>` for one that is `'static`.
    let boxed = (!model.error_borrows).then(|| quote!(VtableDeref as _,));
    quote! {
        #[doc(hidden)]
        fn #name<#params>() -> #p::Call<#args, #kept, #ok, #err>
        where #bounds
        {
            #not_a_result
            #[allow(unused_imports)]
            use #p::{VtableError as _, #boxed VtableDisplay as _, VtableDebug as _, VtableAny as _, ShowDebug as _, ShowOpaque as _};
            #p::Call::new(Self::#options(), #run, #keep, #describe, (&&&&&#p::DescribeType::<#err>::new()).vtable())
        }
    }
}

/// Lets rustc refuse a `Result` by another name. A type that depends on parameters is known where the function is used.
fn not_a_result(model: &Model) -> TokenStream {
    let text = format!(
        "`{0}` returns a `Result` by another name: write `#[task_pool(fallible = true)]`, so that its errors are failures of \
         tasks (or `fallible = false`, if they are not)",
        model.text()
    );
    let by_itself = model.is_closed(&model.owning.output);
    let output = if by_itself {
        &model.owning.output
    } else {
        &model.borrowing.output
    };
    // An inherent constant goes before a trait's, where it is there.
    let check = quote! {{
        struct __Returned<T: ?::core::marker::Sized>(::core::marker::PhantomData<T>);
        impl<T, E> __Returned<::core::result::Result<T, E>> {
            const IS_RESULT: bool = true;
        }
        trait __NoResult {
            const IS_RESULT: bool = false;
        }
        impl<T: ?::core::marker::Sized> __NoResult for __Returned<T> {}
        if __Returned::<#output>::IS_RESULT {
            ::core::panic!(#text);
        }
    }};
    let check = relocated(check, output.span());
    if by_itself {
        quote!(const _: () = #check;)
    } else {
        quote!(const #check)
    }
}
