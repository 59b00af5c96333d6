//! Every kind of source with every kind of body, on the calling thread alone.

use std::borrow::Borrow;
use std::hint::black_box;

use futureproof::{parallel_for, pull_here};

use crate::measured::measured;

/// A failure that does not happen.
#[derive(Debug)]
struct Refused;

/// What a body does at least: look at its item.
#[inline]
fn look(item: impl Borrow<u64>) -> u64 {
    black_box(*item.borrow())
}

#[inline]
fn check(item: impl Borrow<u64>) -> Result<u64, Refused> {
    match look(item) {
        u64::MAX => Err(Refused),
        item => Ok(item),
    }
}

/// Writes a module with a function for each body over one source. What is prepared is not counted.
macro_rules! source {
    ($source:ident, $length:ident => $prepare:expr, $prepared:ident => $input:expr) => {
        pub mod $source {
            use super::*;

            /// The sequential loop, to compare with.
            pub fn plain_for($length: u64) {
                let $prepared = $prepare;
                measured(|| {
                    for item in $input {
                        look(item);
                    }
                });
            }

            pub fn plain_for_try($length: u64) {
                let $prepared = $prepare;
                let done = measured(|| -> Result<(), Refused> {
                    for item in $input {
                        check(item)?;
                    }
                    Ok(())
                });
                done.expect("nothing is refused");
            }

            pub fn each($length: u64) {
                let $prepared = $prepare;
                measured(|| {
                    parallel_for!(
                        workers = 1,
                        for item in $input {
                            look(item);
                        }
                    );
                });
            }

            pub fn each_try($length: u64) {
                let $prepared = $prepare;
                let done = measured(|| -> Result<(), Refused> {
                    parallel_for!(
                        workers = 1,
                        for item in $input {
                            check(item)?;
                        }
                    );
                    Ok(())
                });
                done.expect("nothing is refused");
            }

            pub fn reduce($length: u64) {
                let $prepared = $prepare;
                let mut sum = 0;
                measured(|| {
                    parallel_for!(
                        workers = 1,
                        reduce(sum),
                        for item in $input {
                            sum += look(item);
                        }
                    );
                });
                black_box(sum);
            }

            pub fn reduce_try($length: u64) {
                let $prepared = $prepare;
                let mut sum = 0;
                let done = measured(|| -> Result<(), Refused> {
                    parallel_for!(
                        workers = 1,
                        reduce(sum),
                        for item in $input {
                            sum += check(item)?;
                        }
                    );
                    Ok(())
                });
                done.expect("nothing is refused");
                black_box(sum);
            }

            pub fn local($length: u64) {
                let $prepared = $prepare;
                measured(|| {
                    parallel_for!(
                        workers = 1,
                        local(last = 0),
                        for item in $input {
                            last = black_box(last ^ look(item));
                        }
                    );
                });
            }

            /// Each item is handed out by itself.
            pub fn one_by_one($length: u64) {
                let $prepared = $prepare;
                measured(|| {
                    parallel_for!(
                        workers = 1,
                        batch = 1,
                        for item in $input {
                            look(item);
                        }
                    );
                });
            }
        }
    };
}

source!(range, length => length, end => 0..end);
source!(slice, length => (0..length).collect::<Vec<u64>>(), items => &items[..]);
source!(vec, length => (0..length).collect::<Vec<u64>>(), items => items);
source!(lazy, length => length, end => (0..end).map(black_box));
source!(fed, length => length, end => pull_here((0..end).map(black_box)));
