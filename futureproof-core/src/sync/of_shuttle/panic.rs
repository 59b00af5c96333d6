//! What the crate uses of `std::panic`. All threads of an execution are one to the standard library, so it is counted here
//! which of them unwind.

use std::any::Any;
use std::cell::Cell;
use std::thread::Result;

pub use std::panic::{AssertUnwindSafe, UnwindSafe};

use super::thread::thread_local;

thread_local! {
    /// How many panics unwind this thread, one inside another.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

std::thread_local! {
    /// How many unwind all threads of the execution.
    static ALL: Cell<usize> = const { Cell::new(0) };
}

pub fn resume_unwind(payload: Box<dyn Any + Send>) -> ! {
    HERE.set(HERE.get() + 1);
    ALL.set(ALL.get() + 1);
    std::panic::resume_unwind(payload)
}

pub fn catch_unwind<R>(run: impl FnOnce() -> R + UnwindSafe) -> Result<R> {
    let result = std::panic::catch_unwind(run);
    // None is counted after a panic of the crate's own, which is a failure.
    if result.is_err() && HERE.get() > 0 {
        HERE.set(HERE.get() - 1);
        ALL.set(ALL.get() - 1);
    }
    result
}

/// Does this thread unwind? Where no panic is known, it is the end of an execution that was given up.
pub fn panicking() -> bool {
    std::thread::panicking()
        && (ALL.get() == 0 || HERE.try_with(Cell::get).is_ok_and(|here| here > 0))
}
