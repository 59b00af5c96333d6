use futureproof::task_pool;

const KEEP: bool = true;

#[task_pool(keep_args = KEEP)]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
