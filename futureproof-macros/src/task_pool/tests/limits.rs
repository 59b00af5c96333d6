//! Retries, limits in time and number, hooks.

use quote::quote;

use super::mistakes::{message, messages};
use super::{assert_has, assert_lacks, load, pretty, pretty_method};

#[test]
fn what_is_not_asked_for_is_not_written() {
    let text = pretty(quote!(), load());
    for unwanted in [
        "again",
        "cloning",
        "retry",
        "timeout",
        "rate_limit",
        "RateLimit",
        "raise_after",
        "max_tasks_per_thread",
        "on_thread",
        "Call::<",
    ] {
        assert_lacks(&text, unwanted);
    }
}

#[test]
fn limits_are_options_of_the_pool() {
    let text = pretty(
        quote!(
            raise_after = N,
            timeout = "1.5s",
            rate_limit = "10/s",
            max_tasks_per_thread = 2 * N
        ),
        load(),
    );
    assert_has(
        &text,
        r#"TaskOptions::new("load").raise_after(N).timeout(::futureproof::__private::Duration::new(1u64, 500000000u32))
        .rate_limit(::futureproof::__private::RateLimit::new(10u32, ::futureproof::__private::Duration::new(1u64, 0u32)))
        .max_tasks_per_thread(2 * N).build()"#,
    );
    let text = pretty(
        quote!(timeout = LIMIT, rate_limit = "600/min burst 5"),
        load(),
    );
    assert_has(&text, ".timeout(LIMIT)");
    assert_has(&text, "::new(60u64, 0u32)).burst(5u32)");
    assert_has(
        &pretty(quote!(rate_limit = RateLimit::new(1, per())), load()),
        ".rate_limit(RateLimit::new(1, per()))",
    );
}

#[test]
fn hooks_are_options_of_the_pool() {
    let text = pretty(
        quote!(on_thread_start = || connect(1, 2), on_thread_stop = goodbye),
        load(),
    );
    assert_has(
        &text,
        ".on_thread_start(|| connect(1, 2)).on_thread_stop(goodbye).build()",
    );
}

#[test]
fn with_retry_the_call_can_clone_its_arguments() {
    let text = pretty(
        quote!(
            retry = Retry::attempts(5).backoff(WAIT),
            retry_if = |error| error.is_transient()
        ),
        load(),
    );
    assert_has(
        &text,
        r#"TaskOptions::new("load").retry(Retry::attempts(5).backoff(WAIT)).build()"#,
    );
    let clones = "|(__arg0, __arg1)| (::futureproof::__private::again(__arg0), ::futureproof::__private::again(__arg1))";
    assert_has(
        &text,
        &format!(".vtable()).cloning({clones}).retry_if(|error| error.is_transient())"),
    );
    assert_has(
        &text,
        "::futureproof::__private::Call::<(&'env str, u32), (&'env str, u32), usize, Error>",
    );
    // One error for one argument that cannot be cloned.
    assert_lacks(&text, "keep(");

    let text = pretty(quote!(retry = 3, keep_args = false), load());
    assert_has(&text, &format!("vtable()).cloning({clones})"));
    assert_has(&text, "|_| (), |_| ::futureproof::__private::None");
    assert_lacks(&text, "retry_if");
}

#[test]
fn generic_arguments_have_to_be_clone_for_retry() {
    let generic = quote! { fn run<T: Job>(job: T) -> Result<u8, E> { job.run() } };
    assert_has(
        &pretty(quote!(retry = 3, keep_args = false), generic.clone()),
        "T: ::core::marker::Send + ::core::clone::Clone",
    );
    assert_lacks(&pretty(quote!(keep_args = false), generic), "Clone");
}

#[test]
fn methods_can_be_tried_again() {
    let text = pretty_method(
        quote!(retry = 3, retry_if = Self::is_transient),
        quote! { fn get(&self, path: &str) -> io::Result<u8> { todo!() } },
    );
    assert_has(&text, ".retry_if(Self::is_transient)");
    assert_has(&text, ".retry(3)");
}

