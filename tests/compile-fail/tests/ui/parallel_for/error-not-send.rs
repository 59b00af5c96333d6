use std::rc::Rc;

use futureproof::parallel_for;

fn check(n: i32) -> Result<(), Rc<str>> {
    if n < 3 { Ok(()) } else { Err("too large".into()) }
}

fn main() -> Result<(), Rc<str>> {
    parallel_for!(
        for n in 0..10 {
            check(n)?;
        }
    );
    Ok(())
}
