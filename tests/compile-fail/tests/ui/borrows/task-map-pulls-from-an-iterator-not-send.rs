use std::rc::Rc;

use futureproof::task_pool;

#[task_pool]
fn square(number: u32) -> u32 {
    number * number
}

fn main() {
    let factor = Rc::new(2);
    let squares = square::map((0..5).map(move |number| number * *factor));
    println!("{}", squares.count());
}
