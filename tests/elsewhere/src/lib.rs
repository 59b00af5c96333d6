//! Re-exports futureproof, as a crate would that offers it to its users.

pub use concurrent as engine;
pub use concurrent::parallel_for as each_at_once;
pub use concurrent::task_pool as pooled;

/// Sums up with a loop of its own.
#[macro_export]
macro_rules! sum_at_once {
    ($sum:ident; $item:pat in $items:expr => $value:expr) => {
        $crate::each_at_once!(
            reduce($sum),
            for $item in $items {
                $sum += $value
            }
        )
    };
}

/// Makes a function with a pool.
#[macro_export]
macro_rules! doubled {
    ($name:ident: $ty:ty) => {
        #[$crate::pooled(workers = 2, crate = $crate::engine)]
        fn $name(number: $ty) -> $ty {
            2 * number
        }
    };
}
