use futureproof::task_pool;

#[allow(non_camel_case_types)]
struct length {}

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let length {} = length {};
}
