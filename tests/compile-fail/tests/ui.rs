//! What the compiler says of mistakes, one mistake a file, word for word.
//!
//! The texts belong to the toolchain of the repository. After a change on purpose, write them anew with
//! `TRYBUILD=overwrite cargo test -p futureproof-compile-fail`, and read the difference as a user would: does it point
//! at the mistake, does it say what to write instead, and is there nothing else?

#[test]
fn parallel_for() {
    trybuild::TestCases::new().compile_fail("tests/ui/parallel_for/*.rs");
}

#[test]
fn task_pool() {
    trybuild::TestCases::new().compile_fail("tests/ui/task_pool/*.rs");
}

/// Nothing that is borrowed gets out, nothing that one thread alone may have reaches another.
#[test]
fn borrows() {
    trybuild::TestCases::new().compile_fail("tests/ui/borrows/*.rs");
}
