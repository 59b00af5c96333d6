use std::sync::Mutex;

use futureproof::ParallelFor;

fn main() {
    let texts = vec![String::from("a"), String::from("b")];
    let kept = Mutex::new(Vec::new());
    ParallelFor::new().for_each(texts, |text| kept.lock().unwrap().push(text.as_str()));
    println!("{kept:?}");
}
