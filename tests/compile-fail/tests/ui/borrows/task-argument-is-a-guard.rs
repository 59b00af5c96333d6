use std::sync::{Mutex, MutexGuard};

use futureproof::task_pool;

#[task_pool(keep_args = false)]
fn show(guard: MutexGuard<'_, i32>) {
    println!("{guard}");
}

fn main() {
    show(Mutex::new(5).lock().unwrap());
}
