use std::cell::Cell;

use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for row in 0..10 {
            let count = Cell::new(row);
            parallel_for!(
                for n in 0..10 {
                    count.set(n);
                }
            );
        }
    );
}
