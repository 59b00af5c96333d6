use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let name = String::from("x");
    let given = Mutex::new(Vec::new());
    parallel_for!(
        for _ in 0..10 {
            given.lock().unwrap().push(name);
        }
    );
}
