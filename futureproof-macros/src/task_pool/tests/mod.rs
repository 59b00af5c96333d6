//! Expansions as text.

mod body;
mod limits;
mod mistakes;

use proc_macro2::TokenStream;
use quote::quote;

use super::expand;

/// The expansion as rustfmt would write it.
fn pretty(args: TokenStream, item: TokenStream) -> String {
    let tokens = expand(args, item);
    let file = syn::parse2(tokens.clone()).unwrap_or_else(|error| panic!("{error} in {tokens}"));
    prettyplease::unparse(&file)
}

/// The same inside of an `impl`.
fn pretty_method(args: TokenStream, item: TokenStream) -> String {
    let tokens = expand(args, item);
    prettyplease::unparse(
        &syn::parse2(quote!(impl Client { #tokens })).expect("the expansion is Rust"),
    )
}

/// What comes out, without what is not to be looked at: spaces.
fn dense(text: &str) -> String {
    text.split_whitespace()
        .collect::<String>()
        .replace(",)", ")")
        .replace(",>", ">")
}

#[track_caller]
fn assert_has(text: &str, wanted: &str) {
    assert!(
        dense(text).contains(&dense(wanted)),
        "no `{wanted}` in:\n{text}"
    );
}

#[track_caller]
fn assert_lacks(text: &str, unwanted: &str) {
    assert!(
        !dense(text).contains(&dense(unwanted)),
        "`{unwanted}` in:\n{text}"
    );
}

/// The function of most tests.
fn load() -> TokenStream {
    quote! { fn load(url: &str, tries: u32) -> Result<usize, Error> { url.parse() } }
}

#[test]
fn the_function_comes_out_as_it_went_in() {
    let item = quote! {
        /// Loads.
        #[inline]
        pub(crate) fn load<T: Clone>(url: &T) -> u8 where T: Sync { let x = url; 5 }
    };
    let text = expand(quote!(), item.clone()).to_string();
    assert!(text.starts_with(&item.to_string()), "{text}");
}

#[test]
fn the_companion_has_the_functions_name_and_visibility() {
    let text = pretty(quote!(), quote! { pub(crate) fn load(url: &str) {} });
    assert_has(&text, "pub(crate) enum load {}");
    for function in [
        "scope",
        "map",
        "as_completed",
        "submit",
        "try_submit",
        "configure",
        "pool",
    ] {
        assert_has(&text, &format!("pub(crate) fn {function}"));
    }
    let text = pretty(quote!(type = Loader), load());
    assert_has(&text, "enum Loader {}");
    assert_has(&text, "impl Loader {");
}

#[test]
fn scope_borrows_and_submit_does_not() {
    let text = pretty(
        quote!(),
        quote! { fn load(url: &str, tries: u32) -> usize { 0 } },
    );
    assert_has(&text, "fn scope<'env, O>(body: impl ::core::ops::FnOnce(
        &::futureproof::TaskManager<'env, (&'env str, u32), (&'env str, u32), usize, ::core::convert::Infallible>) -> O)");
    assert_has(&text, "fn submit(url: &'static str, tries: u32)");
    assert_has(&text, "IntoArgs<(&'static str, u32)>");
    assert_has(&text, "fn try_submit(url: &'static str, tries: u32)");
    assert_has(&text, "TrySubmitError<(&'static str, u32)>");
}

#[test]
fn configure_borrows_as_scope_does() {
    let text = pretty(
        quote!(),
        quote! { fn load(url: &str, tries: u32) -> usize { 0 } },
    );
    assert_has(
        &text,
        "fn configure<'env>() -> ::futureproof::Configured<(&'env str, u32), (&'env str, u32), usize, ::core::convert::Infallible>",
    );
    let text = pretty(
        quote!(),
        quote! { fn load<T: Job>(job: &T) -> T::Out { job.run() } },
    );
    assert_has(&text, "fn configure<'env, T: Job>()");
    assert_has(
        &text,
        "configure(Self::pool(), ::futureproof::__private::sendable(Self::__call::<T>()),)",
    );
}

#[test]
fn elided_lifetimes_get_names() {
    let text = pretty(
        quote!(),
        quote! { fn load(url: Cow<'_, str>, list: &[&str], f: fn(&u8) -> &u8) {} },
    );
    assert_has(
        &text,
        "(Cow<'url, str>, &'env [&'list str], fn(&u8) -> &u8)",
    );
    assert_has(&text, "fn scope<'env, 'url, 'list, O>");
    // What `&'env [&'list str]` takes for granted.
    assert_has(&text, "[&'list str]: 'env");
    assert_has(
        &text,
        "submit(url: Cow<'static, str>, list: &'static [&'static str], f: fn(&u8) -> &u8)",
    );
}

#[test]
fn a_result_that_borrows_is_tied_to_its_argument_alone() {
    let text = pretty(
        quote!(),
        quote! { fn first(text: &str, n: usize) -> &str { text } },
    );
    assert_has(
        &text,
        "TaskManager<'env, (&'text str, usize), (&'text str, usize), &'text str,",
    );
    let text = pretty_method(quote!(), quote! { fn name(&self, of: &str) -> &str { "" } });
    assert_has(
        &text,
        "TaskManager<'env, (&'this Self, &'of str), (&'this Self, &'of str), &'this str,",
    );
}

#[test]
fn lifetimes_that_the_function_names_stay() {
    let text = pretty(
        quote!(),
        quote! { fn pick<'a, 'env>(a: &'a str, b: &'env str, c: &str) -> &'a str { a } },
    );
    assert_has(&text, "fn scope<'env2, 'a, 'env, O>");
    assert_has(&text, "(&'a str, &'env str, &'env2 str)");
    assert_has(
        &text,
        "fn submit(a: &'static str, b: &'static str, c: &'static str)",
    );
}

#[test]
fn impl_trait_becomes_a_type_parameter() {
    let text = pretty(
        quote!(),
        quote! { fn run<const N: usize>(job: impl Fn(&str) -> [u8; N], x: &impl T) {} },
    );
    assert_has(
        &text,
        "fn scope<'env, const N: usize, T2: Fn(&str) -> [u8; N], T3: T, O>",
    );
    assert_has(&text, "(T2, &'env T3)");
    // The function itself cannot be told what `impl Trait` stands for, the companion has to be.
    assert_has(&text, "run::<N>(__arg0, __arg1)");
    assert_has(&text, "Self::__call::<N, T2, T3>()");
}

#[test]
fn generic_types_are_asked_what_rustc_cannot_see() {
    let text = pretty(
        quote!(keep_args = false),
        quote! { fn run<T: Job>(job: T, n: u8) -> Result<T::Out, E> { job.run() } },
    );
    assert_has(&text, "T: ::core::marker::Send");
    assert_has(&text, "T::Out: ::core::marker::Send");
    assert_lacks(&text, "E: ");
    assert_has(&text, "T: 'static");
    assert_lacks(&text, "u8: ");
    assert_lacks(&text, "Clone");
}

#[test]
fn fallible_is_what_returns_a_result() {
    for output in [
        quote!(Result<u8, E>),
        quote!(io::Result<u8>),
        quote!(::std::result::Result<u8, E>),
    ] {
        let text = pretty(quote!(), quote! { fn load() -> #output { todo!() } });
        assert_has(
            &text,
            "|()| ::futureproof::__private::Fallible::into_result(load())",
        );
    }
    assert_has(
        &pretty(quote!(), quote! { fn load() -> Option<u8> { None } }),
        "Ok(load())",
    );
    assert_has(
        &pretty(
            quote!(fallible = true),
            quote! { fn load() -> Fetched { todo!() } },
        ),
        "<Fetched as ::futureproof::__private::Fallible>::Err",
    );
    assert_lacks(
        &pretty(
            quote!(fallible = false),
            quote! { fn load() -> my::Result { todo!() } },
        ),
        "Fallible",
    );
}

#[test]
fn what_a_result_is_made_of_is_written_as_it_is_where_it_can_be_read() {
    let handle = |options: TokenStream, output: TokenStream| {
        let text = pretty(options, quote! { fn load() -> #output { todo!() } });
        let (_, signature) = text.split_once("fn submit()").expect("a function");
        let (signature, _) = signature.split_once('{').expect("a body");
        dense(signature)
    };
    for output in [
        quote!(Result<u8, E>),
        quote!((Result<u8, E>)),
        quote!(::std::result::Result<u8, E>),
    ] {
        let handle = handle(quote!(), output);
        assert_eq!(handle, "->::futureproof::TaskHandle<u8,E,()>");
    }
    // An alias may mean something else by its arguments.
    for (options, output) in [
        (quote!(), quote!(io::Result<u8>)),
        (quote!(), quote!(my::Result<u8, E>)),
        (quote!(fallible = true), quote!(Result<u8, E>)),
    ] {
        assert_has(
            &handle(options, output),
            "as ::futureproof::__private::Fallible>::Err",
        );
    }
}

#[test]
fn a_box_of_a_borrowing_error_is_not_taken_for_a_static_one() {
    assert_has(
        &pretty(quote!(), load()),
        "VtableError as _, VtableDeref as _",
    );
    let text = pretty(
        quote!(),
        quote! { fn f(a: &str) -> Result<u8, Box<dyn Error + Send + '_>> { todo!() } },
    );
    assert_has(&text, "VtableError as _");
    assert_lacks(&text, "VtableDeref");
    let text = pretty(
        quote!(),
        quote! { fn f(a: &str) -> Result<&str, Bad> { todo!() } },
    );
    assert_has(&text, "VtableDeref as _");
}

#[test]
fn options_are_evaluated_once_in_order() {
    let text = pretty(
        quote!(
            workers = 2 * N,
            error_policy = "log",
            monitor = "1.5s",
            capacity = 7,
            name = "x"
        ),
        load(),
    );
    assert_has(
        &text,
        r#"TaskOptions::new("load").workers(2 * N).error_policy(::futureproof::__private::ErrorPolicy::Log)
        .monitor(::futureproof::__private::Duration::new(1u64, 500000000u32)).capacity(7).name("x").build()"#,
    );
    assert_eq!(text.matches("2 * N").count(), 1);
    assert_has(
        &pretty(quote!(monitor = false, error_policy = MINE), load()),
        ".monitor(false).error_policy(MINE)",
    );
}

#[test]
fn progress_goes_to_the_pools_options() {
    for (args, call) in [
        (quote!(progress = true), ".progress(true)"),
        (quote!(progress = "pages"), ".progress(\"pages\")"),
        (quote!(progress = label(3)), ".progress(label(3))"),
    ] {
        let options = format!("TaskOptions::new(\"load\"){call}.build()");
        assert_has(&pretty(args, load()), &options);
    }
}

#[test]
fn the_crate_can_have_another_path() {
    let text = pretty(quote!(crate = my::inner), load());
    assert_has(&text, "my::inner::__private::scope(");
    assert_lacks(&text, "futureproof::");
}

#[test]
fn arguments_are_kept_unless_told_otherwise() {
    assert_has(
        &pretty(quote!(), load()),
        r#"|(__arg0, __arg1)| (::futureproof::__private::keep(__arg0), ::futureproof::__private::keep(__arg1))"#,
    );
    let text = pretty(quote!(keep_args = false), load());
    assert_has(&text, "(&'env str, u32), (), usize, Error>");
    assert_has(&text, "|_| (), |_| ::futureproof::__private::None");
}

#[test]
fn parameters_may_be_patterns() {
    let text = pretty(
        quote!(),
        quote! { fn f((a, b): (u8, u8), mut x: T, _: U, _y: V, r#type: W) {} },
    );
    assert_has(
        &text,
        "fn submit(arg0: (u8, u8), x: T, arg2: U, y: V, r#type: W)",
    );
}

#[test]
fn methods_get_siblings() {
    for receiver in [quote!(&self), quote!(self: &Self)] {
        let text = pretty_method(
            quote!(),
            quote! { pub fn get(#receiver, path: &str) -> u8 { 0 } },
        );
        assert_has(&text, "pub fn get_scope<'env, O>(");
        assert_has(&text, "(&'env Self, &'env str)");
        assert_has(
            &text,
            "pub fn get_submit(this: &'static Self, path: &'static str)",
        );
        assert_has(&text, "Self::get(__arg0, __arg1)");
        assert_has(&text, "&'static Self: 'static");
        assert_has(
            &text,
            "pub fn get_try_submit(this: &'static Self, path: &'static str)",
        );
        assert_has(&text, "pub fn get_configure<'env>(");
        assert_has(&text, "pub fn get_pool()");
        assert_lacks(&text, "enum");
    }
    assert_has(
        &pretty_method(quote!(), quote! { fn new(n: u8) -> Self { todo!() } }),
        "fn new_map<I>",
    );
    assert_has(
        &pretty_method(quote!(), quote! { fn new(n: u8) -> u8 { Self::N + n } }),
        "fn new_map<I>",
    );
    assert_has(
        &pretty_method(quote!(associated), quote! { fn new(n: u8) -> u8 { n } }),
        "fn new_map<I>",
    );
    // A `Self` of its own.
    let text = pretty(
        quote!(),
        quote! { fn free(n: u8) -> u8 { struct S; impl S { fn s() -> Self { S } } n } },
    );
    assert_has(&text, "enum free {}");
}

#[test]
fn what_is_said_of_the_name_is_said_of_the_companion() {
    let text = pretty(
        quote!(),
        quote! {
            #[cfg(unix)] #[deprecated] #[doc(hidden)] #[must_use] #[cfg_attr(test, cold, deprecated, cfg(a))] /// Text.
            pub fn load() {}
        },
    );
    assert_eq!(text.matches("#[cfg(unix)]").count(), 3);
    assert_eq!(text.matches("#[deprecated]").count(), 2);
    assert_eq!(
        text.matches("#[cfg_attr(test, deprecated, cfg(a))]")
            .count(),
        1
    );
    assert_eq!(text.matches("#[cfg_attr(test, cfg(a))]").count(), 1);
    assert_eq!(text.matches("cold").count(), 1);
    assert_eq!(text.matches("Text.").count(), 1);
}
