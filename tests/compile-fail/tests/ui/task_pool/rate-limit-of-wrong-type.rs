use futureproof::task_pool;

const RATE: &str = "10/s";

#[task_pool(rate_limit = RATE)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
