use std::rc::Rc;

use futureproof::ParallelFor;

fn main() {
    let number = Rc::new(5);
    ParallelFor::new().for_each(0..10, |n| println!("{}", *number + n));
}
