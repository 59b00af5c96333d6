use futureproof::task_pool;

#[task_pool(workers = 5, workers = 6)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
