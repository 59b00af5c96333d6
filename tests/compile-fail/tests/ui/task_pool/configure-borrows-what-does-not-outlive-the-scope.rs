use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::configure()
        .scope(|tasks| {
            let word = String::from("word");
            tasks.submit(&word);
        })
        .unwrap();
}
