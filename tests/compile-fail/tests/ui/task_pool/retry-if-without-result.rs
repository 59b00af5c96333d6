use futureproof::task_pool;

#[task_pool(retry_if = |_| true)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
