use futureproof::task_pool;

#[task_pool(rate_limit = "0/s")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
