use std::sync::Mutex;

use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let calls = Mutex::new(0);
    let handle = length::submit("word");
    handle.on_finish(|_| *calls.lock().unwrap() += 1);
    drop(handle);
}
