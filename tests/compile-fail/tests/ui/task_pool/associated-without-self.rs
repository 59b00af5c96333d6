use futureproof::task_pool;

struct Words;

impl Words {
    #[task_pool]
    fn length(word: &str) -> usize {
        word.len()
    }
}

fn main() {
    Words::length("word");
}
