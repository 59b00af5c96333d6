use futureproof::task_pool;

#[task_pool(retry = 3)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
