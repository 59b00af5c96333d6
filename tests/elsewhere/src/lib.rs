//! Re-exports futureproof, as a crate would that offers it to its users.

pub use concurrent::parallel_for as each_at_once;
