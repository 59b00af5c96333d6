use std::rc::Rc;

use futureproof::parallel_for;

fn find() -> Option<Rc<i32>> {
    parallel_for!(
        for n in 0..10 {
            if n == 3 {
                return Some(Rc::new(n));
            }
        }
    );
    None
}

fn main() {
    find();
}
