//! The function as data: how to call it, what to keep of its arguments, and how to show them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;

use super::expand::builder_call;
use super::model::Model;
use super::pieces::{Signature, Types, relocated};

/// `f::__call()`
pub(super) fn call(model: &Model) -> TokenStream {
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
    // What rustc says of an argument that cannot be cloned, it says at its type; with `retry` it says it once.
    let clones = |by: &str| {
        let by = format_ident!("{by}");
        let clones = locals
            .iter()
            .zip(&model.borrowing.args)
            .map(|(local, ty)| relocated(quote!(#p::#by(#local)), ty.span()));
        quote!(|(#(#locals,)*)| (#(#clones,)*))
    };
    if model.keep_args {
        keep = clones(if model.retry { "again" } else { "keep" });
        describe = quote!(|(#(#locals,)*)| #p::Some(#p::call_text(#text, &[#((&#p::Show(#locals)).show()),*])));
    } else {
        keep = quote!(|_| ());
        describe = quote!(|_| #p::None);
    }
    let cloning = model.retry.then(|| clones("again"));
    let retry_if = model.retry_if.as_ref();
    let retry_if = retry_if.map(|setting| builder_call(&p, setting));
    // Behind a method call, `new` is not told its types by what is returned.
    let (types, retrying) = match &cloning {
        Some(cloning) => (
            Some(quote!(::<#args, #kept, #ok, #err>)),
            Some(quote!(.cloning(#cloning) #retry_if)),
        ),
        None => (None, None),
    };
    let not_a_result = model.may_be_result.then(|| not_a_result(model));
    // Look-up ignores lifetimes, and would take a `Box<dyn Error + '_>` for one that is `'static`.
    let boxed = (!model.error_borrows).then(|| quote!(VtableDeref as _,));
    quote! {
        #[doc(hidden)]
        #[inline]
        fn #name<#params>() -> #p::Call<#args, #kept, #ok, #err>
        where #bounds
        {
            #not_a_result
            #[allow(unused_imports)]
            use #p::{VtableError as _, #boxed VtableDisplay as _, VtableDebug as _, VtableAny as _, ShowDebug as _, ShowOpaque as _};
            #p::Call #types::new(Self::#options(), #run, #keep, #describe, (&&&&&#p::DescribeType::<#err>::new()).vtable())
                #retrying
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
