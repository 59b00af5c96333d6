use futureproof::task_pool;

const LIMIT: u64 = 2;

#[task_pool(timeout = LIMIT)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
