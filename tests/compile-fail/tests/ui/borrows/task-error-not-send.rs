use std::rc::Rc;

use futureproof::task_pool;

#[task_pool]
fn check(number: i32) -> Result<(), Rc<str>> {
    if number < 3 { Ok(()) } else { Err("too large".into()) }
}

fn main() {
    check(5).unwrap();
}
