use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let word = String::from("word");
    let kept = length::map([word.as_str()]);
    drop(kept);
}
