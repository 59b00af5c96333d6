use std::cell::Cell;

use futureproof::parallel_for;

fn main() {
    let cells = vec![Cell::new(1), Cell::new(2)];
    parallel_for!(
        for cell in &cells {
            cell.set(3);
        }
    );
}
