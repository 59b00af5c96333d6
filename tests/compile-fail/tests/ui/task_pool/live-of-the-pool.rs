use futureproof::task_pool;

#[task_pool(live = &futureproof::LiveReport::new())]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    assert_eq!(length::submit("word").join().unwrap(), 4);
}
