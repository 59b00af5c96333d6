use std::cell::RefCell;

use futureproof::parallel_for;

fn main() {
    let number = RefCell::new(5);
    parallel_for!(
        for n in 0..10 {
            println!("{}", *number.borrow() + n);
        }
    );
}
