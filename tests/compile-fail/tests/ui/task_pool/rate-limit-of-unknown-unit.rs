use futureproof::task_pool;

#[task_pool(rate_limit = "1000/day")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
