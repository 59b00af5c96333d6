use futureproof::task_pool;

#[task_pool(timeout = "0s")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
