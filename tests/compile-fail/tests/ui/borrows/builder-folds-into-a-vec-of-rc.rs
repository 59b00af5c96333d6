use std::rc::Rc;

use futureproof::ParallelFor;

fn main() {
    let mut numbers = Vec::new();
    ParallelFor::new().fold_into(&mut numbers, 0..10, |numbers, n| numbers.push(Rc::new(n)));
    println!("{numbers:?}");
}
