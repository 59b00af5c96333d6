use futureproof::task_pool;

#[task_pool]
unsafe fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
