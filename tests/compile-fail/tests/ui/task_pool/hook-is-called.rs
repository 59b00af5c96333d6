use futureproof::task_pool;

fn greet() {}

#[task_pool(on_thread_stop = greet())]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
