use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let kept = Mutex::new(Vec::new());
    {
        let texts = vec![String::from("a"), String::from("b")];
        parallel_for!(
            for text in &texts {
                kept.lock().unwrap().push(text);
            }
        );
    }
    println!("{kept:?}");
}
