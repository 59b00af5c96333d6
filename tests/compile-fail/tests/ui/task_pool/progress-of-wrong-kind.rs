use futureproof::task_pool;

#[task_pool(progress = 5)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    assert_eq!(length::submit("word").join().unwrap(), 4);
}
