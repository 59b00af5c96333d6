use futureproof::task_pool;

#[task_pool(max_tasks_per_thread = 0)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::submit("word");
}
