use futureproof::task_pool;

#[task_pool(on_thread_start = || 5)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
