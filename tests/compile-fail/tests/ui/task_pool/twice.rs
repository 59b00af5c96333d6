use futureproof::task_pool;

#[task_pool(workers = 5)]
#[task_pool(capacity = 5)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length("word");
}