#[test]
fn mistaken_values_say_what_to_write_instead() {
    for (args, wanted) in [
        (quote!(raise_after = 0), "at least 1; leave it out to stop"),
        (quote!(raise_after = -1), "at least 1"),
        (quote!(retry = 0), "the first attempt counts"),
        (
            quote!(max_tasks_per_thread = 0),
            "leave it out to keep the threads",
        ),
        (quote!(timeout = "0s"), "leave it out for no limit"),
        (quote!(timeout = "2"), "no unit"),
        (quote!(timeout = 2), "write it like `timeout = \"2s\"`"),
        (quote!(timeout = 0.5), "write it like `timeout = \"2s\"`"),
        (
            quote!(rate_limit = 10),
            "write it like `rate_limit = \"10/s\"`",
        ),
        (quote!(rate_limit = "10"), "\"10\" is not a rate"),
        (quote!(rate_limit = "10/day"), "unknown unit `day`"),
        (quote!(rate_limit = "0/s"), "at least 1 start"),
        (quote!(retry), "needs a value: `retry = 3`"),
        (
            quote!(retry = 3, retry_if),
            "`retry_if = |error| error.is_transient()`",
        ),
        (quote!(on_thread_start), "`on_thread_start = || set_up()`"),
    ] {
        let found = message(args.clone(), load());
        assert!(found.contains(wanted), "{args}: {found}");
    }
}

#[test]
fn options_of_other_libraries_have_their_names_here() {
    for (wrong, right) in [
        ("max_workers", "workers"),
        ("retries", "retry"),
        ("throttle", "rate_limit"),
        ("initializer", "on_thread_start"),
        ("bar", "progress"),
        ("max_tasks", "max_tasks_per_thread"),
        ("time_out", "timeout"),
        ("ratelimit", "rate_limit"),
        ("on_thread_end", "on_thread_stop"),
    ] {
        let key = quote::format_ident!("{wrong}");
        let found = message(quote!(#key = 3), load());
        let wanted = format!("unknown option `{wrong}`; did you mean `{right}`?");
        assert_eq!(found, wanted);
    }
    let found = message(quote!(deadline = "3s"), load());
    assert!(
        found.contains("`f::configure().deadline(…).scope(…)`"),
        "{found}"
    );
}

#[test]
fn several_failures_need_the_policy_that_ends_with_them() {
    for policy in ["log", "ignore"] {
        for args in [
            quote!(raise_after = 3, error_policy = #policy),
            quote!(error_policy = #policy, raise_after = 3),
        ] {
            let found = message(args, load());
            assert!(
                found.contains("`raise_after` needs the policy \"raise\"")
                    && found.contains(&format!("`error_policy = \"{policy}\"`")),
                "{found}"
            );
        }
    }
    assert!(messages(quote!(raise_after = 3, error_policy = "raise"), load()).is_empty());
    assert!(messages(quote!(raise_after = 3, error_policy = POLICY), load()).is_empty());
}

#[test]
fn only_what_fails_can_be_tried_again() {
    let plain = quote!(
        fn length(word: &str) -> usize {
            0
        }
    );
    for (args, key) in [
        (quote!(retry = 3), "retry"),
        (quote!(retry_if = |_| true), "retry_if"),
        (quote!(retry_if = |_| true, retry = 3), "retry"),
    ] {
        let found = message(args.clone(), plain.clone());
        let wanted = format!(
            "only an `Err` is tried again, and `length` returns no `Result`; remove `{key}`"
        );
        assert_eq!(found, wanted);
        // No second error from what is written.
        let text = pretty(args, plain.clone());
        assert_lacks(&text, "retry_if(");
        assert_lacks(&text, "cloning");
    }
    let alias = quote!(
        fn length(word: &str) -> Parsed {
            todo!()
        }
    );
    let found = message(quote!(retry = 3), alias.clone());
    assert!(
        found.ends_with("or write `fallible = true` if this is a `Result` by another name"),
        "{found}"
    );
    assert_lacks(&pretty(quote!(retry = 3), alias.clone()), "IS_RESULT");
    assert!(messages(quote!(retry = 3, fallible = true), alias).is_empty());
    let found = message(quote!(retry = 3, fallible = false), load());
    assert!(
        found.ends_with("remove `retry` or `fallible = false`"),
        "{found}"
    );
    let found = message(quote!(retry_if = |_| true), load());
    assert!(found.contains("add `retry = 3`"), "{found}");
    // Of a mistaken `retry` it is not said that it is missing.
    let found = message(quote!(retry = 0, retry_if = |_| true), load());
    assert!(found.contains("`retry` must be at least 1"), "{found}");
}

#[test]
fn what_is_borrowed_to_be_changed_cannot_be_tried_again() {
    for (item, what) in [
        (
            quote!(
                fn fill(row: &mut Vec<u8>) -> Result<(), E> {
                    todo!()
                }
            ),
            "`&mut Vec<u8>`",
        ),
        (
            quote!(
                fn fill(&mut self) -> Result<(), E> {
                    todo!()
                }
            ),
            "`&mut self`",
        ),
    ] {
        for args in [quote!(retry = 3), quote!(retry = 3, keep_args = false)] {
            let found = message(args.clone(), item.clone());
            assert!(
                found.contains(what) && found.contains("for another attempt; remove `retry`"),
                "{args}: {found}"
            );
        }
    }
}
