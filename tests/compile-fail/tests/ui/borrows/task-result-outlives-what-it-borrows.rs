use futureproof::task_pool;

#[task_pool]
fn first(line: &str) -> &str {
    line.split(' ').next().unwrap_or("")
}

fn main() {
    let mut words = Vec::new();
    {
        let line = String::from("one two");
        first::scope(|tasks| {
            tasks.submit(&line);
            words.extend(tasks.as_completed().flatten().map(|done| done.result));
        })
        .unwrap();
    }
    println!("{words:?}");
}
