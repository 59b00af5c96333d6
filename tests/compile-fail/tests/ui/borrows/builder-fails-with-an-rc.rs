use std::rc::Rc;

use futureproof::ParallelFor;

fn check(n: i32) -> Result<(), Rc<str>> {
    if n < 3 { Ok(()) } else { Err("too large".into()) }
}

fn main() {
    ParallelFor::new().try_for_each(0..10, check).unwrap();
}
