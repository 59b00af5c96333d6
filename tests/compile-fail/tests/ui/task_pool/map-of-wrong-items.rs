use futureproof::task_pool;

#[task_pool]
fn repeat(word: &str, times: usize) -> String {
    word.repeat(times)
}

fn main() {
    let results = repeat::map(["word"]);
    drop(results);
}
