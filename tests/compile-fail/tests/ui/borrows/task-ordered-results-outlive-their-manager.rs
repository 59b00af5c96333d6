use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let mut kept = None;
    length::scope(|tasks| {
        tasks.submit("word");
        kept = Some(tasks.in_order());
    })
    .unwrap();
    println!("{}", kept.unwrap().count());
}
