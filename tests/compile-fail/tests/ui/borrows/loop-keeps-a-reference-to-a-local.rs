use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let kept = Mutex::new(Vec::new());
    parallel_for!(
        local(line = String::new()),
        for n in 0..10 {
            line.push_str(&n.to_string());
            kept.lock().unwrap().push(&line);
        }
    );
    println!("{kept:?}");
}
