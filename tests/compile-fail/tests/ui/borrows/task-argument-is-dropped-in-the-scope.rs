use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let word = String::from("word");
    length::scope(|tasks| {
        tasks.submit(&word);
        drop(word);
    })
    .unwrap();
}
