//! What is said of mistakes, and what comes out beside it.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::super::expand;
use super::{assert_has, assert_lacks, load, pretty};

/// The messages of all `compile_error!`s.
pub(super) fn messages(args: TokenStream, item: TokenStream) -> Vec<String> {
    let mut tokens = expand(args, item).into_iter();
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Ident(name) if name == "compile_error")
            && let (Some(_), Some(TokenTree::Group(message))) = (tokens.next(), tokens.next())
        {
            found.push(
                syn::parse2::<syn::LitStr>(message.stream())
                    .expect("a message")
                    .value(),
            );
        }
    }
    found
}

pub(super) fn message(args: TokenStream, item: TokenStream) -> String {
    let mut found = messages(args, item);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn mistakes_in_options_are_all_reported_and_the_companion_is_there() {
    let args = quote!(
        worker = f::<A, B>(),
        error_policy = "rise",
        workers = 0,
        capacity = -1,
        monitor = "5",
        batch = 2,
        workers = 3
    );
    let found = messages(args.clone(), load());
    let wanted = [
        "did you mean `workers`?",
        "did you mean \"raise\"?",
        "`workers` must be at least 1",
        "`capacity` must not be negative",
        "no unit",
        "unknown option `batch`; it belongs to `parallel_for!`; the options are `workers`, `error_policy`, `raise_after`,",
        "`workers` is given twice",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.contains(wanted), "{wanted}: {found}");
    }
    assert_has(&pretty(args, load()), r#"TaskOptions::new("load").build()"#);
}

#[test]
fn malformed_options_are_reported() {
    for (args, wanted) in [
        (quote!(5), "expected an option such as"),
        (quote!(workers), "`workers` needs a value: `workers = 5`"),
        (quote!(workers =), "needs a value"),
        (quote!(workers = , capacity = 3), "needs a value"),
        (quote!(workers = 5 capacity = 3), "expected `,`"),
        (quote!(workers(5)), "needs a value"),
        (quote!(keep_args = maybe), "must be `true` or `false`"),
        (quote!(fallible = "yes"), "must be `true` or `false`"),
        (quote!(monitor = "0s"), "longer than zero"),
        (quote!(progress), "needs a value: `progress = true`"),
        (quote!(progress = 5), "write `progress = true`"),
        (quote!(progress = 0), "write `progress = true`"),
        (
            quote!(progress = true, progress = "x"),
            "`progress` is given twice",
        ),
        (quote!(progres = true), "did you mean `progress`?"),
        (quote!(progress_bar = true), "did you mean `progress`?"),
        (quote!(live = &report), "`live` belongs to a loop"),
        (
            quote!(error_policy = "quiet"),
            "unknown error policy \"quiet\"; the policies are",
        ),
        (
            quote!(error_policy = ignore),
            "write `error_policy = \"ignore\"`",
        ),
        (quote!(type = 5), "expected identifier"),
    ] {
        let found = message(args.clone(), load());
        assert!(found.contains(wanted), "{args}: {found}");
    }
    assert!(messages(quote!(workers = 5,), load()).is_empty());
}

#[test]
fn functions_that_no_pool_can_run_are_refused() {
    for (item, wanted) in [
        (
            quote!(
                async fn f() {}
            ),
            "`async`",
        ),
        (
            quote!(
                unsafe fn f() {}
            ),
            "`unsafe`",
        ),
        (
            quote!(
                extern "C" fn f() {}
            ),
            "`extern`",
        ),
        (
            quote!(
                fn f() -> impl Sized {}
            ),
            "type with a name",
        ),
        (
            quote!(
                fn f() -> Box<impl Sized> {
                    todo!()
                }
            ),
            "type with a name",
        ),
        (
            quote!(
                fn f() -> ! {
                    loop {}
                }
            ),
            "instead of `!`",
        ),
        (
            quote!(
                fn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A, i: A) {}
            ),
            "this function has 9",
        ),
        (
            quote!(
                fn f(x: Cow<str>) {}
            ),
            "write `Cow<'_, str>`",
        ),
        (
            quote!(
                fn f(x: &mut Vec<u8>) {}
            ),
            "`&mut Vec<u8>` cannot be cloned",
        ),
        (
            quote!(
                fn f(&mut self) {}
            ),
            "`keep_args = false`",
        ),
        (
            quote!(
                fn f(#[cfg(x)] a: A) {}
            ),
            "cannot leave out one parameter",
        ),
        (
            quote!(
                #[task_pool]
                fn f() {}
            ),
            "given twice",
        ),
        (
            quote!(
                fn f();
            ),
            "a function with a body",
        ),
        (
            quote!(
                struct F;
            ),
            "goes on a function",
        ),
        (
            quote!(
                mod f {}
            ),
            "goes on a function",
        ),
        (quote!(), "goes on a function"),
    ] {
        let text = expand(quote!(), item.clone()).to_string();
        assert!(text.starts_with(&item.to_string()), "{text}");
        let found = message(quote!(), item.clone());
        assert!(found.contains(wanted), "{item}: {found}");
    }
    assert!(
        messages(
            quote!(),
            quote!(
                const fn f(x: u8) -> u8 {
                    x
                }
            )
        )
        .is_empty()
    );
    assert!(
        messages(
            quote!(keep_args = false),
            quote!(
                fn f(x: &mut u8) {}
            )
        )
        .is_empty()
    );
}

#[test]
fn beside_an_error_the_companion_keeps_its_types() {
    let text = expand(
        quote!(),
        quote!(
            async fn load(url: &str) -> usize {
                0
            }
        ),
    )
    .to_string();
    assert_has(
        &text,
        "TaskManager<'env, (&'env str,), (&'env str,), usize,",
    );
    assert_lacks(&text, "Ok(load(");
}

#[test]
fn no_input_makes_it_panic() {
    let args: Vec<TokenTree> =
        quote!(workers = 5, error_policy = "log", raise_after = 2, retry = 3, retry_if = |e| e.is(), timeout = "1s", progress = "x", rate_limit = "10/s burst 2", type = X, crate = a::b, keep_args = false, monitor = "1s", on_thread_start = || a, associated).into_iter().collect();
    let item: Vec<TokenTree> = quote! {
        #[cfg(x)] #[doc = "x"] pub(crate) const async unsafe extern "C" fn f<'a, T: A<'a> + ?Sized, const N: usize>
            (self: &mut Self, &(mut a, _): &'a (&T, Cow<str>), r#type: impl for<'b> Fn(&'b u8) -> &'b u8 + '_, ...)
            -> Result<impl A, &dyn B<'_>> where T: 'a, 'a: 'static { parallel_for!(pool = 1, for x in y { fn g() {} }) }
    }
    .into_iter()
    .collect();
    let without = |tokens: &[TokenTree], from: usize, to: usize| -> TokenStream {
        tokens[..from]
            .iter()
            .chain(&tokens[to..])
            .cloned()
            .collect()
    };
    let whole = |tokens: &[TokenTree]| -> TokenStream { tokens.iter().cloned().collect() };
    for from in 0..args.len() {
        for to in from..=args.len() {
            expand(without(&args, from, to), load());
        }
    }
    for from in 0..item.len() {
        for to in from..=item.len() {
            expand(whole(&args), without(&item, from, to));
            expand(quote!(), without(&item, from, to));
        }
    }
}
