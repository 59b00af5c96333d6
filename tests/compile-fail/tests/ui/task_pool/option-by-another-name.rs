use futureproof::task_pool;

#[task_pool(max_workers = 5)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
