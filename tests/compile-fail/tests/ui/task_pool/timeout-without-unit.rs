use futureproof::task_pool;

#[task_pool(timeout = 2)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
