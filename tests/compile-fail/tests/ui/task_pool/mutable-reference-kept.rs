use futureproof::task_pool;

#[task_pool]
fn clear(words: &mut Vec<String>) {
    words.clear();
}

fn main() {
    let mut words = Vec::new();
    clear::scope(|tasks| {
        tasks.submit(&mut words);
    })
    .unwrap();
}
