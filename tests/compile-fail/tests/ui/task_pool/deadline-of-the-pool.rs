use futureproof::task_pool;

#[task_pool(deadline = "5s")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
