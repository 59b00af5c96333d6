use std::rc::Rc;

use futureproof::parallel_for;

fn main() {
    let mut numbers = Vec::new();
    parallel_for!(
        reduce(numbers),
        for n in 0..10 {
            numbers.push(Rc::new(n));
        }
    );
    println!("{numbers:?}");
}
