use futureproof::task_pool;

#[task_pool]
#[target_feature(enable = "sse2")]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        tasks.submit("word");
    })
    .unwrap();
}
