//! How large expansions may be, in tokens. rustc reads every one of them in every build of every user, so a number here is
//! raised on purpose or not at all.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use crate::{parallel_for, task_pool};

fn count(tokens: TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(of).sum()
}

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a loop adds to what the user wrote.
fn loop_adds(text: &str) -> usize {
    let expanded = parallel_for::expand(tokens(&format!("krate, {text}")));
    count(expanded) - count(tokens(text))
}

/// What the attribute adds to the function.
fn pool_adds(options: &str, function: &str) -> usize {
    let expanded = task_pool::expand(tokens(options), tokens(function));
    count(expanded) - count(tokens(function))
}

#[track_caller]
fn assert_budget(spent: usize, budget: usize) {
    assert!(spent <= budget, "{spent} tokens, and {budget} are allowed");
    // Else the next change could spend what this one has saved, unseen.
    assert!(
        spent + 5 > budget,
        "{spent} tokens: lower the budget of {budget}"
    );
}

#[test]
fn a_loop() {
    assert_budget(loop_adds("for n in x { f(n); }"), 132);
    assert_budget(loop_adds("workers = 4, for n in x { f(n); }"), 141);
    assert_budget(loop_adds("reduce(a), for n in x { a += n; }"), 225);
    assert_budget(loop_adds("local(b = B), for n in x { b.f(n); }"), 154);
    assert_budget(
        loop_adds("error_policy = \"log\", for n in x { f(n)?; }"),
        266,
    );
    assert_budget(loop_adds("for n in x { f(n)?; }"), 277);
    assert_budget(loop_adds("for n in x { if n == 3 { break; } }"), 182);
}

#[test]
fn one_more_of_anything_in_a_loop() {
    let more = |text: &str, than: &str| loop_adds(text) - loop_adds(than);
    let one = "for n in x { f(n)?; }";
    assert_budget(more("for n in x { f(n)?; g(n)?; }", one), 126);
    assert_budget(more("for n in x { f(n)?; return 3; }", one), 38);
    assert_budget(more("for n in x { f(n)?; break 'a; }", one), 38);
    assert_budget(more("for n in x { f(n)?; continue; }", one), 10);
    assert_budget(more("for n in x { f(n)?; break; }", one), 10);
    assert_budget(
        more(
            "workers = 1, batch = 2, for n in x { f(n)?; }",
            "workers = 1, for n in x { f(n)?; }",
        ),
        1,
    );
    assert_budget(
        more(
            "reduce(a, b), for n in x { a += n; b += n; }",
            "reduce(a), for n in x { a += n; b(n); }",
        ),
        18,
    );
    assert_budget(
        more(
            "for n in x { parallel_for!(for m in n { f(m); }) }",
            "for n in x { f(m); }",
        ),
        130,
    );
    assert_budget(
        more("for n in x { parallel_for!(for m in n { f(m)?; }) }", one),
        200,
    );
}

#[test]
fn a_loop_stays_as_it_was_where_it_is_wrong() {
    assert_budget(loop_adds("wrokers = 3, for n in x { f(n)?; }"), 35);
}

#[test]
fn a_pool() {
    assert_budget(pool_adds("", "fn f() {}"), 1186);
    assert_budget(
        pool_adds("", "fn f(a: &str, b: u32) -> Result<u32, E> { a.f(b) }"),
        1315,
    );
    assert_budget(pool_adds("keep_args = false", "fn f(a: &mut u8) {}"), 1235);
    assert_budget(pool_adds("", "fn f(&self, a: u8) -> u8 { a }"), 1876);
    assert_budget(
        pool_adds("", "fn f<T: A, const N: usize>(a: [T; N]) -> T { a.f() }"),
        1841,
    );
    assert_budget(
        pool_adds("retry = 3", "fn f() -> Result<(), E> { g() }"),
        1138,
    );
}

#[test]
fn one_more_of_anything_at_a_pool() {
    let more = |options: &str, function: &str, than: &str| {
        pool_adds(options, function) - pool_adds("", than)
    };
    assert_budget(more("workers = 5", "fn f() {}", "fn f() {}"), 5);
    assert_budget(more("error_policy = \"log\"", "fn f() {}", "fn f() {}"), 16);
    assert_budget(more("", "fn f(a: u8, b: u8) {}", "fn f(a: u8) {}"), 83);
    assert_budget(more("", "fn f(a: &u8) {}", "fn f(a: u8) {}"), 51);
}
