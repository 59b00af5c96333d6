use std::rc::Rc;

use futureproof::parallel_for;

fn main() {
    let r = Rc::new(1);
    parallel_for!(
        for i in (0..5).map(|i| i + *r) {
            println!("{i}");
        }
    );
}
