//! What the compiler says where a cargo feature is missing: this package turns none on.
//!
//! The texts belong to the toolchain of the repository; `TRYBUILD=overwrite cargo test -p futureproof-elsewhere` writes them
//! anew.

#[test]
fn missing_features() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
