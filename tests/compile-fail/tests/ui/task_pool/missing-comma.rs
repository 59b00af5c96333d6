use futureproof::task_pool;

#[task_pool(workers = 5 capacity = 3)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
