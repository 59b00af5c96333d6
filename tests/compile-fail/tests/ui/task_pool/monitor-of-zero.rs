use futureproof::task_pool;

#[task_pool(monitor = "0s")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
