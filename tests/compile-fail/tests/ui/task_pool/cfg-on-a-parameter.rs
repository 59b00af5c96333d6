use futureproof::task_pool;

#[task_pool]
fn length(word: &str, #[cfg(windows)] drive: char) -> usize {
    word.len()
}

fn main() {
    length("word");
}
