use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    length::scope(|tasks| {
        let line = String::from("one two");
        tasks.map(line.split(' '));
    })
    .unwrap();
}
