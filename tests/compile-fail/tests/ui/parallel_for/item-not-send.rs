use std::rc::Rc;

use futureproof::parallel_for;

fn main() {
    let numbers = vec![Rc::new(1), Rc::new(2)];
    parallel_for!(
        for n in numbers {
            println!("{n}");
        }
    );
}
