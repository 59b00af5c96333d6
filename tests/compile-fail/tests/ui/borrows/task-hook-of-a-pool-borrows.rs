use std::sync::Mutex;

use futureproof::TaskPool;

fn main() {
    let starts = Mutex::new(0);
    let pool = TaskPool::builder()
        .on_thread_start(|| *starts.lock().unwrap() += 1)
        .build();
    drop(pool);
}
