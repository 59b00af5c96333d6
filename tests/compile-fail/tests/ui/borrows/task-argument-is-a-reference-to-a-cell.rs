use std::cell::Cell;

use futureproof::task_pool;

#[task_pool]
fn add(cell: &Cell<i32>) {
    cell.set(cell.get() + 1);
}

fn main() {
    add(&Cell::new(5));
}
