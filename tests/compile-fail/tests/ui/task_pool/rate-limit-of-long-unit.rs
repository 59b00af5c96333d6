use futureproof::task_pool;

#[task_pool(rate_limit = "10/sec")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    assert_eq!(length::submit("word").join().unwrap(), 4);
}
