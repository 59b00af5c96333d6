use std::rc::Rc;

use futureproof::parallel_for;

fn main() {
    let number = Rc::new(5);
    parallel_for!(
        for n in 0..10 {
            println!("{}", *number + n);
        }
    );
}
