use std::rc::Rc;

use futureproof::ParallelFor;

fn main() {
    let numbers = vec![Rc::new(1), Rc::new(2)];
    ParallelFor::new().for_each(numbers, |number| println!("{number}"));
}
