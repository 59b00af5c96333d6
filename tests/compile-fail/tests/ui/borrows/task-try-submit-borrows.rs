use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let word = String::from("word");
    let kept = length::try_submit(&word);
    drop(kept);
}
