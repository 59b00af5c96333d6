use futureproof::task_pool;

#[task_pool(worker = 5, error_policy = "warn", capacity = 0)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
