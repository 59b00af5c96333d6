use std::cell::Cell;

use futureproof::task_pool;

struct Counter(Cell<u8>);

impl Counter {
    #[task_pool]
    fn add(&self, number: u8) {
        self.0.set(self.0.get() + number);
    }
}

fn main() {
    Counter(Cell::new(0)).add(1);
}
