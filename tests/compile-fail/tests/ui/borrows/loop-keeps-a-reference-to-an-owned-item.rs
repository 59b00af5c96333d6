use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let texts = vec![String::from("a"), String::from("b")];
    let kept = Mutex::new(Vec::new());
    parallel_for!(
        for text in texts {
            kept.lock().unwrap().push(text.as_str());
        }
    );
    println!("{kept:?}");
}
