use std::cell::Cell;

use futureproof::parallel_for;

fn main() {
    let count = Cell::new(0);
    parallel_for!(
        for n in 0..10 {
            count.set(count.get() + n);
        }
    );
}
