use std::time::Duration;

use futureproof::task_pool;

#[task_pool(progress = Duration::from_secs(1))]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    assert_eq!(length::submit("word").join().unwrap(), 4);
}
