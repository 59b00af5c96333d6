use futureproof::task_pool;

#[task_pool(rate_limit = "fast")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
