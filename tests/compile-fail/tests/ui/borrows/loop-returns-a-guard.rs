use std::sync::{Mutex, MutexGuard};

use futureproof::parallel_for;

fn free(locks: &[Mutex<i32>]) -> Option<MutexGuard<'_, i32>> {
    parallel_for!(
        for lock in locks {
            if let Ok(guard) = lock.try_lock() {
                return Some(guard);
            }
        }
    );
    None
}

fn main() {
    free(&[]);
}
