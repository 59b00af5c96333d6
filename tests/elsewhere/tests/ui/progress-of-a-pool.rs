use concurrent::task_pool;

#[task_pool(workers = 2, progress = true, crate = concurrent)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    assert_eq!(length::submit("word").join().unwrap(), 4);
}
