use futureproof::task_pool;

struct Word<'a>(&'a str);

#[task_pool]
fn length(word: Word) -> usize {
    word.0.len()
}

fn main() {
    length(Word("word"));
}
