use std::sync::{Mutex, MutexGuard, PoisonError};

use futureproof::parallel_for;

fn total(lock: &Mutex<i32>) -> Result<i32, PoisonError<MutexGuard<'_, i32>>> {
    parallel_for!(
        for n in 0..10 {
            *lock.lock()? += n;
        }
    );
    Ok(0)
}

fn main() {
    total(&Mutex::new(0)).unwrap();
}
