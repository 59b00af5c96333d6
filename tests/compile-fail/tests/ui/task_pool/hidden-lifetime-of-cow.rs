use std::borrow::Cow;

use futureproof::task_pool;

#[task_pool]
fn length(word: Cow<str>) -> usize {
    word.len()
}

fn main() {
    length(Cow::Borrowed("word"));
}
