//! The peers in C and C++, where `build.rs` could build them.

/// Declares functions of a library that may be missing, as methods of a value that exists only where it is there.
macro_rules! library {
    (
        $(#[$doc:meta])*
        $name:ident if $there:ident {
            $(fn $method:ident = $symbol:ident($($arg:ident: $type:ty),*);)*
            slice fn $slice_method:ident = $slice_symbol:ident;
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name(());

        #[cfg($there)]
        // SAFETY: these are the signatures in the source file, and the functions `safe` here take numbers only.
        unsafe extern "C" {
            $(safe fn $symbol($($arg: $type,)* threads: i32) -> u64;)*
            fn $slice_symbol(values: *mut u64, length: u64, threads: i32);
        }

        impl $name {
            /// Returns the library, if it is there.
            pub fn new() -> Option<Self> {
                cfg!($there).then_some(Self(()))
            }

            $(
                #[allow(unused_variables, reason = "nothing is called where the library is missing")]
                pub fn $method(self, $($arg: $type,)* threads: usize) -> u64 {
                    #[cfg($there)]
                    return $symbol($($arg,)* threads as i32);
                    #[cfg(not($there))]
                    unreachable!("the library is missing")
                }
            )*

            #[allow(unused_variables, reason = "nothing is called where the library is missing")]
            pub fn $slice_method(self, values: &mut [u64], threads: usize) {
                #[cfg($there)]
                // SAFETY: the function stays within the slice, which is ours alone until it returns.
                unsafe {
                    $slice_symbol(values.as_mut_ptr(), values.len() as u64, threads as i32);
                }
                #[cfg(not($there))]
                unreachable!("the library is missing")
            }
        }
    };
}

library! {
    /// OpenMP: `c/openmp.c`.
    OpenMp if openmp {
        fn sum_mix = openmp_sum_mix(items: u64);
        fn sum_spin = openmp_sum_spin(items: u64, rounds: u64);
        fn skewed_dynamic = openmp_skewed_dynamic(items: u64, fast: u64, slow: u64);
        fn skewed_guided = openmp_skewed_guided(items: u64, fast: u64, slow: u64);
        fn small_loops = openmp_small_loops(loops: u64, length: u64, rounds: u64);
        slice fn update = openmp_update;
    }
}

library! {
    /// oneTBB: `c/tbb.cpp`.
    Tbb if tbb {
        fn sum_mix = tbb_sum_mix(items: u64);
        fn sum_spin = tbb_sum_spin(items: u64, rounds: u64);
        fn skewed = tbb_skewed(items: u64, fast: u64, slow: u64);
        fn small_loops = tbb_small_loops(loops: u64, length: u64, rounds: u64);
        slice fn update = tbb_update;
    }
}
