use std::sync::Mutex;

use futureproof::ParallelFor;

fn main() {
    let kept = Mutex::new(Vec::new());
    let mut words = Vec::new();
    ParallelFor::new().fold_into(&mut words, 0..10, |words, n| {
        words.push(n);
        kept.lock().unwrap().push(&*words);
    });
    println!("{kept:?}");
}
