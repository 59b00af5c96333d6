use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let mut word = String::from("word");
    length::scope(|tasks| {
        tasks.submit(&word);
        word.push('s');
    })
    .unwrap();
}
