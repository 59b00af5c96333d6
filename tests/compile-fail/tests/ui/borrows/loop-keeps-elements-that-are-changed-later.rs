use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let mut numbers = vec![1, 2, 3];
    let kept = Mutex::new(Vec::new());
    parallel_for!(
        for number in &mut numbers {
            kept.lock().unwrap().push(number);
        }
    );
    numbers.push(4);
    *kept.lock().unwrap()[0] = 5;
}
