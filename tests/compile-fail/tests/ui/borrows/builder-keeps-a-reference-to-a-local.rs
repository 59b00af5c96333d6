use std::sync::Mutex;

use futureproof::ParallelFor;

fn main() {
    let kept = Mutex::new(Vec::new());
    ParallelFor::new().for_each_with(String::new, 0..10, |line, n| {
        line.push_str(&n.to_string());
        kept.lock().unwrap().push(&*line);
    });
    println!("{kept:?}");
}
