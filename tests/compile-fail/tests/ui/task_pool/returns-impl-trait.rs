use futureproof::task_pool;

#[task_pool]
fn letters(word: &'static str) -> impl Iterator<Item = char> {
    word.chars()
}

fn main() {
    letters("word");
}
