use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let mut kept = None;
    length::scope(|tasks| {
        kept = Some(tasks);
    })
    .unwrap();
    kept.unwrap().submit("word");
}
