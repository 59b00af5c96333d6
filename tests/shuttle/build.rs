//! Has the core take its primitives from shuttle.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(futureproof_shuttle, loom, rust_analyzer)");
    println!("cargo::rustc-cfg=futureproof_shuttle");
}
