use std::rc::Rc;

use futureproof::ParallelFor;

fn main() {
    let number = Rc::new(5);
    ParallelFor::new().for_each(futureproof::pull((0..5).map(|n| n + *number)), |n| println!("{n}"));
}
