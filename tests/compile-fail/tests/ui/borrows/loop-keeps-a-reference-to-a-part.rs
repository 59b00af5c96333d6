use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let kept = Mutex::new(Vec::new());
    let mut words = Vec::new();
    parallel_for!(
        reduce(words),
        for n in 0..10 {
            words.push(n);
            kept.lock().unwrap().push(words.as_slice());
        }
    );
    println!("{kept:?}");
}
